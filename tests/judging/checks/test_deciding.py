"""What holds for every check."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.core import check
from judge_server.core.errors import BadRubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import VerdictStatus
from judge_server.judging import checks
from judge_server.judging.checks.interface import LONGEST_TEXT
from tests.judging.checks.deciding import criterion, decided, rubric, value
from tests.yardstick import slowness, work_within

SPECS = [
    {"kind": "regex", "pattern": r"\b\w+ing\b", "count": {"max": 3}},
    {"kind": "contains", "any": ["a"], "none": ["b"]},
    *(
        {"kind": "length", "unit": unit, "min": 2, "max": 9, "graded": True}
        for unit in ("words", "tokens", "sentences")
    ),
    {"kind": "exact_match"},
    {"kind": "numeric"},
    *(
        {"kind": "json", "extract": extract, "schema": {"type": "object"}}
        for extract in ("whole", "unfenced", "fenced", "first")
    ),
    {"kind": "tags", "required": ["a", "b"], "exclusive": True},
    {"kind": "language", "any": ["en"]},
    {"kind": "citations"},
    {"kind": "repetition"},
    *(
        {"kind": "similarity", "metric": m}
        for m in ("ratio", "token_set", "rouge_1", "rouge_2", "rouge_l", "bleu", "chrf")
    ),
    {"kind": "tool_call", "forbidden": ["x"]},
    {"kind": "citations", "resolve": True},
    {"kind": "mentions"},
    {"kind": "mentions", "against": ["a b c a b c a b c d"]},
    {"kind": "same_numbers"},
    {"kind": "diff", "max": 20},
    {"kind": "tool_schema"},
]
HOSTILE = [
    "a" * 100_000,
    "[1, " * 25_000,
    "(A, 2" * 20_000,
    "1," * 50_000,
    "1/" * 50_000,
    "{" * 100_000,
    "<a>" * 33_000,
    "```\n" * 25_000,
    "a\n \n" * 25_000,
    "ß漢." * 33_000,
    "Aa et al " * 11_000,
    "https://" * 12_000,
    "x" + " " * 99_000 + "x",
    "a b c " * 16_000,
    "+++ b/x\n@@ -0,0 +1,999999999 @@\n" + "+a\n" * 24_000,
]


def test_every_kind_of_check_is_carried_out():
    kinds = set(check.CheckBase.__subclasses__())
    assert kinds == set(checks.KINDS)


@settings(max_examples=60)
@given(text=st.text(max_size=300), spec=st.sampled_from(SPECS))
def test_any_text_gives_a_value_in_bounds_or_a_typed_failure(text, spec):
    verdict = decided(spec, text, "The reference is 42.")
    assert verdict.source == "check"
    if verdict.status is VerdictStatus.OK:
        assert verdict.value is not None
        assert 0 <= verdict.value <= 1
        assert verdict.met == verdict.value
        assert verdict.reason
    else:
        assert verdict.value is None
        assert verdict.error is not None
        assert verdict.error.type in {"check_failed", "check_timeout", "missing_reference"}


@settings(max_examples=60)
@given(text=st.text(alphabet="ab1 .[]<>/{}\"'", max_size=80), spec=st.sampled_from(SPECS))
@pytest.mark.usefixtures("quiet_collector")
def test_negating_turns_a_value_over_and_leaves_a_failure_a_failure(text, spec):
    plain = decided(spec, text, "The reference is 42.")
    negated = decided(spec | {"negate": True}, text, "The reference is 42.")
    assert negated.status == plain.status
    if plain.value is not None:
        assert negated.value == 1 - plain.value


def cpu_seconds(work):
    """Processor time of this process; the least of a few runs leaves out what other threads did meanwhile."""
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: "-".join(str(part) for part in list(spec.values())[:2])[:40])
@pytest.mark.usefixtures("quiet_collector")
def test_hostile_texts_cost_bounded_time(spec):
    decided(spec, "warm", "The reference is 42.")
    for text in HOSTILE:
        cost = min(cpu_seconds(lambda text=text: decided(spec, text, "The reference is 42.")) for _ in range(3))
        assert cost < 0.5 or cost < 0.5 * slowness(), text[:20]


@pytest.mark.usefixtures("quiet_collector")
def test_a_catastrophic_pattern_takes_linear_time():
    with work_within(1):
        assert value({"kind": "regex", "pattern": "^(a+)+$"}, "a" * 100_000 + "!") == 0


@pytest.mark.usefixtures("quiet_collector")
def test_matches_that_each_search_the_whole_text_stop_in_time():
    spec = {"kind": "regex", "pattern": "a.*?c|b", "flags": ["dotall"], "count": {"max": 9_999}}
    with work_within(2):
        verdict = decided(spec, "ab" * 90_000)
    assert verdict.error is not None
    assert verdict.error.type == "check_timeout"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=a)b", "RE2 has no lookahead and no lookbehind"),
        ("(?<!a)b", "RE2 has no lookahead and no lookbehind"),
        (r"(a)\1", "RE2 has no backreferences"),
        ("a{2000}", "at most 1000"),
        ("(a", "missing )"),
        ("((((a{9}){9}){9}))" * 20, "use smaller repetition counts"),
    ],
)
def test_a_pattern_that_re2_cannot_run_is_refused_with_the_remedy(pattern, said):
    with pytest.raises(BadRubric, match="Criterion 'it', check regex") as caught:
        checks.prepare(rubric({"kind": "regex", "pattern": pattern}))
    assert said in str(caught.value)


def test_an_extraction_with_several_groups_is_refused():
    with pytest.raises(BadRubric, match="2 groups"):
        checks.prepare(rubric({"kind": "numeric", "extract": "(a)(b)"}))


@pytest.mark.parametrize("kind", ["exact_match", "numeric", "math", "similarity"])
@pytest.mark.parametrize("reference", [None, " "])
def test_a_missing_reference_is_unavailable_and_not_a_zero(kind, reference):
    verdict = decided({"kind": kind}, "text 5", reference)
    assert verdict.status is VerdictStatus.UNAVAILABLE
    assert verdict.value is None
    assert verdict.error is not None
    assert verdict.error.type == "missing_reference"


def test_a_criterion_that_requires_the_reference_says_when_it_is_missing():
    asking = criterion({"kind": "contains", "any": ["a"]}, reference="required")
    verdict = checks.decide_now(asking, Submission(prompt="Q", response="a"))
    assert verdict.error is not None
    assert verdict.error.type == "missing_reference"


@pytest.mark.parametrize(
    ("fields", "on", "met"),
    [
        ({}, None, {"answer"}),
        ({"scope": "reasoning"}, None, {"reasoning"}),
        ({"scope": "conversation"}, None, {"answer", "reasoning"}),
        ({}, "reasoning", {"reasoning"}),
        ({"scope": "reasoning"}, "response", {"answer", "reasoning"}),
    ],
)
def test_a_check_reads_the_part_it_is_about(fields, on, met):
    response = "<think>apples</think>pears"
    for part, word in (("reasoning", "apples"), ("answer", "pears")):
        spec = {"kind": "contains", "any": [word]} | ({"on": on} if on else {})
        assert decided(spec, response, **fields).value == (part in met)


def test_tags_are_read_in_the_whole_response_by_default():
    assert value({"kind": "tags", "required": ["think", "answer"]}, "<think>a</think><answer>b</answer>") == 1


async def test_a_step_is_judged_by_its_own_text():
    submission = Submission(prompt="Q", response="first a\n\nthen b")
    each = [
        await checks.decide(criterion({"kind": "contains", "any": ["b"]}, scope="step"), submission, step)
        for step in submission.read.steps
    ]
    assert [verdict.value for verdict in each] == [0, 1]
    assert [(verdict.step, verdict.span) for verdict in each] == [(0, (0, 7)), (1, (9, 15))]


async def test_slow_and_fast_kinds_answer_alike_through_the_one_door():
    submission = Submission(prompt="Q", response="It is 5.", reference="5")
    for spec in (*SPECS, {"kind": "math"}):
        each = criterion(spec)
        assert await checks.decide(each, submission) == checks.decide_now(each, submission)


def test_a_text_longer_than_checks_read_is_a_failure_and_not_a_zero():
    verdict = decided({"kind": "contains", "any": ["b"]}, "a" * (LONGEST_TEXT + 1))
    assert verdict.value is None
    assert verdict.error is not None
    assert "reads at most" in verdict.error.detail


@pytest.mark.usefixtures("quiet_collector")
def test_a_rubric_is_prepared_once():
    prepared = rubric({"kind": "regex", "pattern": "once"})
    checks.prepare(prepared)
    with work_within(1):
        for _ in range(1_000):
            checks.prepare(prepared)


def test_a_minimum_above_the_maximum_is_refused():
    with pytest.raises(ValueError, match="smaller than min"):
        criterion({"kind": "citations", "min": 3, "max": 2})
    with pytest.raises(ValueError, match="smaller than min"):
        criterion({"kind": "tool_call", "min": 1, "max": 0})
