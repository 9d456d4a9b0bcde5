import re
from datetime import date
from itertools import pairwise

import pytest
from pydantic import ValidationError

from judge_server.authoring.diff import compare
from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.library import Library, rubrics_directory
from judge_server.authoring.lock import Lock
from judge_server.authoring.reviews import REVIEWS, Reviews
from judge_server.authoring.rubric_registry import RubricRegistry
from judge_server.core.criterion import CheckCriterion
from judge_server.core.errors import BadConfiguration, RubricNotAllowed
from judge_server.core.review import RubricReview
from judge_server.store import Store
from tests.authoring.build import rubric

TODAY = date(2026, 11, 29)
REVIEWED = (
    "test/small@1.0.0: {{review: reviewed, review_by: {}, "
    "reviewers: [{{name: A. Physician, credential: MD, date: 2026-11-01}}]}}"
)
PERSON = {"name": "A. Physician", "credential": "MD", "date": "2026-11-01"}


def test_a_review_expires_after_its_day():
    review = RubricReview.model_validate({"review": "reviewed", "reviewers": [PERSON], "review_by": "2026-11-29"})
    assert review.on(TODAY) == "reviewed"
    assert review.on(date(2026, 11, 30)) == "expired"
    assert "has passed" in review.told(date(2026, 11, 30))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"review": "reviewed"}, "names its reviewers"),
        ({"review": "withdrawn"}, "says why"),
        ({"review_by": "2026-02-30"}, "day is out of range"),
    ],
)
def test_an_incomplete_review_is_refused(given, told):
    with pytest.raises(ValidationError, match=told):
        RubricReview.model_validate(given)


@pytest.mark.parametrize(
    "text",
    [
        "a@1.0.0: {review: fine}",
        "nonsense",
        "a: {review: unreviewed}",
        "a@1.0.0: {review: withdrawn}",
        "a: [",
        "a@1.0.0: &x {}",
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_and_no_silence(tmp_path, text):
    (tmp_path / REVIEWS).write_text(text)
    with pytest.raises(BadConfiguration, match="reviews\\.yaml"):
        Reviews.read(tmp_path)


@pytest.fixture
async def registry(tmp_path):
    store = await Store.open("sqlite://")

    def made(text, **policy):
        (tmp_path / "test").mkdir(exist_ok=True)
        small = rubric().rubric
        (tmp_path / "test" / "small.yaml").write_text(yaml_of(small))
        (tmp_path / REVIEWS).write_text(text)
        return RubricRegistry(Library(tmp_path), store, **policy), small

    yield made
    await store.close()


async def test_withdrawn_versions_are_refused_unless_allowed(registry):
    text = "test/small@1.0.0: {review: withdrawn, reason: The dose was wrong., superseded_by: 1.1.0}"
    shelf, small = registry(text)
    with pytest.raises(RubricNotAllowed, match="The dose was wrong") as refused:
        shelf.admitted(small)
    assert "test/small@1.1.0" in refused.value.remedy
    allowed, small = registry(text, allow_withdrawn=True)
    assert "withdrawn" in allowed.admitted(small)
    assert shelf.unrestricted.admitted(small) is not None


async def test_required_reviews_refuse_the_rest(registry):
    shelf, small = registry("test/small@1.0.0: {review: unreviewed}", require_review=True)
    with pytest.raises(RubricNotAllowed, match="unreviewed"):
        shelf.admitted(small)
    text = REVIEWED.format("2099-01-01")
    shelf, small = registry(text, require_review=True)
    assert shelf.admitted(small) is None
    other = rubric(title="Another content").rubric
    with pytest.raises(RubricNotAllowed):
        shelf.admitted(other)


async def test_an_expired_review_warns_and_is_told(registry, caplog):
    text = REVIEWED.format("2026-01-01")
    shelf, small = registry(text)
    assert "expired" in shelf.admitted(small)
    assert "should have been reviewed by 2026-01-01" in caplog.text


async def test_nothing_is_said_of_a_rubric_without_an_entry(registry):
    shelf, small = registry("")
    assert shelf.admitted(small) is None


def test_every_bundled_version_has_an_entry_and_none_claims_a_review():
    directory = rubrics_directory()
    lock, reviews = Lock.read(directory), Reviews.read(directory).entries
    assert set(reviews) == set(lock.entries)
    for (name, version), review in reviews.items():
        newest = lock.versions(name)[-1]
        assert review.review == ("unreviewed" if version == newest else "withdrawn"), name
        assert review.reason


def test_every_changed_criterion_has_a_line_in_the_changelog():
    library = Library(rubrics_directory())
    text = (rubrics_directory() / "CHANGELOG.md").read_text(encoding="utf-8")
    for name in library.names():
        for old, new in pairwise(library.versions(name)):
            difference = compare(library.get(name, old), library.get(name, new))
            section = text.partition(f"## {name} {new}\n")[2].partition("\n## ")[0]
            changed = {one.criterion for one in difference.changes if one.criterion}
            assert {criterion for criterion in changed if f"`{criterion}`" not in section} == set(), (name, new)
            assert (difference.step == "major") == (new.partition(".")[0] != old.partition(".")[0]), (name, new)


def test_no_gate_and_no_penalty_rests_on_unchecked_sources_alone():
    library = Library(rubrics_directory())
    for name in library.names():
        rubric_ = library.get(name)
        status = {source.id: source.status for source in rubric_.sources}
        assert None not in status.values(), name
        for leaf in rubric_.leaves:
            if leaf.sources and (leaf.gate or leaf.points < 0):
                assert any(status[source] != "unchecked" for source in leaf.sources), (name, leaf.id)


AMOUNT = re.compile(
    r"(?:\d|\b(?:two|three|four|five|six|ten|twelve)\b)[^.;]{0,12}"
    r"\b(?:m?g|°C|minutes?|hours?|days?|weeks?|months?)\b|under \d"
)


def test_every_dose_time_and_age_in_a_medical_statement_has_a_source_that_was_read():
    library = Library(rubrics_directory())
    found = []
    for name in (one for one in library.names() if one.startswith("medical/")):
        rubric_ = library.get(name)
        status = {source.id: source.status for source in rubric_.sources}
        for leaf in rubric_.leaves:
            if not isinstance(leaf, CheckCriterion) and AMOUNT.search(leaf.statement):
                found.append(leaf.id)
                assert any(status[source] in ("read", "secondary") for source in leaf.sources), (name, leaf.id)
    assert {"headache_onset", "young_baby_fever", "paracetamol_over_4g", "aspirin_under_16"} <= set(found)
