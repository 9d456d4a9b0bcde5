"""``rubrics.lock``: the digest of each published version. One line each, sorted: ``id@version digest``."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from judge_server.authoring.writing import replace_file
from judge_server.core.errors import BadConfiguration, RubricConflict
from judge_server.core.rubric import Rubric, split_name, version_key

LOCK = "rubrics.lock"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_HEADER = (
    "# Published rubric versions and the digests of their canonical form. Written by judge-server rubric publish.\n"
)
_RESTORE = "Restore the file from version control; it is written by judge-server rubric publish."


@dataclass(frozen=True)
class Lock:
    """Digests by (id, version)."""

    entries: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @staticmethod
    def read(directory: Path) -> "Lock":
        """The lock of a directory of rubrics, empty if there is none. Raises BadConfiguration naming the line."""
        path = directory / LOCK
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Lock()
        except (OSError, UnicodeDecodeError) as fault:
            raise BadConfiguration(f"{path} cannot be read: {fault}.", remedy=_RESTORE) from None
        entries: dict[tuple[str, str], str] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                key, digest = _entry(line, f"{path}:{number}")
                if entries.setdefault(key, digest) != digest:
                    raise BadConfiguration(f"{path}:{number}: {'@'.join(key)} has two digests.", remedy=_RESTORE)
        return Lock(entries)

    def with_entry(self, rubric_id: str, version: str, digest: str) -> "Lock":
        return Lock({**self.entries, (rubric_id, version): digest})

    def versions(self, rubric_id: str) -> list[str]:
        """Published versions, oldest first."""
        return sorted((version for name, version in self.entries if name == rubric_id), key=version_key)

    def text(self) -> str:
        ordered = sorted(self.entries.items(), key=lambda entry: (entry[0][0], version_key(entry[0][1])))
        return _HEADER + "".join(f"{name}@{version} {digest}\n" for (name, version), digest in ordered)


def _entry(line: str, where: str) -> tuple[tuple[str, str], str]:
    name, _, digest = line.strip().partition(" ")
    fault = BadConfiguration(f"{where}: {line.strip()!r} is not 'id@version sha256:...'.", remedy=_RESTORE)
    try:
        rubric_id, version = split_name(name)
    except ValueError:
        raise fault from None
    if version is None or not _DIGEST.match(digest):
        raise fault
    return (rubric_id, version), digest


PUBLISHED = "published"


def copy_path(directory: Path, rubric_id: str, version: str) -> Path:
    """The path of a version's copy; ``rubric_id`` and ``version`` must be valid for the core."""
    return directory.joinpath(PUBLISHED, *rubric_id.split("/"), f"{version}.json")


def write_copy(directory: Path, rubric: Rubric) -> Path:
    path = copy_path(directory, rubric.id, rubric.version)
    replace_file(path, rubric.canonical() + "\n")
    return path


def read_copy(directory: Path, rubric_id: str, version: str, digest: str) -> Rubric:
    """The published rubric. Raises RubricConflict if the copy is missing or does not match ``digest``."""
    path = copy_path(directory, rubric_id, version)
    try:
        content = path.read_bytes().removesuffix(b"\n")
    except OSError as fault:
        raise _tampered(f"The published copy {path} cannot be read: {fault.strerror}") from None
    found = "sha256:" + hashlib.sha256(content).hexdigest()
    if found != digest:
        raise _tampered(f"The published copy {path} was changed: its digest is {found}, the lock says {digest}")
    try:
        rubric = Rubric.model_validate_json(content)
    except ValidationError as fault:
        raise _tampered(f"The published copy {path} is not a rubric: {fault.errors()[0]['msg']}") from None
    if (rubric.id, rubric.version) != (rubric_id, version):
        raise _tampered(f"The published copy {path} holds {rubric.name}")
    return rubric


def _tampered(detail: str) -> RubricConflict:
    return RubricConflict(f"{detail}.", remedy="Restore the copy and rubrics.lock from version control.")
