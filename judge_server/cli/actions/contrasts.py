"""Pairs of a better and a worse response: of a file, or of a training run whose reward rose against an overall
preference."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from judge_server.calibration.drafting import DraftItem
from judge_server.cli.actions.free_preference import PreferenceOptions, compared_pairs, rewarded_pairs
from judge_server.cli.actions.rubric_exchange import records_in
from judge_server.cli.running import fail
from judge_server.core.errors import BadInput
from judge_server.judging.judge_input import text_in_scope
from judge_server.judging.single import SingleJudge
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.util.canonical import digest
from judge_server.wiring.service import Service

PAIRS: Final = (("good", "bad"), ("chosen", "rejected"))


def contrasts_in(path: Path) -> list[DraftItem]:
    """Raises BadInput for a record without a prompt, a better and a worse response."""
    records = [record for _, record in records_in(path)]
    flat = [one for record in records for one in (record if isinstance(record, list) else [record])]
    if not flat:
        fail(f"{path} holds no pairs.")
    return [_pair(one, number) for number, one in enumerate(flat, 1)]


def _pair(record: Any, number: int) -> DraftItem:
    known = record if isinstance(record, Mapping) else {}
    names = next((both for both in PAIRS if all(isinstance(known.get(name), str) for name in both)), None)
    prompt = conversation_text(known.get("prompt"))
    if names is None or not prompt:
        raise BadInput(
            f"Record {number} is no pair of responses to a prompt.",
            remedy='Write lines such as {"prompt": "…", "good": "…", "bad": "…"} (or chosen and rejected).',
        )
    return contrast(prompt, known[names[0]], known[names[1]])


def contrast(prompt: str, good: str, bad: str) -> DraftItem:
    """Its id is that of the texts."""
    name = digest([prompt, good, bad]).removeprefix("sha256:")[:10]
    return DraftItem(id=f"pair-{name}", prompt=prompt, good=good, bad=bad)


async def contrasts_of_run(
    service: Service, judge: SingleJudge, run: str, base: str | None, most: int
) -> list[DraftItem]:
    """The pairs whose reward rose although the judge, without the rubric, prefers the response before."""
    options = PreferenceOptions(run, base, judge.specification.name, most, as_json=False)
    pairs = await rewarded_pairs(service.store, options)
    compared = await compared_pairs(service, judge, pairs)
    found = []
    for pair, preferred in compared:
        if preferred is None or preferred >= 0.5 or pair.after.reward <= pair.before.reward:
            continue
        both = [await service.store.submission(one.judgment) for one in (pair.before, pair.after)]
        texts = [text_in_scope(one, "answer") for one in both if one is not None]
        if len(texts) == 2 and both[1] is not None:
            prompt = "\n\n".join(message.content or "" for message in both[1].conversation)
            found.append(contrast(prompt, *texts))
    return found
