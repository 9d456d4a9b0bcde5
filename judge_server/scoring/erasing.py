"""Erases judgments with their texts, and what judges said about them, from the store and from this process."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime

from judge_server.core.coordinates import Coordinates
from judge_server.core.erasure import Erasure, ErasureWish
from judge_server.core.errors import BadSubmission, JudgeServerError
from judge_server.judging.judge_input import JudgeInput, text_in_scope
from judge_server.scoring.batch import failed_judgment
from judge_server.scoring.cached_judge import SHOWN_DIGITS, VerdictCache, cache_key
from judge_server.scoring.plan import plan
from judge_server.scoring.sources import of_caller, of_submission
from judge_server.store.quotation import Quoted
from judge_server.store.removal import Removed
from judge_server.store.store import Store
from judge_server.store.writing import KEY_DIGITS

_LOG = logging.getLogger(__name__)
_PAGE = 200
_GONE = BadSubmission("The item was erased.", remedy="Send it again if it is to be judged.")


async def erase(store: Store, wish: ErasureWish, by: str, cache: VerdictCache | None = None) -> Erasure:
    """Remove every judgment that matches, 200 a transaction, and record the act without the texts. It beats pins:
    labels keep the judgment's id only. Texts that stand elsewhere too are replaced there. Raises StoreUnavailable; what
    was removed before that stays removed."""
    removed = Removed(job_items=await store.job_erasure.erase(wish, failed_judgment(_GONE, Coordinates())))
    while ids := await store.erasures.matching(wish):
        given = {one: await store.submission(one) for one in ids}
        quoted = Quoted.of({one: said for one, said in given.items() if said is not None})
        removed += Removed(quotations=await store.quotations.erase(quoted))  # while it is known what they say
        keys = [key for one in ids for key in await _keys_about(store, one)]
        removed += await _forgotten(store, ids, keys, cache)
    if wish.names_only("caller") and wish.caller is not None:
        removed += Removed(quotations=await store.quotations.erase_samples(wish.caller))
        keys = list(await store.erasures.about([of_caller(wish.caller)]))
        removed += await _forgotten(store, (), keys, cache)
    made = await store.erasures.record(wish, removed, by)
    await store.overwrite_erased()
    _LOG.warning("%s erased %d judgments and %d texts (%s)", by, made.judgments, made.texts, made.id)
    return made


async def _forgotten(store: Store, ids: Sequence[str], keys: Sequence[str], cache: VerdictCache | None) -> Removed:
    removed = await store.erasures.remove(ids, keys)
    if cache is not None:
        cache.forget(keys)
    return removed


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


async def _keys_about(store: Store, judgment_id: str) -> list[str]:
    """Keys of all that is remembered about the submission: the verdicts on its judgment, what a judge read of facts in
    its conversation or found it to say, and comparisons and gradings that showed its response."""
    submission = await store.submission(judgment_id)
    if submission is None:
        return []
    shown = [
        JudgeInput(submission.conversation, response="", about="conversation"),
        JudgeInput(submission.conversation, text_in_scope(submission, "answer")),
    ]
    keys = [one.digest[:SHOWN_DIGITS].ljust(KEY_DIGITS, "0") for one in shown]
    keys += await store.erasures.about(tuple(of_submission(submission)))
    return keys + await _verdict_keys(store, judgment_id)


async def _verdict_keys(store: Store, judgment_id: str) -> list[str]:
    """Keys under which verdicts about the submission are remembered: their reasons may quote it."""
    judgment, submission = await store.judgment(judgment_id), await store.submission(judgment_id)
    if judgment is None or submission is None or judgment.rubric is None or judgment.judge is None:
        return []
    rubric = await store.rubric_by_digest(judgment.rubric.digest)
    if rubric is None:
        return []
    try:
        questions = plan(submission, rubric, asked=judgment.facts).questions
    except JudgeServerError:
        return []  # it could not be judged, so nothing is remembered about it
    return [cache_key(judgment.judge.fingerprint, one.criterion, one.material) for one in questions]
