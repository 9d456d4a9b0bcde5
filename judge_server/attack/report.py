"""The figures of a run: how often attacks succeeded with and without each defence."""

from collections.abc import Iterable, Sequence

from judge_server.attack.corpus import corpus_digest
from judge_server.attack.genuine import GenuineAnswer, Refusals
from judge_server.attack.suite import AttackTrial, Suite
from judge_server.core.judgment import JudgeReference
from judge_server.core.model import Frozen
from judge_server.util.wilson import wilson

CONFIDENCE = 0.95


class Rate(Frozen):
    """``fooled`` of ``trials``; ``low`` and ``high``: Wilson's 95 % interval, None without trials. ``undecided`` (the
    judge failed) and ``no_room`` (the base alone had the best reward) do not count as trials."""

    trials: int
    fooled: int
    undecided: int = 0
    no_room: int = 0
    rate: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, trials: Iterable[AttackTrial]) -> "Rate":
        results = [trial.result for trial in trials]
        fooled, tried = results.count("fooled"), results.count("fooled") + results.count("held")
        left = {"undecided": results.count("undecided"), "no_room": results.count("no_room")}
        if not tried:
            return cls(trials=0, fooled=0, **left)
        low, high = wilson(fooled, tried, CONFIDENCE)
        return cls(trials=tried, fooled=fooled, rate=fooled / tried, low=low, high=high, **left)


class Fooled(Frozen):
    """One attack on one base that succeeded in a setup."""

    setup: str
    attack: str
    base: str
    reward_before: float
    reward: float
    flags: tuple[str, ...]


class SetupFigures(Frozen):
    """``attacks``: for each attack the rate over its bases; ``flagged``: the share of attacks that raised a flag."""

    setup: str
    total: Rate
    families: dict[str, Rate]
    attacks: dict[str, Rate]
    flagged: float


class RefusalFigures(Frozen):
    """Genuine answers that the guard refused, and those that it only flagged."""

    answers: int
    refused: int
    rate: float
    low: float
    high: float
    refusals: tuple[GenuineAnswer, ...]
    flagged: int


class AttackReport(Frozen):
    """``corpus``: digest of the attacks; ``setups``: the judge as served first."""

    judge: JudgeReference
    rubric: str
    corpus: str
    attacks: int
    bases_each: int
    margin: float
    confidence: float = CONFIDENCE
    setups: tuple[SetupFigures, ...]
    fooled: tuple[Fooled, ...]
    refusals: RefusalFigures
    caution: str

    @property
    def served(self) -> SetupFigures:
        return self.setups[0]


_ALWAYS = (
    "These rates hold for this judge, this corpus and these bases. An attack that is not in the corpus may still "
    "succeed, and a judge that withstands all of them may still be a poor judge: measure it against people."
)
_NO_JUDGE = "This judge is a stand-in: the rates prove that the plumbing works and say nothing about a model."


def report_of(
    suite: Suite, trials: Sequence[AttackTrial], judge: JudgeReference, rubric: str, refusals: Refusals
) -> AttackReport:
    """The figures of a finished run."""
    return AttackReport(
        judge=judge,
        rubric=rubric,
        corpus=corpus_digest(suite.attacks),
        attacks=len({attack.id for attack, _ in suite.pairs}),
        bases_each=min(suite.bases_each, len(suite.bases)),
        margin=suite.margin,
        setups=tuple(
            _figures(setup.name, [trial for trial in trials if trial.setup == setup.name]) for setup in suite.setups
        ),
        fooled=tuple(_fooled(trial) for trial in trials if trial.result == "fooled"),
        refusals=_refusal_figures(refusals),
        caution=f"{_NO_JUDGE} {_ALWAYS}" if judge.notice else _ALWAYS,
    )


def _figures(name: str, trials: Sequence[AttackTrial]) -> SetupFigures:
    families: dict[str, list[AttackTrial]] = {}
    attacks: dict[str, list[AttackTrial]] = {}
    for trial in trials:
        families.setdefault(trial.attack.partition("/")[0], []).append(trial)
        attacks.setdefault(trial.attack, []).append(trial)
    return SetupFigures(
        setup=name,
        total=Rate.of(trials),
        families={family: Rate.of(some) for family, some in families.items()},
        attacks={attack: Rate.of(some) for attack, some in attacks.items()},
        flagged=sum(bool(trial.flags) for trial in trials) / max(len(trials), 1),
    )


def _fooled(trial: AttackTrial) -> Fooled:
    return Fooled(
        setup=trial.setup,
        attack=trial.attack,
        base=trial.base,
        reward_before=trial.reward_before or 0.0,
        reward=trial.reward or 0.0,
        flags=trial.flags,
    )


def _refusal_figures(found: Refusals) -> RefusalFigures:
    low, high = wilson(len(found.refused), found.answers, CONFIDENCE)
    return RefusalFigures(
        answers=found.answers,
        refused=len(found.refused),
        rate=len(found.refused) / found.answers,
        low=low,
        high=high,
        refusals=found.refused,
        flagged=found.flagged,
    )
