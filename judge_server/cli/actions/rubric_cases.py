"""``judge-server rubric test`` and ``rubric add``: run a rubric's cases, and copy a library rubric into a project."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import typer

from judge_server.authoring.cases import CaseFile, CaseScenario, RubricCase, cases_of
from judge_server.authoring.finding import RubricFinding, refusal
from judge_server.authoring.folder import CASES, home_of
from judge_server.authoring.parsing import Parsed
from judge_server.authoring.writing import replace_file
from judge_server.cli import options
from judge_server.cli.actions import rubric_target, rubric_view
from judge_server.cli.running import announce, fail, run
from judge_server.core.rubric import Rubric
from judge_server.scoring.case_run import CaseReport, Judged, run_judged, run_set
from judge_server.scoring.scorer import Scorer
from judge_server.settings.settings import Settings
from judge_server.wiring.service import open_service


@dataclass(frozen=True)
class CaseOptions:
    """Which judge gives the verdicts (none: those of the cases), and which reports are written. ``quiet``: none is
    printed."""

    judging: options.JudgeFlags
    library: options.LibraryFlags
    judge: str | None
    junit: Path | None = None
    as_json: bool = False
    quiet: bool = False


def run_cases(targets: list[str], given: CaseOptions) -> bool:
    """Runs and reports the cases of every target; whether all passed."""
    found = [(parsed, _cases(parsed)) for target in targets for parsed in _rubrics(target, given.library.rubrics)]
    if given.judging.model is None and given.judge is None:
        reports = [run_set(parsed.rubric, cases) for parsed, cases in found]
    else:
        settings = options.settings_given(given.judging, given.library)
        reports = run(_judged_reports(settings, [(parsed.rubric, cases) for parsed, cases in found], given.judge))
    if given.junit is not None:
        replace_file(given.junit, _junit(reports))
    if given.as_json:
        rubric_view.print_json([report.model_dump(mode="json") | {"passed": report.passed} for report in reports])
    elif not given.quiet:
        for report in reports:
            _print(report)
    return all(report.passed for report in reports)


async def _judged_reports(
    settings: Settings, rubrics: Sequence[tuple[Rubric, CaseFile]], judge: str | None
) -> list[CaseReport]:
    """One report for each rubric. Nothing is stored, and no review or certificate is required."""
    async with open_service(settings) as service:
        named = service.judge_registry.named(judge)
        announce([named])
        scorer = service.measuring_scorer()
        return [
            await run_judged(rubric, cases, partial(_score, scorer, rubric, judge), named.specification.name)
            for rubric, cases in rubrics
        ]


async def _score(scorer: Scorer, rubric: Rubric, judge: str | None, scenario: CaseScenario, case: RubricCase) -> Judged:
    submission = scenario.submission(case, rubric).model_copy(update={"judge": judge})
    judgment = await scorer.score(submission)
    return judgment, judgment.verdicts


def _rubrics(target: str, directories: list[Path] | None) -> list[Parsed]:
    if not Path(target).is_dir():
        return [rubric_target.one(target, directories)]
    found = []
    for _, result in rubric_target.several([target]):
        if not isinstance(result, Parsed):
            raise refusal(result)
        found.append(result)
    return found


def _cases(parsed: Parsed) -> CaseFile:
    cases = cases_of(parsed)
    if cases is None:
        fail(
            f"{parsed.rubric.name} has no cases; write {CASES}/{parsed.rubric.id}.yaml beside rubrics.lock, or tests:."
        )
    misfits = cases.misfits(parsed.rubric)
    if misfits:
        raise refusal([RubricFinding.at(None, "bad-case", text, file=parsed.file) for text in misfits])
    return cases


def _print(report: CaseReport) -> None:
    failed = [result for result in report.results if result.faults]
    for result in failed:
        for fault in result.faults:
            typer.secho(f"{report.rubric} {result.case}: {fault}", fg=typer.colors.RED)
    line = f"{report.rubric}: {len(report.results)} cases, {len(failed)} failed"
    compared = sum(result.compared for result in report.results)
    if compared:
        agreeing = sum(result.agreeing for result in report.results)
        line += f"; {report.judge} agrees on {agreeing} of {compared} verdicts ({agreeing / compared:.0%})"
    typer.echo(f"{line} (verdicts by {report.written_by})")


def _junit(reports: list[CaseReport]) -> str:
    root = ET.Element("testsuites")
    for report in reports:
        failures = sum(bool(result.faults) for result in report.results)
        suite = ET.SubElement(
            root, "testsuite", name=report.rubric, tests=str(len(report.results)), failures=str(failures)
        )
        for result in report.results:
            case = ET.SubElement(suite, "testcase", classname=report.rubric, name=result.case)
            if result.faults:
                ET.SubElement(case, "failure", message=result.faults[0]).text = "\n".join(result.faults)
    return ET.tostring(root, encoding="unicode") + "\n"


def add_rubric(rubric_id: str, as_id: str | None, into: Path, rubrics: list[Path] | None) -> None:
    """Copies the working files and the cases of one rubric, or of an area such as ``medical``; the copies have the
    version 0.1.0-draft and name their origin. Nothing is copied if one of them exists."""
    known = rubric_target.library(rubrics).names()
    area = [name for name in known if name.startswith(f"{rubric_id}/")]
    if "/" not in rubric_id and not area and not Path(rubric_id).is_file():
        areas = ", ".join(sorted({name.partition("/")[0] for name in known if "/" in name}))
        fail(f"There is no rubric and no area {rubric_id!r}. Areas: {areas}.")
    if area and as_id is not None:
        fail(f"{rubric_id} is an area of {len(area)} rubrics; --as names the copy of one.")
    chosen = [rubric_target.one(name, rubrics) for name in area or [rubric_id]]
    for parsed in chosen:
        if parsed.file is None:
            fail(f"{parsed.rubric.name} has no working file to copy; export it with judge-server rubric export.")
        if (target := into / f"{as_id or parsed.rubric.id}.yaml").exists():
            fail(f"{target} exists; give the copy another id with --as.")
    for parsed in chosen:
        _copy(parsed, as_id or parsed.rubric.id, into)


def _copy(parsed: Parsed, name: str, into: Path) -> None:
    source, target = Path(str(parsed.file)), into / f"{name}.yaml"
    text = source.read_text(encoding="utf-8")
    text = text.replace(f"id: {parsed.rubric.id}\n", f"id: {name}\n", 1)
    text = text.replace(f"version: {parsed.rubric.version}\n", "version: 0.1.0-draft\n", 1)
    replace_file(target, f"# Copied from {parsed.rubric.name} ({parsed.rubric.digest}).\n" + text)
    typer.echo(str(target))
    cases = home_of(source) / CASES / f"{parsed.rubric.id}.yaml"
    if cases.is_file():
        copy = into / CASES / f"{name}.yaml"
        body = cases.read_text(encoding="utf-8").replace(f"rubric: {parsed.rubric.id}\n", f"rubric: {name}\n", 1)
        replace_file(copy, body)
        typer.echo(str(copy))
