"""What is compared: candidates to one conversation, by one standard."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from judge_server.core.message import Message
from judge_server.judging.judge_input import message_text
from judge_server.judging.relative.standard import Standard

Shown = tuple[int, ...]
"""Candidates in the order in which they are shown, by their places in the comparison."""


@dataclass(frozen=True)
class Comparison:
    """``candidates`` are different texts in the order of their digests, so that nothing hangs on who came first."""

    conversation: tuple[Message, ...]
    standard: Standard
    candidates: tuple[str, ...]
    reference: str | None = None

    @staticmethod
    def ordered(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted(set(texts), key=_digest))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that is shown besides the candidates."""
        return _joined(self._common())

    @cached_property
    def seed(self) -> int:
        """Draws the orders: the same content is always shown in the same orders."""
        return int(_joined([self.digest, *self.candidates])[:16], 16)

    def key(self, shown: Shown) -> str:
        """SHA-256 of one presentation: everything besides, and the candidates in their order."""
        return _joined([self.digest, *(self.candidates[place] for place in shown)])

    def _common(self) -> Iterator[str]:
        for message in self.conversation:
            yield message.role
            yield message_text(message)
        yield "no reference" if self.reference is None else f"reference {self.reference}"
        for name, lines in (("wanted", self.standard.wanted), ("unwanted", self.standard.unwanted)):
            yield f"{name} {len(lines)}"
            for line in lines:
                yield line.statement
                yield line.points or ""
                yield str(len(line.options))
                yield from line.options


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _joined(texts: Iterator[str] | Sequence[str]) -> str:
    """Each text preceded by its length, so that no two contents collide."""
    hashed = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big"))
        hashed.update(data)
    return hashed.hexdigest()
