"""What happens to the server and its judge in the middle of a training, and what must come of it."""

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.trainers.environment import Environment
from tests.trainers.outages import (
    RUBRIC,
    Outcome,
    Place,
    false_rewards,
    place,
    train,
    what_rewarded,
    what_run_show_says,
)

TRAINERS: Final = {
    "trl": (Environment("trl"), "trl_outage.py"),
    "ms_swift": (Environment("ms_swift"), "ms_swift_outage.py"),
}
QUIET: Final = {"USE_HF": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}
SEEN_SECONDS: Final = 1.5
"""After a file changed, until the server has certainly looked at it again."""
PATIENT: Final = {"JUDGE_PATIENCE_SECONDS": "300"}

Events = Mapping[int, Callable[[], object]]


@dataclass(frozen=True)
class Case:
    """``events``: what happens after so many steps, while the trainer waits to ask for the next rewards. ``came``: what
    came of it, in words; raises AssertionError if that is not what must. ``steady``: of the judge's values."""

    events: Callable[[Place], Events]
    came: Callable[[Outcome, Place], str]
    steps: int = 5
    steady: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """``told``: by step as the trainer logs it, the number of what rewarded it, in the order in which they came."""

    outcome: Outcome
    came: str
    false: list[tuple[int, float]]
    told: dict[int, int]


def carry_out(case: Case, trainer: str, folder: Path, checkpoint: Path) -> Finding:
    """Fails unless that came of it which must, and the store tells for every step what rewarded it."""
    environment, program = TRAINERS[trainer]
    variables = {**QUIET, **case.variables}
    with place(folder, case.steady) as here:
        outcome = train(environment, program, here, checkpoint, steps=case.steps, events=case.events(here), **variables)
        assert outcome.rewards, outcome.log[-3000:]
        rewarded = what_rewarded(outcome, here)
        assert what_run_show_says(here, rewarded) == rewarded
        assert all(len(sources) == 1 for sources in rewarded.values()), rewarded
        order = list(dict.fromkeys(source for sources in rewarded.values() for source in sources))
        told = {step: order.index(*sources) + 1 for step, sources in rewarded.items()}
        return Finding(outcome, case.came(outcome, here), false_rewards(outcome, here), told)


def killed(begin: float, midst: float, end: float) -> Case:
    """For so many seconds: before the first rewards, while a batch is judged in the middle, and before the last."""

    def events(here: Place) -> Events:
        def while_judging() -> None:
            here.values.slow_seconds = 3.0
            here.down_while_judging(midst)

        def quick_again() -> None:
            here.values.slow_seconds = 0.0

        return {0: partial(here.down, begin), 2: while_judging, 3: quick_again, 5: partial(here.down, end)}

    def came(outcome: Outcome, here: Place) -> str:
        assert outcome.error is None, outcome.error
        assert all(reward is not None for step in outcome.steps for reward in step["rewards"])
        waited = {step["step"]: step["seconds"] for step in outcome.steps}
        for step, seconds in {0: begin, 2: midst, 5: end}.items():
            assert waited[step] >= seconds, waited
        assert outcome.log.count("Retrying for up to 300 s") >= 1
        return "waited " + ", ".join(f"{waited[step]:.0f}" for step in (0, 2, 5)) + " s"

    return Case(events, came, steps=6, variables=PATIENT)


def _outlasts(here: Place) -> Events:
    return {2: partial(here.down, 60)}


def _step_lost(outcome: Outcome, here: Place) -> str:
    lost = [reward for step in outcome.steps if step["step"] == 2 for reward in step["rewards"]]
    if not _drops(outcome):
        return _stopped(outcome, "JudgeFailed", before=2)
    assert outcome.error is None, outcome.error
    assert lost == [None] * 4
    assert outcome.result["counts"]["failed/server_unreachable"] >= 4
    assert any(logged.get("test/outage/judge_failed") == 1.0 for logged in outcome.result["log"])
    return "went on; step 3 has no rewards, logged as `judge_failed` 1"


def _break_then_change(here: Place) -> Events:
    def broken() -> None:
        here.rubric_file.write_text("id: test/outage\nversion: 1.0.0\npionts: 3\n")
        time.sleep(SEEN_SECONDS)

    def changed() -> None:
        other = copy.deepcopy(RUBRIC)
        other["criteria"][0]["statement"] = "Is short."  # type: ignore[index]
        here.write(other)
        time.sleep(SEEN_SECONDS)

    return {1: broken, 3: changed}


def _broken_then_stopped(outcome: Outcome, here: Place) -> str:
    told = _stopped(outcome, None, before=3, words="rubric_conflict")
    assert "the next version" in str(outcome.error)
    assert here.logged("stays as it was")
    return f"went on with the content it had while the file was broken; {told}"


def _remove(here: Place) -> Events:
    def removed() -> None:
        here.rubric_file.unlink()
        time.sleep(SEEN_SECONDS)

    return {2: removed}


def _removed(outcome: Outcome, here: Place) -> str:
    return _stopped(outcome, "UnknownRubric", before=2, words="'test/outage@1.0.0' any more: its file was removed")


def _add_a_version(here: Place) -> Events:
    def added() -> None:
        here.write({**RUBRIC, "version": "1.1.0"}, "outage-next.yaml")
        time.sleep(SEEN_SECONDS)

    return {2: added}


