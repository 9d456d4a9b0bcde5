"""What leaves the database: erased on purpose, or pruned with age."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from pydantic import AwareDatetime, Field, model_validator

from judge_server.core.coordinates import Coordinate, Tag
from judge_server.core.model import Frozen

RetentionClass = Literal["training", "evaluation", "audit"]
"""``training``: judgments of a run; ``audit``: of the audit judge; ``evaluation``: all others."""


Sources = Mapping[str, Sequence[bytes]]
"""By the key of a remembered verdict: names of 16 bytes of texts and callers that it is about."""
NO_SOURCES: Final[Sources] = {}


class ErasureWish(Frozen):
    """Which judgments are erased: those that match every given field. ``judgment`` is an id, ``submission`` the id that
    the submission came with, ``tag`` one of its tags, ``caller`` the name of an API key. ``reason`` is kept, the texts
    are not."""

    judgment: Coordinate | None = None
    submission: Coordinate | None = None
    run: Coordinate | None = None
    group: Coordinate | None = None
    policy: Coordinate | None = None
    tag: Tag | None = None
    caller: Coordinate | None = None
    reason: str = Field(min_length=1, max_length=2_000, pattern=r"\S")

    @model_validator(mode="after")
    def _names_something(self) -> "ErasureWish":
        if all(value is None for name, value in self if name != "reason"):
            raise ValueError("name a judgment, submission, run, group, policy, tag or caller: nothing was named")
        return self

    def names_only(self, field: str) -> bool:
        """Whether nothing else is named beside the reason."""
        return {name for name, value in self if value is not None} == {field, "reason"}


class Erasure(Frozen):
    """The record of an act. ``judgments`` include their audits; ``texts`` that nothing else referred to went with
    them. ``job_items`` had no judgment; ``quotations`` are rows of labels, improvements and drafts in which a text was
    replaced."""

    id: str
    at: AwareDatetime
    by: str
    wish: ErasureWish
    judgments: int
    texts: int
    verdicts: int
    job_items: int = 0
    quotations: int = 0


class Pruned(Frozen):
    """Judgments older than ``before``: ``judgments`` were removed or would be, ``pinned`` stay because labels, a queue
    for people or a job's results refer to them."""

    kind: RetentionClass
    before: AwareDatetime
    judgments: int
    pinned: int


class PrunedVerdicts(Frozen):
    """Remembered verdicts from days before ``before`` that were removed or would be."""

    before: AwareDatetime
    verdicts: int


class TableSize(Frozen):
    """``bytes`` with indexes; None if the database does not tell."""

    table: str
    rows: int
    bytes: int | None


class JudgmentAge(Frozen):
    """Judgments of one retention class."""

    kind: RetentionClass
    judgments: int
    oldest: AwareDatetime | None
    newest: AwareDatetime | None


class RememberedVerdicts(Frozen):
    """Verdicts of judges that are remembered for equal questions, with their first and last day."""

    verdicts: int
    oldest: AwareDatetime | None
    newest: AwareDatetime | None


class DatabaseStatistics(Frozen):
    """Largest tables first."""

    judgments: tuple[JudgmentAge, ...]
    remembered: RememberedVerdicts
    tables: tuple[TableSize, ...]
