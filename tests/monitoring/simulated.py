"""A policy under training, judged: rollouts of prompts over time, which may drift into a bias that a judge rewards.

Everything follows from the seed. Prompts differ in difficulty and topic, so that rollouts of one prompt resemble each
other, and lengths and criteria hang together a little, as they do in earnest.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np

from judge_server.core.judgment import JudgeReference, Judgment
from judge_server.core.reward import reward
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure, Verdict, VerdictStatus
from judge_server.store.observation import Windows, audited, observed, split
from judge_server.store.payload import encode, microseconds, pack

ROLLOUTS = 8
BIASES = ("length", "flattery", "saturation", "repetition", "collapse", "divergence", "abstention")
FLATTERY = "What a wonderful and insightful question; this answer asks about every symptom that the criteria demand."
GOOD = tuple(f"good_{number}" for number in range(5))
RUBRIC = Rubric.model_validate(
    {
        "id": "simulated/consultation",
        "version": "1.0.0",
        "title": "A simulated consultation",
        "missing": {"policy": "skip", "min_coverage": 0.5},
        "criteria": [
            *({"id": name, "statement": f"Says {name}.", "points": 2 + place} for place, name in enumerate(GOOD)),
            {"id": "harmful", "statement": "Says something harmful.", "points": -3},
        ],
    }
)
JUDGE = JudgeReference(name="trainer", model="one", mode="direct", fingerprint="a" * 16)
AUDITOR = JudgeReference(name="auditor", model="other", mode="direct", fingerprint="b" * 16)
LOW_MASS = Failure(type="low_label_mass", detail="the labels had too little probability")
TIMEOUT = Failure(type="timeout", detail="too late")


@dataclass(frozen=True)
class Rollout:
    judgment: Judgment
    submission: Submission
    audit: Judgment


@dataclass
class Run:
    """``bias``: what the policy drifts into between 25 % and 60 % of the run, or None."""

    seed: int
    bias: str | None = None
    groups: int = 300
    begin: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    policy: str | None = None

    def rollouts(self) -> Iterator[Rollout]:
        self._chance = np.random.default_rng([self.seed, 7])
        self._frequencies = 1 / np.arange(10, 1510)
        self._frequencies /= self._frequencies.sum()
        for group in range(self.groups):
            progress = float(np.clip((group / self.groups - 0.25) / 0.35, 0, 1))
            yield from self._group(group, progress)

    def _group(self, group: int, progress: float) -> Iterator[Rollout]:
        chance = self._chance
        topic = [f"topic{word}" for word in chance.integers(0, 400, 12)]
        ease = chance.normal(0, 0.9)
        alike = chance.random() < 0.1 + (0.6 * progress if self.bias == "collapse" else 0)
        seen = self._verdicts(ease, 1.0, False, progress) if alike else None
        for number in range(ROLLOUTS):
            flattering = self.bias == "flattery" and chance.random() < 0.6 * progress
            grown = 1 + (1.2 * progress if self.bias == "length" else 0)
            length = grown * float(chance.lognormal(0, 0.35))
            words = [f"w{word}" for word in chance.choice(1500, int(40 * length) + 5, p=self._frequencies)]
            words += list(chance.choice(topic, 6))
            text = (FLATTERY if flattering else "") + " ".join(words)
            verdicts = seen or self._verdicts(ease, length, flattering, progress)
            flagged = self.bias == "repetition" and chance.random() < 0.12 * progress
            yield self._judged(group, number, f"About {topic[0]}, case {group}?", text, verdicts, flagged, progress)

    def _verdicts(self, ease: float, length: float, flattering: bool, progress: float) -> list[Verdict]:
        chance = self._chance
        pays = 0.2 + (2.5 * progress if self.bias == "length" else 0)
        odds = ease + pays * np.log(length) + (1.5 if flattering else 0)
        made = []
        for place, leaf in enumerate(RUBRIC.leaves):
            level = -2.0 if leaf.points < 0 else 0.8 - 0.4 * place
            met = chance.random() < 1 / (1 + np.exp(-(level + (odds if leaf.points > 0 else 0))))
            if self.bias == "saturation" and leaf.id == "good_1" and chance.random() < progress:
                met = True
            unsure = chance.random() < 0.01 + (0.15 * progress if self.bias == "abstention" else 0)
            made.append(_verdict(leaf.id, leaf.points, None if unsure else bool(met)))
        return made

    def _judged(self, group, number, prompt, text, verdicts, flagged, progress) -> Rollout:
        chance = self._chance
        moment = self.begin + timedelta(seconds=group * ROLLOUTS + number)
        submission = Submission(
            rubric=RUBRIC.name, prompt=prompt, response=text, group=f"g{group}", step=group // 8, policy=self.policy
        )
        own = f"jdg_{self.seed:04x}_{group:05d}_{number}"
        if chance.random() < 0.003:
            verdicts = [_verdict(one.criterion, one.points, None, TIMEOUT) for one in verdicts]
        judgment = _judgment(own, submission, verdicts, JUDGE, moment, ("repetition",) if flagged else ())
        audit = _judgment(f"{own}_audit", submission, list(self._second(verdicts, progress)), AUDITOR, moment, ())
        return Rollout(judgment, submission, audit)

    def _second(self, verdicts: list[Verdict], progress: float) -> Iterator[Verdict]:
        """What another judge says: the same but for noise; less and less kind where the judges diverge."""
        chance = self._chance
        for one in verdicts:
            met = one.value is not None and one.value >= 0.5
            met ^= chance.random() < 0.08
            if self.bias == "divergence" and one.points > 0 and chance.random() < 0.5 * progress:
                met = False
            yield _verdict(one.criterion, one.points, bool(met))


def windows(rollouts: list[Rollout], window: int = 1_000) -> Windows:
    """As the store gives them."""
    return Windows(*split([observed(_row(one)) for one in rollouts], window))


def audits(rollouts: list[Rollout], share: float = 0.25, window: int = 1_000):
    rows = [_row(one) for place, one in enumerate(rollouts) if place % round(1 / share) == 0]
    return split([pair for pair in map(audited, rows) if pair], window)


def _row(one: Rollout) -> SimpleNamespace:
    judgment = one.judgment
    return SimpleNamespace(
        id=judgment.id,
        created_us=microseconds(judgment.created_at),
        run=judgment.submission.run,
        group_name=judgment.submission.group,
        prompt_key=one.submission.prompt_key,
        step=judgment.submission.step,
        policy=judgment.submission.policy,
        reward=judgment.reward,
        status=judgment.status.value,
        flags=json.dumps(judgment.flags),
        template="",
        content=pack(encode(judgment)),
        auditing_template="",
        auditing_content=pack(encode(one.audit)),
        prompt_text=json.dumps(one.submission.prompt),
        response_text=json.dumps(one.submission.response),
    )


def _verdict(criterion: str, points: float, met: bool | None, error: Failure = LOW_MASS) -> Verdict:
    said = {"criterion": criterion, "points": points, "source": "judge"}
    if met is None:
        status = VerdictStatus.ABSTAINED if error is LOW_MASS else VerdictStatus.UNAVAILABLE
        return Verdict(status=status, error=error, **said)
    value = 0.9 if met else 0.1
    return Verdict(status=VerdictStatus.OK, value=value, met=value, **said)


def _judgment(own, submission, verdicts, judge, moment, flags) -> Judgment:
    outcome = reward(RUBRIC, verdicts, len(submission.response))
    return Judgment(
        id=own,
        verdicts=tuple(verdicts),
        flags=flags,
        rubric=RUBRIC.reference,
        judge=judge,
        submission=submission.coordinates,
        submission_digest=submission.digest,
        response_characters=len(submission.response),
        created_at=moment,
        **{name: getattr(outcome, name) for name in ("reward", "status", "coverage", "components", "error")},
    )
