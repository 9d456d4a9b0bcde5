"""Async reward functions in the wrong place: a trainer that does not await them is told what to use instead, and so is
one that awaits a synchronous reward function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import update_wrapper
from types import MethodType
from typing import Any, Generic, NoReturn, ParamSpec, TypeVar

from judge_client.errors import BadConfiguration

P = ParamSpec("P")
R = TypeVar("R")


class PendingReward(Coroutine[Any, Any, R]):
    """The coroutine of an async reward function. Raises BadConfiguration if it is used like the rewards themselves."""

    def __init__(self, coroutine: Coroutine[Any, Any, R], name: str, remedy: str) -> None:
        self._coroutine = coroutine
        self._name = name
        self._remedy = remedy

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, R]:
        return self._coroutine.__await__()

    def _not_awaited(self, *_: Any, **_named: Any) -> NoReturn:
        self.close()
        raise BadConfiguration(
            f"{self._name} is async, and the trainer used its result without awaiting it.",
            remedy=self._remedy,
        )

    __iter__ = __len__ = __getitem__ = __contains__ = __float__ = __int__ = __index__ = __bool__ = _not_awaited
    __array__ = __add__ = __radd__ = __mul__ = __rmul__ = __sub__ = __truediv__ = __lt__ = __gt__ = _not_awaited


class AsyncReward(Generic[P, R]):
    """An async function or method that returns a PendingReward. ``inspect.iscoroutinefunction``, by which trainers find
    out that it is async, looks at the attributes of a function. Picklable by its name, as functions are."""

    __module__: str
    __qualname__: str

    def __init__(self, function: Callable[P, Coroutine[Any, Any, R]], remedy: str) -> None:
        update_wrapper(self, function)
        self.__code__ = function.__code__
        self.__defaults__ = function.__defaults__
        self.__kwdefaults__ = function.__kwdefaults__
        self._function = function
        self._remedy = remedy

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> PendingReward[R]:
        return PendingReward(self._function(*arguments, **named), self.__qualname__, self._remedy)

    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., PendingReward[R]]:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> str:
        return self.__qualname__


def async_reward(remedy: str) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], AsyncReward[P, R]]:
    """``remedy``: what to do if the trainer calls reward functions synchronously, in a sentence."""
    return lambda function: AsyncReward(function, remedy)


class SettledRewards(list[R], Awaitable[R]):
    """What a synchronous reward function returns. Raises BadConfiguration if it is awaited."""

    def __await__(self) -> Generator[Any, Any, R]:
        raise BadConfiguration(
            "This reward function is synchronous, and the trainer awaits its result.",
            remedy="Give this trainer the async one: RubricReward, or rubric_reward by its dotted path.",
        )
