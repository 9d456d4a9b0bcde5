"""Running asynchronous work from a command: the event loop, and errors as one readable line."""

from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer

from judge_server.core.errors import JudgeServerError
from judge_server.util.redaction import redacted

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
