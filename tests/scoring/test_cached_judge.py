import asyncio
import time

import pytest

from judge_server.core.errors import DeadlineExceeded, StoreUnavailable
from judge_server.core.grader import ScoreModel
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import JudgeReference
from judge_server.core.verdict import Opinion, VerdictStatus
from judge_server.judging.answer import Answer, Reading, Terms, content_of, reading_of
from judge_server.judging.panel import PanelJudge
from judge_server.judging.relative.comparison import RelativeOptions
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Labels, Prompt, Request
from judge_server.scheduling.admission import Admission
from judge_server.scoring.cached_judge import CachedJudge, VerdictCache
from judge_server.scoring.graders.grader_input import GraderInput
from judge_server.scoring.graders.grading import Graders
from judge_server.scoring.group.evaluation import CohortOptions
from judge_server.scoring.group.groups import Groups, GroupTask, Times
from judge_server.store import Store
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled, spoken, yes
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS


async def scored(of, **more):
    return await of.score(submission(**more))


async def test_the_same_content_is_asked_once():
    model = ScriptedModel(yes(0.8))
    of = scorer(judge(model))
    first, second = await scored(of), await scored(of)
    assert len(model.asked) == 3
    assert first.reward == second.reward
    assert [verdict.cached for verdict in second.verdicts] == [True] * 3
    assert (first.usage.calls, second.usage.calls) == (3, 0)


async def test_verdicts_outlive_the_process(tmp_path):
    model = ScriptedModel(lambda request: labelled(Yes=0.6, No=0.3, Maybe=0.1))
    judgments = []
    for _ in range(2):
        store = await Store.open(f"sqlite:///{tmp_path / 'judge.db'}")
        judgments.append(await scored(scorer(judge(model), store=store)))
        await store.close()
    assert len(model.asked) == 3
    fresh, remembered = ([v.model_dump(exclude={"cached"}) for v in judgment.verdicts] for judgment in judgments)
    assert fresh == remembered


async def test_reasons_options_and_opinions_outlive_the_process():
    reading = Reading(
        value=0.25,
        shares=(0.5, 0.5),
        reason="So so.",
        label_mass=0.9,
        panel=(Opinion(judge="a", status=VerdictStatus.OK, value=0.25, reason="So so."),),
    )
    assert reading_of(content_of(reading)) == reading


async def test_reweighting_a_rubric_keeps_its_verdicts_and_rewording_does_not():
    model = ScriptedModel(yes(0.8))
    of = scorer(judge(model))
    await scored(of)
    reweighted = rubric(*[{"id": f"d{n}", "statement": f"Says thing {n:02}.", "points": n - 5} for n in range(3)])
    await scored(of, rubric=reweighted)
    assert len(model.asked) == 3
    await scored(of, rubric=rubric({"id": "c0", "statement": "Says thing 00!"}))
    assert len(model.asked) == 4


@pytest.mark.parametrize("change", [{"response": "Sleep."}, {"prompt": "My back aches."}])
async def test_other_content_is_asked_about(change):
    model = ScriptedModel(yes(0.8))
    of = scorer(judge(model))
    await scored(of)
    await scored(of, **change)
    assert len(model.asked) == 6


async def test_a_reference_matters_to_the_criteria_that_use_it():
    model = ScriptedModel(yes(0.8))
    of = scorer(judge(model))
    mixed = rubric({"id": "a", "statement": "Plain."}, {"id": "b", "statement": "As given.", "reference": "optional"})
    await scored(of, rubric=mixed, reference="One.")
    await scored(of, rubric=mixed, reference="Two.")
    assert len(model.asked) == 3


async def test_judges_with_one_fingerprint_share_verdicts_and_others_do_not():
    model = ScriptedModel(yes(0.8))
    of = scorer(judge(model), judge(model, "twin"), judge(model, "strict", min_label_mass=0.9))
    await scored(of)
    await scored(of, judge="twin")
    assert len(model.asked) == 3
    await scored(of, judge="strict")
    assert len(model.asked) == 6


async def test_failures_are_never_remembered(store):
    answers = iter([labelled(Hm=1.0)] * 3 + [labelled(Yes=1.0)] * 3)
    model = ScriptedModel(lambda request: next(answers))
    of = scorer(judge(model), store=store)
    assert (await scored(of)).reward is None
    assert (await scored(of)).reward == 1.0
    assert (await store.counts())["verdicts"] == 3


async def test_a_panel_that_lacked_a_member_is_not_remembered():
    answers = iter([labelled(Hm=1.0), labelled(Yes=1.0)])
    steady, shaky = ScriptedModel(yes(0.8)), ScriptedModel(lambda request: next(answers))
    members = [judge(steady, "steady"), judge(shaky, "shaky", seed=1)]
    panel = PanelJudge(JudgeSpecification(name="panel", panel=("steady", "shaky"), quorum=1), members)
    of = scorer(panel)
    one = rubric(count=1)
    assert (await scored(of, rubric=one)).reward == pytest.approx(0.8)
    assert (await scored(of, rubric=one)).reward == pytest.approx(0.9)
    assert (await scored(of, rubric=one)).verdicts[0].cached


