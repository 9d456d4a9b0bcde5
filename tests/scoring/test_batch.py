import asyncio

import pytest

from judge_server.core.errors import BadSubmission, ModelUnavailable, StoreUnavailable
from judge_server.judging.answer import Terms
from judge_server.scoring.batch import failed_judgment, parse_submission, require_store, score_batch
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled, yes

TERMS = Terms()
GOOD = {"prompt": "My head aches.", "response": "Drink water and rest."}


def asked(script=None, **more):
    return scorer(judge(ScriptedModel(script or yes(0.8))), rubrics=[rubric()], **more)


async def test_judgments_stand_in_the_order_of_the_items():
    model = ScriptedModel(lambda r: labelled(Yes=1.0) if "even" in r.prompt.text_of("response") else labelled(No=1.0))
    items = [GOOD | {"response": f"{'even' if n % 2 == 0 else 'odd'} number {n}"} for n in range(40)]
    judgments = await score_batch(scorer(judge(model)), items, TERMS, {"rubric": rubric()})
    assert [judgment.reward for judgment in judgments] == [1.0, 0.0] * 20


BAD = [
    ({}, "bad_submission", "prompt"),
    ("text", "bad_submission", "submission"),
    (None, "bad_submission", ""),
    (7, "bad_submission", ""),
    ([GOOD], "bad_submission", ""),
    (GOOD | {"respnse": "x"}, "bad_submission", "respnse"),
    (GOOD | {"prompt": ""}, "bad_submission", "prompt"),
    (GOOD | {"prompt": [{"role": "wizard", "content": "x"}]}, "bad_submission", "role"),
    (GOOD | {"response": "\ud800"}, "bad_submission", "Unicode"),
    (GOOD | {"\ud800": 1}, "bad_submission", ""),
    (GOOD | {3: 1}, "bad_submission", ""),
    (GOOD | {"x" * 10**6: 1}, "bad_submission", "xxx"),
    (GOOD | {"rubric": "no/such"}, "unknown_rubric", "no/such"),
    (GOOD | {"rubric": {"id": "x"}}, "bad_submission", "rubric"),
    (GOOD | {"judge": "nobody"}, "unknown_judge", "nobody"),
    (
        GOOD | {"rubric": rubric({"id": "c", "statement": "As given.", "reference": "required"})},
        "bad_submission",
        "reference",
    ),
]


@pytest.mark.parametrize(("item", "kind", "named"), BAD, ids=range(len(BAD)))
async def test_a_bad_item_spoils_no_other(item, kind, named):
    first, bad, last = await score_batch(asked(), [GOOD, item, GOOD], TERMS, {"rubric": rubric()})
    assert first.reward == last.reward == pytest.approx(0.8)
    assert (bad.reward, bad.status, bad.error.type) == (None, "failed", kind)
    assert named in bad.error.detail
    assert len(bad.error.detail) < 2_000
    assert bad.model_dump_json()


async def test_a_bad_item_is_known_again_by_its_coordinates():
    (bad,) = await score_batch(asked(), [{"id": "i7", "group": "g", "step": -1, "policy": []}], TERMS)
    assert bad.submission.model_dump(exclude_none=True) == {"id": "i7", "group": "g"}


async def test_defaults_fill_what_items_leave_out():
    other = rubric(version="9.0.0")
    items = [GOOD, GOOD | {"rubric": "medical/test@1.0.0"}, GOOD | {"rubric": None}, submission(rubric=None)]
    judgments = await score_batch(asked(), items, TERMS, {"rubric": other, "judge": None})
    assert [judgment.rubric.version for judgment in judgments] == ["9.0.0", "1.0.0", "9.0.0", "9.0.0"]


async def test_a_failed_judge_spoils_only_its_own_items():
    def script(request):
        if "boom" in request.prompt.text_of("response"):
            raise ModelUnavailable("down")
        return labelled(Yes=1.0)

    items = [GOOD, GOOD | {"response": "boom"}, GOOD]
    judgments = await score_batch(asked(script), items, TERMS, {"rubric": rubric()})
    assert [judgment.reward for judgment in judgments] == [1.0, None, 1.0]
    assert judgments[1].error.type == "judge_unavailable"


