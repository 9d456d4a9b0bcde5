import pytest

from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.finding import Severity
from judge_server.authoring.folder import rubric_files
from judge_server.authoring.library import Library, rubrics_directory
from judge_server.authoring.lint import lint
from judge_server.authoring.parsing import load, parse
from judge_server.core.rubric import Rubric

FILES = [path for path, _ in rubric_files(rubrics_directory())]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_bundled_rubric_is_valid_and_free_of_warnings(path):
    parsed = load(path)
    assert [str(found) for found in lint(parsed) if found.severity is not Severity.INFO] == []
    assert path.with_suffix("").parts[-2:] == tuple(parsed.rubric.id.split("/"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_rubric_survives_its_canonical_form_and_its_yaml(path):
    rubric = load(path).rubric
    assert Rubric.model_validate_json(rubric.canonical()).digest == rubric.digest
    assert parse(yaml_of(rubric)).rubric.digest == rubric.digest


def test_the_bundled_library_is_whole():
    library = Library(rubrics_directory())
    assert library.findings() == []
    assert len(library.names()) == len(FILES)
