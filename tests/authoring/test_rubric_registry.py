"""Files and store as one shelf of rubrics."""

import pytest

from judge_server.authoring.library import Library
from judge_server.authoring.rubric_registry import RubricRegistry
from judge_server.core.errors import BadRubric, RubricConflict, UnknownRubric
from judge_server.core.rubric import Rubric
from judge_server.store import Store

TEXT = """
id: clinic/advice
version: {version}
title: Advice
criteria:
  - {{id: a, statement: Names a warning sign., points: {points}}}
"""


def rubric(version="1.0.0", points=1.0, name="clinic/advice"):
    criteria = [{"id": "a", "statement": "Names a warning sign.", "points": points}]
    return Rubric.model_validate({"id": name, "version": version, "title": "Advice", "criteria": criteria})


@pytest.fixture
async def store():
    opened = await Store.open("sqlite://")
    yield opened
    await opened.close()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "advice.yaml").write_text(TEXT.format(version="1.0.0", points=1))
    return tmp_path


@pytest.fixture
def shelf(store, folder):
    return RubricRegistry(Library(folder, refresh_seconds=0), store)


async def test_a_rubric_is_found_in_a_file(shelf):
    assert (await shelf.get("clinic/advice")).version == "1.0.0"


async def test_the_newest_version_wins_wherever_it_stands(shelf):
    await shelf.publish(rubric("2.0.0"))
    assert (await shelf.get("clinic/advice")).version == "2.0.0"
    assert (await shelf.get("clinic/advice@1.0.0")).version == "1.0.0"
    assert await shelf.versions("clinic/advice") == ("1.0.0", "2.0.0")


async def test_publishing_the_same_content_again_changes_nothing(shelf):
    assert await shelf.publish(rubric("2.0.0")) is True
    assert await shelf.publish(rubric("2.0.0")) is False


async def test_other_content_under_a_published_version_is_a_conflict_that_names_both_digests(shelf):
    await shelf.publish(rubric("2.0.0"))
    changed = rubric("2.0.0", points=2.0)
    with pytest.raises(RubricConflict) as caught:
        await shelf.publish(changed)
    assert changed.digest in str(caught.value)
    assert rubric("2.0.0").digest in str(caught.value)


async def test_other_content_than_a_file_of_that_version_is_a_conflict(shelf):
    with pytest.raises(RubricConflict):
        await shelf.publish(rubric("1.0.0", points=3.0))


async def test_an_older_version_is_not_published_after_a_newer_one(shelf):
    await shelf.publish(rubric("2.0.0"))
    with pytest.raises(RubricConflict, match="not newer"):
        await shelf.publish(rubric("1.5.0"))


async def test_a_version_stays_addressable_after_its_file_moved_on(shelf, folder):
    await shelf.publish(rubric("1.0.0"))
    (folder / "advice.yaml").write_text(TEXT.format(version="1.1.0", points=5))
    shelf_later = shelf
    assert (await shelf_later.get("clinic/advice@1.0.0")).digest == rubric("1.0.0").digest


async def test_an_unknown_name_says_what_is_near(shelf):
    with pytest.raises(UnknownRubric) as caught:
        await shelf.get("clinic/advise")
    assert "clinic/advice" in str(caught.value)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "clinic/advice@", "clinic/advice@1", "a b", "x" * 500])
async def test_a_name_that_is_none_is_unknown(shelf, name):
    with pytest.raises(UnknownRubric):
        await shelf.get(name)


async def test_the_listing_tells_versions_and_what_is_published(shelf):
    await shelf.publish(rubric("2.0.0"))
    (entry,) = await shelf.listing()
    assert (entry.id, entry.version, entry.versions, entry.published) == (
        "clinic/advice",
        "2.0.0",
        ("1.0.0", "2.0.0"),
        True,
    )


async def test_a_file_that_changes_under_the_same_version_is_refused_for_judging(shelf, folder, caplog):
    await shelf.get_for_judging("clinic/advice")
    (folder / "advice.yaml").write_text(TEXT.format(version="1.0.0", points=5))
    shelf._remembered.clear()
    with pytest.raises(
        RubricConflict, match=r"clinic/advice@1\.0\.0 judged with the digest .* its file now has"
    ) as caught:
        await shelf.get_for_judging("clinic/advice")
    assert "next version" in caught.value.remedy
    assert "rewards of a run must not change" in caplog.text


