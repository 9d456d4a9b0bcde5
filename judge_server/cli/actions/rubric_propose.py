"""``judge-server rubric propose``: criteria for what a rubric misses, from pairs of responses; a person decides."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.finding import Severity
from judge_server.authoring.lint import lint
from judge_server.authoring.parsing import parse
from judge_server.authoring.writing import replace_file
from judge_server.calibration.criterion_proposer import CriterionProposer, writing_judge
from judge_server.calibration.drafting import DraftItem
from judge_server.calibration.kept_criteria import KeptCriteria, ask_about
from judge_server.calibration.proposing import PromptVersion, next_version, number_of, own_id
from judge_server.cli.actions import rubric_view
from judge_server.cli.actions.contrasts import contrasts_in, contrasts_of_run
from judge_server.cli.calibrate import sources
from judge_server.cli.running import announce
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.labels.about import require_shown
from judge_server.settings.settings import Settings
from judge_server.util.canonical import digest
from judge_server.util.wording import many
from judge_server.wiring.service import open_service


@dataclass(frozen=True)
class ProposeOptions:
    """``source``: a file of pairs; else pairs of ``run``, before and after (or of ``base`` and ``run``), in which the
    reward rose and the judge prefers the response before. ``most``: pairs that are shown."""

    target: str
    source: Path | None
    run: str | None
    base: str | None
    judge: str | None
    task: str
    most: int
    out: Path


async def propose(settings: Settings, given: ProposeOptions) -> None:
    """Write a draft for each prompt with something new, and say what it holds."""
    if (given.source is None) == (given.run is None):
        raise BadInput("Say where the pairs come from.", remedy="Give one of --from FILE and --run RUN.")
    stored = settings if given.run is None else settings.with_database()
    async with open_service(stored) as service:
        base = await sources.rubric(given.target, service.rubric_registry)
        judge = writing_judge(service.judge_registry.named(given.judge))
        if base.judges:
            judge.specification.require_shown(base.judges, f"The rubric {base.name}")
        if given.source is not None:
            require_shown(given.source, judge.specification)
        announce([judge])
        if given.source is not None:
            pairs = contrasts_in(given.source)
        else:
            pairs = await contrasts_of_run(service, judge, str(given.run), given.base, given.most)
        kept = KeptCriteria(given.out / "answers.jsonl", digest([judge.model.name, base.digest, given.task]))
        fresh = [one for one in pairs if one.id not in kept.used][: given.most]
        left = len(pairs) - len(fresh)
        typer.echo(f"{many(len(fresh), 'pair')}, {left:,} left out: seen before, or beyond --items", err=True)
        proposer = CriterionProposer(judge.model, judge.writer, given.task, [leaf.statement for leaf in base.leaves])
        failed = await ask_about(proposer, kept, fresh)
    for reason, count in sorted(failed.items()):
        typer.echo(f"{many(count, 'pair')} without a proposal: {reason}", err=True)
    _write(base, fresh, kept, given.out)


def _write(
    base: Rubric,
    pairs: Sequence[DraftItem],
    kept: KeptCriteria,
    out: Path,
) -> None:
    by_prompt: dict[str, list[DraftItem]] = defaultdict(list)
    for pair in pairs:
        if kept.answers(pair) is not None:
            by_prompt[pair.prompt].append(pair)
    today, written = datetime.now(UTC).date().isoformat(), 0
    for prompt, own in by_prompt.items():
        folder = out / own_id(base, prompt).rpartition("/")[2]
        proposals = [one for pair in own for one in kept.answers(pair) or ()]
        found = next_version(base, prompt, _standing(folder), proposals, own, today)
        if found.parsed is not None:
            written += 1
            rubric = found.parsed.rubric
            path = folder / f"{rubric.version}.yaml"
            replace_file(path, _heading(prompt) + yaml_of(rubric))
            with (out / "prompts.jsonl").open("a", encoding="utf-8") as file:
                named = {"prompt": prompt, "rubric": f"{rubric.id}@{rubric.version}", "file": str(path)}
                file.write(json.dumps(named, ensure_ascii=False) + "\n")
        kept.use([pair.id for pair in own])
        _tell(prompt, found, folder)
    if not written:
        typer.echo("Nothing new was proposed.")
    else:
        typer.echo(f"{many(written, 'draft')} in {out}, listed in {out / 'prompts.jsonl'}; nothing is published")


def _standing(folder: Path) -> Rubric | None:
    """The newest version in the folder."""
    found = [parse(path.read_text("utf-8")).rubric for path in folder.glob("*.yaml")]
    return max(found, key=number_of, default=None)


def _heading(prompt: str) -> str:
    shown = " ".join(prompt.split())[:80]
    return (
        f"# A draft for one prompt ({json.dumps(shown, ensure_ascii=False)}). Nobody has read its proposed criteria\n"
        "# (tags: [proposed]): check, reword and weigh them before a training uses this version.\n"
    )


def _tell(prompt: str, found: PromptVersion, folder: Path) -> None:
    for statement, reason in found.refused:
        typer.echo(f"refused: {statement}: {reason}", err=True)
    if found.parsed is None:
        return
    typer.echo(f"{' '.join(prompt.split())[:60]}: {folder.name}@{found.parsed.rubric.version}")
    for leaf in found.added:
        typer.echo(f"  {leaf.points:+g} {leaf.statement} ({', '.join(leaf.sources)})")
    for leaf in found.retired:
        typer.echo(f"  retired: {leaf.statement}")
    rubric_view.print_findings([one for one in lint(found.parsed) if one.severity is not Severity.INFO])
