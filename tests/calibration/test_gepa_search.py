"""GEPA directs the proposer on the revise part: what it keeps is tried like any proposal, and refusals are the same."""

import asyncio
import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.ladder import CLEAR, RUBRIC, FaultyJudge, people
from judge_server.calibration.gepa_search import BATCH, CHANGES_EACH, GepaSearch, require_search
from judge_server.calibration.improvement import AS_IT_IS, Limits
from judge_server.calibration.kept_proposals import KeptProposals, ProposalFile
from judge_server.calibration.ladder import Ladder, LadderOptions
from judge_server.calibration.meter import Meter
from judge_server.calibration.parts import divided, only_criterion, ratings
from judge_server.calibration.trial import Trial, scored
from judge_server.core.errors import BadInput, ModelUnavailable
from judge_server.labels.table_builder import table_of

WHOLE = people(120, 1)
MISREAD = FaultyJudge(misreads=0.4, errs=0.0)
OTHER = "Says thing c0 somehow, number {}."


class Writer:
    """Writes other wordings of c0 until it was asked so often, then the clear one."""

    name = "writer"

    def __init__(self, clear_at=3, proposal=None, before=0):
        self.clear_at, self.proposal, self.before, self.seen = clear_at, proposal, before, []

    async def propose(self, leaf, cases, tries, trial):
        assert tries == 1
        self.seen.append((leaf, cases))
        if leaf.id != "c0":
            return []
        if self.proposal is not None:
            return [self.proposal]
        number = self.before + len(self.seen)
        return [{"statement": CLEAR if number >= self.clear_at else OTHER.format(number)}]


class Judge:
    def __init__(self, judge=MISREAD):
        self.judge, self.asked = judge, []

    async def __call__(self, rubric, labels, setup):
        self.asked.append((rubric.leaves[0].statement, {*labels.items}))
        return await self.judge(rubric, labels, setup)


async def climb(writer, judge=None, **limits):
    async def test():
        places = np.array([WHOLE.splits[name] == "test" for name in WHOLE.table.clusters.names])
        return replace(WHOLE, table=WHOLE.table.select(places[WHOLE.table.clusters.codes]))

    asked = judge or Judge()
    options = LadderOptions("main", tries=3)
    ladder = Ladder(WHOLE.split("dev"), RUBRIC, asked, options, GepaSearch(writer), test, Meter(Limits(**limits)))
    return await ladder.climb(), asked


async def test_a_wording_that_gepa_finds_climbs_the_ladder_and_only_the_revise_part_was_shown_and_tried():
    writer = Writer()
    found, asked = await climb(writer)
    revise, select = divided(WHOLE.split("dev"), 0)
    assert found.outcome == "improved"
    assert found.proposer == "writer, searched by GEPA"
    kept = [one for one in found.candidates if one.kept]
    assert [one.diff for one in kept] == [(f'reworded c0 statement: "{CLEAR}" instead of "Says thing c0."',)]
    assert {case.item for _, cases in writer.seen for case in cases} <= {*revise.items}
    assert all(len(cases) <= BATCH for _, cases in writer.seen)
    tried = [items for statement, items in asked.asked if statement != "Says thing c0." and not items & {*select.items}]
    assert min(map(len, tried)) <= BATCH  # a change is tried on a few items first
    assert not any(items & locked() for _, items in asked.asked[:-2])


async def test_it_asks_for_so_many_changes_at_most_and_measures_no_item_of_a_wording_twice_on_the_way():
    writer, asked = Writer(clear_at=1_000), Judge()
    found, _ = await climb(writer, asked)
    assert found.outcome == "nothing better was found"
    assert len([leaf for leaf, _ in writer.seen if leaf.id == "c0"]) <= 3 * CHANGES_EACH
    worded = {}
    for statement, items in asked.asked:
        if statement.startswith("Says thing c0 somehow") and len(items) <= BATCH:
            assert not worded.setdefault(statement, set()) & items
            worded[statement] |= items
    assert len(worded) > 3


