"""What an answer about a group says besides its judgments."""

from judge_server.core.judgment import JudgeReference, Usage
from judge_server.core.model import Frozen
from judge_server.core.verdict import Failure
from judge_server.judging.relative.options import Kind
from judge_server.scoring.group.statistics import Statistics


class Comparisons(Frozen):
    """``presentations`` were shown to the judge and ``read`` of them could be read; ``pairs`` were seen both ways
    round, ``inconsistent`` of them with another winner each time."""

    presentations: int
    read: int
    pairs: int
    inconsistent: int


class RelativeReport(Frozen):
    """``rewards`` in [0, 1], ``ranks`` (1 is best) and ``failures`` in the order of the request's responses."""

    kind: Kind
    judge: JudgeReference | None
    rewards: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    failures: tuple[Failure | None, ...]
    position_consistency: float | None
    comparisons: Comparisons
    usage: Usage


class GroupReport(Statistics):
    """Statistics of the whole cohort; ``advantages`` and ``relative`` about this request's own responses."""

    advantages: tuple[float | None, ...] | None = None
    expected: int
    collected: int
    complete: bool
    relative: RelativeReport | None = None
