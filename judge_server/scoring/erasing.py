"""Erases judgments with their texts, and what judges said about them, from the store and from this process."""

import logging
from collections.abc import Collection
from datetime import datetime

from judge_server.core.erasure import Erasure, ErasureWish
from judge_server.core.errors import JudgeServerError
from judge_server.scoring.cached_judge import VerdictCache, cache_key
from judge_server.scoring.plan import plan
from judge_server.store.erasure_records import Removed
from judge_server.store.store import Store

_LOG = logging.getLogger(__name__)
_PAGE = 200


async def erase(store: Store, wish: ErasureWish, by: str, cache: VerdictCache | None = None) -> Erasure:
    """Remove every judgment that matches, 200 a transaction, and record the act without the texts. It beats pins:
    labels keep the judgment's id only. Raises StoreUnavailable; what was removed before that stays removed."""
    removed = Removed()
    while ids := await store.erasures.matching(wish):
        keys = [key for one in ids for key in await _verdict_keys(store, one)]
        removed += await store.erasures.remove(ids, keys)
        if cache is not None:
            cache.forget(keys)
    made = await store.erasures.record(wish, removed, by)
    await store.overwrite_erased()
    _LOG.warning("%s erased %d judgments and %d texts (%s)", by, made.judgments, made.texts, made.id)
    return made


async def forget_verdicts(
    store: Store, judges: Collection[str], since: datetime, until: datetime, cache: VerdictCache
) -> int:
    """Drop what is remembered of these judges' verdicts in judgments of that time: another model may have given them.
    The judgments stay. Returns the number of verdicts. Raises StoreUnavailable."""
    dropped, cursor = 0, None
    while True:
        page = await store.judgments(limit=_PAGE, cursor=cursor, since=since, until=until)
        asked = [one.id for one in page.items if one.judge is not None and one.judge.name in judges]
        keys = [key for one in asked for key in await _verdict_keys(store, one)]
        removed = await store.erasures.remove((), keys)
        cache.forget(keys)
        dropped, cursor = dropped + removed.verdicts, page.next_cursor
        if cursor is None:
            return dropped


async def _verdict_keys(store: Store, judgment_id: str) -> list[str]:
    """Keys under which verdicts about the submission are remembered: their reasons may quote it."""
    judgment, submission = await store.judgment(judgment_id), await store.submission(judgment_id)
    if judgment is None or submission is None or judgment.rubric is None or judgment.judge is None:
        return []
    rubric = await store.rubric_by_digest(judgment.rubric.digest)
    if rubric is None:
        return []
    try:
        questions = plan(submission, rubric).questions
    except JudgeServerError:
        return []  # it could not be judged, so nothing is remembered about it
    return [cache_key(judgment.judge.fingerprint, one.criterion, one.material) for one in questions]
