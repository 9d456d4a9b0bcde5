"""``judge-server rubric watch``: validate, lint and test a rubric each time that it is saved."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import typer

from judge_server.authoring.cases import cases_of
from judge_server.authoring.finding import RubricFinding, Severity, in_order
from judge_server.authoring.folder import CASES, home_of, rubric_files
from judge_server.authoring.lint import errors, lint
from judge_server.authoring.parsing import Parsed, load
from judge_server.cli.actions import rubric_target, rubric_view
from judge_server.cli.actions.rubric_cases import CaseOptions, run_cases
from judge_server.cli.running import INTERRUPTED, fail
from judge_server.core.errors import BadRubric, JudgeServerError

_SECONDS: Final = 0.5
_Stamp = tuple[int, int]


def watch(targets: list[str], options: CaseOptions) -> None:
    """Ends with Ctrl-C. A rubric is looked at when its file or a file of cases beside it changed, and at the start."""
    seen: Mapping[Path, tuple[_Stamp, ...]] = {}
    try:
        while True:
            now = _stamps(targets)
            if not now:
                fail(f"{', '.join(targets)}: there is no rubric file.")
            for file in now:
                if now[file] != seen.get(file):
                    _look(file, options)
            seen = now
            time.sleep(_SECONDS)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _stamps(targets: list[str]) -> dict[Path, tuple[_Stamp, ...]]:
    """For each rubric file those of it and of the cases beside it. A file that is being replaced is left out."""
    files = [file for target in map(Path, targets) for file in _files(target)]
    homes = {home: _all(sorted((home / CASES).rglob("*.yaml"))) for home in map(home_of, files)}
    return {file: (*own, *homes[home_of(file)]) for file in files if (own := _all([file]))}


def _files(target: Path) -> list[Path]:
    return [file for file, _ in rubric_files(target)] if target.is_dir() else [target]


def _all(files: list[Path]) -> tuple[_Stamp, ...]:
    found = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((status.st_mtime_ns, status.st_size))
    return tuple(found)


def _look(file: Path, options: CaseOptions) -> None:
    typer.secho(f"{time.strftime('%H:%M:%S')} {file}", bold=True)
    try:
        parsed = load(file)
        findings = [*rubric_target.faults_beyond_form(parsed), *lint(parsed)]
        rubric_view.print_findings([one for one in in_order(findings) if one.severity is not Severity.INFO])
        if errors(findings):
            return
        if _has_cases(parsed):
            run_cases([str(file)], options)
        else:
            typer.echo("valid; no cases")
    except BadRubric as fault:
        found = fault.extensions.get("findings") or ()
        rubric_view.print_findings([RubricFinding.model_validate(one) for one in found])
        if not found:
            typer.secho(str(fault), fg=typer.colors.RED)
    except JudgeServerError as fault:
        typer.secho(str(fault), fg=typer.colors.RED)
    except typer.Exit as end:
        if end.exit_code == INTERRUPTED:
            raise


def _has_cases(parsed: Parsed) -> bool:
    return cases_of(parsed) is not None
