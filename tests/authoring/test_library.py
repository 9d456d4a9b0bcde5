from pathlib import Path

import pytest

from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.folder import home_of
from judge_server.authoring.library import Library
from judge_server.authoring.lock import LOCK, Lock
from judge_server.authoring.publication import publish
from judge_server.core.errors import BadConfiguration, BadRubric, RubricConflict, UnknownRubric
from tests.authoring.build import criterion, rubric


def write(folder: Path, name: str = "test/small", version: str = "1.0.0", points: float = 1.0) -> Path:
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    made = rubric(criterion(points=points), criterion("b", points=2), id=name, version=version).rubric
    path.write_text(yaml_of(made), encoding="utf-8")
    return path


def library(*folders: Path) -> Library:
    return Library(*folders, refresh_seconds=0)


def test_a_rubric_is_found_by_name_and_by_name_and_version(tmp_path):
    write(tmp_path)
    shelf = library(tmp_path)
    assert shelf.get("test/small").name == shelf.get("test/small@1.0.0").name == "test/small@1.0.0"
    assert shelf.get("test/small", "1.0.0").version == "1.0.0"
    assert (shelf.names(), shelf.versions("test/small"), shelf.versions("x")) == (["test/small"], ["1.0.0"], [])


def test_an_unknown_name_is_answered_with_near_ones(tmp_path):
    write(tmp_path)
    with pytest.raises(UnknownRubric, match="Did you mean test/small"):
        library(tmp_path).get("test/smal")
    with pytest.raises(UnknownRubric, match="Did you mean test/small"):
        library(tmp_path).get("small")
    with pytest.raises(UnknownRubric, match=r"Known: 1\.0\.0"):
        library(tmp_path).get("test/small@3.0.0")


@pytest.mark.parametrize(
    "name", ["../etc/passwd", "/etc/passwd", "a/../b", "A", "", "a@", "a@1", "a b", "a@1.0.0@1.0.0", "a\x00"]
)
def test_a_name_is_never_a_path(tmp_path, name):
    with pytest.raises(UnknownRubric):
        library(tmp_path).get(name)


def test_a_changed_file_is_read_again(tmp_path):
    path = write(tmp_path)
    shelf = library(tmp_path)
    before = shelf.get("test/small").digest
    write(tmp_path, points=5)
    assert shelf.get("test/small").digest != before
    path.unlink()
    with pytest.raises(UnknownRubric):
        shelf.get("test/small")


def test_a_broken_file_is_reported_and_hides_no_other(tmp_path):
    write(tmp_path)
    (tmp_path / "broken.yaml").write_text("id: [", encoding="utf-8")
    shelf = library(tmp_path)
    assert shelf.get("test/small")
    assert [found.rule for found in shelf.findings()] == ["syntax"]


def test_links_that_lead_out_of_the_directory_are_not_followed(tmp_path):
    outside, inside = tmp_path / "out", tmp_path / "in"
    path = write(outside)
    inside.mkdir()
    (inside / "x.yaml").symlink_to(path)
    assert library(inside).names() == []


def test_a_directory_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(BadConfiguration, match="absent"):
        Library(tmp_path / "absent")


def test_the_newest_version_is_served_and_a_published_one_stays_addressable(tmp_path):
    path = write(tmp_path)
    old = publish(path, tmp_path).rubric
    write(tmp_path, version="1.10.0", points=3)
    publish(path, tmp_path)
    write(tmp_path, version="1.9.0-beta", points=4)
    shelf = library(tmp_path)
    assert shelf.versions("test/small") == ["1.0.0", "1.9.0-beta", "1.10.0"]
    assert shelf.get("test/small").version == "1.10.0"
    assert shelf.get("test/small@1.0.0") == old
    assert shelf.published("test/small").version == "1.10.0"
    assert shelf.is_published("test/small", "1.0.0")
    assert not shelf.is_published("test/small", "1.9.0-beta")