def _other_version(outcome: Outcome, here: Place) -> str:
    """The trainer asks for the rubric without a version."""
    return _stopped(outcome, "RewardChanged", before=2, words="is now test/outage@1.1.0")


def _half_dead(here: Place) -> Events:
    return {1: lambda: setattr(here.values, "half_dead", True)}


def _some_lost(outcome: Outcome, here: Place) -> str:
    """What the server could not get by asking again is lost, by name."""
    assert here.values.refused
    if outcome.error is not None:
        assert not _drops(outcome)
        return _stopped(outcome, "JudgeFailed", words="judge_unavailable")
    rewards = [reward for step in outcome.steps for reward in step["rewards"]]
    lost = rewards.count(None)
    if lost:
        assert outcome.result["counts"]["failed/judge_unavailable"] == lost
        assert any(logged.get("test/outage/judge_failed", 0) > 0 for logged in outcome.result["log"])
    return f"went on; {lost} of {len(rewards)} rewards were lost{', logged as `judge_failed`' if lost else ''}"


def _stumbling(here: Place) -> Events:
    return {1: lambda: setattr(here.values, "stumbling", True)}


def _replace_and_restart(here: Place) -> Events:
    def replaced() -> None:
        here.name_another_judge()
        here.restart()

    return {2: replaced}


def _replaced(outcome: Outcome, here: Place) -> str:
    return _stopped(outcome, "RewardChanged", before=2, words="at step 3")  # TRL and ms-swift log it as 3


def _replace_unsaid(here: Place) -> Events:
    return {2: lambda: here.replace_judge("other")}


def _found_out(outcome: Outcome, here: Place) -> str:
    assert not any(reward is not None for step in outcome.steps if step["step"] >= 2 for reward in step["rewards"])
    assert here.logged("another model answers as stub")
    return _stopped(outcome, "RewardChanged")


def _upgrade(here: Place) -> Events:
    return {1: lambda: here.upgrade("0.2.0"), 3: lambda: here.upgrade("0.3.0", other_guard=True)}


def _told_then_stopped(outcome: Outcome, here: Place) -> str:
    changes = [(one["act"], one["kind"], one["after"]) for one in here.shown()["changes"]]
    assert changes == [("accepted", "server", "0.2.0")]
    assert here.logged("The server of the run was 0.1.0 and is now 0.2.0.")
    assert all("0.2.0" in " ".join(one["notices"]) for one in here.stored(2))
    stopped = _stopped(outcome, "RewardChanged", before=3, words="The guard of the run was")
    return (
        f"went on under version 0.2.0, logged, in `notices` and in `run show`; under 0.3.0 with another guard {stopped}"
    )


def _repin(here: Place) -> Events:
    def for_the_judge() -> None:
        here.name_another_judge()
        here.restart()
        here.repin("a better judge")

    def for_the_guard() -> None:
        here.upgrade("0.3.0", other_guard=True)
        here.repin("a new guard")

    return {2: for_the_judge, 4: for_the_guard}


def _repinned(outcome: Outcome, here: Place) -> str:
    assert outcome.error is None, outcome.error
    acts = [(one["act"], one["kind"], one["reason"]) for one in here.shown()["changes"]]
    for kind, reason in (("judge", "a better judge"), ("guard", "a new guard")):
        assert ("repinned", kind, reason) in acts, acts
    assert outcome.log.count("repinned") >= 2
    return "went on, logged; `run show` has both acts with their reasons"


def _stopped(outcome: Outcome, error: str | None, *, before: int | None = None, words: str = "") -> str:
    """``before``: no step from this one on was rewarded."""
    assert outcome.error is not None, outcome.steps
    assert error in (None, outcome.error["type"]), outcome.error
    assert words.lower() in outcome.error["detail"].lower(), outcome.error
    if before is not None:
        assert [step["step"] for step in outcome.steps] == list(range(before))
    return f"stopped: `{outcome.error['type']}`"


def _drops(outcome: Outcome) -> bool:
    """TRL does by default, and ms-swift stops."""
    return outcome.result.get("on_failure") == "drop"


CASES: Final = {
    "killed for 20, 60, 120 s": killed(20, 60, 120),
    "killed for 60, 120, 20 s": killed(60, 120, 20),
    "killed for 120, 20, 60 s": killed(120, 20, 60),
    "killed for longer than the patience": Case(_outlasts, _step_lost, variables={"JUDGE_PATIENCE_SECONDS": "5"}),
    "rubric file broken, then changed under its version": Case(_break_then_change, _broken_then_stopped),
    "rubric file removed": Case(_remove, _removed),
    "rubric's next version added": Case(_add_a_version, _other_version),
    "judge fails for half of the responses": Case(_half_dead, _some_lost),
    "every second call to the judge fails": Case(_stumbling, _some_lost),
    "judge replaced, server restarted": Case(_replace_and_restart, _replaced),
    "judge replaced, server runs on": Case(_replace_unsaid, _found_out, steady="first"),
    "server upgraded, then upgraded with another guard": Case(_upgrade, _told_then_stopped),
    "judge, then guard replaced, each with a repin": Case(_repin, _repinned),
}
