"""The embedded lexical baseline."""

import json
import subprocess
import sys
import time
from math import exp
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import baseline_agreement
from judge_server.core.errors import BadConfiguration, DeadlineExceeded
from judge_server.models.baseline import shares
from judge_server.models.protocol import Labels, Model, Prompt, Request, Segment, Structured, Turn
from judge_server.models.registry import open_model
from tests.yardstick import slowness

PHYSICIANS = Path(__file__).parents[3] / "shared" / "data" / "kqa_nli_physicians.csv"
ENTRY = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "minLength": 1, "maxLength": 600},
        "verdict": {"type": "string", "enum": ["Yes", "No"]},
    },
    "required": ["reason", "verdict"],
    "additionalProperties": False,
}


def prompt(response, *criteria, reference=None, step=None):
    segments = [Segment("Read this: ", "response", True), Segment(response, "response", False)]
    if step is not None:
        segments.append(Segment(step, "response", False))
    if reference is not None:
        segments.append(Segment(reference, "reference", False))
    for criterion in criteria:
        segments += [Segment("Criterion: ", "criterion", True), Segment(criterion, "criterion", False)]
    return Prompt((Turn("system", (Segment("Judge.", "instructions", True),)), Turn("user", tuple(segments))))


async def yes(response, criterion, **parts):
    completion = await open_model("baseline").complete(
        Request(prompt(response, criterion, **parts), Labels(("Yes", "No")))
    )
    chances = [exp(candidate.logprob) for candidate in completion.candidates]
    assert sum(chances) == pytest.approx(1)
    assert completion.text == ("Yes" if chances[0] >= chances[1] else "No")
    return chances[0]


def test_the_baseline_is_a_model_that_says_what_it_is():
    baseline = open_model("baseline")
    assert isinstance(baseline, Model)
    assert (baseline.name, baseline.revision) == ("baseline", "lexical-1")
    assert "not for judging" in (baseline.notice or "")


@pytest.mark.parametrize(("name", "options"), [("baseline:large", {}), ("baseline", {"depth": 3})])
def test_a_name_or_an_option_for_the_baseline_is_refused(name, options):
    with pytest.raises(BadConfiguration, match="Write baseline"):
        open_model(name, options)


async def test_a_response_that_says_it_scores_above_one_that_does_not():
    criterion = "Tells the patient to drink plenty of water"
    assert await yes("Please drink plenty of water, and rest.", criterion) > 0.5
    assert await yes("Take the train at noon.", criterion) < 0.2
    assert await yes("", criterion) < 0.2


async def test_words_count_in_any_inflection():
    assert await yes("Drinking helps; patients drank waters.", "The patient drinks water") > 0.5


async def test_a_negated_sentence_lowers_the_verdict_on_a_plain_statement():
    criterion = "Antibiotics help against a cold"
    assert await yes("Antibiotics do not help against a cold.", criterion) < await yes(
        "Antibiotics do help against a cold.", criterion
    )


async def test_a_step_is_judged_by_its_own_text_and_a_reference_counts_too():
    assert await yes("Drink water.", "Drink water", step="Rest well.") < 0.2
    criterion = "Agrees with the reference"
    assert await yes("It is Paris", criterion, reference="Paris") > await yes(
        "It is Rome", criterion, reference="Paris"
    )


async def test_the_same_request_gets_the_same_answer():
    request = Request(prompt("Drink water.", "Recommends water"), Labels(("A", "B", "C")))
    assert await open_model("baseline").complete(request) == await open_model("baseline").complete(request)


def test_the_answer_does_not_hang_on_the_process_that_gives_it():
    code = (
        "from judge_server.models.lexical import Said, overlap; text = 'Rest or wait. Do not run. Run or rest.';"
        "print(overlap(Said.in_text('You run or rest, or wait and see the doctor'), Said.in_text(text)))"
    )
    answers = {
        subprocess.check_output([sys.executable, "-c", code], env={"PYTHONHASHSEED": str(seed)}) for seed in range(3)
    }
    assert len(answers) == 1


