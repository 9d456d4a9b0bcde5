"""Fitted maps on the scoring path: raw values go in, probabilities that agree with people come out."""

from collections.abc import Iterable, Sequence

from judge_server.core.fitted_map import MapSet
from judge_server.core.verdict import Verdict


class ActiveMaps:
    """The maps in use, by judge and rubric. ``pinned`` ones, from a file, go before those of the store."""

    def __init__(self, pinned: Iterable[MapSet] = ()) -> None:
        self._pinned = _by_combination(pinned)
        self._active = dict(self._pinned)

    def replace(self, stored: Iterable[MapSet]) -> None:
        """Take these as the ones that the store says are in use."""
        self._active = {**_by_combination(stored), **self._pinned}

    def find(self, fingerprint: str, rubric_digest: str) -> MapSet | None:
        return self._active.get((fingerprint, rubric_digest)) if self._active else None

    def of_judge(self, fingerprint: str) -> tuple[MapSet, ...]:
        """Every set in use for a judge, for listings."""
        return tuple(maps for (judge, _), maps in sorted(self._active.items()) if judge == fingerprint)


def calibrated(verdicts: Sequence[Verdict], maps: MapSet) -> tuple[Verdict, ...]:
    """The verdicts with values mapped and the raw ones kept beside them; criteria without a map stay as they are."""
    return tuple(_mapped(verdict, maps) for verdict in verdicts)


def _mapped(verdict: Verdict, maps: MapSet) -> Verdict:
    fitted = maps.maps.get(verdict.criterion)
    if fitted is None or verdict.value is None or verdict.source != "judge":
        return verdict
    value = fitted.apply(verdict.value)
    met = None if verdict.met is None else value
    return verdict.model_copy(update={"value": value, "met": met, "raw": verdict.value})


def _by_combination(maps: Iterable[MapSet]) -> dict[tuple[str, str], MapSet]:
    return {(one.fingerprint, one.rubric.digest): one for one in maps}
