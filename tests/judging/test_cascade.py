import pytest

from judge_server.core.errors import ModelUnavailable
from judge_server.core.judge import JudgeSpecification
from judge_server.core.verdict import VerdictStatus
from judge_server.judging.cascade import CascadeJudge
from tests.judging.values import ask, binary, judge, scale
from tests.scoring.assembly import rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled, yes


def down(request):
    raise ModelUnavailable("The judge is down.")


def cascade(first, then, band=(0.2, 0.8), **of_first) -> CascadeJudge:
    cheap = judge(ScriptedModel(first, name="cheap"), name="cheap", **of_first)
    strong = judge(ScriptedModel(then, name="strong"), name="strong")
    rule = {"first": "cheap", "then": "strong", "band": band}
    return CascadeJudge(JudgeSpecification.model_validate({"name": "both", "cascade": rule}), cheap, strong)


def calls(of: CascadeJudge) -> tuple[int, int]:
    return len(of.first.model.asked), len(of.then.model.asked)


@pytest.mark.parametrize(
    ("cheap", "asked", "value"),
    [(0.9, 0, 0.9), (0.81, 0, 0.81), (0.79, 1, 1.0), (0.5, 1, 1.0), (0.21, 1, 1.0), (0.19, 0, 0.19), (0.0, 0, 0.0)],
)
async def test_the_strong_judge_is_asked_within_the_band_only(cheap, asked, value):
    of = cascade(yes(cheap), yes(1.0))
    (answer,) = await ask(of, binary())
    assert answer.reading.value == pytest.approx(value)
    assert calls(of) == (1, asked)
    assert answer.usage.calls == 1 + asked


async def test_a_verdict_says_who_decided_and_what_each_said():
    (certain,) = await ask(cascade(yes(0.95), yes(0.1)), binary())
    (opinion,) = certain.reading.panel
    assert (opinion.judge, opinion.decided, opinion.value) == ("cheap", True, pytest.approx(0.95))
    (unsure,) = await ask(cascade(yes(0.6), yes(0.1)), binary())
    first, then = unsure.reading.panel
    assert (first.judge, first.decided, first.value) == ("cheap", False, pytest.approx(0.6))
    assert (then.judge, then.decided, then.value) == ("strong", True, pytest.approx(0.1))


async def test_of_options_the_likeliest_must_be_likely_enough():
    sure, unsure = (lambda request: labelled(A=0.1, B=0.9)), (lambda request: labelled(A=0.4, B=0.6))
    options = scale(values=(0.0, 1.0))
    for first, then, made in ((sure, unsure, (1, 0)), (unsure, sure, (1, 1))):
        of = cascade(first, then)
        await ask(of, options)
        assert calls(of) == made


async def test_bands_by_criterion_and_none_is_for_the_strong_judge():
    of = cascade(yes(0.7), yes(1.0), band={"wide": [0.1, 0.9], "narrow": [0.4, 0.6]})
    answers = await ask(of, binary(id="wide"), binary(id="narrow"), binary(id="other"))
    assert [answer.reading.value for answer in answers] == pytest.approx([1.0, 0.7, 1.0])
    of = cascade(yes(0.7), yes(1.0), band={"wide": [0.1, 0.9], "*": [0.4, 0.6]})
    answers = await ask(of, binary(id="wide"), binary(id="other"))
    assert [answer.reading.value for answer in answers] == pytest.approx([1.0, 0.7])


async def test_bands_by_criterion_share_no_cached_verdict_between_ids():
    of = cascade(yes(0.7), yes(1.0), band={"c0": [0.1, 0.9], "c1": [0.4, 0.6]})
    same = [binary("Names a remedy.", id=name) for name in ("c0", "c1")]
    judgment = await scorer(of).score(submission(rubric=rubric(*same)))
    assert [verdict.value for verdict in judgment.verdicts] == pytest.approx([1.0, 0.7])


async def test_a_cheap_judge_that_fails_is_followed_by_the_strong_one():
    (answer,) = await ask(cascade(down, yes(0.9)), binary())
    assert answer.reading.value == pytest.approx(0.9)
    assert answer.reading.panel[0].error.type == "judge_unavailable"


async def test_a_strong_judge_that_fails_leaves_a_typed_failure_and_no_number():
    (answer,) = await ask(cascade(yes(0.5), down), binary())
    assert (answer.reading, answer.status) == (None, VerdictStatus.UNAVAILABLE)
    assert answer.panel[0].value == pytest.approx(0.5)


async def test_a_first_judge_without_probabilities_leaves_everything_to_the_second():
    of = cascade(yes(0.9), yes(0.6), mode="reason")
    (answer,) = await ask(of, binary())
    assert answer.reading.value == pytest.approx(0.6)
    assert "gives no probabilities" in of.reference.notice
    assert of.explaining.reference.model == of.then.explaining.reference.model


def test_the_band_and_both_judges_are_in_the_fingerprint():
    prints = {
        cascade(yes(0.9), yes(0.6)).reference.fingerprint,
        cascade(yes(0.9), yes(0.6), band=(0.3, 0.8)).reference.fingerprint,
        cascade(yes(0.9), yes(0.6), min_label_mass=0.7).reference.fingerprint,
    }
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cascade": {"first": "a", "then": "a"}}, "must differ"),
        ({"cascade": {"first": "a", "then": "b", "band": [0.8, 0.2]}}, "low at most high"),
        ({"cascade": {"first": "both", "then": "b"}}, "names itself"),
        ({"cascade": {"first": "a", "then": "b"}, "model": "baseline"}, "one of the three"),
        ({"cascade": {"first": "a", "then": "b", "band": [0.2, 1.2]}}, "two shares from 0 to 1"),
    ],
)
def test_a_cascade_that_cannot_be_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        JudgeSpecification.model_validate({"name": "both"} | given)
