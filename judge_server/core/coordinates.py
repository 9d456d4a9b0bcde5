"""Where a submission came from in a training, and the words by which its judgments are found."""

from hashlib import blake2b
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from judge_server.core.model import Frozen
from judge_server.util.canonical import encodable


def _text_of_number(given: Any) -> Any:
    """Accept numbers as names, because trainers number their samples."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


Coordinate = Annotated[
    str, BeforeValidator(_text_of_number), Field(min_length=1, max_length=200), AfterValidator(encodable)
]
MOST_TAGS: Final = 20
Tag = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S"), AfterValidator(encodable)]


class Coordinates(Frozen):
    """The origin of a submission in training: its own id, the run, the group of rollouts, the step and the policy."""

    id: Coordinate | None = None
    run: Coordinate | None = None
    group: Coordinate | None = None
    step: int | None = Field(default=None, ge=0)
    policy: Coordinate | None = None


def content_key(submission_digest: str, coordinates: Coordinates) -> bytes:
    """16 bytes that are equal for equal submissions at one place of a training."""
    return blake2b(f"{submission_digest} {coordinates.model_dump_json()}".encode(), digest_size=16).digest()
