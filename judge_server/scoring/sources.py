"""What a remembered verdict is about, so that it can be erased: 16 bytes that name a text or a caller.

Verdicts on a stored judgment's criteria need no such names: the plan of its submission leads to them. Comparisons
within a group show several texts, and gradings and decisions show those that are in no judgment.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from judge_server.core.caller import current_caller
from judge_server.core.submission import Submission
from judge_server.judging.judge_input import text_in_scope

_SCOPES: Final = ("answer", "reasoning", "conversation")


def of_text(text: str) -> bytes:
    return _named("text", text)


def of_caller(name: str) -> bytes:
    return _named("caller", name)


def of_texts_here(*texts: str) -> tuple[bytes, ...]:
    """Of texts that the current caller sent, and are stored in no judgment."""
    return (of_caller(current_caller.get().name), *map(of_text, texts))


def of_submission(submission: Submission) -> Iterator[bytes]:
    """Of every text of it that may have been shown: the response as it came, and each part that a judge may read."""
    if isinstance(submission.response, str):
        yield of_text(submission.response)
    yield from (of_text(text_in_scope(submission, scope)) for scope in _SCOPES)


def _named(kind: str, name: str) -> bytes:
    return blake2b(f"{kind}\0{name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
