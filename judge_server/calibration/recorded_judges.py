"""The ladder on answers that stand in the label file: no model is asked, and no text is needed.

What can be tried without asking is tried: fitted maps, and a second recorded judge.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from judge_server.calibration.improve_run import Attempt
from judge_server.calibration.improvement import Improvement, JudgeSetup
from judge_server.calibration.ladder import Ladder, LadderOptions
from judge_server.calibration.locked_split import OneLook
from judge_server.calibration.matching import Match, match, with_positives
from judge_server.calibration.pairing import require_judge
from judge_server.calibration.workspace import RECORD, ImproveFolder
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale, Label
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import ReadingLog
from judge_server.labels.table_builder import table_of
from judge_server.util.canonical import digest


@dataclass(frozen=True)
class RecordedJudges:
    """A ``Measure`` of the ladder. ``judge`` and ``second`` are judges of the label set."""

    judge: str
    second: str | None
    matches: Mapping[str, Match]

    async def __call__(self, rubric: Rubric, labels: LabelSet, setup: JudgeSetup) -> LabelSet:
        known = {one.scale.criterion: one for one in self.matches.values()}
        rows = [row for row in labels.table if row.criterion in known]
        people = [_read(row, known[row.criterion]) for row in rows if row.role == "human"]
        own = {_place(row): _read(row, known[row.criterion]) for row in rows if row.annotator == self.judge}
        other = {_place(row): _read(row, known[row.criterion]) for row in rows if row.annotator == self.second}
        judged = list(_decided(own, {place: _named(row, self.judge) for place, row in other.items()}, setup))
        scales = tuple(_scale(known[one.criterion]) for one in labels.scales if one.criterion in known)
        return replace(labels, scales=scales, table=table_of([*people, *judged]))


def _place(row: Label) -> tuple[str, str]:
    return row.item, row.criterion


def _named(row: Label, judge: str) -> Label:
    return row.model_copy(update={"annotator": judge})


def _decided(
    own: Mapping[tuple[str, str], Label], other: Mapping[tuple[str, str], Label], setup: JudgeSetup
) -> Iterator[Label]:
    for place in {**own, **other} if setup.second else own:
        if setup.second:
            found = other.get(place)
        else:
            row = own[place]
            low, high = setup.band or (2.0, 2.0)
            open_ = row.probability is not None and low <= row.probability <= high
            found = other.get(place, row) if open_ else row
        if found is not None:
            yield found


def _read(row: Label, matched: Match) -> Label:
    """With two classes for a binary criterion, and with P(met): the judge's own, or 0 or 1 by its label."""
    if row.label is None or matched.positive is None:
        return row
    said = matched.collapsed(row.label)
    changes: dict[str, object] = {"label": said, "probabilities": None}
    if row.role == "judge":
        given = row.probabilities.get(matched.positive) if row.probabilities else row.probability
        chance = float(said == matched.positive) if given is None else given
        likely = matched.positive if chance >= 0.5 else matched.other()
        changes |= {"probability": chance, "label": said if row.probabilities is None else likely}
    return row.model_copy(update=changes)


def _scale(matched: Match) -> CriterionScale:
    if matched.positive is None:
        return matched.scale
    classes = (matched.other(), matched.positive)
    return CriterionScale(criterion=matched.scale.criterion, kind="binary", classes=classes, positive=matched.positive)


async def improved_from_records(
    whole: LabelSet,
    rubric: Rubric,
    judges: tuple[str, str | None],
    attempt: Attempt,
    place: ImproveFolder,
    log: ReadingLog,
    pages: Callable[[Improvement], Mapping[str, str]],
    tell: Callable[[str], None] = lambda _: None,
) -> Improvement:
    """``judges``: the one to improve, and a second one. Raises BadInput for a judge that the labels do not have, and as
    the ladder does."""
    judge, second = judges
    for name in (judge, second):
        if name is not None:
            require_judge(whole.table, name)
    if judge == second:
        raise BadInput(f"The second judge is {judge!r} itself.", remedy="Name another one, or leave it out.")
    given = [whole.digest, rubric.digest, judge, second, attempt.seed, attempt.second_share, dict(attempt.positives)]
    key = digest(["recorded", *given]).removeprefix("sha256:")[:12]
    look = OneLook(whole, log, key, attempt.reader, attempt.reason)
    await look.require_unread()
    matches = match(rubric, with_positives(whole, attempt.positives), partial=True)
    options = LadderOptions(judge, seed=attempt.seed, second=second, second_share=attempt.second_share)
    measure = RecordedJudges(judge, second, matches)
    ladder = Ladder(
        whole.split("dev"), rubric, measure, options, read_test=look.read if look.possible else None, tell=tell
    )
    found = await look.adjusted(await ladder.climb())
    told = f"{judge}'s answers stand in the labels: nothing was asked, so examples were not tried."
    found = found.model_copy(update={"notes": (*found.notes, told)})
    place.out.mkdir(parents=True, exist_ok=True)
    await place.write(key, {**pages(found), RECORD: found.model_dump_json(indent=2)}, None)
    return found
