"""TTCW: the Torrance tests of creative writing, experts' labels in one table, published judges' in another."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from judge_server.core.errors import BadInput
from judge_server.labels.label import CriterionScale
from judge_server.labels.readers.delimited import Fields, heading, rows
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.scale import EVERY

SCALES: Final = (CriterionScale(criterion=EVERY, kind="binary", classes=("0", "1"), positive="1"),)
TESTS: Final = (
    "narrative_ending", "understandability_and_coherence", "scene_vs_summary", "narrative_pacing",
    "language_proficiency_and_literary_devices", "emotional_flexibility", "structural_flexibility",
    "perspective_and_voice_flexibility", "originality_in_thought", "originality_in_form_and_structure",
    "originality_in_theme_and_content", "rhetorical_complexity", "world_building_and_setting", "character_development",
)  # fmt: skip
_ID: Final = re.compile(r"story_(.+)_test(\d+)$")


def records(paths: Sequence[Path]) -> Iterator[Record]:
    """The cluster is the plot, which several writers wrote."""
    for path in paths:
        judges = "human_majority" in heading(path, LabelFindings(path.name))
        yield from _judges(path) if judges else _experts(path)


def _experts(path: Path) -> Iterator[Record]:
    for row, fields in rows(path, ("story_id", "ttcw_idx", "expert_idx", "y")):
        item = _item(fields["story_id"], fields["ttcw_idx"], path, row)
        yield row, {**item, "annotator": f"expert_{fields['expert_idx']}", "role": "human", "label": fields["y"]}


def _judges(path: Path) -> Iterator[Record]:
    for row, fields in rows(path, ("id",)):
        named = _ID.match(fields["id"])
        item = _item(named.group(1) if named else "", named.group(2) if named else "", path, row)
        for judge, label in _said(fields):
            yield row, {**item, "annotator": judge, "role": "judge", "label": label}


def _said(fields: Fields) -> Iterator[tuple[str, str]]:
    return ((name.removeprefix("judge_"), label) for name, label in fields.items() if name.startswith("judge_"))


def _item(story: str, test: str, path: Path, row: int) -> dict[str, Any]:
    plot, _, writer = story.partition("_")
    if not writer or not test.isdigit() or not 1 <= int(test) <= len(TESTS):
        raise BadInput(
            f"{path.name}: row {row}: story {story!r}, test {test!r} are not of TTCW.",
            remedy="A story is PLOT_WRITER and a test a number from 1 to 14: import the table as it was published.",
        )
    return {"item": story, "criterion": TESTS[int(test) - 1], "cluster": f"plot_{plot}", "writer": writer}
