"""What judgments have in common is taken out of their JSON and put back, to the last bit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.fact import FoundFact
from judge_server.core.judgment import JudgeReference, Judgment, Timing, Usage
from judge_server.core.outcome import GateFired, JudgmentStatus, StepReward
from judge_server.core.verdict import Failure, Opinion, Verdict, VerdictStatus
from judge_server.store.judgment_row import Templates, put_together
from judge_server.store.payload import encode, pack
from tests.store.values import HOSTILE, START, judgment, rubric, submission

SHARES = st.floats(0, 1)
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(['"a":"b"', '"value":0.5,"met":0.5', ":1,", "\\", "\n", '"}]']))
FAILURES = st.builds(Failure, type=st.sampled_from(["timeout", "judge_unavailable"]), detail=TEXTS)


@st.composite
def verdicts(draw):
    said = {"criterion": draw(st.sampled_from(["c0", "c1", "a:1,b"])), "points": draw(st.sampled_from([1, -2.5, 1e-7]))}
    said |= {"source": draw(st.sampled_from(["judge", "check"])), "reason": draw(st.none() | TEXTS)}
    if draw(st.booleans()):
        return Verdict(status=VerdictStatus.ABSTAINED, error=draw(FAILURES), met=draw(st.none() | SHARES), **said)
    value = draw(SHARES)
    said |= {"met": draw(st.none() | st.just(value) | SHARES), "label_mass": draw(st.none() | SHARES)}
    said |= {
        "option": draw(st.none() | TEXTS),
        "cached": draw(st.booleans()),
        "span": draw(st.none() | st.just((3, 9))),
    }
    said["options"] = draw(st.none() | st.dictionaries(TEXTS, SHARES, max_size=2))
    return Verdict(status=VerdictStatus.OK, value=value, **said)


JUDGMENTS = st.builds(
    Judgment,
    id=st.just("jdg_1"),
    reward=st.none() | st.floats(-1, 1),
    status=st.sampled_from(JudgmentStatus),
    coverage=SHARES,
    components=st.dictionaries(TEXTS, st.none() | SHARES, max_size=3),
    verdicts=st.lists(verdicts(), max_size=4).map(tuple),
    gates=st.lists(st.builds(GateFired, criterion=st.just("c0"), when=st.just("met"), reward=SHARES), max_size=2).map(
        tuple
    ),
    notices=st.lists(TEXTS, max_size=2).map(tuple),
    judge=st.none() | st.just(JudgeReference(name="main", model="m", mode="direct", fingerprint="f", notice="n:1,")),
    usage=st.builds(Usage, prompt_tokens=st.integers(0, 2**70), dollars=SHARES),
    timing=st.builds(Timing, total_seconds=st.floats(0, 1e6)),
    error=st.none() | FAILURES,
    created_at=st.just(START),
)


@given(JUDGMENTS)
def test_every_judgment_comes_back_whole_the_first_time_and_the_second(made):
    templates, text = Templates(), encode(made)
    for _ in range(3):
        assert Judgment.model_validate_json(put_together(*templates.parted(text))) == made
    assert put_together(*templates.parted(text)).count('"') == text.count('"')


def _twice(templates: Templates, made: Judgment) -> tuple[str, bytes]:
    templates.parted(encode(made))
    return templates.parted(encode(made))


IN_COLUMNS = frozenset({"id", "reward", "created_at"})


def test_judgments_under_one_rubric_share_a_template_and_take_their_numbers():
    templates, of = Templates(), rubric(10)
    made = [judgment(of, submission(), components={"axis:a": value}) for value in (0.25, 0.5, 1.0, 0.75)]
    texts = [encode(one, leave_out=IN_COLUMNS) for one in made]
    parted = [templates.parted(text) for text in texts]
    assert parted[0] == ("", pack(texts[0]))
    assert len({template for template, _ in parted[1:]}) == 1
    assert [put_together(*one) for one in parted] == texts


OWN = "Zebra quagga"


@pytest.mark.parametrize(
    "more",
    [
        {"verdicts": (Verdict(criterion="c", status="ok", source="judge", points=1, value=1, reason=OWN),)},
        {"verdicts": (Verdict(criterion="c", status="ok", source="judge", points=1, value=1, option=OWN),)},
        {"error": Failure(type="timeout", detail=OWN)},
        {"notices": (OWN,)},
        {"facts": (FoundFact(name="age", value=OWN, status="ok", source="judge"),)},
        {"step_rewards": (StepReward(index=0, value=None, error=Failure(type="timeout", detail=OWN)),)},
        {
            "verdicts": (
                Verdict(
                    criterion="c",
                    status="ok",
                    source="judge",
                    points=1,
                    value=1,
                    panel=(Opinion(judge="a", status="ok", value=1, reason=OWN),),
                ),
            )
        },
    ],
    ids=["reason", "option", "error", "notices", "facts", "steps", "panel"],
)
def test_no_text_of_a_judgment_stays_in_a_template(more):
    made = judgment(rubric(1), submission(), **more)
    template, content = _twice(Templates(), made)
    assert OWN not in template
    assert OWN in put_together(template, content)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_reasons_come_back(name):
    reason = re.sub("[\ud800-\udfff]", "?", HOSTILE[name])
    said = Verdict(criterion="c", status="ok", source="judge", points=1, value=0.5, met=0.5, reason=reason)
    made = judgment(rubric(1), submission(), verdicts=(said,))
    assert Judgment.model_validate_json(put_together(*_twice(Templates(), made))) == made


@pytest.mark.parametrize("content", [b"", b"\3", b"\3" + b"x" * 9, b"\3" + b"\xff" * 400], ids=range(4))
def test_content_of_another_form_is_refused(content):
    template, _ = _twice(Templates(), judgment(rubric(3), submission()))
    with pytest.raises(ValueError, match=r"form|compressed|utf-8"):
        put_together(template, content)
