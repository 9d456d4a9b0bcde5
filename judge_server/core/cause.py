"""Why there is no reward, in the words of a typed failure."""

from collections import Counter
from collections.abc import Sequence

from judge_server.core.verdict import Failure, Verdict

GATE_UNDECIDED = Failure(type="gate_undecided", detail="A gate could not be read, and it might have fired.")
NOTHING_APPLIES = Failure(type="nothing_applicable", detail="No criterion of the rubric applies to this submission.")
UNDEFINED = Failure(
    type="undefined_reward",
    detail="The aggregation has no value for these verdicts: no positive points, or an undecided component.",
)


def cause(missing: Sequence[Verdict], unheard: Sequence[str], otherwise: Failure | None) -> Failure:
    """The commonest reason among the missing verdicts, with how many criteria are concerned."""
    kinds = Counter(verdict.error.type for verdict in missing if verdict.error)
    if not kinds:
        detail = f"No verdict for {', '.join(unheard[:5])}."
        return otherwise if otherwise and not unheard else Failure(type="no_verdict", detail=detail)
    kind = min(kinds, key=lambda kind: (-kinds[kind], kind))
    example = next(verdict.error for verdict in missing if verdict.error and verdict.error.type == kind)
    names = sorted({verdict.criterion for verdict in missing})
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    count = "1 criterion has" if len(names) == 1 else f"{len(names)} criteria have"
    return Failure(type=kind, detail=f"{count} no verdict ({shown}): {example.detail}")
