"""What a reader must know before trusting the numbers, on standard error."""

from collections.abc import Iterable

import typer

from judge_server.judging.answer import Judge


def announce(judges: Iterable[Judge]) -> None:
    """Print each judge's notice once; the embedded baseline says here what it is."""
    for notice in dict.fromkeys(judge.reference.notice for judge in judges):
        if notice:
            typer.secho(f"notice: {notice}", err=True, fg=typer.colors.YELLOW)
