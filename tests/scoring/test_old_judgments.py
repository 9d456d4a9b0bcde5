"""Judgments of earlier releases of this program replay to the rewards that they had, under every version of every
bundled rubric.

``old_judgments.jsonl`` was written by the program of the day: for each published version the commit that shipped it
(the first one of 21 November for 1.0.0) judged four responses of its cases with a stub judge on loopback, whose
probabilities are hashes of the prompts, so that verdicts of every size occur, and failed ones. A new version adds
its lines; lines that stand here do not change."""

import json
from pathlib import Path

import pytest

from judge_server.authoring.library import Library, rubrics_directory
from judge_server.authoring.lock import Lock
from judge_server.core.reward import reward
from judge_server.core.verdict import Failure, Verdict, VerdictStatus

JUDGMENTS = [
    json.loads(line) for line in Path(__file__).with_name("old_judgments.jsonl").read_text("utf-8").splitlines()
]
VERSIONS = sorted({one["rubric"] for one in JUDGMENTS})
NEVER_READ = {"safety/privacy@1.0.0": "invents_detail", "writing/argumentative_essay@1.0.0": "self_contradiction"}
"""Penalties without a verdict. The first release left them out of the reward and so lifted it; since then there is no
reward without them. These two judgments replay to none."""


@pytest.fixture(scope="module")
def library():
    return Library(rubrics_directory())


def verdict(name, said, rubric):
    given = {"criterion": name, "source": "judge", "points": rubric.by_id[name].points}
    if not isinstance(said, str):
        return Verdict(status=VerdictStatus.OK, value=said, **given)
    failed = said != VerdictStatus.NOT_APPLICABLE
    return Verdict(status=said, error=Failure(type="low_label_mass", detail="doubt") if failed else None, **given)


def lost_penalty(one):
    name = NEVER_READ.get(one["rubric"])
    return name is not None and one["verdicts"].get(name) == "abstained"


def replayed(one, rubric):
    verdicts = [verdict(name, said, rubric) for name, said in one["verdicts"].items()]
    return reward(rubric, verdicts, one["response_characters"])


def test_every_version_that_was_ever_shipped_has_old_judgments():
    shipped = {f"{name}@{version}" for name, version in Lock.read(rubrics_directory()).entries}
    assert shipped == set(VERSIONS)
    assert len(JUDGMENTS) >= 4 * len(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_old_judgments_replay_to_the_same_reward(version, library):
    rubric = library.published(*version.split("@"))
    for one in (found for found in JUDGMENTS if found["rubric"] == version):
        assert one["digest"] == rubric.digest
        outcome = replayed(one, rubric)
        if lost_penalty(one):
            assert outcome.reward is None
            continue
        assert outcome.reward == (None if one["reward"] is None else pytest.approx(one["reward"], abs=1e-9))
        assert {gate.criterion for gate in outcome.gates} == set(one.get("gates", ()))


def test_only_two_old_judgments_replay_to_another_outcome():
    assert sum(lost_penalty(one) for one in JUDGMENTS) == 2


def test_the_old_judgments_are_of_many_kinds():
    rewards = [one["reward"] for one in JUDGMENTS]
    said = [verdict for one in JUDGMENTS for verdict in one["verdicts"].values()]
    assert len({round(reward, 6) for reward in rewards if reward is not None}) > 100
    assert None in rewards
    assert sum(bool(one.get("gates")) for one in JUDGMENTS) > 50
    assert {"abstained", "not_applicable"} <= {verdict for verdict in said if isinstance(verdict, str)}
