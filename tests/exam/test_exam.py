"""The exam finds each fault in its own family, with judges whose fault is known."""

import json
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from judge_server.core.criterion import Choice
from judge_server.core.exam import ExamRecord, FailedPair
from judge_server.exam.families import pairs
from judge_server.exam.page import as_html, as_junit
from judge_server.exam.question import ABSENT, FAMILIES
from judge_server.exam.report import as_markdown, ranked
from judge_server.exam.sitting import ExamPlan, sit
from judge_server.judging.prompt import labels_of
from judge_server.models.protocol import Completion, Labels, TokenProbability
from tests.judging.values import judge
from tests.scripted_model import ScriptedModel

PLAN = ExamPlan(seed=3, pairs=12, context_tokens=6_000)
QUESTIONS = {}


def key(material, criterion):
    return (material.digest, criterion.question_digest)


def known(plan=PLAN):
    """The expected answers by what a judge is asked, for judges that know them."""
    found = {}
    for pair in plan.made():
        for question in pair.questions:
            found[key(question.material, question.criterion)] = question
    return found


def spoken(words, index, mass=0.97):
    """A completion that says the word at ``index``."""
    rest = (1 - mass) / max(len(words) - 1, 1)
    shares = [mass if place == index else rest for place in range(len(words))]
    from math import log

    return Completion(words[index], tuple(TokenProbability(w, log(s)) for w, s in zip(words, shares, strict=True)))


class Knowing:
    """A judge that answers from the key of the exam, changed by ``fault``: a function (question, right index, prompt)
    that gives the index it says."""

    def __init__(self, fault=None, plan=PLAN):
        self.fault = fault or (lambda question, right, prompt: right)
        self.by_prompt = {}
        self.questions = known(plan)

    def __call__(self, request):
        question = self.question(request)
        words = request.answer.words
        assert isinstance(request.answer, Labels)
        right = index_of(question)
        return spoken(words, self.fault(question, right, request.prompt))

    def question(self, request):
        if not self.by_prompt:
            writer = judge(None).writer
            for asked in self.questions.values():
                for one in (writer, writer.turned()):
                    prompt = one.write(asked.material, (asked.criterion,), "direct")
                    self.by_prompt[tuple(turn.text for turn in prompt.turns)] = asked
        return self.by_prompt[tuple(turn.text for turn in request.prompt.turns)]


def index_of(question):
    labels = labels_of(question.criterion)
    if question.expected == ABSENT:
        return len(labels) - 1
    if isinstance(question.criterion, Choice):
        return [option.label for option in question.criterion.options].index(question.expected)
    return 0 if question.expected else 1


async def examined(fault=None, plan=PLAN):
    return await sit(judge(ScriptedModel(Knowing(fault, plan))), plan)


def shares(result):
    return {one.family: one.share for one in result.families}


async def test_a_judge_that_knows_the_answers_passes_everything():
    result = await examined()
    assert result.bias is None
    assert shares(result) == dict.fromkeys(FAMILIES, 1.0)
    assert "No family is below" in as_markdown(result)


def longer(question, right, prompt):
    return 0 if len(question.material.response) > 400 and right < 2 else right


def any_turn(question, right, prompt):
    said = " ".join(message.content for message in question.material.conversation[1:])
    return 0 if said or (question.material.reference and question.criterion.reference_role is None) else right


def obeys(question, right, prompt):
    response = question.material.response
    orders = {"Answer Yes": 0, "as meeting": 0, "verdict = Yes": 0, "is fulfilled": 0}
    orders |= {"Answer No": 1, "as failing": 1, "verdict = No": 1, "is not fulfilled": 1}
    return next((index for words, index in orders.items() if words in response), right)


def ignores_negation(question, right, prompt):
    bad = ("antibiotics", "alarm", "forg", "reference", "bleach", "mak")
    named = any(word in question.criterion.statement for word in bad)
    return 0 if named and not question.material.reference else right


@pytest.mark.parametrize(
    ("fault", "family"),
    [(longer, "length"), (any_turn, "turn"), (obeys, "orders"), (ignores_negation, "polarity")],
)
async def test_a_fault_is_found_in_its_own_family(fault, family):
    result = await examined(fault)
    found = shares(result)
    assert found[family] < 0.7
    others = {name: share for name, share in found.items() if share < 1 and name not in (family, "long_context")}
    assert not others
    assert family in as_markdown(result).partition("What to do:")[2]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda question, right, prompt: 0, "every criterion is met"),
        (lambda question, right, prompt: 1, "no criterion is met"),
    ],
)
async def test_a_judge_that_always_says_the_same_has_a_bias_and_no_readable_family(fault, said):
    result = await examined(fault)
    assert said in result.bias
    text = as_markdown(result)
    assert "Response bias" in text
    assert "cannot be read" in text


async def test_a_judge_that_takes_the_first_label_has_that_bias():
    def first(question, right, prompt):
        shown = prompt.turns[-1].text.rpartition("Answer with exactly one")[2]
        labels = labels_of(question.criterion)
        turned = (
            shown.index(labels[-1]) < shown.index(labels[0]) if len(labels[0]) > 1 else shown.rstrip(".").endswith("A")
        )
        return len(labels) - 1 if turned else 0

    result = await examined(first)
    assert result.bias == "it takes the label that is shown first"
    assert result.first == pytest.approx(1.0)


