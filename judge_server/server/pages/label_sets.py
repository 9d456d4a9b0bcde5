"""The sets that are being collected, as the page of labelling lists them: how far each is, and what becomes of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from judge_server.store.label_plan_records import LabelProgress, StoredPlan
from judge_server.wiring.service import Service

_COUNTED: Final = 10


@dataclass(frozen=True)
class ShownSet:
    """``plan``: None if nobody labels it on a page; ``progress``: None then, and beyond the ten sets that were labelled
    last. ``newest_at``: of the newest label, None without one."""

    id: str
    labels: int
    newest_at: datetime | None
    plan: StoredPlan | None
    progress: LabelProgress | None

    @property
    def overlap(self) -> str:
        """How many people label each response, in words."""
        if self.plan is None or not self.plan.overlap:
            return "everybody labels everything"
        share = f", {self.plan.share:.0%} of them by two" if self.plan.share else ""
        return f"{self.plan.overlap} for each{share}"

    @property
    def formats(self) -> tuple[tuple[str, str], ...]:
        """As what its labels can be taken away; each format with its words."""
        pairs = self.plan is not None and self.plan.kind == "pairs"
        both = (("csv", "CSV"), ("label-studio", "Label Studio"))
        if not self.labels:
            return ()
        return (*both, ("preferences", "preferences (JSON Lines)")) if pairs else both


async def shown_sets(service: Service, annotator: str) -> list[ShownSet]:
    """The one that was labelled last first; ``annotator``: empty if the server knows nobody."""
    records = service.store.label_plans
    plans = {plan.label_set: plan for plan in await records.all()}
    collected = {one.id: one for one in await service.store.labels.collections()}
    begun = sorted(set(plans) - set(collected))
    order = [*begun, *sorted(collected, key=lambda name: collected[name].newest_at, reverse=True)]
    counted = [name for name in order if name in plans][:_COUNTED]
    found = []
    for name in order:
        full = await records.find(name) if name in counted else None
        progress = None if full is None else await records.progress(full, annotator)
        one = collected.get(name)
        labels, newest = (one.labels, one.newest_at) if one else (0, None)
        found.append(ShownSet(name, labels, newest, plans.get(name), progress))
    return found
