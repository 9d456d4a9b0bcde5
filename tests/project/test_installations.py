"""Pages and messages name only installations that this repository can give: its name is registered on no package index,
its extras and make targets are those that exist, and images are built from its Dockerfile."""

import re
from functools import cache
from pathlib import Path

import pytest

from deploy.dockerfile import read
from tests.project.repository import ROOT, project

OURS = ("judge-server", "judge_server", "judge-client", "judge_client")
PLACES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "Dockerfile",
    "docs",
    "clients",
    "examples",
    "judge_server",
    "deploy",
)
KINDS = (".md", ".py", ".sh", ".toml", ".yaml", ".yml", "")
PIP = re.compile(r"\b(?:pip3?|uv pip|uv tool|pipx|uv) (?:install|add|run)\b([^\n`#]*)")
BUILD = re.compile(r"docker build[^\n]*--target (\S+)")
PULL = re.compile(r"docker (?:pull|run)[^\n]*?\s((?:[\w.-]+/)*judge-server(?::[\w.-]+)?)(?=\s|$)")


def files(place: str) -> list[Path]:
    root = ROOT / place
    found = [root] if root.is_file() else list(root.rglob("*"))
    return [path for path in found if path.is_file() and path.suffix in KINDS and "swagger" not in path.parts]


@cache
def known() -> tuple[set[str], set[str], set[str]]:
    """Extras, make targets and image stages."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return set(project()["project"]["optional-dependencies"]), set(targets), set(read(ROOT / "Dockerfile"))


def faults(text: str) -> list[str]:
    """Every installation in a text that nobody can carry out."""
    extras, targets, stages = known()
    found = []
    for words in PIP.findall(text):
        named = [word.strip("'\"") for word in words.split() if not word.startswith("-")]
        found += [f"an index has no {word}" for word in named if re.split(r"[\[<>=~!@]", word)[0] in OURS]
        asked = [extra for word in named if word.startswith(".[") for extra in word[2:].rstrip("].'\"").split(",")]
        found += [f"there is no extra {extra}" for extra in asked if extra not in extras and "{" not in extra]
    found += [f"an index has no {name}" for name in re.findall(r"judge-(?:server|client)\[\w+\]", text)]
    found += [
        f"there is no extra {name}" for name in re.findall(r"\bthe extras? `([a-z-]+)`", text) if name not in extras
    ]
    found += [f"there is no make {name}" for name in re.findall(r"`make ([a-z-]+)[^`]*`", text) if name not in targets]
    found += [f"there is no image stage {name}" for name in BUILD.findall(text) if name not in stages]
    found += [f"nobody can pull {name}" for name in PULL.findall(text) if "/" in name]
    return found


@pytest.mark.parametrize("place", PLACES)
def test_every_installation_that_is_named_can_be_carried_out(place):
    named = {str(path.relative_to(ROOT)): faults(path.read_text(encoding="utf-8")) for path in files(place)}
    assert {name: found for name, found in named.items() if found} == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("pip install judge-server", "an index has no judge-server"),
        ("uv pip install 'judge-client>=0.1'", "an index has no judge-client>=0.1"),
        ("pip install trl judge-client", "an index has no judge-client"),
        ("pip install '.[calibrate]' in a checkout", "there is no extra calibrate"),
        ("it needs `judge-server[vllm]`", "an index has no judge-server[vllm]"),
        ("needs the extra `figures`", "there is no extra figures"),
        ("run `make instal`", "there is no make instal"),
        ("docker build --target tiny .", "there is no image stage tiny"),
        ("docker pull registry.example/judge-server:1", "nobody can pull registry.example/judge-server:1"),
    ],
)
def test_an_installation_that_does_not_exist_is_found(text, fault):
    assert faults(text) == [fault]


def test_what_exists_is_no_fault():
    assert (
        faults("pip install ./clients '.[calibration]' trl; `make demo`; docker build --target slim -t judge-server .")
        == []
    )
