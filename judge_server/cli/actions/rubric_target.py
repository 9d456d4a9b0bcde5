"""The target of a ``rubric`` command: a file, a directory of files, or ``id@version`` of the library."""

from collections.abc import Iterator
from pathlib import Path

from judge_server.authoring.finding import RubricFinding
from judge_server.authoring.folder import home_of, rubric_files
from judge_server.authoring.library import Library, rubrics_directory
from judge_server.authoring.lock import LOCK, Lock
from judge_server.authoring.parsing import Parsed, load
from judge_server.authoring.publication import load_unchanged
from judge_server.authoring.rule import leaves_of
from judge_server.cli.running import fail
from judge_server.core.criterion import CheckCriterion
from judge_server.core.errors import BadRubric
from judge_server.core.rubric import Rubric
from judge_server.settings.loading import load_settings

_SUFFIXES = (".yaml", ".yml", ".json")


def library(directories: list[Path] | None) -> Library:
    """The library of ``--rubrics``, else of the settings, else the bundled one."""
    return Library(*(directories or load_settings(None).rubrics or (rubrics_directory(),)))


def one(target: str, directories: list[Path] | None) -> Parsed:
    """The rubric a target names. Raises BadRubric or UnknownRubric; a missing file ends the command."""
    path = Path(target)
    if path.is_file():
        return load(path)
    if target.endswith(_SUFFIXES):
        fail(f"{target}: no such file.")
    return library(directories).parsed(target)


def unchanged(target: str, directories: list[Path] | None) -> Rubric:
    """Like ``one``, for labels and measurements: raises RubricConflict for a published version that was edited."""
    path = Path(target)
    return load_unchanged(path).rubric if path.is_file() else one(target, directories).rubric


def several(targets: list[str]) -> Iterator[tuple[str, Parsed | list[RubricFinding]]]:
    """Each file that the targets name, with its rubric or its errors."""
    for target in targets:
        path = Path(target)
        if path.is_dir():
            files = [file for file, _ in rubric_files(path)]
            if not files:
                fail(f"{target}: there is no .yaml file in this directory.")
        elif path.is_file():
            files = [path]
        else:
            fail(f"{target}: no such file or directory.")
        for file in files:
            yield str(file), _checked(file)


def _checked(file: Path) -> Parsed | list[RubricFinding]:
    try:
        return load(file)
    except BadRubric as fault:
        return [RubricFinding.model_validate(entry) for entry in fault.extensions["findings"]]


def faults_beyond_form(parsed: Parsed) -> Iterator[RubricFinding]:
    """Checks that cannot run, and content that differs from the published content of its version."""
    from judge_server.judging.checks import (
        prepare_criterion,
    )  # the language models load slowly, and show does not need them

    for path, leaf in leaves_of(parsed.rubric):
        if isinstance(leaf, CheckCriterion):
            try:
                prepare_criterion(leaf)
            except BadRubric as fault:
                where, place = (*path, "check"), parsed.places.of_value((*path, "check"))
                yield RubricFinding.at(
                    place, "bad-check", fault.detail, file=parsed.file, path=where, suggestion=fault.remedy
                )
    yield from _changed_since_published(parsed)


def _changed_since_published(parsed: Parsed) -> Iterator[RubricFinding]:
    if parsed.file is None:
        return
    rubric = parsed.rubric
    home = home_of(Path(parsed.file))
    published = Lock.read(home).entries.get((rubric.id, rubric.version))
    if published is not None and published != rubric.digest:
        yield RubricFinding.at(
            parsed.places.of_value(("version",)),
            "changed-after-publication",
            f"{rubric.name} is published with the digest {published} ({home / LOCK}); this content has {rubric.digest}",
            file=parsed.file,
            path=("version",),
            suggestion="give it a new version, or undo the change",
        )


def tampered_copies(targets: list[str]) -> Iterator[RubricFinding]:
    """Published copies below the directories among ``targets`` that differ from the lock."""
    for target in targets:
        if Path(target).is_dir():
            yield from (found for found in Library(Path(target)).findings() if found.rule == "tampered")


def repeated_names(rubrics: list[Parsed]) -> Iterator[RubricFinding]:
    """Two files that give one id@version different content."""
    first: dict[str, Parsed] = {}
    for parsed in rubrics:
        other = first.setdefault(parsed.rubric.name, parsed)
        if other.rubric.digest != parsed.rubric.digest:
            yield RubricFinding.at(
                parsed.places.of_value(("id",)),
                "duplicate-rubric",
                f"{parsed.rubric.name} has other content in {other.file}",
                file=parsed.file,
                path=("id",),
                suggestion="give one of them another id or version",
            )