def test_published_content_that_changed_is_a_conflict_that_names_both_digests(tmp_path):
    path = write(tmp_path)
    published = publish(path, tmp_path).rubric
    changed = write(tmp_path, points=7)
    shelf = library(tmp_path)
    with pytest.raises(RubricConflict) as caught:
        shelf.get("test/small")
    assert published.digest in str(caught.value)
    assert "diff" in str(caught.value)
    assert str(changed) in str(caught.value)
    assert [found.rule for found in shelf.findings()] == ["conflict"]
    with pytest.raises(RubricConflict):
        publish(path, tmp_path)


def test_a_version_in_two_files_with_different_content_is_a_conflict(tmp_path):
    write(tmp_path / "one")
    write(tmp_path / "two", points=9)
    with pytest.raises(RubricConflict, match="two places"):
        library(tmp_path / "one", tmp_path / "two").get("test/small")


def test_a_tampered_copy_is_found_and_never_served(tmp_path):
    path = write(tmp_path)
    copy = publish(path, tmp_path).copy
    path.unlink()
    copy.write_text(copy.read_text(encoding="utf-8").replace('"points":2.0', '"points":9.0'), encoding="utf-8")
    shelf = library(tmp_path)
    assert [found.rule for found in shelf.findings()] == ["tampered"]
    with pytest.raises(RubricConflict, match="was changed"):
        shelf.get("test/small")
    copy.unlink()
    with pytest.raises(RubricConflict, match="cannot be read"):
        shelf.get("test/small")


def test_publishing_the_same_content_again_changes_nothing(tmp_path):
    path = write(tmp_path)
    first = publish(path, tmp_path)
    lock = (tmp_path / LOCK).read_text(encoding="utf-8")
    second = publish(path, tmp_path)
    assert (first.is_new, second.is_new) == (True, False)
    assert (tmp_path / LOCK).read_text(encoding="utf-8") == lock


def test_only_newer_versions_can_be_published(tmp_path):
    path = write(tmp_path, version="2.0.0")
    publish(path, tmp_path)
    write(tmp_path, version="1.5.0", points=3)
    with pytest.raises(RubricConflict, match=r"not newer than 2\.0\.0.*3\.0\.0"):
        publish(path, tmp_path)


def test_a_step_that_is_too_small_is_advised_against(tmp_path):
    path = write(tmp_path)
    publish(path, tmp_path)
    write(tmp_path, version="1.0.1", points=5)
    assert "2.0.0" in (publish(path, tmp_path).advice or "")


def test_errors_of_the_linter_forbid_publication(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(yaml_of(rubric(criterion(points=-1)).rubric), encoding="utf-8")
    with pytest.raises(BadRubric, match="no criterion has positive points"):
        publish(path, tmp_path)
    assert not (tmp_path / LOCK).exists()


def test_the_copy_is_verified_by_its_bytes_alone(tmp_path):
    import hashlib

    done = publish(write(tmp_path), tmp_path)
    content = done.copy.read_bytes()[:-1]
    assert done.rubric.digest == "sha256:" + hashlib.sha256(content).hexdigest()


def test_the_lock_is_sorted_text_that_survives_reading(tmp_path):
    publish(write(tmp_path, "b/x"), tmp_path)
    publish(write(tmp_path, "a/x", "1.10.0"), tmp_path)
    text = (tmp_path / LOCK).read_text(encoding="utf-8")
    names = [line.split()[0] for line in text.splitlines() if not line.startswith("#")]
    assert names == ["a/x@1.10.0", "b/x@1.0.0"]
    assert Lock.read(tmp_path).text() == text


@pytest.mark.parametrize("line", ["x", "a/b sha256:0", "a/b@1.0.0 md5:1", f"../x@1.0.0 sha256:{'0' * 64}"])
def test_a_broken_lock_is_refused_with_its_line(tmp_path, line):
    (tmp_path / LOCK).write_text(f"# head\n{line}\n", encoding="utf-8")
    with pytest.raises(BadConfiguration, match=r"rubrics\.lock:2"):
        Lock.read(tmp_path)


def test_a_file_belongs_to_the_directory_with_the_lock_or_named_rubrics(tmp_path):
    path = write(tmp_path / "rubrics", "deep/x")
    assert home_of(path) == tmp_path / "rubrics"
    (tmp_path / LOCK).touch()
    assert home_of(path) == tmp_path
