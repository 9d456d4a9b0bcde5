"""``judge-server rubric …``: write, check, publish and exchange rubric files.

Exit status: 0 success, 1 there are findings, 2 the command failed.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from judge_server.authoring import diff as differences
from judge_server.authoring import lint as linter
from judge_server.authoring.finding import RubricFinding, Severity, in_order
from judge_server.authoring.lint import RULES
from judge_server.authoring.parsing import Parsed
from judge_server.authoring.publication import home_of
from judge_server.authoring.publication import publish as publish_file
from judge_server.authoring.schema import schema_text
from judge_server.authoring.template import template
from judge_server.authoring.writing import replace_file
from judge_server.cli import rubric_target, rubric_view
from judge_server.cli.options import Rubrics
from judge_server.cli.rubric_exchange import export_rubric, import_rubrics
from judge_server.cli.running import fail
from judge_server.core.errors import BadRubric, JudgeServerError, UnknownRubric

app = typer.Typer(help="Write, check, publish and exchange rubrics.", no_args_is_help=True)

FOUND = 1
P = ParamSpec("P")
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Target = Annotated[str, typer.Argument(metavar="FILE|ID[@VERSION]", help="A rubric file, or a rubric of the library.")]
Targets = Annotated[list[str], typer.Argument(metavar="FILE|DIR...", help="Rubric files, or directories of them.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here.")]


def _telling(command: Callable[P, None]) -> Callable[P, None]:
    """Our errors end a command with status 2; each finding is printed on its own line."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BadRubric as fault:
            for entry in fault.extensions.get("findings") or ():
                typer.echo(str(RubricFinding.model_validate(entry)), err=True)
            if fault.extensions.get("findings"):
                raise typer.Exit(FOUND) from None
            fail(str(fault))
        except JudgeServerError as fault:
            fail(str(fault))

    return told


@app.command()
@_telling
def new(
    rubric_id: Annotated[str, typer.Argument(metavar="ID", help="For example medical/consultation.")],
    output: Output = None,
) -> None:
    """Write a commented rubric to start from: ID.yaml below rubrics/ if that exists, else here; -o - prints it."""
    text = template(rubric_id)
    if output == Path("-"):
        typer.echo(text, nl=False)
        return
    base = Path("rubrics") if Path("rubrics").is_dir() else Path()
    path = output or base / f"{rubric_id}.yaml"
    if path.exists():
        fail(f"{path} exists; name another file with --output.")
    replace_file(path, text)
    typer.echo(str(path))


@app.command()
@_telling
def validate(targets: Targets, as_json: Json = False) -> None:
    """Report every error of a rubric file with line and column. Exit status 1 if there are errors."""
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
    raise typer.Exit(FOUND if findings else 0)


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


