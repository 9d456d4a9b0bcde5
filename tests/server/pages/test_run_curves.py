"""The curves of a run against what is stored, worked out by hand: by rubric and policy, step by step, with alarms."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from judge_server.core.monitor import MonitorFinding, Series
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.store import Store
from tests.served import served, settings_of
from tests.server.pages.test_pages import sound
from tests.store.values import failed, judgment, rubric, submission

OK = VerdictStatus.OK
POLICIES = ("base", "tuned")
STEPS, EACH = 3, 4
OF = rubric(2, "bench/run")


def met(policy, step, number):
    """Of the first criterion. The base stays at one in four; the tuned policy meets one more at each step."""
    return number == 0 if policy == "base" else number <= step


def stored(now):
    for policy in POLICIES:
        for step in range(STEPS):
            for number in range(EACH):
                first = 0.9 if met(policy, step, number) else 0.2
                values = (first, 0.25 * number)
                verdicts = tuple(
                    Verdict(
                        criterion=leaf.id, status=VerdictStatus.OK, source="judge", points=1, value=value, met=value
                    )
                    for leaf, value in zip(OF.leaves, values, strict=True)
                )
                place = {"run": "by hand", "step": step, "policy": policy, "group": f"g{step}"}
                asked = submission(f"{policy} {step} {number}", **place)
                made = judgment(
                    OF, asked, id=f"jdg_{policy}_{step}_{number}", verdicts=verdicts, reward=sum(values) / 2,
                    components={"axis:tone": first}, response_characters=100 * (step + 1) + number,
                    flags=("degenerate",) if number == 3 and step == 2 else (),
                    created_at=now - timedelta(seconds=60 - 20 * step - number),
                )  # fmt: skip
                yield made, asked, OF
    asked = submission("one without a reward", run="by hand", step=1, policy="tuned")
    yield failed(OF, asked, id="jdg_failed", components={}, created_at=now - timedelta(seconds=35)), asked, OF


def alarm(text, judge="main", policy=None, of="bench/run"):
    series = Series(rubric=of, judge=judge, policy=policy)
    return MonitorFinding(monitor="flags", series=series, subject=text, state="alarm", text=text)


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('run') / 'judge.db'}"

    async def fill():
        store = await Store.open(url)
        await store.put_rubric(OF, published=True)
        await store.save_many(stored(datetime.now(UTC)))
        alarms = [
            alarm("of all policies"), alarm("of the tuned one", policy="tuned"), alarm("of all rubrics", of=None),
            alarm("of another judge", judge="else"), alarm("of another rubric", of="other/one"),
        ]  # fmt: skip
        await store.alarms.settle(alarms, tell=False, forget_seconds=3_600)
        await store.close()

    asyncio.run(fill())
    with served(settings_of(database=url)) as client:
        yield sound(client.get("/runs/one", params={"run": "by hand"}), curves=14)


def test_every_curve_says_what_is_stored(curves):
    told = [one["aria-label"] for one in curves.all("svg")]
    second = sum(0.25 * number for number in range(EACH)) / EACH
    base = (0.9 + 3 * 0.2) / 4
    tuned = [((step + 1) * 0.9 + (3 - step) * 0.2) / 4 for step in range(STEPS)]
    rewards = [(one + second) / 2 for one in (base, tuned[0], tuned[2])]
    assert told == [
        f"Mean reward: {rewards[0]:.3f} at first, {rewards[0]:.3f} at last",
        "Share without a reward: 0.000 at first, 0.000 at last",
        "Share that the guard flagged: 0.000 at first, 0.250 at last",
        "Mean length in characters: 101.500 at first, 301.500 at last",
        f"Component: axis:tone: {base:.3f} at first, {base:.3f} at last",
        "Met: c0: 0.250 at first, 0.250 at last",
        "Met: c1: 0.500 at first, 0.500 at last",
        f"Mean reward: {rewards[1]:.3f} at first, {rewards[2]:.3f} at last",
        "Share without a reward: 0.000 at first, 0.000 at last",
        "Share that the guard flagged: 0.000 at first, 0.250 at last",
        "Mean length in characters: 101.500 at first, 301.500 at last",
        f"Component: axis:tone: {tuned[0]:.3f} at first, {tuned[2]:.3f} at last",
        "Met: c0: 0.250 at first, 0.750 at last",
        "Met: c1: 0.500 at first, 0.500 at last",
    ]


def test_the_step_in_the_middle_is_drawn_at_its_value(curves):
    without = [one["points"].split() for one in curves.all("polyline")][8]
    assert without == ["0.0,160.0", "300.0,32.0", "600.0,160.0"]  # one of five, in a frame up to a quarter
    criterion = [one["points"].split() for one in curves.all("polyline")][12]
    assert criterion == ["0.0,120.0", "300.0,80.0", "600.0,40.0"]


def test_alarms_are_drawn_where_they_fired_and_only_what_is_about_the_run(curves):
    lines = [one for one in curves.all("line") if one["class"] == "alarm"]
    assert {one["x1"] for one in lines} == {"600.0"}  # the last step had just ended
    assert len(lines) == 7 * 2 + 7 * 3
    listed = [words for words in curves.words if words.startswith("Step 2, flags: ")]
    told = [words.removeprefix("Step 2, flags: ") for words in listed]
    assert told.count("of all policies") == 2 + 14
    assert told.count("of the tuned one") == 1 + 7
    assert told.count("of all rubrics") == 2 + 14
    assert "of another judge" not in told
    assert "of another rubric" not in told
