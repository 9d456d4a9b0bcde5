"""Published copies: ``published/<id>/<version>.json`` holds the canonical JSON, so that an old version stays readable.

The digest of the rubric is the SHA-256 of that text (without the newline at its end), so that a copy can be verified
without this package: ``head -c -1 FILE | sha256sum``.
"""

import hashlib
from pathlib import Path

from pydantic import ValidationError

from judge_server.authoring.writing import replace_file
from judge_server.core.errors import RubricConflict
from judge_server.core.rubric import Rubric

PUBLISHED = "published"


def copy_path(directory: Path, rubric_id: str, version: str) -> Path:
    """Where the copy of a version stands; ``rubric_id`` and ``version`` have the forms that the core demands."""
    return directory.joinpath(PUBLISHED, *rubric_id.split("/"), f"{version}.json")


def write_copy(directory: Path, rubric: Rubric) -> Path:
    path = copy_path(directory, rubric.id, rubric.version)
    replace_file(path, rubric.canonical() + "\n")
    return path


def read_copy(directory: Path, rubric_id: str, version: str, digest: str) -> Rubric:
    """The published rubric. Raises RubricConflict where the copy is gone or is not what ``digest`` was taken of."""
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
