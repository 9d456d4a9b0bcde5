"""Proposals as they come, kept in a file, so that an interrupted run does not ask for them again."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from judge_server.calibration.disagreement import Disagreement
from judge_server.calibration.ladder import Proposer
from judge_server.core.criterion import AnyLeaf
from judge_server.util.canonical import digest
from judge_server.util.parsing import read_json


class KeptProposals:
    """A proposer whose answers are written to ``path`` at once. A line that a kill cut off is skipped."""

    def __init__(self, proposer: Proposer, path: Path) -> None:
        self._proposer, self._path, self.name = proposer, path, proposer.name

    async def propose(self, leaf: AnyLeaf, cases: Sequence[Disagreement], tries: int) -> Sequence[Mapping[str, Any]]:
        shown = [one.model_dump(mode="json") for one in cases]
        key = digest([self.name, leaf.model_dump(mode="json"), shown, tries])
        known = self._known()
        if key in known:
            return known[key]
        found = list(await self._proposer.propose(leaf, cases, tries))
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"key": key, "proposals": found}))
        return found

    def _known(self) -> dict[str, list[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for line in self._path.read_text("utf-8").splitlines() if self._path.exists() else ():
            try:
                kept = read_json(line)
                found[kept["key"]] = list(kept["proposals"])
            except (ValueError, KeyError, TypeError):
                continue
        return found
