"""Rubrics found in directories: working files and published copies, looked up by name and version."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import judge_server
from judge_server.authoring.edition import Edition, Index, Key, index_of
from judge_server.authoring.finding import RubricFinding, Severity, in_order
from judge_server.authoring.folder import Folder
from judge_server.authoring.lock import LOCK, read_copy
from judge_server.authoring.parsing import Parsed
from judge_server.core.errors import BadConfiguration, BadRubric, RubricConflict, UnknownRubric
from judge_server.core.review import RubricReview
from judge_server.core.rubric import Rubric, split_name, version_key
from judge_server.util.log_throttle import LogThrottle

_LOG = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 0.5
_PAUSES: Final = 20  # times as long as a reading, so that many files cost a twentieth of one processor at most
_LONGEST_PAUSE_SECONDS: Final = 5.0
_LATE_SECONDS: Final = 5.0 + _LONGEST_PAUSE_SECONDS


class Library:
    """Serves the rubrics of ``directories``. A broken file is reported in ``findings``; the others stay available.

    Changed files are read again, at most once every ``refresh_seconds``: by who asks, or by a thread of its own while
    they are ``watched``. Safe to use from threads. Raises BadConfiguration for a directory that does not exist or a
    lock that cannot be read.
    """

    def __init__(self, *directories: Path, refresh_seconds: float = 1.0) -> None:
        unique = dict.fromkeys(directory.resolve() for directory in directories)
        self._folders = tuple(Folder(directory) for directory in unique)
        self._refresh_seconds = refresh_seconds
        self._index = Index()
        self._fresh_until = 0.0
        self._guard = threading.Lock()
        self._watching = False
        self._read_at = 0.0
        self._unread: str | None = None
        self._throttle = LogThrottle()

    @property
    def directories(self) -> tuple[Path, ...]:
        return tuple(folder.path for folder in self._folders)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside the block nobody waits for the directories, whose disk may hang: a thread reads them, and what it read
        last holds until it has read more. Raises BadConfiguration for a lock that cannot be read now."""
        self._read_changes()
        over = threading.Event()
        self._watching = True
        threading.Thread(target=self._watch, args=(over,), name="rubric-folders", daemon=True).start()
        try:
            yield
        finally:
            over.set()
            self._watching = False

    def _watch(self, over: threading.Event) -> None:
        pause = _PAUSE_SECONDS
        while not over.wait(pause):
            began = time.monotonic()
            try:
                self._read_changes()
                self._unread = None
            except (BadConfiguration, OSError) as fault:
                self._unread = f"the directories of rubrics cannot be read: {fault}"
                if (more := self._throttle.of(type(fault).__name__)) is not None:
                    _LOG.error("%s; what was read last holds%s", self._unread, more)
            pause = min(max(_PAUSE_SECONDS, _PAUSES * (time.monotonic() - began)), _LONGEST_PAUSE_SECONDS)

    def get(self, name: str, version: str | None = None) -> Rubric:
        """The rubric of this name, or ``id@version``; the newest if no version is given.

        Raises UnknownRubric with near matches, and RubricConflict if published content was changed.
        """
        index = self._refreshed()
        key = self._known(index, name, version)
        if conflict := index.conflicts.get(key):
            # a new one each time: the traceback of an exception that is raised twice grows
            raise RubricConflict(conflict.detail, remedy=conflict.remedy, **conflict.extensions)
        edition = index.editions[key]
        return edition.file.rubric if edition.file else _copy(key, edition)

    def is_copy(self, name: str) -> bool:
        """Whether ``get`` would read a file: the version is published, and no working file holds it."""
        index = self._refreshed()
        try:
            return index.editions[_key(index, name, None)].file is None
        except UnknownRubric:
            return False

    def digest(self, name: str) -> str | None:
        """Of what ``get`` gives if nobody changed a published copy; None if it gives nothing. Reads no file."""
        index = self._refreshed()
        try:
            key = _key(index, name, None)
        except UnknownRubric:
            return None
        edition = index.editions[key]
        return None if key in index.conflicts else edition.file.rubric.digest if edition.file else edition.digest

    def _known(self, index: Index, name: str, version: str | None) -> Key:
        """Raises BadRubric rather than UnknownRubric if the rubric's file exists and cannot be read."""
        try:
            return _key(index, name, version)
        except UnknownRubric:
            rubric_id = name.partition("@")[0]
            broken = [finding for folder in self._folders for finding in folder.broken(rubric_id)]
            if broken:
                raise BadRubric(
                    f"{rubric_id}: {_told(broken[0])}.",
                    remedy="Correct the file; judge-server rubric validate shows every fault.",
                    findings=[finding.model_dump(mode="json", exclude={"file"}) for finding in broken],
                ) from None
            raise

    def faults(self) -> list[str]:
        """One line for each file that cannot be read, like ``t/hot: line 7: unknown field 'pionts'``, and for each
        version that stands for two contents; and why the directories cannot be read, if they cannot."""
        conflicts = self._refreshed().conflicts.items()
        late = time.monotonic() - self._read_at if self._watching else 0.0
        away = [self._unread] if self._unread else []
        if late > _LATE_SECONDS:
            away.append(f"the directories of rubrics were read {late:.0f} s ago for the last time: their disk hangs")
        unread = [f"{name}: {_told(found)}" for folder in self._folders for name, found in folder.faults.items()]
        return [*away, *unread, *(f"{'@'.join(key)}: {conflict.detail}" for key, conflict in conflicts)]

    def broken(self) -> set[str]:
        """Ids of the files that cannot be read."""
        return {name for folder in self._folders for name in folder.faults}

    def parsed(self, name: str) -> Parsed:
        """Like ``get``, with the places in the working file if there is one."""
        rubric = self.get(name)
        edition = self._index.editions.get((rubric.id, rubric.version), Edition())
        return edition.file or Parsed(rubric)

    def published(self, rubric_id: str, version: str | None = None) -> Rubric | None:
        """The published copy, the newest if no version is given; None if nothing is published."""
        editions = self._refreshed().editions
        found = [key for key, edition in editions.items() if key[0] == rubric_id and edition.digest]
        wanted = [key for key in found if version in (None, key[1])]
        if not wanted:
            return None
        newest = max(wanted, key=lambda key: version_key(key[1]))
        return _copy(newest, editions[newest])

    def names(self) -> list[str]:
        """Ids of all readable rubrics, sorted."""
        return list(self._refreshed().versions)

    def versions(self, rubric_id: str) -> list[str]:
        """Versions of a rubric, oldest first; empty if it is unknown."""
        return list(self._refreshed().versions.get(rubric_id, ()))

    def is_published(self, rubric_id: str, version: str) -> bool:
        return self._refreshed().editions.get((rubric_id, version), Edition()).digest is not None

    def review(self, rubric_id: str, version: str) -> RubricReview | None:
        """What is recorded about a version beside the lock; None if nothing is."""
        self._refreshed()
        found = (folder.reviews.entries.get((rubric_id, version)) for folder in self._folders)
        return next((review for review in found if review is not None), None)

    def findings(self) -> list[RubricFinding]:
        """All faults: files that cannot be read, conflicts with the lock, published copies that were changed."""
        index = self._refreshed()
        found = [*index.findings, *(entry for folder in self._folders for entry in folder.findings)]
        for key, edition in index.editions.items():
            try:
                if edition.digest:
                    _copy(key, edition)
            except RubricConflict as fault:
                file = str((edition.directory or Path()) / LOCK)
                found.append(RubricFinding(rule="tampered", severity=Severity.ERROR, message=str(fault), file=file))
        return in_order(found)

    def _refreshed(self) -> Index:
        if not self._watching and time.monotonic() >= self._fresh_until:
            self._read_changes()
        return self._index

    def _read_changes(self) -> None:
        with self._guard:
            if time.monotonic() < self._fresh_until and not self._watching:
                return  # another thread read them meanwhile
            changed = [folder.refresh() for folder in self._folders]
            if any(changed):
                working = [parsed for folder in self._folders for parsed in folder.rubrics]
                found = index_of(working, {folder.path: folder.lock for folder in self._folders})
                _report(found, self._index)
                self._index = found
            self._read_at = time.monotonic()
            self._fresh_until = self._read_at + self._refresh_seconds


