"""From a disagreement to the wording behind it: the author's draft of the rubric, with the response as a sample."""

from judge_server.authoring.diff import VersionStep, next_version
from judge_server.authoring.draft_form import draft_form
from judge_server.authoring.emitting import data_of, text_of
from judge_server.core.errors import BadRubric
from judge_server.store.draft_records import MOST_SAMPLES, DraftSample, RubricDraft
from judge_server.wiring.service import Service


async def next_draft(service: Service, author: str, base: str) -> RubricDraft:
    """A new draft, not kept yet: the newest version of a rubric, raised by a minor step, with the samples that the
    author kept when writing that version."""
    rubric = await service.rubric_registry.get(base)
    following = next_version(rubric.version, VersionStep.MINOR)
    draft = RubricDraft.begun(author, text_of({**data_of(rubric), "version": following}), rubric.name)
    before = await service.store.drafts.became(rubric.name)
    kept = before.samples if before is not None and before.author == author else ()
    return draft.model_copy(update={"samples": kept})


async def draft_with(service: Service, author: str, rubric_id: str, sample: DraftSample | None) -> RubricDraft:
    """The author's newest draft from the rubric's newest version, or a new one; ``sample`` is among its samples."""
    newest = await service.rubric_registry.get(rubric_id)
    known = [one for one in await service.store.drafts.drafts(author) if one.base == newest.name]
    draft = known[0] if known else await next_draft(service, author, rubric_id)
    samples = draft.samples
    if sample is not None and sample not in samples:
        samples = (*samples, sample)[-MOST_SAMPLES:]
    if known and samples == draft.samples:
        return draft
    return await service.store.drafts.keep(draft.model_copy(update={"samples": samples}), draft.editor)


def anchor_of(draft: RubricDraft, criterion: str) -> str:
    """Where the editor shows the criterion; empty if the draft has none of this id."""
    try:
        rows = draft_form(draft.text).rows
    except BadRubric:
        return ""
    return next((f"#c{row.where}" for row in rows if row.id == criterion), "")
