"""Where an attempt to improve a judge keeps what must survive a kill, and in the end its result."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from judge_server.authoring.writing import replace_file
from judge_server.calibration.improvement import Limits
from judge_server.calibration.kept_proposals import ProposalFile, ProposalLog
from judge_server.calibration.meter import Meter
from judge_server.labels.label_set import LabelSet
from judge_server.labels.writing import write_labels

EXAMPLES = "examples.csv"
RECORD = "improvement.json"


class Workspace(Protocol):
    """``examples``: by what name a configured judge finds the labelled examples. ``answers``: the folder of the judge's
    answers; None if remembered verdicts do its work. ``proposals``: asked for once."""

    @property
    def answers(self) -> Path | None: ...

    @property
    def examples(self) -> str: ...

    @property
    def proposals(self) -> ProposalLog: ...

    def meter(self, limits: Limits) -> Meter:
        """With what was spent so far."""
        ...

    async def write(self, key: str, files: Mapping[str, str], examples: LabelSet | None) -> None:
        """Keep the result: texts by file name, the record among them, and the labels that examples come from."""
        ...


class ImproveFolder:
    """A directory."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.proposals = ProposalFile(out / "proposals.jsonl")

    @property
    def answers(self) -> Path | None:
        return self.out

    @property
    def examples(self) -> str:
        return str(self.out / EXAMPLES)

    def meter(self, limits: Limits) -> Meter:
        self.out.mkdir(parents=True, exist_ok=True)
        return Meter(limits, self.out / "spent.jsonl")

    async def write(self, key: str, files: Mapping[str, str], examples: LabelSet | None) -> None:
        """What is shown as finished is written last."""
        for name, text in files.items():
            replace_file(self.out / name, text)
        if examples is not None:
            write_labels(examples, self.out / EXAMPLES)
        replace_file(self._result(key), files[RECORD])

    def finished(self, key: str) -> str | None:
        """The record of an attempt that ended."""
        path = self._result(key)
        return path.read_text("utf-8") if path.exists() else None

    def _result(self, key: str) -> Path:
        return self.out / f"{key}.json"
