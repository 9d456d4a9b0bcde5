"""``reviews.yaml`` beside the lock: by ``id@version``, what people say about that version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from judge_server.authoring.reading import read
from judge_server.core.errors import BadConfiguration, BadRubric
from judge_server.core.review import RubricReview
from judge_server.core.rubric import split_name

REVIEWS = "reviews.yaml"


@dataclass(frozen=True)
class Reviews:
    """Reviews by (id, version)."""

    entries: Mapping[tuple[str, str], RubricReview] = field(default_factory=dict)

    @staticmethod
    def read(directory: Path) -> "Reviews":
        """The reviews of a directory of rubrics, empty if there is no file. Raises BadConfiguration naming the fault:
        a withdrawal that cannot be read must not go unnoticed."""
        path = directory / REVIEWS
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return Reviews()
        except OSError as fault:
            raise BadConfiguration(f"{path} cannot be read: {fault.strerror}.") from None
        if not content.strip():
            return Reviews()
        try:
            document = read(content, str(path))
        except BadRubric as fault:
            raise BadConfiguration(fault.detail, remedy=fault.remedy) from None
        if document.findings:
            raise BadConfiguration(f"{document.findings[0]}.")
        if not isinstance(document.value, Mapping):
            raise BadConfiguration(f"{path} is not a mapping.", remedy="Write id@version: {review: unreviewed}.")
        return Reviews(dict(_entry(path, str(name), given) for name, given in document.value.items()))


def _entry(path: Path, name: str, given: object) -> tuple[tuple[str, str], RubricReview]:
    remedy = "Name each entry like medical/consultation@1.0.0."
    try:
        rubric_id, version = split_name(name)
    except ValueError as fault:
        raise BadConfiguration(f"{path}: {fault}.", remedy=remedy) from None
    if version is None:
        raise BadConfiguration(f"{path}: {name!r} names no version.", remedy=remedy)
    try:
        return (rubric_id, version), RubricReview.model_validate(given)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadConfiguration(f"{path}: {name}{f' {where}' if where else ''}: {first['msg']}.") from None
