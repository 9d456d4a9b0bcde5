"""``judge-server rubric …``: write, check, publish and exchange rubric files.

Exit status: 0 success, 1 there are findings, 2 the command failed.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Literal, ParamSpec

import typer

from judge_server.cli.listing import Commands
from judge_server.cli.options import JudgeFlags, LibraryFlags, Rubrics, StoreFlags, takes_flags
from judge_server.cli.rubric_work import Json, Output, Target, Targets, audit_criteria, draft, propose, watch
from judge_server.cli.running import fail, needs
from judge_server.core.errors import BadRubric, JudgeServerError

app = Commands(help="Write, check, publish and exchange rubrics.", no_args_is_help=True)

FOUND = 1
P = ParamSpec("P")


def _telling(command: Callable[P, None]) -> Callable[P, None]:
    """Our errors end a command with status 2; each finding is printed on its own line."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        from judge_server.authoring.finding import RubricFinding

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
    template: Annotated[
        str | None, typer.Option(metavar="FILE|ID", help="Begin with the content of another rubric.")
    ] = None,
    rubrics: Rubrics = None,
) -> None:
    """Write a rubric to start from: ID.yaml below rubrics/ if that exists, else here; -o - prints it.

    On a terminal it asks for statements and points; otherwise, and without a statement, it is a commented template.
    """
    from judge_server.cli.actions.rubric_new import new as write_new

    write_new(rubric_id, output, template, rubrics)


@app.command()
@_telling
def validate(targets: Targets, as_json: Json = False) -> None:
    """Report every error of a rubric file with line and column. Exit status 1 if there are errors."""
    from judge_server.cli.actions.rubric import validate as find_errors

    raise typer.Exit(FOUND if find_errors(targets, as_json) else 0)


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
    from judge_server.cli.actions import rubric as work

    if rules:
        work.list_rules(as_json)
        return
    if not targets:
        fail("name a file or directory, or --rules.")
    found = work.lint(targets, work.LintOptions(without or (), show_all, strict, as_json))
    raise typer.Exit(FOUND if found else 0)


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
    from judge_server.cli.actions.rubric import diff as compare

    changed = compare(old, new, rubrics, as_json)
    raise typer.Exit(FOUND if exit_code and changed else 0)


@app.command()
@_telling
@takes_flags
def publish(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False)],
    *,
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
    tests: Annotated[
        bool,
        typer.Option("--tests", help="Run the cases first, with --model or --judge by a judge; none may fail."),
    ] = False,
    judging: JudgeFlags,
    store: StoreFlags,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration.")] = None,
    as_json: Json = False,
) -> None:
    """Publish a version permanently: archive a copy and record its digest in rubrics.lock.

    With --tests nothing is published unless every case of every file passes; the exit status is then 1.
    """
    from judge_server.cli.actions.rubric import publish as publish_files

    if tests:
        from judge_server.cli.actions.rubric_cases import CaseOptions, run_cases

        library = LibraryFlags(database=store.database, config=store.config)
        if not run_cases([str(file) for file in files], CaseOptions(judging, library, judge, quiet=as_json)):
            typer.echo("nothing was published: a case failed", err=True)
            raise typer.Exit(FOUND)
    publish_files(files, rubrics, as_json)


@app.command()
@_telling
def show(target: Target, rubrics: Rubrics = None, as_json: Json = False) -> None:
    """Show a rubric as a table: points, gates, tags, number of examples, digest."""
    from judge_server.cli.actions.rubric import show as print_rubric

    print_rubric(target, rubrics, as_json)


@app.command()
@_telling
def schema(output: Output = None) -> None:
    """Print the JSON Schema of rubric files, for editors."""
    from judge_server.cli.actions.rubric import schema as write_schema

    write_schema(output)


def _list_formats(wanted: bool) -> None:
    if wanted:
        from judge_server.cli.actions.rubric_exchange import list_formats

        list_formats()
        raise typer.Exit