async def test_the_same_question_twice_in_one_rubric_is_asked_once():
    model = ScriptedModel(yes(0.8))
    twice = rubric({"id": "a", "statement": "Kind."}, {"id": "b", "statement": "Kind.", "points": 3})
    judgment = await scored(scorer(judge(model)), rubric=twice)
    assert len(model.asked) == 1
    assert [verdict.value for verdict in judgment.verdicts] == [pytest.approx(0.8)] * 2


async def test_identical_submissions_in_flight_are_asked_once_and_paid_for_once():
    model = ScriptedModel(yes(0.8), seconds=0.02)
    of = scorer(judge(model))
    judgments = await asyncio.gather(*(scored(of) for _ in range(10)))
    assert len(model.asked) == 3
    assert len({judgment.reward for judgment in judgments}) == 1
    assert sum(judgment.usage.calls for judgment in judgments) == 3


async def test_when_the_first_caller_leaves_the_others_still_get_their_answer():
    model = ScriptedModel(yes(0.8), seconds=0.02)
    of = scorer(judge(model))
    first, second = asyncio.create_task(scored(of)), asyncio.create_task(scored(of))
    await asyncio.sleep(0.01)
    first.cancel()
    judgment = await second
    assert judgment.reward == pytest.approx(0.8)
    assert judgment.usage.calls == 3
    assert (len(model.asked), model.cancelled) == (3, 0)


async def test_when_the_last_caller_leaves_the_model_is_told():
    model = ScriptedModel(yes(0.8), seconds=60, capacity=2)
    of = scorer(judge(model))
    callers = [asyncio.create_task(scored(of)) for _ in range(2)]
    await asyncio.sleep(0.01)
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    await asyncio.sleep(0.01)
    assert (len(model.asked), model.cancelled) == (2, 2)
    assert of._cached_judge.in_flight == 0
    assert of.admission.under_way == 0
    assert of._judges.judges["main"].model.scheduler.in_flight == 0
    assert of._judges.judges["main"].model.scheduler.waiting == 0


async def test_the_deadline_of_another_caller_is_not_ours():
    model = ScriptedModel(yes(0.8), seconds=0.05, capacity=1)
    asked = judge(model)
    of = scorer(asked)
    one = submission(rubric=rubric(count=1))
    async with asked.model.scheduler.slot(_blocking()):
        hasty = asyncio.create_task(of.score(one, Terms.within(0.02)))
        await asyncio.sleep(0)
        patient = asyncio.create_task(of.score(one, Terms.within(30)))
        await asyncio.sleep(0.05)
    assert (await hasty).error.type == "timeout"
    judgment = await patient
    assert judgment.reward == pytest.approx(0.8)
    assert judgment.usage.calls == 1


def _blocking() -> Request:
    return Request(Prompt(()), Labels(("Yes", "No")))


async def test_what_is_decided_by_the_deadline_is_returned():
    def script(request):
        if "thing 02" in request.prompt.text_of("criterion"):
            raise DeadlineExceeded("late")
        return labelled(Yes=1.0)

    class Slow(ScriptedModel):
        async def complete(self, request):
            if "thing 01" in request.prompt.text_of("criterion"):
                await asyncio.sleep(HANG_SECONDS)
            return await super().complete(request)

    of = scorer(judge(Slow(script)))
    lenient = rubric(count=3, missing={"policy": "skip", "min_coverage": 0.3})
    judgment = await of.score(submission(rubric=lenient), Terms.within(1.0))
    assert judgment.status == "partial"
    assert judgment.reward == 1.0
    assert [verdict.error and verdict.error.type for verdict in judgment.verdicts] == [None, "timeout", "timeout"]


async def test_a_model_that_does_not_let_go_does_not_hold_up_its_caller():
    lets_go = asyncio.Event()
    model = ScriptedModel(yes(0.8), seconds=HANG_SECONDS, lets_go=lets_go)
    async with asyncio.timeout(PATIENCE_SECONDS):  # it never lets go by itself
        judgment = await scorer(judge(model, votes=3)).score(submission(), Terms.within(0.05))
    assert judgment.error.type == "timeout"
    lets_go.set()
    await asyncio.sleep(0.1)


async def test_after_the_deadline_nobody_is_asked_but_what_is_known_counts():
    model = ScriptedModel(yes(0.8))
    of = scorer(judge(model))
    await scored(of)
    over = Terms.within(0)
    assert (await of.score(submission(), over)).reward == pytest.approx(0.8)
    assert (await of.score(submission("Sleep more."), over)).error.type == "timeout"
    assert len(model.asked) == 3


class Memory:
    """A memory that fails, hangs, or holds what cannot be read."""

    def __init__(self, fault: Exception | None = None, seconds: float = 0.0, content=None) -> None:
        self.fault, self.seconds, self.content = fault, seconds, content

    async def recall(self, keys):
        await self._suffer()
        return dict.fromkeys(keys, self.content) if self.content is not None else {}

    def keep(self, entries, sources):
        return asyncio.ensure_future(self._suffer())

    async def _suffer(self):
        await asyncio.sleep(self.seconds)
        if self.fault:
            raise self.fault


