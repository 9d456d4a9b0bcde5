"""The work of ``judge-server rubric``: new, validate, lint, diff, publish, show and schema.

A function that returns bool says whether it found what the exit status 1 reports.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from judge_server.authoring import diff as differences
from judge_server.authoring import lint as linter
from judge_server.authoring.finding import RubricFinding, Severity, in_order
from judge_server.authoring.folder import home_of
from judge_server.authoring.lint import RULES
from judge_server.authoring.parsing import Parsed, load
from judge_server.authoring.publication import publish as publish_file
from judge_server.authoring.schema import schema_text
from judge_server.authoring.writing import replace_file
from judge_server.cli.actions import rubric_target, rubric_view
from judge_server.cli.running import fail
from judge_server.core.errors import UnknownRubric
from judge_server.core.review import RubricReview
from judge_server.core.rubric import Rubric


def validate(targets: list[str], as_json: bool) -> bool:
    names: list[str] = []
    valid: list[Parsed] = []
    findings: list[RubricFinding] = []
    for name, result in rubric_target.several(targets):
        names.append(name)
        if isinstance(result, Parsed):
            valid.append(result)
            findings += rubric_target.faults_beyond_form(result)
        else:
            findings += result
    findings += [*rubric_target.repeated_names(valid), *rubric_target.tampered_copies(targets)]
    findings = in_order(findings)
    _report(names, valid, findings, as_json)
    return bool(findings)


def _report(
    names: list[str], valid: list[Parsed], findings: list[RubricFinding], as_json: bool, hidden: int = 0
) -> None:
    if as_json:
        rubrics = [{"file": one.file, **one.rubric.reference.model_dump()} for one in valid]
        shown = [found.model_dump(mode="json") for found in findings]
        rubric_view.print_json(
            {"files": len(names), "rubrics": rubrics, "findings": shown, **rubric_view.counts(findings)}
        )
        return
    rubric_view.print_findings(findings)
    typer.echo(rubric_view.summary(len(names), findings, hidden))


@dataclass(frozen=True)
class LintOptions:
    """``without``: rules left out; ``show_all``: remarks too; ``strict``: warnings count as found."""

    without: Sequence[str] = ()
    show_all: bool = False
    strict: bool = False
    as_json: bool = False


def lint(targets: list[str], options: LintOptions) -> bool:
    unknown = set(options.without) - {rule.name for rule in RULES}
    if unknown:
        fail(f"--without: there is no rule {', '.join(sorted(unknown))}; --rules lists them.")
    results = list(rubric_target.several(targets))
    valid = [result for _, result in results if isinstance(result, Parsed)]
    broken = [found for _, result in results if not isinstance(result, Parsed) for found in result]
    findings = in_order([*broken, *(found for one in valid for found in linter.lint(one, options.without))])
    everything = options.show_all or options.as_json
    shown = [found for found in findings if everything or found.severity is not Severity.INFO]
    _report([name for name, _ in results], valid, shown, options.as_json, len(findings) - len(shown))
    grave = (Severity.ERROR, Severity.WARNING) if options.strict else (Severity.ERROR,)
    return any(found.severity in grave for found in findings)


def list_rules(as_json: bool) -> None:
    if as_json:
        rubric_view.print_json(
            [{"rule": rule.name, "severity": rule.severity, "explanation": rule.explanation} for rule in RULES]
        )
        return
    for rule in RULES:
        typer.echo(f"{rule.name} ({rule.severity})\n  {' '.join(rule.explanation.split())}")


def diff(old: str, new: str | None, rubrics: list[Path] | None, as_json: bool) -> bool:
    newer = rubric_target.one(new or old, rubrics)
    older = rubric_target.one(old, rubrics).rubric if new else _last_published(newer, rubrics)
    difference = differences.compare(older, newer.rubric)
    if as_json:
        rubric_view.print_json(difference.model_dump(mode="json"))
    else:
        rubric_view.print_difference(difference, _withdrawn(older, rubrics))
    return bool(difference.changes)


def _withdrawn(older: Rubric, rubrics: list[Path] | None) -> str | None:
    """Why this version was withdrawn; None if it was not."""
    review = rubric_target.library(rubrics).review(older.id, older.version)
    return review.reason if review is not None and review.review == "withdrawn" else None


def _last_published(parsed: Parsed, rubrics: list[Path] | None) -> Rubric:
    directories = rubrics or ([home_of(Path(parsed.file))] if parsed.file else None)
    found = rubric_target.library(directories).published(parsed.rubric.id)
    if found is None:
        raise UnknownRubric(f"No version of {parsed.rubric.id} is published.", remedy="Name two rubrics to compare.")
    return found


def publish(files: list[Path], directory: Path | None, as_json: bool) -> None:
    results: list[dict[str, Any]] = []
    for file in files:
        done = _publish_one(file, directory)
        results.append(done)
        if not as_json:
            verb = "published" if done["new"] else "unchanged"
            typer.echo(f"{verb} {done['id']}@{done['version']} {done['digest']}")
            if done["advice"]:
                typer.secho(f"note: {done['advice']}", fg=typer.colors.YELLOW, err=True)
    if as_json:
        rubric_view.print_json(results)


def _publish_one(file: Path, directory: Path | None) -> dict[str, Any]:
    if faults := list(rubric_target.faults_beyond_form(load(file))):
        rubric_view.print_findings(faults)
        raise typer.Exit(1)
    done = publish_file(file, directory)
    return {**done.rubric.reference.model_dump(), "new": done.is_new, "copy": str(done.copy), "advice": done.advice}


def show(target: str, rubrics: list[Path] | None, as_json: bool) -> None:
    rubric = rubric_target.one(target, rubrics).rubric
    library = rubric_target.library(rubrics)
    review = library.review(rubric.id, rubric.version)
    if as_json:
        shown = rubric.model_dump(mode="json", by_alias=True)
        rubric_view.print_json({**shown, "digest": rubric.digest, "review": (review or RubricReview()).model_dump()})
        return
    published = (
        library.published(rubric.id, rubric.version) if library.is_published(rubric.id, rubric.version) else None
    )
    rubric_view.print_rubric(rubric, published is not None and published.digest == rubric.digest, review)


def schema(output: Path | None) -> None:
    if output is None:
        typer.echo(schema_text(), nl=False)
    else:
        replace_file(output, schema_text())
