"""The ladder on answers that stand in the label file: nothing is asked, and the test split is read once."""

from dataclasses import replace

import pytest

from benchmarks.simulation.ladder import RUBRIC, FaultyJudge, people
from judge_server.calibration.improve_run import Attempt
from judge_server.calibration.improvement import AS_IT_IS
from judge_server.calibration.recorded_judges import improved_from_records
from judge_server.calibration.workspace import ImproveFolder
from judge_server.core.errors import BadInput
from judge_server.labels.label import Item
from judge_server.labels.splits import ReadingFile
from judge_server.labels.table_builder import table_of


async def recorded(judge):
    """People's labels and what ``judge`` answered, without texts; another judge, ``right``, errs nowhere."""
    whole = await judge(RUBRIC, people(200, 1), AS_IT_IS)
    right = [
        row.model_copy(update={"annotator": "right", "role": "judge"}) for row in whole.table if row.role == "human"
    ]
    bare = {name: Item(id=name) for name in whole.items}
    return replace(whole, table=table_of([*whole.table, *right]), items=bare)


async def improved(whole, folder, *judges, **attempt):
    log = ReadingFile(folder / "labels.csv")
    place = ImproveFolder(folder / "out")
    pages = {"improvement.md": "told"}
    return await improved_from_records(whole, RUBRIC, judges, Attempt(**attempt), place, log, lambda _: pages), log


async def test_a_shifted_threshold_is_mended_by_a_map_and_the_figures_are_those_of_the_rows(tmp_path):
    whole = await recorded(FaultyJudge(shift=0.3))
    found, log = await improved(whole, tmp_path, "main", None)
    assert (found.outcome, set(found.maps)) == ("improved", {"c0", "c1"})
    assert (found.spent.calls, found.version) == (0, None)
    test = [row for row in whole.table if whole.splits[row.cluster] == "test"]
    truth = {(row.item, row.criterion): row.label for row in test if row.role == "human"}
    said = {(row.item, row.criterion): row.label for row in test if row.annotator == "main"}
    assert found.final.ratings == len(truth) > 60
    assert found.final.before == sum(said[place] == label for place, label in truth.items())
    assert found.final.after - found.final.before == found.final.fixed - found.final.broken > 20
    assert len(await log.readings(whole.digest)) == 1
    again, _ = await improved(whole, tmp_path, "main", None)
    assert again.final == found.final
    assert len(await log.readings(whole.digest)) == 1
    with pytest.raises(BadInput, match="was read before"):
        await improved(whole, tmp_path, "main", None, seed=1)
    assert "was asked" in found.notes[-1]


async def test_a_second_recorded_judge_that_is_right_decides(tmp_path):
    whole = await recorded(FaultyJudge(errs=0.3))
    found, _ = await improved(whole, tmp_path, "main", "right", second_share=1.0)
    (kept,) = (one for one in found.candidates if one.kept)
    assert (kept.rung, found.outcome) == ("cascade", "improved")
    assert found.final.after > found.final.before
    with pytest.raises(BadInput, match="has no judge 'nobody'"):
        await improved(whole, tmp_path, "nobody", None)
    with pytest.raises(BadInput, match="is 'main' itself"):
        await improved(whole, tmp_path, "main", "main")
