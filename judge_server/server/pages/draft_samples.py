"""Where the samples of a draft come from: written by hand, stored responses, items of a label set, or its cases."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import ValidationError

from judge_server.core.errors import BadInput
from judge_server.core.submission import Submission
from judge_server.labels.archive import find
from judge_server.server.pages.draft_expectations import draft_cases
from judge_server.server.service import viewer
from judge_server.server.validated_rubric import publishable, unblocking
from judge_server.store.draft_records import MOST_SAMPLES, DraftSample, RubricDraft
from judge_server.wiring.service import Service

_AT_ONCE: Final = 5


def written(fields: Mapping[str, str]) -> DraftSample:
    given = {name: fields.get(name, "") for name in ("prompt", "response", "reference")}
    try:
        return DraftSample.model_validate({name: value for name, value in given.items() if value.strip()})
    except ValidationError:
        raise BadInput(
            "A sample has a prompt and a response, each of at most 200,000 characters.", remedy="Write both."
        ) from None


async def stored(service: Service, draft: RubricDraft) -> list[DraftSample]:
    """The newest responses that were judged under the rubric from which the draft began. Raises JudgeNotAllowed if one
    of them may not be shown to the judge that tries drafts."""
    if draft.base is None:
        raise BadInput("The draft began from no rubric under which responses are stored.", remedy="Add one by hand.")
    judged = await service.store.judgments(limit=_AT_ONCE, rubric=draft.base.partition("@")[0], caller=viewer(service))
    judge = service.judge_registry.named(None).specification
    await service.shown_again.require(judge, [one.id for one in judged.items])
    texts = [await service.store.submission(one.id) for one in judged.items]
    return _further(draft, map(_of, filter(None, texts)), "No further response is stored under this rubric.")


async def labelled(service: Service, draft: RubricDraft, name: str) -> list[DraftSample]:
    """The next items of a label set that have texts; never of a locked test split."""
    found = await find(name, service.store.labels) if name else None
    if found is None:
        raise BadInput(f"There is no label set {name[:60]!r}.", remedy="Choose one of the list.")
    found.require_shown(service.judge_registry.named(None).specification)
    dev = found.split("dev") if "test" in found.splits.values() else found
    known = set(dev.table.items.names)
    texts = (item for item in dev.items.values() if item.id in known and item.prompt and item.response)
    samples = (
        DraftSample(prompt=item.prompt or "", response=item.response or "", reference=item.reference, facts=item.facts)
        for item in texts
    )
    return _further(draft, samples, f"{name} has no further items with prompt and response.")


async def of_cases(service: Service, draft: RubricDraft) -> list[DraftSample]:
    """The next responses of the cases, as many as there is room for."""
    parsed, _ = await unblocking(publishable, draft.text)
    cases = await asyncio.to_thread(draft_cases, service, draft, parsed)
    every = () if cases is None else cases.cases()
    texts = (scenario.submission(case, parsed.rubric) for scenario, case in every)
    return _further(draft, map(_of, texts), "The rubric has no further cases.")


def _of(submission: Submission) -> DraftSample:
    return DraftSample(
        prompt=submission.prompt_text or " ",
        response=submission.read.text or " ",
        reference=submission.reference,
        facts=submission.facts,
    )


def _further(draft: RubricDraft, samples: Iterable[DraftSample], none: str) -> list[DraftSample]:
    """Some that are not among the samples yet. Raises BadInput if there is none, or no room."""
    if len(draft.samples) >= MOST_SAMPLES:
        raise BadInput(f"A draft has at most {MOST_SAMPLES} samples.", remedy="Remove some first.")
    new = (one for one in samples if one.response.strip() and one not in draft.samples)
    found = [one for _, one in zip(range(min(_AT_ONCE, MOST_SAMPLES - len(draft.samples))), new, strict=False)]
    if not found:
        raise BadInput(none, remedy="Choose another source, or add one by hand.")
    return found