@app.command()
@_telling
def lint(
    targets: Annotated[list[str] | None, typer.Argument(metavar="FILE|DIR...", help="What to lint.")] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show remarks (info) too.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings make the exit status 1 too.")] = False,
    without: Annotated[list[str] | None, typer.Option(metavar="RULE", help="Leave a rule out. Repeatable.")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules with their reasons.")] = False,
    as_json: Json = False,
) -> None:
    """Advise on valid rubrics: compound or vague statements, weights that cannot reach 1, gates that cannot bite, ...

    Exit status 1 if there are errors (or, with --strict, warnings).
    """
    if rules:
        _list_rules(as_json)
        return
    if not targets:
        fail("name a file or directory, or --rules.")
    unknown = set(without or ()) - {rule.name for rule in RULES}
    if unknown:
        fail(f"--without: there is no rule {', '.join(sorted(unknown))}; --rules lists them.")
    results = list(rubric_target.several(targets))
    valid = [result for _, result in results if isinstance(result, Parsed)]
    broken = [found for _, result in results if not isinstance(result, Parsed) for found in result]
    findings = in_order([*broken, *(found for one in valid for found in linter.lint(one, without or ()))])
    shown = [found for found in findings if show_all or as_json or found.severity is not Severity.INFO]
    _report([name for name, _ in results], valid, shown, as_json, len(findings) - len(shown))
    grave = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    raise typer.Exit(FOUND if any(found.severity in grave for found in findings) else 0)


def _list_rules(as_json: bool) -> None:
    if as_json:
        rubric_view.print_json(
            [{"rule": rule.name, "severity": rule.severity, "explanation": rule.explanation} for rule in RULES]
        )
        return
    for rule in RULES:
        typer.echo(f"{rule.name} ({rule.severity})\n  {' '.join(rule.explanation.split())}")


@app.command()
@_telling
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A file or ID[@VERSION].")],
    new: Annotated[
        str | None,
        typer.Argument(
            metavar="[NEW]", help="Another; left out, OLD is compared with the version of it that was published last."
        ),
    ] = None,
    rubrics: Rubrics = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit status 1 if there is a difference.")] = False,
    as_json: Json = False,
) -> None:
    """Show what changed between two rubrics, criterion by criterion, and which version step that requires."""
    newer = rubric_target.one(new or old, rubrics)
    older = rubric_target.one(old, rubrics).rubric if new else _last_published(newer, rubrics)
    difference = differences.compare(older, newer.rubric)
    if as_json:
        rubric_view.print_json(difference.model_dump(mode="json"))
    else:
        rubric_view.print_difference(difference)
    raise typer.Exit(FOUND if exit_code and difference.changes else 0)


def _last_published(parsed: Parsed, rubrics: list[Path] | None) -> Any:
    directories = rubrics or ([home_of(Path(parsed.file))] if parsed.file else None)
    found = rubric_target.library(directories).published(parsed.rubric.id)
    if found is None:
        raise UnknownRubric(f"No version of {parsed.rubric.id} is published.", remedy="Name two rubrics to compare.")
    return found


@app.command()
@_telling
def publish(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False)],
    rubrics: Annotated[
        Path | None,
        typer.Option(
            "--rubrics",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="The directory that holds rubrics.lock (default: the one the file is in).",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Publish a version permanently: archive a copy and record its digest in rubrics.lock."""
    results: list[dict[str, Any]] = []
    for file in files:
        done = _publish_one(file, rubrics)
        results.append(done)
        if not as_json:
            verb = "published" if done["new"] else "unchanged"
            typer.echo(f"{verb} {done['id']}@{done['version']} {done['digest']}")
            if done["advice"]:
                typer.secho(f"note: {done['advice']}", fg=typer.colors.YELLOW, err=True)
    if as_json:
        rubric_view.print_json(results)


def _publish_one(file: Path, directory: Path | None) -> dict[str, Any]:
    from judge_server.authoring.parsing import load

    if faults := list(rubric_target.faults_beyond_form(load(file))):
        rubric_view.print_findings(faults)
        raise typer.Exit(FOUND)
    done = publish_file(file, directory)
    return {**done.rubric.reference.model_dump(), "new": done.is_new, "copy": str(done.copy), "advice": done.advice}


@app.command()
@_telling
def show(target: Target, rubrics: Rubrics = None, as_json: Json = False) -> None:
    """Show a rubric as a table: points, gates, tags, number of examples, digest."""
    parsed = rubric_target.one(target, rubrics)
    rubric = parsed.rubric
    if as_json:
        rubric_view.print_json({**rubric.model_dump(mode="json", by_alias=True), "digest": rubric.digest})
        return
    shelf = rubric_target.library(rubrics)
    published = shelf.published(rubric.id, rubric.version) if shelf.is_published(rubric.id, rubric.version) else None
    rubric_view.print_rubric(rubric, published is not None and published.digest == rubric.digest)


@app.command()
@_telling
def schema(output: Output = None) -> None:
    """Print the JSON Schema of rubric files, for editors."""
    if output is None:
        typer.echo(schema_text(), nl=False)
    else:
        replace_file(output, schema_text())


app.command("import")(_telling(import_rubrics))
app.command("export")(_telling(export_rubric))