def _report(index: Index, before: Index) -> None:
    """Logs each version that stands for two contents since the files were last read."""
    for key, conflict in index.conflicts.items():
        if key not in before.conflicts or before.conflicts[key].detail != conflict.detail:
            _LOG.error("%s; nothing is judged under it", conflict)


def _told(finding: RubricFinding) -> str:
    return finding.message if finding.line is None else f"line {finding.line}: {finding.message}"


def _copy(key: Key, edition: Edition) -> Rubric:
    if edition.directory is None or edition.digest is None:
        raise UnknownRubric(f"{'@'.join(key)} is not published.", remedy="Publish it with judge-server rubric publish.")
    return read_copy(edition.directory, *key, edition.digest)


def _key(index: Index, name: str, version: str | None) -> Key:
    try:
        rubric_id, named = split_name(name if version is None or "@" in name else f"{name}@{version}")
    except ValueError as fault:
        raise UnknownRubric(f"{fault}.") from None
    if version is not None and named != version:
        raise UnknownRubric(f"{name!r} names a version, but {version} is requested.", remedy="Name one version.")
    known = index.versions.get(rubric_id)
    if known is None:
        raise UnknownRubric(f"There is no rubric {rubric_id!r}.", remedy=nearest(rubric_id, list(index.versions)))
    if named is not None and named not in known:
        raise UnknownRubric(f"{rubric_id} has no version {named}.", remedy=f"Known: {', '.join(known)}.")
    return rubric_id, named or known[-1]


def nearest(rubric_id: str, names: list[str]) -> str:
    """A remedy that names the closest rubrics."""
    near = get_close_matches(rubric_id, names, n=3, cutoff=0.5)
    near += [name for name in names if rubric_id == name.rsplit("/", 1)[-1] and name not in near]
    return f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names[:20]) or 'none'}."


def rubrics_directory() -> Path:
    """The repository's ``rubrics/`` beside an editable install, ``judge_server/bundled/rubrics`` inside a wheel."""
    package = Path(judge_server.__file__).resolve().parent
    for directory in (package / "bundled" / "rubrics", package.parent / "rubrics"):
        if directory.is_dir():
            return directory
    raise BadConfiguration(
        f"The bundled rubrics are missing beside {package}.", remedy="Install the package again, or name --rubrics DIR."
    )
