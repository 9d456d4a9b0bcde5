"""Commands of one family, whose list in ``--help`` says of each what it does in a whole sentence."""

from typing import Any, Final

import typer
from typer.core import TyperGroup

_WHOLE: Final = 100_000  # characters: no sentence of a command is cut to the width of the terminal


class _Listed(TyperGroup):
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Wrapped where typer's own list would end with three dots."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, one.get_short_help_str(_WHOLE)) for name, one in found if one is not None and not one.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


class Commands(typer.Typer):
    """``typer.Typer`` with that list."""

    def __init__(self, **given: Any) -> None:
        super().__init__(cls=_Listed, **given)
