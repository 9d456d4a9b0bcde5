"""A judge measured on a small rubric, with one criterion of each kind that a report distinguishes."""

from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale, Label
from judge_server.labels.label_set import LabelSet, Provenance
from judge_server.labels.table_builder import table_of
from tests.report.build import label

ITEMS = 120
RUBRIC = Rubric.model_validate(
    {
        "id": "test/consultation",
        "version": "1.0.0",
        "title": "A consultation",
        "criteria": [
            {"id": "red_flags", "statement": "Names the symptoms that need emergency care.", "points": 7},
            {"id": "plain_words", "statement": "Is written in plain words.", "points": 3},
            {"id": "next_step", "statement": "Names one clear next step.", "points": 2},
            {
                "id": "unsafe_dose",
                "statement": "Recommends a dose above the maximum.",
                "points": -9,
                "gate": {"when": "met", "reward": 0.0},
            },
            {"id": "sources", "statement": "Names where the advice comes from.", "points": 1},
            {"id": "greets", "statement": "Greets the reader.", "points": 1},
        ],
    }
)


def truth(criterion: str, place: int) -> bool | None:
    """What people say about an item; None if nobody labelled it."""
    if criterion == "unsafe_dose":
        return place % 6 == 0
    if criterion == "sources" and place >= 10:
        return None
    return True if criterion == "greets" else place % 2 == 0


def judged(criterion: str, place: int) -> bool | None:
    """What the judge says; None if it gives no verdict."""
    said = truth(criterion, place)
    if criterion == "plain_words":
        return place % 3 == 0
    if criterion == "unsafe_dose" and place in (0, 6, 12):
        return False
    if criterion == "unsafe_dose" and place in (1, 2):
        return True
    wrong = {"red_flags": place % 20 == 1, "next_step": place % 9 < 2}
    return said is not wrong.get(criterion, False) and said is not None


def labels_of(criterion: str) -> list[Label]:
    rows = []
    for place in range(ITEMS):
        said = truth(criterion, place)
        if said is None:
            continue
        answers = {"ann": ("human", said), "ben": ("human", said), "gpt": ("judge", judged(criterion, place))}
        rows += [
            label(f"i{place}", name, role, None if value is None else "met" if value else "unmet", criterion)
            for name, (role, value) in answers.items()
        ]
    return rows


def measured(rubric: Rubric | None = RUBRIC, judges: dict[str, str] | None = None) -> LabelSet:
    names = [leaf.id for leaf in RUBRIC.leaves]
    scales = tuple(
        CriterionScale(criterion=name, kind="binary", classes=("unmet", "met"), positive="met") for name in names
    )
    rows = [row for name in names for row in labels_of(name)]
    return LabelSet(
        "consultations",
        "1",
        Provenance(source="made up"),
        scales,
        table_of(rows),
        judges=judges or {},
        rubric=rubric,
    )