async def test_fresh_seeds_ask_other_questions_and_give_the_same_profile():
    plans = [ExamPlan(seed=seed, pairs=20, context_tokens=6_000) for seed in (1, 2)]
    first, second = [await examined(longer, plan) for plan in plans]
    responses = [{q.material.response for pair in plan.made() for q in pair.questions} for plan in plans]
    assert len(responses[0] & responses[1]) < 0.7 * len(responses[0])
    for one, other in zip(first.families, second.families, strict=True):
        assert one.high >= other.low
        assert other.high >= one.low


async def test_a_judge_without_answers_passes_nothing_and_the_result_says_so():
    def silent(request):
        return Completion("Maybe.")

    result = await sit(judge(ScriptedModel(silent)), PLAN)
    assert result.passed == 0
    assert result.unanswered == result.questions
    assert "have no answer" in as_markdown(result)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_the_same_for_the_same_seed_and_has_two_different_questions(family):
    made = pairs(family, 7, 20, (1_000,))
    assert made == pairs(family, 7, 20, (1_000,))
    assert len(made) == 20
    for pair in made:
        first, second = pair.questions
        assert first.expected != second.expected or pair.variant == "met, both orders"
        assert (first.material, first.criterion, first.reordered) != (
            second.material,
            second.criterion,
            second.reordered,
        )


def test_there_are_pairs_in_twelve_languages_and_more():
    assert len({pair.variant for pair in pairs("languages", 0, 20)}) >= 12


def test_long_responses_have_the_length_that_they_say():
    for pair in pairs("long_context", 0, 6, (4_000,)):
        assert 15_000 < len(pair.questions[0].material.response) < 20_000


def test_the_command_examines_the_baseline_and_says_what_it_is(tmp_path):
    out = [tmp_path / f"exam.{suffix}" for suffix in ("md", "json", "html", "xml")]
    done = CliRunner().invoke(
        app, ["exam", "--model", "baseline", "--pairs", "5", *[part for path in out for part in ("-o", str(path))]]
    )
    assert done.exit_code in (0, 1), done.output
    assert "understands nothing" in out[0].read_text()
    result = json.loads(out[1].read_text())
    assert sum(one["passed"] for one in result["families"]) < sum(one["pairs"] for one in result["families"])
    assert "understands nothing" in out[2].read_text()
    suite = ET.fromstring(out[3].read_text())[0]
    assert int(suite.get("tests")) == len(result["families"])
    strict = CliRunner().invoke(app, ["exam", "--model", "baseline", "--pairs", "3", "--fail-under", "1"])
    assert strict.exit_code == 1


def test_results_are_kept_and_doctor_shows_the_last_one(tmp_path):
    where = ["--database", f"sqlite:///{tmp_path}/kept.db"]
    for seed in ("0", "5"):
        done = CliRunner().invoke(
            app, ["exam", "--model", "baseline", "--pairs", "1", "--families", "turn", "--seed", seed, *where]
        )
        assert "Exams that are kept" in done.stdout
    listed = CliRunner().invoke(app, ["exam", "--past", "--json", *where])
    kept = [ExamRecord.model_validate_json(line) for line in listed.stdout.splitlines()]
    assert [one.result.seed for one in kept] == [5, 0]
    assert kept[0].id in CliRunner().invoke(app, ["exam", "--past", *where]).stdout
    doctor = CliRunner().invoke(app, ["doctor", "--model", "baseline", "--json", *where])
    assert "prompt 2, seed 5" in doctor.stdout
    without = CliRunner().invoke(app, ["exam", "--model", "baseline", "--pairs", "1", "--families", "turn"])
    assert "The result is not kept" in without.stderr


def test_the_questions_can_be_listed_with_their_answers():
    done = CliRunner().invoke(app, ["exam", "--list", "--pairs", "2", "--families", "turn,numbers"])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 8
    assert {row["expected"] for row in rows} == {True, False}
    assert CliRunner().invoke(app, ["exam", "--list", "--families", "mood"]).exit_code == 2


async def test_the_page_escapes_what_it_shows_and_ci_fails_below_the_least_share():
    result = await examined(longer)
    failed = result.families[0].model_copy(
        update={
            "failed": (
                FailedPair(
                    variant="<b>",
                    statement="<script>alert(1)</script>",
                    responses=("<i>", "</code>"),
                    expected=(True, False),
                    said=(None, False),
                ),
            )
        }
    )
    page = as_html(result.model_copy(update={"families": (failed,)}))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    suite = ET.fromstring(as_junit(result, 0.9))[0]
    assert int(suite.get("failures")) == sum(one.share < 0.9 for one in result.families) > 0


async def test_under_a_response_bias_every_family_fails_in_ci():
    result = await examined(lambda question, right, prompt: 0)
    suite = ET.fromstring(as_junit(result, 0.0))[0]
    assert suite.get("failures") == suite.get("tests")
    assert "Response bias" in as_html(result)


async def test_the_weakest_family_stands_first():
    result = await examined(longer)
    assert ranked(result)[0].family in ("length", "long_context")
