"""``judge-server rubric draft``: a model proposes the criteria of a new rubric from examples; a person decides."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typer

from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.interchange.row import submission_of
from judge_server.authoring.interchange.tracked import tracked
from judge_server.authoring.lint import lint
from judge_server.authoring.template import title_of
from judge_server.authoring.writing import replace_file
from judge_server.calibration.criterion_proposer import CriterionProposer, writing_judge
from judge_server.calibration.drafting import DraftedRubric, DraftItem, drafted_rubric
from judge_server.calibration.kept_criteria import KeptCriteria, ask_about
from judge_server.cli.actions import rubric_view
from judge_server.cli.actions.rubric_exchange import records_in
from judge_server.cli.actions.score_input import RESPONSES
from judge_server.cli.running import announce, fail
from judge_server.core.errors import BadInput
from judge_server.labels.about import require_shown
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.settings.settings import Settings
from judge_server.util.canonical import digest
from judge_server.util.wording import many
from judge_server.wiring.service import open_service

_PAIRS: Final = (("good", "bad"), ("chosen", "rejected"))
ANSWERS: Final = ".answers.jsonl"  # beside the draft, until it is written


@dataclass(frozen=True)
class RubricDraftOptions:
    """``items``: how many examples are shown, spread over the file; ``most``: criteria of the draft."""

    rubric_id: str
    source: Path | None
    task: str
    judge: str | None
    items: int
    most: int
    output: Path | None


async def draft_rubric(settings: Settings, given: RubricDraftOptions) -> None:
    """Write the draft and say what to look at. Ends the command if the file exists or nothing usable was proposed."""
    path = given.output or Path(f"{given.rubric_id}.yaml")
    if await asyncio.to_thread(path.exists):
        fail(f"{path} exists; name another file with --output.")
    items = _items(given)
    async with open_service(settings) as service:
        judge = writing_judge(service.judge_registry.named(given.judge))
        if given.source is not None:
            require_shown(given.source, judge.specification)
        announce([judge])
        name = judge.model.name
        kept = KeptCriteria(path.with_name(path.name + ANSWERS), digest([name, given.task]))
        failed = await ask_about(CriterionProposer(judge.model, judge.writer, given.task), kept, items)
    proposals = [one for item in items for one in kept.answers(item) or ()]
    today = datetime.now(UTC).date().isoformat()
    found = drafted_rubric(given.rubric_id, title_of(given.rubric_id), proposals, items, given.most, today)
    _write(path, found, f"{name} from {many(len(items), 'example')}")
    if not failed:
        kept.path.unlink(missing_ok=True)  # the draft holds what was answered
    _tell(path, found, failed)


def _items(given: RubricDraftOptions) -> list[DraftItem]:
    """Spread evenly over the file; the task alone if there is none."""
    if given.source is None:
        if not given.task.strip():
            fail("say what is to be graded: --task TEXT, or examples with --from FILE.")
        return [DraftItem(id="task", prompt=given.task)]
    records = [record for _, record in records_in(given.source)]
    flat = [one for record in records for one in (record if isinstance(record, list) else [record])]
    found = [_item(one, number) for number, one in enumerate(flat, 1)]
    if not found:
        fail(f"{given.source} holds no examples.")
    step = max(len(found) / given.items, 1)
    return [found[int(place * step)] for place in range(min(given.items, len(found)))]


def _item(record: Any, number: int) -> DraftItem:
    if not isinstance(record, Mapping):
        raise BadInput(
            f"Example {number} is no object.", remedy='Write lines such as {"prompt": "…", "response": "…"}.'
        )
    held = submission_of(tracked(record))
    pair = next((names for names in _PAIRS if all(isinstance(record.get(name), str) for name in names)), None)
    good, bad = (record[pair[0]], record[pair[1]]) if pair else (None, None)
    response = next((record[name] for name in RESPONSES if isinstance(record.get(name), str)), None)
    item = DraftItem(
        id=f"item-{number}",
        prompt=conversation_text(held.get("prompt")),
        response=response,
        reference=held.get("reference"),
        good=good,
        bad=bad,
    )
    if not item.texts:
        raise BadInput(
            f"Example {number} has no text that is known here.",
            remedy="Give prompt, response, reference, or good and bad (or chosen and rejected).",
        )
    return item


def _write(path: Path, found: DraftedRubric, origin: str) -> None:
    if found.parsed is None:
        for statement, reason in found.refused:
            typer.echo(f"refused: {statement}: {reason}", err=True)
        fail("no usable criterion with positive points was proposed; try more examples or another model.")
    heading = (
        f"# A draft, proposed by {origin}. Nobody has read it: check, reword and weigh every criterion, add cases\n"
        "# (tests:), and give it a version without -draft before you publish it.\n"
    )
    replace_file(path, heading + yaml_of(found.parsed.rubric))


def _tell(path: Path, found: DraftedRubric, failed: Counter[str]) -> None:
    if found.parsed is None:
        return
    for leaf in found.parsed.rubric.leaves:
        typer.echo(f"{leaf.points:+g} {leaf.statement} ({', '.join(leaf.sources)})")
    for statement, reason in found.refused:
        typer.echo(f"refused: {statement}: {reason}", err=True)
    for reason, count in failed.items():
        typer.echo(f"{many(count, 'example')} without a proposal: {reason}", err=True)
    told = f"{many(found.merged, 'proposal')} merged into others"
    beyond = many(found.beyond, "criterion", "criteria")
    typer.echo(told + (f", {beyond} beyond --criteria left out" if found.beyond else ""))
    findings = lint(found.parsed)
    rubric_view.print_findings(findings)
    typer.echo(f"draft: {path}; next: judge-server rubric lint {path}, then people's eyes")