@pytest.mark.parametrize(
    ("proposal", "reason"),
    [
        ({"statement": CLEAR, "points": 5}, "changes 'points'"),
        ({"statement": CLEAR, "options": [{"label": "a", "value": 0}]}, "changes 'options'"),
        ({"statement": "Is about pills taken twice every single day, or so."}, "copies 7 words"),
    ],
)
async def test_what_the_ladder_refuses_is_refused_before_gepa_measures_it(proposal, reason):
    asked = Judge()
    found, _ = await climb(Writer(proposal=proposal), asked)
    refused = [one for one in found.candidates if one.rung == "wording"]
    assert refused
    assert all(reason in one.refused for one in refused)
    assert {statement for statement, _ in asked.asked} == {"Says thing c0."}


async def test_a_budget_ends_the_search_and_what_was_found_before_stands():
    revise, select = divided(WHOLE.split("dev"), 0)
    found, _ = await climb(Writer(), questions=ratings(revise) + ratings(select) + 20)
    assert found.outcome == "nothing better was found"
    assert any("ended the search" in note for note in found.notes)


async def test_a_model_that_is_away_is_an_error_and_not_an_empty_search():
    class Away(Writer):
        async def propose(self, leaf, cases, tries, trial):
            raise ModelUnavailable("gone", remedy="Start it.")

    with pytest.raises(ModelUnavailable):
        await climb(Away())


async def test_a_search_that_is_cancelled_asks_nothing_more():
    begun, never = asyncio.Event(), asyncio.Event()

    class Waits(Writer):
        async def propose(self, leaf, cases, tries, trial):
            self.seen.append(leaf)
            begun.set()
            await never.wait()
            return []

    writer = Waits()
    work = asyncio.ensure_future(climb(writer))
    await begun.wait()
    work.cancel()
    never.set()
    with pytest.raises(asyncio.CancelledError):
        await work
    await asyncio.sleep(0)
    assert len(writer.seen) == 1


async def test_what_gepa_asked_for_is_kept_so_that_a_search_goes_on_where_it_was_killed(tmp_path):
    revise, _ = divided(WHOLE.split("dev"), 0)
    seen = only_criterion(await MISREAD(RUBRIC, revise, AS_IT_IS), "c0")

    async def judged(leaf, items):
        data = RUBRIC.model_dump(mode="json", exclude_defaults=True)
        data["criteria"][0]["statement"] = leaf.statement
        return await MISREAD(type(RUBRIC).model_validate(data), seen, AS_IT_IS)

    trial = Trial("main", seen, judged, lambda _: None)
    log = ProposalFile(tmp_path / "proposals.jsonl")
    whole, half = Writer(clear_at=6), Writer(clear_at=6)
    complete = await GepaSearch(whole).propose(RUBRIC.leaves[0], (), 3, trial)
    kept = await GepaSearch(KeptProposals(half, log)).propose(RUBRIC.leaves[0], (), 3, trial)
    assert kept == complete
    lines = [line for line in log._path.read_text().splitlines() if line]
    log._path.write_text("\n".join(lines[:4]))  # a kill came after the fourth
    rest = Writer(clear_at=6, before=4)
    again = await GepaSearch(KeptProposals(rest, log)).propose(RUBRIC.leaves[0], (), 3, trial)
    assert len(rest.seen) == len(whole.seen) - 4
    assert again == complete
    assert CLEAR in json.dumps(again)


def test_an_items_score_is_the_share_of_people_who_agree_and_silence_scores_nothing():
    row = next(iter(WHOLE.table))
    said_by = {"a": "yes", "b": "yes", "c": "no"}
    raters = [row.model_copy(update={"annotator": name, "label": said}) for name, said in said_by.items()]
    labels = only_criterion(WHOLE, row.criterion)
    for said, score in (("yes", 2 / 3), ("no", 1 / 3), (None, 0.0)):
        judge = row.model_copy(update={"annotator": "main", "role": "judge", "label": said})
        found = scored(replace(labels, table=table_of([*raters, judge])), "main")
        assert found[row.item].score == pytest.approx(score)
        assert (found[row.item].case is None) == (said is None)


def test_gepa_directs_somebody():
    with pytest.raises(BadInput, match="GEPA directs a proposer"):
        require_search("gepa", None)
    require_search("gepa", "strong")
    require_search("once", None)


def locked():
    return {row.item for row in WHOLE.table if WHOLE.splits[row.cluster] == "test"}
