"""What commands share at run time: the event loop, errors as one readable line, and notices of judges."""

from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from judge_server.core.errors import JudgeServerError
from judge_server.util.redaction import redacted

if TYPE_CHECKING:
    from judge_server.judging.answer import Judge

T = TypeVar("T")

BAD_USE = 2
INTERRUPTED = 130


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end. An error of ours ends the command with status 2 and its message; Ctrl-C with 130."""
    import uvloop

    try:
        return uvloop.run(work)
    except JudgeServerError as fault:
        fail(str(fault))
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None


def fail(message: str) -> NoReturn:
    """End the command with a message on standard error."""
    typer.echo(f"error: {redacted(message)}", err=True)
    raise typer.Exit(BAD_USE)


def announce(judges: "Iterable[Judge]") -> None:
    """Print each judge's notice once to standard error, such as the warning of the embedded baseline."""
    for notice in dict.fromkeys(judge.reference.notice for judge in judges):
        if notice:
            typer.secho(f"notice: {notice}", err=True, fg=typer.colors.YELLOW)
