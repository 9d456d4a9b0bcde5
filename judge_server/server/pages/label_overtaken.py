"""Whether what a labelling page has read still holds when its form arrives: the same person may have completed the item
in another tab, and others may have done so after the reservation ended."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from judge_server.core.errors import BadInput
from judge_server.store.label_plan_records import StoredPlan
from judge_server.store.label_records import CollectedLabel

_SETTLED = "settled"


def seen_state(plan: StoredPlan, item: str, annotator: str, stored: Sequence[CollectedLabel]) -> str:
    """What the form sends back: a digest of the annotator's own labels of the item, empty without any, and whether
    others have given it all that it wants. ``stored``: every label of the set."""
    own, others = _own(item, annotator, stored), {one.annotator for one in stored if one.item == item} - {annotator}
    digest = hashlib.sha256(json.dumps(sorted(own.items())).encode()).hexdigest()[:16] if own else ""
    wanted = plan.wanted(item)
    settled = not own and wanted is not None and len(others) >= wanted
    return f"{digest}{_SETTLED if settled else ''}"


def require_current(
    seen: str, plan: StoredPlan, annotator: str, given: Sequence[CollectedLabel], stored: Sequence[CollectedLabel]
) -> None:
    """``given``: the labels of one item that are to be stored. Raises BadInput if they would replace others that the
    page has not shown, or if the item wants no further label since."""
    item = given[0].item
    now = seen_state(plan, item, annotator, stored)
    standing = _own(item, annotator, stored)
    same = all(standing.get(name) == said for name, said in _own(item, annotator, given).items())
    if now == seen or (standing and same):
        return
    if standing:
        raise BadInput(
            "You have completed this response on another page meanwhile, with other answers. Those are stored.",
            remedy="Complete it again to put these in their place.",
        )
    if now.endswith(_SETTLED):
        raise BadInput(
            "It took long: your reservation has ended, and others have given this response all the labels it wants. "
            "Yours are not stored.",
            remedy="Complete it again to add them all the same, or skip it.",
        )


def _own(item: str, annotator: str, labels: Sequence[CollectedLabel]) -> Mapping[str, tuple[str | None, str]]:
    """By criterion: the label and the note."""
    return {
        one.criterion: (one.content.get("label"), str(one.content.get("rationale") or ""))
        for one in labels
        if one.item == item and one.annotator == annotator
    }
