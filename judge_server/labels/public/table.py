"""Published tables row by row."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from judge_server.labels.readers import delimited
from judge_server.labels.readers.finding import LabelFindings

Fields = Mapping[str, str]


def rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, Fields]]:
    """Row numbers and fields. Raises BadInput for a table that is broken or lacks one of the columns ``required``."""
    findings = LabelFindings(path.name)
    names = delimited.heading(path, findings)
    missing = [name for name in required if name not in names]
    if missing:
        message = f"the columns {', '.join(missing)} are missing; found: {', '.join(names[:20])}"
        findings.add(1, None, message, "Name the files that `calibrate list` shows for this set.")
    findings.refuse_if_any()
    for chunk in delimited.chunks(path, findings):
        for place, row in enumerate(chunk.rows.tolist()):
            yield row, {name: values[place] for name, values in chunk.columns.items()}
    findings.refuse_if_any()
