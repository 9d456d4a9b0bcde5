"""``diff``: a unified diff whose hunks hold the lines that their headers announce, within a size."""

import re
from dataclasses import dataclass, field

from judge_server.core.check import DiffCheck
from judge_server.judging.checks.interface import CheckFinding, CheckInput, counted, passed

_HUNK = re.compile(r"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")


@dataclass
class _Diff:
    """What was read: ``old`` and ``new`` count the lines that the open hunk still announces."""

    changed: int = 0
    files: set[str] = field(default_factory=set)
    hunks: int = 0
    old: int = 0
    new: int = 0

    def take(self, line: str) -> None:
        """One line inside a hunk."""
        if line.startswith("+"):
            self.new, self.changed = self.new - 1, self.changed + 1
        elif line.startswith("-"):
            self.old, self.changed = self.old - 1, self.changed + 1
        elif not line.startswith("\\"):
            self.old, self.new = self.old - 1, self.new - 1


def find(spec: DiffCheck, check_input: CheckInput) -> CheckFinding:
    read = _Diff()
    for line in check_input.text.splitlines():
        if read.old > 0 or read.new > 0:
            if line.startswith("```") or (line and line[0] not in "+- \\"):
                return passed(False, f"hunk {read.hunks} has fewer lines than its header announces")
            read.take(line)
        elif line.startswith("+++ "):
            read.files.add(line[4:].partition("\t")[0].strip())
        elif match := _HUNK.match(line):
            read.hunks += 1
            read.old, read.new = (int(count) if count is not None else 1 for count in match.groups())
        if read.old < 0 or read.new < 0:
            return passed(False, f"hunk {read.hunks} has other lines than its header announces")
    if read.old or read.new:
        return passed(False, f"hunk {read.hunks} has fewer lines than its header announces")
    if not read.hunks or not read.files:
        return passed(False, "there is no unified diff")
    if spec.files is not None and len(read.files) > spec.files:
        return passed(False, f"{len(read.files)} files are changed, more than {spec.files}")
    return counted(read.changed, "changed lines", spec.least, spec.max)
