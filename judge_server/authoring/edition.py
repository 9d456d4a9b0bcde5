"""An index of rubric versions, with a conflict for each version that has two contents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from judge_server.authoring.finding import RubricFinding, Severity
from judge_server.authoring.lock import LOCK, Lock
from judge_server.authoring.parsing import Parsed
from judge_server.core.errors import RubricConflict
from judge_server.core.rubric import version_key

Key = tuple[str, str]


@dataclass(frozen=True)
class Edition:
    """One version of a rubric: its working file, its published copy (``digest``, in ``directory``), or both."""

    file: Parsed | None = None
    directory: Path | None = None
    digest: str | None = None


@dataclass(frozen=True)
class Index:
    """``versions`` holds the versions of each id, oldest first."""

    editions: Mapping[Key, Edition] = field(default_factory=dict)
    conflicts: Mapping[Key, RubricConflict] = field(default_factory=dict)
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    findings: tuple[RubricFinding, ...] = ()


def index_of(working: list[Parsed], locks: Mapping[Path, Lock]) -> Index:
    """Combine working files and locks."""
    editions: dict[Key, Edition] = {}
    conflicts: dict[Key, RubricConflict] = {}
    for folder, lock in locks.items():
        for key, digest in lock.entries.items():
            known = editions.setdefault(key, Edition(None, folder, digest))
            if known.digest != digest:
                conflicts[key] = _two_contents("@".join(key), folder / LOCK, digest, known.directory, known.digest)
    for parsed in working:
        rubric = parsed.rubric
        key = (rubric.id, rubric.version)
        known = editions.get(key, Edition())
        if known.digest is not None and known.digest != rubric.digest:
            conflicts.setdefault(key, changed_content(rubric.name, parsed.file, rubric.digest, known.digest))
        elif known.file is None:
            editions[key] = Edition(parsed, known.directory, known.digest)
        elif known.file.rubric.digest != rubric.digest:
            other = known.file
            conflict = _two_contents(rubric.name, parsed.file, rubric.digest, other.file, other.rubric.digest)
            conflicts.setdefault(key, conflict)
    return Index(editions, conflicts, _versions(editions), tuple(map(_finding, conflicts.values())))


def changed_content(name: str, file: str | None, found: str, published: str) -> RubricConflict:
    """The error for a published version whose working file has other content."""
    return RubricConflict(
        f"{name} is published with the digest {published}, but {file or 'the rubric given'} has the digest {found}.",
        remedy="Give the changed rubric a new version (judge-server rubric diff FILE suggests one) or undo the change.",
        digests=[published, found],
        file=file,
    )


def _two_contents(name: str, one: object, digest: str, two: object, other: str | None) -> RubricConflict:
    return RubricConflict(
        f"{name} stands in two places with different content: {one} ({digest}) and {two} ({other}).",
        remedy="Give one of them another id or version.",
        digests=[other, digest],
        file=str(one),
    )


def _versions(editions: Mapping[Key, Edition]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for rubric_id, version in editions:
        found.setdefault(rubric_id, []).append(version)
    return {rubric_id: tuple(sorted(versions, key=version_key)) for rubric_id, versions in sorted(found.items())}


def _finding(conflict: RubricConflict) -> RubricFinding:
    return RubricFinding(
        rule="conflict",
        severity=Severity.ERROR,
        message=conflict.detail,
        file=conflict.extensions.get("file"),
        suggestion=conflict.remedy,
    )