class Archive:
    """Loses what mentions the word."""

    answers_repeats = False

    async def standing(self, judgment_id):
        return None

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    async def save(self, judgment, given, under):
        if "lost" in given.response:
            raise self.fault


@pytest.mark.parametrize(
    ("fault", "kind"), [(StoreUnavailable("full"), "store_unavailable"), (RuntimeError("a bug"), "internal_error")]
)
async def test_a_judgment_that_cannot_be_kept_spoils_no_other(fault, kind):
    items = [GOOD, GOOD | {"response": "This is lost.", "id": "x"}, GOOD]
    judgments = await score_batch(asked(archive=Archive(fault)), items, TERMS, {"rubric": rubric()})
    assert [judgment.reward for judgment in judgments] == [pytest.approx(0.8), None, pytest.approx(0.8)]
    assert judgments[1].error.type == kind
    assert judgments[1].submission.id == "x"
    assert "a bug" not in judgments[1].error.detail


@pytest.mark.parametrize("lost", [("This is lost.", "Lost, too: lost."), ("This is lost.", "This is kept.")])
async def test_a_store_that_keeps_nothing_of_a_batch_is_the_answer_to_all_of_it(lost):
    items = [GOOD | {"response": response} for response in lost]
    of = asked(archive=Archive(StoreUnavailable("The disk is full.")))
    judgments = await score_batch(of, items, TERMS, {"rubric": rubric()})
    if lost[1].startswith("Lost"):
        with pytest.raises(StoreUnavailable, match="disk is full") as fault:
            require_store(judgments)
        assert fault.value.retry_after_seconds
    else:
        require_store(judgments)
    require_store([])


async def test_a_batch_that_is_cancelled_leaves_nothing_behind():
    of = scorer(judge(ScriptedModel(yes(0.8), seconds=60)))
    items = [GOOD | {"response": f"Answer {n}."} for n in range(20)]
    before = asyncio.all_tasks()
    scoring = asyncio.create_task(score_batch(of, items, TERMS, {"rubric": rubric()}))
    await asyncio.sleep(0.05)
    assert of.admission.under_way == 20
    scoring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await scoring
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before
    assert of.admission.under_way == 0


async def test_rollouts_of_a_prompt_are_asked_once_each():
    model = ScriptedModel(yes(0.8), seconds=0.001)
    items = [GOOD | {"response": f"Answer {n % 4}."} for n in range(16)]
    await score_batch(scorer(judge(model)), items, TERMS, {"rubric": rubric()})
    assert len(model.asked) == 4 * 3


async def test_an_empty_batch_has_no_judgments():
    assert await score_batch(asked(), [], TERMS) == []


def test_every_field_at_fault_is_named_and_nothing_is_repeated():
    secret = "SECRET" * 10
    with pytest.raises(BadSubmission) as raised:
        parse_submission({"prompt": 3, "response": {"a": secret}, "step": secret, "facts": [secret]})
    detail = str(raised.value)
    for field in ("prompt", "response", "step", "facts"):
        assert field in detail
    assert "SECRET" not in detail
    assert "tuple" not in detail


def test_what_is_wrong_inside_a_field_is_named_by_its_own_place():
    with pytest.raises(BadSubmission) as raised:
        parse_submission({"prompt": [{"role": "wizard"}], "response": "r", "rubric": {"id": "a/b", "title": "t"}})
    detail = str(raised.value)
    assert "prompt.0.role: Input should be" in detail
    assert "rubric.version: Field required" in detail
    assert "valid string" not in detail


def test_a_failed_judgment_says_why_and_whose():
    given = submission(id="i1")
    failed = failed_judgment(BadSubmission("prompt: empty.", remedy="Fill it."), given.coordinates)
    assert (failed.id, failed.reward, failed.status) == ("", None, "failed")
    assert failed.error.detail == "prompt: empty. Fill it."
    assert failed.submission.id == "i1"
