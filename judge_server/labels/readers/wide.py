"""Wide tables, with a column for each annotator, made long."""

from collections.abc import Iterator, Mapping

from judge_server.labels.label import Role
from judge_server.labels.readers.chunk import Chunk

LABEL, ANNOTATOR, ROLE = "\0label", "\0annotator", "\0role"  # no file's heading holds these
SOURCES: Mapping[str, str] = {"label": LABEL, "annotator": ANNOTATOR, "role": ROLE}


def unpivot(chunk: Chunk, annotators: Mapping[str, Role]) -> Iterator[Chunk]:
    """The chunk once for each annotator, with that column as the label."""
    size = len(chunk.rows)
    for column, role in annotators.items():
        own = {LABEL: chunk.columns[column], ANNOTATOR: [column] * size, ROLE: [role] * size}
        yield Chunk(chunk.rows, {**chunk.columns, **own})
