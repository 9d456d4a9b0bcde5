"""What changed between two versions of a rubric, criterion by criterion, and the version step that it requires."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Literal

from judge_server.authoring.diff_words import criterion_in_words, field_in_words, sources_in_words
from judge_server.core.criterion import Criterion, Group
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric, RubricReference, version_key

ChangeKind = Literal["added", "removed", "renamed", "reworded", "reweighted", "moved", "changed"]


class VersionStep(StrEnum):
    """``major``: earlier rewards no longer mean the same; ``minor``: something was added; ``patch``: metadata only."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def rank(self) -> int:
        return list(VersionStep).index(self)


class RubricChange(Frozen):
    """One change. ``criterion`` is None for the rubric itself; ``field`` is None if the change concerns the whole
    criterion. ``told``: what is new, in words."""

    kind: ChangeKind
    criterion: str | None = None
    field: str | None = None
    before: Any = None
    after: Any = None
    step: VersionStep
    told: str

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(filter(None, (self.criterion or 'rubric', self.field)))}: {self.told}"


class RubricDifference(Frozen):
    """Everything that changed from ``old`` to ``new``."""

    old: RubricReference
    new: RubricReference
    changes: tuple[RubricChange, ...]
    step: VersionStep
    suggested_version: str


_RUBRIC_STEPS = {
    "facts": VersionStep.MAJOR,
    "guidance": VersionStep.MAJOR,
    "locales": VersionStep.MAJOR,
    "aggregate": VersionStep.MAJOR,
    "missing": VersionStep.MAJOR,
    "guard": VersionStep.MAJOR,
    "id": VersionStep.MAJOR,
}
_CRITERION_STEPS = {"tags": VersionStep.MINOR, "examples": VersionStep.MINOR, "sources": VersionStep.PATCH}


def compare(old: Rubric, new: Rubric) -> RubricDifference:
    """The changes in the order: the rubric, removed, then criteria in the new order."""
    changes = (*_of_rubric(old, new), *_of_criteria(old, new))
    step = max((change.step for change in changes), key=lambda step: step.rank, default=VersionStep.NONE)
    return RubricDifference(
        old=old.reference,
        new=new.reference,
        changes=changes,
        step=step,
        suggested_version=next_version(old.version, step),
    )


def next_version(version: str, step: VersionStep) -> str:
    """``version`` raised by ``step``; the release itself if ``version`` is a pre-release."""
    major, minor, patch, is_release, *_ = version_key(version)
    if step is VersionStep.NONE:
        return version
    if not is_release:
        return f"{major}.{minor}.{patch}"
    match step:
        case VersionStep.MAJOR:
            return f"{major + 1}.0.0"
        case VersionStep.MINOR:
            return f"{major}.{minor + 1}.0"
        case _:
            return f"{major}.{minor}.{patch + 1}"


def _of_rubric(old: Rubric, new: Rubric) -> Iterator[RubricChange]:
    before, after = _plain(old), _plain(new)
    for field in Rubric.model_fields:
        if field not in ("criteria", "version") and before.get(field) != after.get(field):
            step = _RUBRIC_STEPS.get(field, VersionStep.PATCH)
            yield _changed("changed", None, field, before.get(field), after.get(field), step)


def _of_criteria(old: Rubric, new: Rubric) -> Iterator[RubricChange]:
    before, after = dict(_placed(None, old.criteria)), dict(_placed(None, new.criteria))
    renamed = _renamed(before, after)
    for name in before:
        if name not in after and name not in renamed:
            lost = before[name][1]
            yield RubricChange(
                kind="removed", criterion=name, before=lost.statement, step=VersionStep.MAJOR, told=_whole(lost)
            )
    origins = {new_name: old_name for old_name, new_name in renamed.items()}
    for name, place in after.items():
        origin = origins.get(name, name)
        if origin not in before:
            new_one = place[1]
            yield RubricChange(
                kind="added",
                criterion=name,
                after=new_one.statement,
                step=_step_of_new(new_one),
                told=_whole(new_one),
            )
            continue
        if origin != name:
            yield _changed("renamed", name, "id", origin, name, VersionStep.MAJOR)
        yield from _of_one(name, before[origin], place)
    if list(before) != list(after) and sorted(before) == sorted(after):
        yield RubricChange(
            kind="moved",
            field="criteria",
            before="an order",
            after="another order",
            step=VersionStep.PATCH,
            told="the same ones in another order",
        )


def _step_of_new(criterion: Criterion) -> VersionStep:
    """A new gate or penalty lowers rewards that earlier versions gave to the same verdicts."""
    lowers = criterion.points < 0 or getattr(criterion, "gate", None) is not None
    return VersionStep.MAJOR if lowers else VersionStep.MINOR


Placed = tuple[str | None, Criterion]


def _placed(parent: str | None, criteria: tuple[Criterion, ...]) -> Iterator[tuple[str, Placed]]:
    for criterion in criteria:
        yield criterion.id, (parent, criterion)
        if isinstance(criterion, Group):
            yield from _placed(criterion.id, criterion.criteria)


def _renamed(before: Mapping[str, Placed], after: Mapping[str, Placed]) -> dict[str, str]:
    """Old id → new id of criteria that differ only in their id."""
    lost = {name: _without_id(place) for name, place in before.items() if name not in after}
    found = {name: _without_id(place) for name, place in after.items() if name not in before}
    pairs: dict[str, str] = {}
    for name, content in lost.items():
        matches = [other for other, candidate in found.items() if candidate == content and other not in pairs.values()]
        if matches:
            pairs[name] = matches[0]
    return pairs


def _without_id(place: Placed) -> Any:
    return {name: value for name, value in _plain(place[1]).items() if name != "id"}


def _of_one(name: str, before: Placed, after: Placed) -> Iterator[RubricChange]:
    if before[0] != after[0]:
        top = "the top"
        places = (before[0] or top, after[0] or top)
        told = f"from {places[0]} to {places[1]}"
        yield RubricChange(
            kind="moved", criterion=name, before=places[0], after=places[1], step=VersionStep.MAJOR, told=told
        )
    old, new = _plain(before[1]), _plain(after[1])
    for field in dict.fromkeys((*old, *new)):
        if field in ("id", "criteria") or old.get(field) == new.get(field):
            continue
        kind: ChangeKind = {"statement": "reworded", "points": "reweighted"}.get(field, "changed")  # type: ignore[assignment]  # a dict's values widen to str
        step = _CRITERION_STEPS.get(field, VersionStep.MAJOR)
        yield _changed(kind, name, field, old.get(field), new.get(field), step)


def _changed(
    kind: ChangeKind, criterion: str | None, field: str, before: Any, after: Any, step: VersionStep
) -> RubricChange:
    words = sources_in_words(before, after) if field == "sources" else field_in_words(field, before, after)
    return RubricChange(kind=kind, criterion=criterion, field=field, before=before, after=after, step=step, told=words)


def _whole(criterion: Criterion) -> str:
    return criterion_in_words(_plain(criterion))


def _plain(value: Rubric | Criterion) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True)