@pytest.mark.parametrize(
    "memory",
    [
        Memory(StoreUnavailable("The database is locked.")),
        Memory(RuntimeError("a bug")),
        Memory(TimeoutError()),
        Memory(content={"value": 0.5}),
        Memory(content={"value": 0.5, "shares": 3}),
        Memory(content={"value": 0.5, "shares": [1], "panel": [{"judge": 3}]}),
        Memory(content=[]),
    ],
    ids=range(7),
)
async def test_a_memory_that_fails_costs_a_call_and_no_verdict(memory):
    model = ScriptedModel(yes(0.8))
    of = scorer(judge(model), cache=VerdictCache(memory))
    assert (await scored(of)).reward == pytest.approx(0.8)
    assert len(model.asked) == 3
    assert (await scored(of)).verdicts[0].cached


async def test_a_memory_that_hangs_takes_neither_the_callers_time_nor_the_judges():
    of = scorer(judge(ScriptedModel(yes(0.8))), cache=VerdictCache(Memory(seconds=HANG_SECONDS)))
    judgment = await of.score(submission(), Terms.within(2.0))
    assert judgment.reward == pytest.approx(0.8)


async def test_the_cache_keeps_the_most_recently_used():
    cache = VerdictCache(size=2)
    reading = Reading(1.0, (1.0, 0.0))
    cache.remember({"a": reading})
    cache.remember({"b": reading})
    await cache.recall(["a"])
    cache.remember({"c": reading})
    assert set(await cache.recall(["a", "b", "c"])) == {"a", "c"}
    assert len(cache) == 2


async def test_a_cache_of_no_size_keeps_nothing():
    cache = VerdictCache(size=0)
    cache.remember({"a": Reading(1.0, (1.0, 0.0))})
    assert await cache.recall(["a"]) == {}


class Broken:
    """A judge that breaks the contract of judges."""

    specification = JudgeSpecification(name="broken", model="broken")
    reference = JudgeReference(name="broken", model="broken", mode="direct", fingerprint="f")
    criteria_per_call = 1
    by_criterion = False

    def __init__(self, answers) -> None:
        self.answers = answers

    async def ask(self, material, criteria, terms):
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers


@pytest.mark.parametrize("answers", [RuntimeError("a bug"), DeadlineExceeded("late"), (), (Answer(),)], ids=range(4))
async def test_a_judge_that_breaks_its_contract_is_a_judge_that_failed(answers):
    judgment = await scored(scorer(Broken(answers)))
    assert judgment.reward is None
    assert judgment.error.type in {"judge_unavailable", "timeout"}


async def test_no_questions_cost_nothing():
    found = await CachedJudge(VerdictCache()).verdicts(Broken(()), [], Terms())
    assert (found.verdicts, found.usage.calls) == ((), 0)


async def test_a_shared_answer_is_the_same_answer():
    answer = Answer(reading=Reading(0.7, (0.7, 0.3), reason="So."))
    judgment = await scored(scorer(Broken((answer,))), rubric=rubric(count=1))
    assert judgment.verdicts[0].reason == "So."


HANGING_SECONDS = 0.2


def over_a_hanging_store(model) -> tuple[SingleJudge, CachedJudge]:
    return judge(model), CachedJudge(VerdictCache(Memory(seconds=60)), HANGING_SECONDS)


async def ask_a_criterion(asked, cached):
    return (await scorer(asked, cached_judge=cached).score(submission(rubric=rubric(count=1)))).reward


async def ask_a_group(asked, cached):
    groups = Groups(scorer(asked, cached_judge=CachedJudge(VerdictCache())), cached)
    items = [{"prompt": "My head aches.", "response": said} for said in ("Rest.", "Drink water.")]
    wanted = CohortOptions({"rubric": rubric(count=1)}, RelativeOptions(kind="pairwise"), 2)
    found = await groups.score(GroupTask(items, wanted, Times(60, None)), Terms())
    return found.report.relative.rewards[0]


async def ask_a_grader(asked, cached):
    grader = ScoreModel.model_validate(
        {
            "type": "score_model",
            "name": "g",
            "model": "main",
            "input": [{"role": "user", "content": "Grade {{sample.output_text}}"}],
        }
    )
    graders = Graders(judges={"main": asked}, cached_judge=cached, admission=Admission(8))
    return (await graders.grade(grader, GraderInput("Drink water and rest for a day.", {}), Terms())).score


def said(request):
    if isinstance(request.answer, Labels):
        return labelled(Yes=1.0) if "Yes" in request.answer.words else labelled(A=1.0)
    return spoken({"reason": "r", "score": 1})


@pytest.mark.parametrize("ask", [ask_a_criterion, ask_a_group, ask_a_grader])
async def test_a_store_that_hangs_costs_a_bounded_time_without_any_deadline(ask):
    asked, cached = over_a_hanging_store(ScriptedModel(said))
    started = time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):  # the store hangs for ever
        assert await ask(asked, cached) is not None
    assert time.monotonic() - started >= HANGING_SECONDS
