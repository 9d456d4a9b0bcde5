"""Shared by commands at run time: the event loop, one-line error messages, and notices of judges."""

from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import typer

from judge_server.core.errors import JudgeServerError
from judge_server.core.extra import Extra, absent, installing
from judge_server.util.redaction import redacted

if TYPE_CHECKING:
    from judge_server.judging.answer import Judge

T = TypeVar("T")
P = ParamSpec("P")

BAD_USE = 2
INTERRUPTED = 130


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end. Our errors end the command with status 2 and a message; Ctrl-C with 130."""
    import uvloop

    try:
        return uvloop.run(work)
    except JudgeServerError as fault:
        fail(str(fault))
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None


def run_at_once(work: Callable[[], T]) -> T:
    """Run ``work``, which has no event loop yet, to its end. Errors end the command as in ``run``."""
    try:
        return work()
    except JudgeServerError as fault:
        fail(str(fault))
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None


def needs(extra: Extra, *modules: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorator: end the command with the extra's name before any work starts, if one of the modules is not
    installed."""

    def decorate(command: Callable[P, T]) -> Callable[P, T]:
        @wraps(command)
        def checked(*args: P.args, **options: P.kwargs) -> T:
            if missing := absent(*modules):
                fail(f"this command needs {' and '.join(missing)}. {installing(extra)}")
            return command(*args, **options)

        return checked

    return decorate


def fail(message: str) -> NoReturn:
    """End the command with a message on standard error."""
    typer.echo(f"error: {redacted(message)}", err=True)
    raise typer.Exit(BAD_USE)


def announce(judges: "Iterable[Judge]") -> None:
    """Print each judge's notice once to standard error, such as the warning of the embedded baseline."""
    for notice in dict.fromkeys(judge.reference.notice for judge in judges):
        if notice:
            typer.secho(f"notice: {notice}", err=True, fg=typer.colors.YELLOW)
