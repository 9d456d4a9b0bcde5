"""Arguments that the process for long texts keeps, so that one submission is sent once for all that is done with it.

What is sent costs a copy under the interpreter's lock, and as much again in the system. The sender says what is to be
kept and when it may be forgotten. What is not asked for in ``LENT_SECONDS`` it lends no more; the other process, where
the text may outlive its erasure, forgets it on its own after ``FORGOTTEN_SECONDS`` without a request.
"""

import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NamedTuple
from weakref import ref

from pydantic import BaseModel

from judge_server.util import pieces

_LEAST_BYTES: Final = 65_536  # shorter ones are sent each time
_MOST_BYTES: Final = 16_777_216  # of all that are kept, beside those of the last request
_MOST: Final = 16
LENT_SECONDS: Final = 5.0  # after the last answer
FORGOTTEN_SECONDS: Final = 2 * LENT_SECONDS


class _LentArgument(NamedTuple):
    """Stands for an argument."""

    number: int


class _Head(NamedTuple):
    """``new``: number and bytes of each argument that follows and is kept from now on; ``gone``: numbers of those that
    are forgotten first."""

    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    new: tuple[tuple[int, int], ...]
    gone: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Loan:
    """``whole``: the argument, while it lives; ``size``: its bytes."""

    number: int
    whole: "ref[Any]"
    size: int


class Lender:
    """The sender's side, for one process. Models that nobody can change are lent; who changes one in spite of that, as
    a cached property does, changes it for this side only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered = clock()
        self._numbers = count()
        self._loans: dict[int, _Loan] = {}  # by identity, the one that was used longest ago first

    def request(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> list[bytes]:
        """What ``Borrower`` takes, in pieces. It must be sent, or the process ended. Raises what pickle does."""
        before = self._loans
        if self._clock() - self._answered > LENT_SECONDS:
            self._loans = {}
        used: dict[int, _Loan] = {}
        new: list[tuple[_Loan, list[bytes]]] = []
        given = []
        for argument in arguments:
            loan = self._of(argument)
            if loan is None and _can_be_lent(argument):
                content = pieces.written(argument)
                size = sum(map(len, content))
                if size >= _LEAST_BYTES:
                    loan = _Loan(next(self._numbers), ref(argument), size)
                    new.append((loan, content))
            if loan is not None:
                used[id(argument)] = loan
            given.append(argument if loan is None else _LentArgument(loan.number))
        kept = {key: loan for key, loan in self._loans.items() if key not in used and loan.whole() is not None}
        over = sum(loan.size for loan in kept.values()) - _MOST_BYTES
        for key in list(kept):
            if over > 0 or len(kept) + len(used) > _MOST:
                over -= kept.pop(key).size
        standing = {loan.number for loan in (*kept.values(), *used.values())}
        gone = tuple(loan.number for loan in before.values() if loan.number not in standing)
        head = _Head(work, tuple(given), tuple((loan.number, loan.size) for loan, _ in new), gone)
        written = pieces.written(tuple(head))
        self._loans = kept | used
        return [*written, *(piece for _, content in new for piece in content)]

    def answered(self) -> None:
        """Call when the answer to the last request is there."""
        self._answered = self._clock()

    def _of(self, argument: Any) -> _Loan | None:
        loan = self._loans.get(id(argument))
        return loan if loan is not None and loan.whole() is argument else None


def _can_be_lent(argument: Any) -> bool:
    return isinstance(argument, BaseModel) and bool(argument.model_config.get("frozen"))


class Lost(Exception):
    """A request names what this process does not have."""


class Borrower:
    """The other side."""

    def __init__(self) -> None:
        self._kept: dict[int, Any] = {}

    def __len__(self) -> int:
        """How many arguments are kept."""
        return len(self._kept)

    def forget(self) -> None:
        """Keep nothing any longer."""
        self._kept.clear()

    def take(self, request: bytes | bytearray) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The function and its arguments. Raises Lost, and what pickle does."""
        head = _Head(*pickle.loads(request))  # noqa: S301 - from the server
        for number in head.gone:
            self._kept.pop(number, None)
        content = memoryview(request)[len(request) - sum(size for _, size in head.new) :]
        for number, size in head.new:
            self._kept[number] = pickle.loads(content[:size])  # noqa: S301 - from the server
            content = content[size:]
        return head.work, tuple(self._found(head.arguments))

    def _found(self, arguments: tuple[Any, ...]) -> Iterator[Any]:
        for argument in arguments:
            if not isinstance(argument, _LentArgument):
                yield argument
            elif argument.number in self._kept:
                yield self._kept[argument.number]
            else:
                raise Lost
