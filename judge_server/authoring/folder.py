"""A directory of rubrics: working files and the lock, read again only if they changed."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from judge_server.authoring.finding import RubricFinding
from judge_server.authoring.lock import LOCK, PUBLISHED, Lock
from judge_server.authoring.parsing import Parsed, load
from judge_server.authoring.reviews import REVIEWS, Reviews
from judge_server.core.errors import BadConfiguration, BadRubric

_LOG = logging.getLogger(__name__)
Stamp = tuple[int, int, int]
CASES = "cases"
_NO_RUBRICS = frozenset((PUBLISHED, CASES, REVIEWS))


@dataclass(frozen=True)
class _Read:
    stamp: Stamp
    parsed: Parsed | None = None
    findings: tuple[RubricFinding, ...] = ()


class Folder:
    """``path`` must exist; raises BadConfiguration otherwise."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise BadConfiguration(f"{path} is not a directory of rubrics.", remedy="Name one that exists.")
        self.path = path
        self.lock = Lock()
        self._lock_stamp: Stamp | None = None
        self.reviews = Reviews()
        self._reviews_stamp: Stamp | None = None
        self._files: dict[Path, _Read] = {}

    @property
    def rubrics(self) -> list[Parsed]:
        return [read.parsed for read in self._files.values() if read.parsed]

    @property
    def findings(self) -> list[RubricFinding]:
        return [found for read in self._files.values() for found in read.findings]

    def refresh(self) -> bool:
        """Read the changed files; True if there were any. Raises BadConfiguration for a lock or
        reviews that cannot be read."""
        present = dict(rubric_files(self.path))
        known = {path: read.stamp for path, read in self._files.items()}
        changed = known != present
        if changed:
            self._files = {
                path: self._files[path] if known.get(path) == stamp else self._reread(path, stamp)
                for path, stamp in present.items()
            }
        stamp = _stamp(self.path / LOCK)
        if stamp != self._lock_stamp:
            self.lock, self._lock_stamp, changed = Lock.read(self.path), stamp, True
        stamp = _stamp(self.path / REVIEWS)
        if stamp != self._reviews_stamp:
            self.reviews, self._reviews_stamp, changed = Reviews.read(self.path), stamp, True
        return changed

    def broken(self, rubric_id: str) -> tuple[RubricFinding, ...]:
        """The faults of the file expected to hold this rubric id; empty if there is no such file or it can be read."""
        found = (self._files.get(self.path / f"{rubric_id}{ending}") for ending in (".yaml", ".yml"))
        return tuple(finding for read in found if read is not None for finding in read.findings)

    @property
    def faults(self) -> dict[str, RubricFinding]:
        """The first fault of every unreadable file, by its path below the folder without the suffix."""
        return {
            path.relative_to(self.path).with_suffix("").as_posix(): read.findings[0]
            for path, read in self._files.items()
            if read.findings
        }

    def _reread(self, path: Path, stamp: Stamp) -> _Read:
        """If a file becomes unreadable, its last readable content stays in use."""
        read, before = _read(path, stamp), self._files.get(path)
        if read.findings:
            kept = before.parsed if before else None
            effect = "there is no rubric from this file" if kept is None else f"{kept.rubric.name} stays as it was"
            _LOG.error("%s; %s", read.findings[0], effect)
            return replace(read, parsed=kept)
        return read


def rubric_files(directory: Path) -> Iterator[tuple[Path, Stamp]]:
    """Rubric files below a directory, sorted. Hidden files, published copies, cases, reviews and links to outside are
    skipped. A running server asks twice a second, and requests wait meanwhile: so the names of a directory are read as
    they are, and only links are resolved."""
    if directory.is_dir():
        yield from sorted(_files_below(directory, directory.resolve(), _NO_RUBRICS))


def _files_below(folder: Path, root: Path, without: frozenset[str] = frozenset()) -> Iterator[tuple[Path, Stamp]]:
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name[0] != "." and entry.name not in without]
    except (PermissionError, FileNotFoundError):  # it may be removed meanwhile
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(folder / entry.name, root)
        elif entry.name.endswith((".yaml", ".yml")) and entry.is_file():
            path = folder / entry.name
            if not entry.is_symlink() or path.resolve().is_relative_to(root):
                yield path, _stamp(path)


def home_of(file: Path) -> Path:
    """The directory of rubrics that a file belongs to: the nearest above it with a lock, else the nearest named
    ``rubrics``, else its own."""
    above = list(file.resolve().parents)
    with_lock = (folder for folder in above if (folder / LOCK).is_file())
    named = (folder for folder in above if folder.name == "rubrics")
    return next(with_lock, None) or next(named, None) or above[0]


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path, stamp: Stamp) -> _Read:
    try:
        return _Read(stamp, load(path))
    except BadRubric as fault:
        return _Read(
            stamp, findings=tuple(RubricFinding.model_validate(entry) for entry in fault.extensions["findings"])
        )
