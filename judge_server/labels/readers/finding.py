"""Faults in a file of labels (row, column, message, remedy), collected instead of raised one by one."""

from collections.abc import Iterable
from typing import Final

from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen

MOST_KEPT: Final = 200


class LabelFinding(Frozen):
    """``row``: the row in a spreadsheet (the heading is row 1), the line in JSON Lines, or the index in a list."""

    row: int | None
    column: str | None
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        places = [f"row {self.row}" if self.row else "", f"column {self.column}" if self.column else ""]
        where = ", ".join(place for place in places if place)
        return f"{where}: {self.message}" if where else self.message


class LabelFindings:
    """Collects findings; keeps the first 200 and counts all. ``notes``: remarks on what was read all the same."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.kept: list[LabelFinding] = []
        self.notes: list[str] = []
        self.count = 0

    def add(self, row: int | None, column: str | None, message: str, suggestion: str | None = None) -> None:
        self.count += 1
        if len(self.kept) < MOST_KEPT:
            self.kept.append(LabelFinding(row=row, column=column, message=message, suggestion=suggestion))

    def add_rows(self, rows: Iterable[int], column: str | None, message: str, suggestion: str | None = None) -> None:
        """The same message for each of ``rows``."""
        for row in rows:
            self.add(int(row), column, message, suggestion)

    def refuse_if_any(self) -> None:
        """Raises BadInput with every finding kept."""
        if not self.count:
            return
        found = sorted(self.kept, key=lambda finding: finding.row or 0)
        shown = "; ".join(str(finding) for finding in found[:3])
        more = f"; and {self.count - 3} more" if self.count > 3 else ""
        remedies = dict.fromkeys(finding.suggestion for finding in found if finding.suggestion)
        raise BadInput(
            f"{self.source}: {shown}{more}.",
            remedy=next(iter(remedies), None),
            findings=[finding.model_dump(exclude_none=True) for finding in found],
            count=self.count,
        )
