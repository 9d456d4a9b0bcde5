"""Rules on sources: what rests on them, and how old they are."""

import re
from collections.abc import Iterable

from judge_server.authoring.finding import Severity
from judge_server.authoring.rule import Remark, judged, leaves_of, rule
from judge_server.core.rubric import Rubric

_THRESHOLD = re.compile(
    r"\b(?:\d+(?:[.,]\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)\s?"
    r"(?:mg|mcg|g|kg|ml|mL|mmol|units?|°C|°F|%|per ?cent|minutes?|hours?|days?|weeks?|months?|years?)(?![\w])"
)


@rule("threshold-without-source", Severity.WARNING)
def threshold_without_source(rubric: Rubric) -> Iterable[Remark]:
    """A dose, a time or a limit in a statement decides about the reward. Without a source nobody can check it, and
    nobody notices when it changes."""
    for path, criterion in judged(rubric):
        found = _THRESHOLD.search(criterion.statement)
        if found and not criterion.sources and criterion.reference == "none":
            message = f"{found.group()!r} stands in the statement, and no source supports it"
            yield Remark((*path, "statement"), message, "cite a source, or hold it against the reference")


@rule("unchecked-source", Severity.WARNING)
def unchecked_source(rubric: Rubric) -> Iterable[Remark]:
    """A gate or negative points that rest on sources which nobody compared with the statement (``status:
    unchecked``)."""
    status = {source.id: source.status for source in rubric.sources}
    for path, leaf in leaves_of(rubric):
        severe = leaf.gate is not None or leaf.points < 0
        if severe and leaf.sources and all(status[source] == "unchecked" for source in leaf.sources):
            what = "a gate rests" if leaf.gate else "negative points rest"
            message = f"{what} on unchecked sources only: {', '.join(leaf.sources)}"
            yield Remark((*path, "sources"), message, "read one of them and set its status, or take the penalty away")


@rule("undated-source", Severity.WARNING)
def undated_source(rubric: Rubric) -> Iterable[Remark]:
    """Guidance is replaced: without a date nobody can tell whether the source still holds."""
    for index, source in enumerate(rubric.sources):
        if source.year is None and source.date is None and source.checked is None:
            message = f"the source {source.id!r} has no date"
            yield Remark(("sources", index), message, "add year or date, or checked: the day on which it was read")


RULES = (threshold_without_source, unchecked_source, undated_source)
