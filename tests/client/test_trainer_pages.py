"""Every page of docs/trainers has what somebody needs who has a running server, and the index says what is so."""

import json
import re

import pytest
import yaml

from tests.project.repository import ROOT
from tests.trainers.page import examples

FOLDER = ROOT / "docs" / "trainers"
OF_NO_TRAINER = {"README", "log-to-verdict"}
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem not in OF_NO_TRAINER)
ROW = re.compile(r"^\| \[.*?\]\((.*?)\.md\) \| (.*?) \| (.*?) \| (.*?) \| \[.*?\]\(\.\./\.\./(.*?)\) \|$", re.MULTILINE)
ROWS = {row[0]: row[1:] for row in ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8"))}
PINS = {path.stem: path for path in sorted((ROOT / "tests/trainers/environments").glob("*.in"))}


def text_of(page: str) -> str:
    return (FOLDER / f"{page}.md").read_text(encoding="utf-8")


def sections(page: str) -> dict[str, str]:
    return dict(re.findall(r"^## (.*?)$(.*?)(?=^## |\Z)", text_of(page), re.DOTALL | re.MULTILINE))


def section(page: str, beginning: str) -> str:
    (found,) = [body for name, body in sections(page).items() if name.startswith(beginning)]
    return found


def test_every_page_is_in_the_index():
    assert sorted(ROWS) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_newcomer_finds_the_install_line_the_line_that_changes_and_an_example(page):
    assert re.search(r"(pip install|^Nothing)", section(page, "Install"), re.MULTILINE)
    assert "```" in section(page, "The one line")
    assert "```" in section(page, "A complete example")


@pytest.mark.parametrize("page", PAGES)
def test_the_columns_stand_on_the_page_or_the_one_it_refers_to(page):
    told = re.search(
        r"^(## .*(olumn|Fields|Members|label|target)|Columns, settings.*\]\(slime\.md)", text_of(page), re.MULTILINE
    )
    assert told


@pytest.mark.parametrize("page", PAGES)
def test_the_default_of_the_index_is_the_default_of_the_page(page):
    default = ROWS[page][2]
    told = section(page, "When the judge fails")
    if page == "miles":
        assert "As slime's page says" in told
        told = text_of("slime")
    if default.startswith("`"):
        assert re.search(rf"{default}(,? the default| \(default\)| by default)", told)
    else:
        assert re.search(r"number", told)
        assert not re.search(r"the default|\(default\)", told)


@pytest.mark.parametrize("page", PAGES)
def test_what_the_page_shows_can_be_read(page):
    for source in examples(page, "python"):
        compile(source, page, "exec")
    for document in examples(page, "yaml"):
        assert yaml.safe_load(document)
    for lines in examples(page, "json"):
        assert [json.loads(line) for line in _documents(lines)]


def _documents(text: str) -> list[str]:
    """One document, or one a line."""
    try:
        json.loads(text)
    except ValueError:
        return text.splitlines()
    return [text]


@pytest.mark.parametrize("page", PAGES)
def test_the_test_of_the_index_runs_what_the_page_shows(page):
    source = (ROOT / ROWS[page][3]).read_text(encoding="utf-8")
    assert re.search(rf'(examples?|commanded)\(\s*"{page}"|"{page}"[,\]]|{page}\.md', source)


@pytest.mark.parametrize("page", PAGES)
def test_the_version_of_the_index_is_pinned_or_named(page):
    """Where the trainer is installed, by its pins; else by the page and the test."""
    proof, version, _, test = ROWS[page]
    assert version.removeprefix("vllm ") in text_of(page) or version.rpartition(".")[0] in text_of(page)
    if "tests/trainers/" in test:
        name = test.rpartition("/test_")[2].removesuffix(".py")
        pins = "".join(path.read_text() for path in PINS[name].parent.glob(f"{name}.[ai]*"))
        assert f"=={version}\n" in pins
    else:
        assert proof.startswith(("interface", "wire shape"))
        assert version in (ROOT / test).read_text(encoding="utf-8") + text_of(page)