async def test_a_restart_and_another_replica_remember_what_judged_first(shelf, folder, store):
    await shelf.get_for_judging("clinic/advice")
    (folder / "advice.yaml").write_text(TEXT.format(version="1.0.0", points=5))
    with pytest.raises(RubricConflict):
        await RubricRegistry(Library(folder), store).get_for_judging("clinic/advice")


async def test_the_next_version_judges_and_a_draft_may_change(shelf, folder):
    await shelf.get_for_judging("clinic/advice")
    for version, points in (("1.1.0", 5), ("1.2.0-draft", 1), ("1.2.0-draft", 2)):
        (folder / "advice.yaml").write_text(TEXT.format(version=version, points=points))
        shelf._remembered.clear()
        found = await shelf.get_for_judging("clinic/advice")
        assert (found.version, found.criteria[0].points) == (version, points)


async def test_looking_at_a_rubric_does_not_pin_it(shelf, folder):
    await shelf.listing()
    (folder / "advice.yaml").write_text(TEXT.format(version="1.0.0", points=5))
    shelf._remembered.clear()
    assert (await shelf.get_for_judging("clinic/advice")).criteria[0].points == 5


async def test_a_file_that_breaks_leaves_its_last_content_in_force(shelf, folder, caplog):
    await shelf.get_for_judging("clinic/advice")
    (folder / "advice.yaml").write_text(TEXT.format(version="1.0.0", points=1).replace("points", "pionts"))
    shelf._remembered.clear()
    assert (await shelf.get_for_judging("clinic/advice")).version == "1.0.0"
    assert shelf.broken_files == 1
    assert "clinic/advice@1.0.0 stays as it was" in caplog.text
    assert "advice.yaml:6:" in caplog.text


async def test_a_file_that_was_never_readable_is_named_with_its_line(store, tmp_path):
    (tmp_path / "clinic").mkdir()
    broken = TEXT.format(version="1.0.0", points=1).replace("points", "pionts")
    (tmp_path / "clinic" / "advice.yaml").write_text(broken)
    with pytest.raises(BadRubric, match=r"^clinic/advice: line 6: .*pionts"):
        await RubricRegistry(Library(tmp_path), store).get("clinic/advice")


async def test_the_known_rubrics_include_published_ones(shelf):
    await shelf.publish(rubric(name="other/rubric"))
    with pytest.raises(UnknownRubric) as caught:
        await shelf.get("nothing/alike")
    assert "other/rubric" in caught.value.remedy


async def test_a_file_that_broke_while_no_server_ran_leaves_the_content_that_judged_before(store, folder):
    before = await RubricRegistry(Library(folder), store).get_for_judging("clinic/advice")
    await store.put_rubric(before, published=False)  # as the first judgment does
    (folder / "advice.yaml").unlink()
    (folder / "clinic").mkdir()
    (folder / "clinic" / "advice.yaml").write_text(TEXT.format(version="1.0.0", points=1).replace("points", "pionts"))
    restarted = RubricRegistry(Library(folder), store)
    assert await restarted.get_for_judging("clinic/advice") == before
    assert await restarted.get_for_judging("clinic/advice@1.0.0") == before
    (fault,) = restarted.faults()
    assert fault.startswith("clinic/advice: line 6: ")


async def test_content_that_changed_is_a_fault_until_it_is_changed_back(store, folder):
    await RubricRegistry(Library(folder), store).get_for_judging("clinic/advice")
    (folder / "advice.yaml").write_text(TEXT.format(version="1.0.0", points=5))
    registry = RubricRegistry(Library(folder, refresh_seconds=0), store)
    with pytest.raises(RubricConflict):
        await registry.get_for_judging("clinic/advice")
    assert registry.faults() == ["clinic/advice@1.0.0: its content changed under a version that has judged"]
    (folder / "advice.yaml").write_text(TEXT.format(version="1.0.0", points=1))
    assert registry.faults() == []


async def test_a_file_that_is_removed_after_it_judged_is_named_as_removed(store, folder):
    registry = RubricRegistry(Library(folder, refresh_seconds=0), store)
    await store.put_rubric(await registry.get_for_judging("clinic/advice"), published=False)
    (folder / "advice.yaml").unlink()
    restarted = RubricRegistry(Library(folder, refresh_seconds=0), store)
    for name in ("clinic/advice", "clinic/advice@1.0.0"):
        with pytest.raises(UnknownRubric, match=r"'clinic/advice@1.0.0' any more: its file was removed") as caught:
            await restarted.get(name)
        assert "Put the file back" in caught.value.remedy
