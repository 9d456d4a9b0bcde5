"""What monitors read of the store, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from judge_server.core.judgment import JudgeReference
from judge_server.core.monitor import MonitorFinding, MonitorLimits, Series
from judge_server.monitoring.survey import look, survey
from judge_server.store.observation import MOST_SUBMISSION_CHARACTERS, MOST_TEXT_CHARACTERS, TimeRange
from tests.monitoring.simulated import RUBRIC, Run
from tests.monitoring.simulated import windows as simulated_windows
from tests.store.values import START, failed, judgment, rubric, submission

EVER = TimeRange(datetime(2020, 1, 1, tzinfo=UTC))
MEDICAL = Series(rubric="medical/consultation", judge="main")


async def keep(store, number, *, judged=None, **more):
    asked, given = rubric(), judged or submission(group=f"g{number // 4}", step=1)
    made = judgment(asked, given, created_at=START + timedelta(seconds=number), **more)
    await store.save(made, given, asked)
    return made


async def saved(store, run):
    rollouts = list(run.rollouts())
    await store.save_many([(one.judgment, one.submission, RUBRIC) for one in rollouts])
    return rollouts


async def test_windows_are_the_oldest_and_the_newest(store):
    made = [await keep(store, number) for number in range(20)]
    found = await store.monitor.windows(MEDICAL, EVER, 5)
    assert [one.id for one in found.baseline] == [one.id for one in made[:5]]
    assert [one.id for one in found.recent] == [one.id for one in made[-5:]]


async def test_a_raised_alarm_clears_only_well_below_its_limit(store):
    def found(state, *, near=False):
        own = MonitorFinding(monitor="abstention", series=MEDICAL, state=state, value=0.2, near=near, text="Some.")
        return store.alarms.settle([own], tell=False, forget_seconds=3600)

    assert [one.raised for one in await found("alarm")] == [True]
    for _ in range(3):
        assert await found("ok", near=True) == []
        assert await found("alarm") == []
    assert [one.raised for one in await found("ok")] == [False]
    assert await found("ok", near=True) == []
    assert [one.raised for one in await found("alarm")] == [True]


async def test_windows_are_halves_where_there_is_not_enough_for_two(store):
    made = [await keep(store, number) for number in range(9)]
    found = await store.monitor.windows(MEDICAL, EVER, 8)
    assert [one.id for one in (*found.baseline, *found.recent)] == [one.id for one in (*made[:4], *made[5:])]


async def test_windows_keep_to_their_span(store):
    made = [await keep(store, number) for number in range(10)]
    span = TimeRange(START + timedelta(seconds=2), START + timedelta(seconds=8))
    found = await store.monitor.windows(MEDICAL, span, 100)
    assert [one.id for one in (*found.baseline, *found.recent)] == [one.id for one in made[2:8]]


async def test_another_judge_policy_or_edition_is_left_out(store):
    other = JudgeReference(name="other", model="m", mode="direct", fingerprint="0" * 16)
    older = JudgeReference(name="main", model="m", mode="direct", fingerprint="0" * 16)
    await keep(store, 0, judge=older)
    await keep(store, 1, judge=other)
    own = [await keep(store, number) for number in range(2, 6)]
    await keep(store, 6, judge=other)
    found = await store.monitor.windows(MEDICAL, EVER, 10)
    assert [one.id for one in (*found.baseline, *found.recent)] == [one.id for one in own]
    assert await store.monitor.windows(Series(rubric=MEDICAL.rubric, judge="main", policy="p"), EVER, 10) is not None
    nothing = await store.monitor.windows(Series(rubric=MEDICAL.rubric, judge="main", policy="p"), EVER, 10)
    assert nothing.recent == nothing.baseline == ()


async def test_rollouts_of_a_prompt_at_a_step_are_a_group_if_the_trainer_names_none(store):
    asked = rubric(1)
    given = [submission(text, run="r", step=3) for text in ("Rest.", "Run.")] + [
        submission("Rest.", run="r", step=4)
    ] * 2
    for number, one in enumerate(given):
        await store.save(judgment(asked, one, created_at=START + timedelta(seconds=number)), one, asked)
    found = await store.monitor.windows(MEDICAL, EVER, 10)
    first, second, later, _ = (one.group for one in (*found.baseline, *found.recent))
    assert first == second == f"r\x1f{given[0].prompt_key}\x1f3"
    assert later == f"r\x1f{given[0].prompt_key}\x1f4"


async def test_a_judgment_is_observed_with_its_prompt_and_texts(store):
    asked = rubric(2)
    for number, given in enumerate([submission("Rest."), submission("Run.", group="g", step=3, policy="p7")]):
        made = judgment(asked, given, created_at=START + timedelta(seconds=number), flags=("degenerate",))
        await store.save(made, given, asked)
    found = await store.monitor.windows(MEDICAL, EVER, 1)
    (first,), (second,) = found.baseline, found.recent
    assert (first.response, first.prompt, first.group, first.policy) == ("Rest.", "I have a headache.", None, None)
    assert (second.response, second.policy, second.group) == ("Run.", "p7", "\x1fg\x1f3")
    assert first.cluster == second.cluster
    assert (first.reward, first.failed, first.flags, first.characters) == (0.25, False, ("degenerate",), 20)
    assert first.scores == {"c0": 0.0, "c1": 0.0}
    assert (first.asked, first.unsure) == (2, 0)


async def test_a_failed_judgment_has_no_scores(store):
    given = submission()
    for number in range(2):
        await store.save(failed(rubric(), given, created_at=START + timedelta(seconds=number)), given, rubric())
    (one,) = (await store.monitor.windows(MEDICAL, EVER, 1)).recent
    assert (one.reward, one.failed, one.scores, one.asked, one.unsure) == (None, True, {}, 1, 0)


async def test_long_texts_are_cut_and_very_long_ones_not_read(store):
    await keep(store, 0, judged=submission("a" * 50_000))
    await keep(store, 1, judged=submission("a" * (MOST_SUBMISSION_CHARACTERS + 1), group="g"))
    found = await store.monitor.windows(MEDICAL, EVER, 1)
    assert len(found.baseline[0].response) <= MOST_TEXT_CHARACTERS + 1
    assert found.recent[0].response is None
    assert found.recent[0].cluster == found.baseline[0].cluster


@pytest.mark.parametrize("text", ["a\0b", "\\u0000", "🧑🏽‍⚕️ \u202e", "'; DROP TABLE judgment; --"])
async def test_hostile_texts_are_observed_as_they_are(store, text):
    for number in range(2):
        await keep(store, number, judged=submission(text))
    assert (await store.monitor.windows(MEDICAL, EVER, 1)).recent[0].response == text


async def test_series_are_by_rubric_and_judge_and_by_policy_where_there_are_several(store):
    for number in range(12):
        await keep(store, number, judged=submission(policy="a" if number < 8 else "b"))
    given, other = submission(), rubric(rubric_id="writing/essay")
    for number in range(5):
        await store.save(judgment(other, given, created_at=START + timedelta(seconds=100 + number)), given, other)
    found = await store.monitor.series(EVER, least=5, most=10)
    assert [(one.rubric, one.policy) for one in found] == [
        (None, None),
        ("medical/consultation", None),
        ("medical/consultation", "a"),
        ("writing/essay", None),
    ]
    assert await store.monitor.series(EVER, least=5, most=10, rubric="writing/essay") == (
        Series(rubric="writing/essay", judge="main"),
    )
    assert len(await store.monitor.series(EVER, least=1, most=2)) == 2


async def test_the_store_gives_the_monitors_what_was_simulated(store):
    rollouts = await saved(store, Run(21, "repetition", groups=120))
    limits = MonitorLimits(window=400)
    series = Series(rubric=RUBRIC.id, judge="trainer")
    read = await store.monitor.windows(series, EVER, 400)
    assert read == simulated_windows(rollouts, 400)
    end = rollouts[-1].judgment.created_at + timedelta(seconds=1)
    findings = await survey(store.monitor, store.reasks, limits, until=end)
    assert {one.monitor for one in findings if one.state == "alarm"} == {"flags"}
    assert findings == look(series, read, ((), ()), limits)
    assert await survey(store.monitor, store.reasks, limits, until=end, judge="nobody") == ()
    assert await survey(store.monitor, store.reasks, limits, until=rollouts[0].judgment.created_at) == ()
