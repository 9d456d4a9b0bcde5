"""Wordings found by GEPA (Agrawal et al. 2025, arXiv 2507.19457; extra ``gepa``), the only importer of its library.

GEPA chooses which wording to change next (Pareto front over items of the revise part), on which items it is tried first
and whether it stays; another proposer writes each change, from the cases that the wording leaves. GEPA sees the revise
part alone, statement and guidance are its only texts, and what the ladder would refuse is never measured.
"""

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from judge_server.calibration.disagreement import Disagreement
from judge_server.calibration.improvement import Search
from judge_server.calibration.ladder import Proposer
from judge_server.calibration.trial import Trial, TriedItem
from judge_server.core.criterion import AnyLeaf
from judge_server.core.errors import BadInput
from judge_server.core.extra import require

CHANGES_EACH: Final = 4  # changes that are tried for a wording that may be proposed
BATCH: Final = 12  # items on which a change is tried first
_STATEMENT: Final = "statement"
_GUIDANCE: Final = "guidance"
T = TypeVar("T")
Wording = dict[str, str]


def require_search(search: Search, proposer: str | None) -> None:
    """Raises MissingDependency without gepa, and BadInput if nobody writes wordings."""
    if search == "once":
        return
    if proposer is None:
        raise BadInput("GEPA directs a proposer, and none is named.", remedy="Name a judge whose model writes text.")
    require("gepa", "A search by GEPA", "gepa")


class GepaSearch:
    """``writer`` writes the changes."""

    def __init__(self, writer: Proposer, seed: int = 0) -> None:
        self._writer, self._seed = writer, seed
        self.name = f"{writer.name}, searched by GEPA"

    async def propose(
        self, leaf: AnyLeaf, cases: Sequence[Disagreement], tries: int, trial: Trial
    ) -> Sequence[Mapping[str, Any]]:
        """At most ``tries``: the wordings that GEPA kept, best first, then proposals that would be refused. Raises
        LimitReached, ModelUnavailable and its kin."""
        now = trial.items()
        if not now:
            return []
        run = _Search(self._writer, leaf, trial, CHANGES_EACH * tries, asyncio.get_running_loop(), now)
        try:
            kept = await asyncio.to_thread(run.climb, self._seed)
        finally:
            run.over.set()
        return [*kept, *run.refused][:tries]


@dataclass
class _Search:
    """One run of GEPA, in a thread: its adapter, and what writes its changes."""

    writer: Proposer
    leaf: AnyLeaf
    trial: Trial
    changes: int
    loop: asyncio.AbstractEventLoop
    now: Mapping[str, TriedItem]
    over: threading.Event = field(default_factory=threading.Event)
    refused: list[Mapping[str, Any]] = field(default_factory=list)
    propose_new_texts: None = None
    _made: int = 0
    _fault: BaseException | None = None
    _known: dict[tuple[str, ...], dict[str, TriedItem]] = field(default_factory=dict)

    def climb(self, seed: int) -> list[Wording]:
        from gepa.api import optimize

        start = _wording(self.leaf)
        self._known[_key(start)] = dict(self.now)
        try:
            found: Any = optimize(
                seed_candidate=start,
                trainset=sorted(self.now),
                adapter=self,  # type: ignore[arg-type]  # its Protocol names type parameters that bind nothing here
                custom_candidate_proposer=self._change,
                module_selector="all",
                reflection_minibatch_size=min(BATCH, len(self.now)),
                stop_callbacks=self._ends,
                logger=_Quiet(),
                seed=seed,
            )
        except Exception:
            if self._fault is not None:
                raise self._fault from None  # GEPA wraps what its parts raise
            raise
        if self._fault is not None:
            raise self._fault
        ranked = sorted(zip(found.val_aggregate_scores, found.candidates, strict=True), key=lambda pair: -pair[0])
        return [_said(one) for _, one in ranked if _key(one) != _key(start)]

    def _ends(self, gepa_state: Any) -> bool:
        """Also after as many batches without anything to mend."""
        return self.over.is_set() or self._made >= self.changes or gepa_state.i >= 2 * self.changes

    def evaluate(self, batch: list[str], candidate: Wording, capture_traces: bool = False) -> Any:
        from gepa.core.adapter import EvaluationBatch

        known = self._known.setdefault(_key(candidate), {})
        if missing := [name for name in dict.fromkeys(batch) if name not in known]:
            known.update(self._wait(self.trial.reworded(_reworded(self.leaf, candidate), missing)))
        tried = [known.get(name, TriedItem(0.0, None)) for name in batch]
        return EvaluationBatch(
            outputs=list(batch),
            scores=[one.score for one in tried],
            trajectories=[one.case for one in tried] if capture_traces else None,
        )

    def make_reflective_dataset(
        self, candidate: Wording, eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The cases that the wording leaves."""
        cases = [{"case": one} for one in eval_batch.trajectories if one is not None]
        return dict.fromkeys(components_to_update, cases)

    def _change(
        self,
        candidate: Wording,
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> Wording:
        """The wording as the writer changes it; unchanged if the change would be refused."""
        self._made += 1
        cases = [one["case"] for one in reflective_dataset.get(components_to_update[0], ())]
        reworded = _reworded(self.leaf, candidate)
        for proposal in self._wait(self.writer.propose(reworded, cases, 1, self.trial)) if cases else ():
            if self.trial.refusal(proposal) is None:
                return {**candidate, **_texts(proposal)}
            self.refused.append(proposal)
        return candidate

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """In the loop that began the search. GEPA goes on after some errors, so the first one ends it."""
        if self.over.is_set():
            work.close()
            raise InterruptedError("the search is over")
        try:
            return asyncio.run_coroutine_threadsafe(work, self.loop).result()
        except BaseException as fault:
            self._fault = self._fault or fault
            self.over.set()
            raise


class _Quiet:
    """A logger of GEPA."""

    def log(self, message: str) -> None:
        pass


def _wording(leaf: AnyLeaf) -> Wording:
    return {_STATEMENT: leaf.statement, _GUIDANCE: getattr(leaf, _GUIDANCE, None) or ""}


def _reworded(leaf: AnyLeaf, wording: Wording) -> AnyLeaf:
    return leaf.model_copy(update={_STATEMENT: wording[_STATEMENT], _GUIDANCE: wording[_GUIDANCE] or None})


def _texts(proposal: Mapping[str, Any]) -> Wording:
    return {name: str(proposal[name]) for name in (_STATEMENT, _GUIDANCE) if proposal.get(name) is not None}


def _said(wording: Wording) -> Wording:
    return {name: text for name, text in wording.items() if text}


def _key(wording: Wording) -> tuple[str, ...]:
    return wording[_STATEMENT], wording[_GUIDANCE]
