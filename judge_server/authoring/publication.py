"""Publish a rubric: its content is archived and its digest is locked permanently."""

from dataclasses import dataclass
from pathlib import Path

from judge_server.authoring.diff import RubricDifference, compare
from judge_server.authoring.edition import changed_content
from judge_server.authoring.finding import RubricFinding, refusal
from judge_server.authoring.folder import home_of
from judge_server.authoring.lint import errors, lint
from judge_server.authoring.lock import LOCK, Lock, copy_path, read_copy, write_copy
from judge_server.authoring.parsing import Parsed, load
from judge_server.authoring.writing import locked, replace_file
from judge_server.core.errors import RubricConflict
from judge_server.core.rubric import Rubric, version_key


@dataclass(frozen=True)
class Publication:
    """``copy`` is the archived file; ``is_new`` is False if this content was already published; ``difference`` holds
    the changes since the last published version; ``findings`` are the linter's."""

    rubric: Rubric
    copy: Path
    is_new: bool
    difference: RubricDifference | None
    findings: tuple[RubricFinding, ...]

    @property
    def advice(self) -> str | None:
        """A hint if the version step is smaller than the change."""
        if self.difference is None or version_key(self.rubric.version) >= version_key(
            self.difference.suggested_version
        ):
            return None
        return f"this is a {self.difference.step} change: use version {self.difference.suggested_version}"


def publish(file: Path, directory: Path | None = None) -> Publication:
    """Publish the rubric in ``file`` into ``directory`` (default: the directory of rubrics that holds the file).

    Raises BadRubric for an invalid file or errors of the linter, RubricConflict if the version is already published
    with other content or is not newer than the last.
    """
    return publish_rubric(load(file), directory or home_of(file))


def publish_rubric(parsed: Parsed, directory: Path) -> Publication:
    """Like ``publish``, for a rubric already read."""
    findings = tuple(lint(parsed))
    if serious := errors(findings):
        raise refusal(serious)
    rubric = parsed.rubric
    with locked(directory):
        lock = Lock.read(directory)
        known = lock.entries.get((rubric.id, rubric.version))
        if known is not None:
            if known != rubric.digest:
                raise changed_content(rubric.name, parsed.file, rubric.digest, known)
            read_copy(directory, rubric.id, rubric.version, known)
            return Publication(rubric, copy_path(directory, rubric.id, rubric.version), False, None, findings)
        difference = _since_the_last(rubric, lock, directory)
        copy = write_copy(directory, rubric)
        replace_file(directory / LOCK, lock.with_entry(rubric.id, rubric.version, rubric.digest).text())
        return Publication(rubric, copy, True, difference, findings)


def _since_the_last(rubric: Rubric, lock: Lock, directory: Path) -> RubricDifference | None:
    versions = lock.versions(rubric.id)
    if not versions:
        return None
    last = versions[-1]
    previous = read_copy(directory, rubric.id, last, lock.entries[(rubric.id, last)])
    difference = compare(previous, rubric)
    if version_key(rubric.version) <= version_key(last):
        raise RubricConflict(
            f"{rubric.name} is not newer than {last}, the version published last.",
            remedy=f"Give it the version {difference.suggested_version}.",
        )
    return difference


def load_unchanged(file: Path) -> Parsed:
    """The rubric in a file, for scoring and measuring. Raises BadRubric like ``load``, and RubricConflict if its
    version is published with other content."""
    parsed = load(file)
    rubric = parsed.rubric
    published = Lock.read(home_of(file)).entries.get((rubric.id, rubric.version))
    if published is not None and published != rubric.digest:
        raise changed_content(rubric.name, str(file), rubric.digest, published)
    return parsed