@app.command("import")
@_telling
def import_rubrics(
    form: Annotated[
        str, typer.Argument(metavar="FORMAT", help="auto, or one of --list-formats, such as healthbench or promptfoo.")
    ],
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|DIR", exists=True, help="JSON, JSONL, YAML, TOML or Parquet; gzip; a folder of them."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE|DIR", help="A .yaml file, or a directory for one file per rubric."
        ),
    ] = None,
    rubric_id: Annotated[
        str, typer.Option("--id", metavar="ID", help="Id of the rubric; of several, ID/row-1, ID/row-2, ...")
    ] = "",
    pitfalls: Annotated[
        Literal["bad", "good", "ask"] | None,
        typer.Option(
            "--pitfalls",
            help="How pitfalls are worded, and whether a grader's positive verdict is bad; ask shows each statement.",
        ),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--value", metavar="WORD=NUMBER", help="mlflow: what an answer is worth, in [0, 1]; repeatable."),
    ] = None,
    as_jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One inline rubric per line, for data sets with a rubric per row.")
    ] = False,
    as_submissions: Annotated[
        bool, typer.Option("--submissions", help="One line per row: id, prompt, reference and rubric, to be scored.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse if any field of the source is not carried over.")
    ] = False,
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Leave out the records that cannot be read, and count them.")
    ] = False,
    _list: Annotated[
        bool,
        typer.Option("--list-formats", is_eager=True, callback=_list_formats, help="Show the formats and end."),
    ] = False,
) -> None:
    """Create rubrics from the files of other projects, and say which of their fields were not carried over."""
    from judge_server.cli.actions.rubric_exchange import RubricImportOptions
    from judge_server.cli.actions.rubric_exchange import import_rubrics as convert

    told = tuple(values or ())
    convert(
        path,
        form,
        RubricImportOptions(output, rubric_id, pitfalls, as_jsonl, as_submissions, strict, told, skip_refused),
    )


@app.command("export")
@_telling
def export_rubric(
    target: Annotated[str, typer.Argument(metavar="FILE|ID[@VERSION]", help="What to export.")],
    form: Annotated[
        Literal[
            "yaml", "json", "healthbench", "rubrics-as-rewards", "paperbench", "rows", "promptfoo", "openai-grader"
        ],
        typer.Option("--format", "-f", help="yaml, json (canonical), or the format of another project."),
    ] = "yaml",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here.")] = None,
    lossy: Annotated[bool, typer.Option("--lossy", help="Leave out what the format cannot express.")] = False,
    rubrics: Rubrics = None,
) -> None:
    """Write a rubric as YAML, canonical JSON, or in the format of another project."""
    from judge_server.cli.actions.rubric_exchange import export_rubric as convert

    convert(target, form, output, rubrics, lossy=lossy)


@app.command("test")
@_telling
@takes_flags
def check_cases(
    targets: Annotated[
        list[str], typer.Argument(metavar="FILE|DIR|ID...", help="Rubric files, directories of them, or library ids.")
    ],
    *,
    judging: JudgeFlags,
    library: LibraryFlags,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration.")] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", dir_okay=False, help="Write a JUnit report here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the cases of rubrics: reward intervals, good above bad, gates that must and must not fire.

    Without --model or --judge the verdicts are those that the cases set, and no model is asked. With one, the judge
    decides, and its agreement with the cases is shown. Exit status 1 if a case fails.
    """
    from judge_server.cli.actions.rubric_cases import CaseOptions, run_cases

    if not run_cases(targets, CaseOptions(judging, library, judge, junit, as_json)):
        raise typer.Exit(FOUND)


@app.command()
@_telling
def add(
    rubric_id: Annotated[
        str,
        typer.Argument(metavar="ID|AREA", help="A library rubric such as medical/consultation, or an area: medical."),
    ],
    as_id: Annotated[
        str | None, typer.Option("--as", metavar="NEW_ID", help="The id of the copy (default: the same).")
    ] = None,
    into: Annotated[
        Path, typer.Option("--into", metavar="DIR", file_okay=False, help="The project's directory of rubrics.")
    ] = Path("rubrics"),
    rubrics: Rubrics = None,
) -> None:
    """Copy a library rubric, or all of an area, with its cases into a project, as version 0.1.0-draft."""
    from judge_server.cli.actions.rubric_cases import add_rubric

    add_rubric(rubric_id, as_id, into, rubrics)


app.command("draft")(_telling(draft))
app.command("propose")(_telling(propose))
app.command("watch")(_telling(watch))
app.command("audit")(needs("calibration", "scipy", "sklearn")(_telling(audit_criteria)))
