"""What an earlier ``judge-server score`` wrote before it ended, found again by content.

An input may have changed, grown or been put in another order since then: a judgment is kept if its submission, rubric,
judge, fitted maps and guard are the same, and it has a reward. The new output is written beside the old one and takes
its place at the end; a run that ends before leaves both, and the next one reads both.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from pydantic import ValidationError

from judge_server.core.coordinates import content_key
from judge_server.core.judgment import Judgment
from judge_server.core.submission import Submission
from judge_server.judging.answer import Terms
from judge_server.scoring.scorer import Scorer


class EarlierOutput:
    """Judgments in a file, each given out once. ``kept``: how many were; ``unread``: lines that hold none, such as the
    one that a killed process did not finish."""

    def __init__(self, lines: BinaryIO) -> None:
        self.kept = self.unread = 0
        self._lines = lines
        self._places: defaultdict[bytes, list[int]] = defaultdict(list)
        place = 0
        for line in lines:
            self._note(line, place)
            place += len(line)

    def _note(self, line: bytes, place: int) -> None:
        judgment = _judgment_in(line)
        if judgment is None:
            self.unread += bool(line.strip())
        elif judgment.reward is not None and judgment.submission_digest is not None:
            self._places[content_key(judgment.submission_digest, judgment.submission)].append(place)

    async def take(self, scorer: Scorer, submission: Submission, terms: Terms) -> Judgment | None:
        """The judgment that it would get now; None if there is none. Raises what ``Scorer.score`` raises before a judge
        is asked."""
        places = self._places.get(content_key(submission.digest, submission.coordinates))
        if not places:
            return None
        deciders = await scorer.deciders(submission, terms)
        for place in places:
            self._lines.seek(place)
            judgment = _judgment_in(self._lines.readline())
            if judgment is not None and deciders.decided(judgment):
                places.remove(place)
                self.kept += 1
                return judgment
        return None


@contextmanager
def resumed(path: Path) -> Iterator[tuple[EarlierOutput, TextIO]]:
    """What is in ``path``, and a file for the new output, which replaces it unless the block is left by an exception.
    Raises OSError."""
    beside = path.with_name(f"{path.name}.resumed")
    if beside.exists():
        with path.open("ab") as old, beside.open("rb") as newer:
            old.write(b"\n")  # ends a line that a killed process did not finish
            old.writelines(newer)
        beside.unlink()
    path.touch()
    with path.open("rb") as lines, beside.open("w", encoding="utf-8") as sink:
        yield EarlierOutput(lines), sink
    beside.replace(path)


def _judgment_in(line: bytes) -> Judgment | None:
    try:
        return Judgment.model_validate_json(line)
    except ValidationError:
        return None
