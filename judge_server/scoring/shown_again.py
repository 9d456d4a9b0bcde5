"""Stored texts that are to be shown to a judge once more: their rubric, or their sender's API key, may name others."""

from collections.abc import Collection, Iterable, Sequence

from judge_server.core.api_key import ApiKey
from judge_server.core.judge import JudgeSpecification
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet
from judge_server.store.store import Store


class ShownAgain:
    """``configured``: the API keys of the settings, beside those in the store. Keys that were revoked or have expired
    limit what they sent as before."""

    def __init__(self, store: Store, configured: Iterable[ApiKey]) -> None:
        self._store = store
        self._configured = tuple(configured)

    async def require(self, judge: JudgeSpecification, judgments: Collection[str]) -> None:
        """Raises JudgeNotAllowed if the texts of one of these judgments may not be shown to ``judge``."""
        await self.require_by_senders(judge, judgments)
        digests = set()
        for name in judgments:
            known = await self._store.judgment(name)
            if known is not None and known.rubric is not None:
                digests.add(known.rubric.digest)
        for digest in digests:
            rubric = await self._store.rubric_by_digest(digest)
            if rubric is not None and rubric.judges:
                judge.require_shown(rubric.judges, f"The rubric {rubric.name}")

    async def require_labelled(
        self, labels: LabelSet, *judges: JudgeSpecification, rubric: Rubric | None = None
    ) -> None:
        """Raises JudgeNotAllowed if the labelled texts may not be shown to each of ``judges``: by the label set, by the
        ``rubric`` under which they are to be judged, or by those who sent the judgments that were labelled."""
        for judge in judges:
            labels.require_shown(judge)
            if rubric is not None and rubric.judges:
                judge.require_shown(rubric.judges, f"The rubric {rubric.name}")
        plan = await self._store.label_plans.find(labels.id)
        planned = () if plan is None else [name for item in plan.items for name in item.judgments]
        await self._require({*labels.items, *planned}, judges)

    async def require_by_senders(self, judge: JudgeSpecification, judgments: Collection[str]) -> None:
        """``require`` by API keys alone."""
        await self._require(judgments, (judge,))

    async def _require(self, judgments: Collection[str], judges: Sequence[JudgeSpecification]) -> None:
        senders = await self._store.api_keys.senders(judgments)
        if not senders:
            return
        for key in (*self._configured, *await self._store.api_keys.all()):
            if key.name in senders and key.allowance.judges:
                for judge in judges:
                    judge.require_shown(key.allowance.judges, f"The API key {key.name!r}")