@given(probability=st.floats(0, 1), count=st.integers(2, 20))
def test_ordered_options_get_a_distribution_that_moves_with_the_score(probability, count):
    labels = [chr(65 + place) for place in range(count)]
    chances = shares(labels, probability)
    assert all(0 <= chance <= 1 for chance in chances)
    assert sum(chances) == pytest.approx(1)
    expected = sum(place * chance for place, chance in enumerate(chances))
    assert expected == pytest.approx(probability * (count - 1))


def test_yes_and_no_are_understood_in_either_order():
    assert shares(("Yes", "No"), 0.8) == pytest.approx((0.8, 0.2))
    assert shares(("no", "yes"), 0.8) == pytest.approx((0.2, 0.8))


async def test_a_structured_answer_fits_its_schema_and_gives_the_coverage_as_reason():
    completion = await open_model("baseline").complete(
        Request(prompt("Drink plenty of water.", "Drink plenty of water"), Structured(ENTRY, 200))
    )
    answer = json.loads(completion.text)
    jsonschema.validate(answer, ENTRY)
    assert answer == {"reason": "lexical coverage 1.00", "verdict": "Yes"}


async def test_several_criteria_in_one_prompt_get_a_verdict_each():
    schema = {"type": "object", "properties": {"1": ENTRY, "2": ENTRY}, "required": ["1", "2"]}
    completion = await open_model("baseline").complete(
        Request(prompt("Drink plenty of water.", "Mentions trains", "Drink plenty of water"), Structured(schema, 400))
    )
    answer = json.loads(completion.text)
    assert [answer["1"]["verdict"], answer["2"]["verdict"]] == ["No", "Yes"]


async def test_any_ordinary_schema_is_filled():
    schema = {
        "type": "object",
        "properties": {
            "met": {"type": "boolean"},
            "score": {"type": "integer", "minimum": 1, "maximum": 10},
            "share": {"type": "number"},
            "all": {"type": "array", "items": {"enum": ["A", "B", "C"]}, "minItems": 2},
            "kind": {"const": "verdict"},
            "short": {"type": "string", "maxLength": 7},
        },
    }
    completion = await open_model("baseline").complete(Request(prompt("Rest.", "Rest"), Structured(schema, 400)))
    jsonschema.validate(json.loads(completion.text), schema | {"required": list(schema["properties"])})


async def test_a_deadline_that_has_passed_is_a_failure():
    with pytest.raises(DeadlineExceeded):
        await open_model("baseline").complete(
            Request(prompt("a", "b"), Labels(("Yes", "No")), deadline=time.monotonic() - 1)
        )


@pytest.mark.parametrize("text", ["a. " * 33_000, "running " * 12_500, " ".join(f"{n:x}ing" for n in range(14_000))])
@pytest.mark.usefixtures("quiet_collector")
async def test_a_long_response_is_read_in_bounded_time(text):
    costs = []
    for number in range(3):  # the least of a few leaves out what other threads did meanwhile; each text is new
        start = time.process_time()
        await yes(f"{text} {number}", "A running statement about nothing")
        costs.append(time.process_time() - start)
    assert min(costs) < 0.5 or min(costs) < 0.5 * slowness()


@pytest.mark.skipif(not PHYSICIANS.exists(), reason=f"the physicians' labels of K-QA are not at {PHYSICIANS}")
def test_the_baseline_tells_entailed_claims_from_others_as_documented():
    claims = baseline_agreement.read(PHYSICIANS)
    discrimination = baseline_agreement.auc(claims.probability, claims.majority)
    agreement = baseline_agreement.kappa(claims.probability >= 0.5, claims.majority)
    assert discrimination >= 0.70
    documented = (Path(__file__).parents[2] / "docs" / "baseline.md").read_text("utf-8")
    assert f"{discrimination:.3f}" in documented
    assert f"{agreement:.3f}" in documented
