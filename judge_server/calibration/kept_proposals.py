"""Proposals as they come, kept, so that an interrupted run does not ask for them again."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from judge_server.calibration.disagreement import Disagreement
from judge_server.calibration.ladder import Proposer
from judge_server.calibration.trial import Trial
from judge_server.core.criterion import AnyLeaf
from judge_server.util.canonical import digest
from judge_server.util.parsing import read_json

Proposals = Sequence[Mapping[str, Any]]


class ProposalLog(Protocol):
    """Proposals by what was asked. ``keep`` returns when they survive a kill."""

    def known(self) -> Mapping[str, Proposals]: ...

    async def keep(self, key: str, proposals: Proposals) -> None: ...


class KeptProposals:
    """A proposer whose answers are kept in ``log`` at once."""

    def __init__(self, proposer: Proposer, log: ProposalLog) -> None:
        self._proposer, self._log, self.name = proposer, log, proposer.name

    async def propose(self, leaf: AnyLeaf, cases: Sequence[Disagreement], tries: int, trial: Trial) -> Proposals:
        shown = [one.model_dump(mode="json") for one in cases]
        key = digest([self.name, leaf.model_dump(mode="json"), shown, tries])
        known = self._log.known()
        if key in known:
            return known[key]
        found = list(await self._proposer.propose(leaf, cases, tries, trial))
        await self._log.keep(key, found)
        return found


class ProposalFile:
    """A file with a line for each answer. A line that a kill cut off is skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def known(self) -> Mapping[str, Proposals]:
        found: dict[str, Proposals] = {}
        for line in self._path.read_text("utf-8").splitlines() if self._path.exists() else ():
            try:
                kept = read_json(line)
                found[kept["key"]] = list(kept["proposals"])
            except (ValueError, KeyError, TypeError):
                continue
        return found

    async def keep(self, key: str, proposals: Proposals) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"key": key, "proposals": proposals}))
