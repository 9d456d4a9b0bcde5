"""The ladder finds known faults of simulated judges on their rung, and claims nothing about a judge without faults."""

import zlib
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.ladder import CLEAR, EXAMPLES, FAULTS, RUBRIC, FaultyJudge, climbed, people
from judge_server.agreement.marginal import sign_flip
from judge_server.calibration.improvement import AS_IT_IS, Limits
from judge_server.calibration.ladder import Ladder, LadderOptions
from judge_server.calibration.meter import LimitReached, Meter
from judge_server.calibration.paired_agreement import mapped, paired_test
from judge_server.calibration.parts import divided, ratings
from judge_server.calibration.wording import draft
from judge_server.core.errors import BadInput
from judge_server.core.judgment import Usage
from judge_server.labels.table_builder import table_of
from judge_server.report.improvement_pages import html, markdown

MISREAD = FaultyJudge(misreads=0.4)


class Writer:
    """Proposes for c0 what a test says."""

    name = "writer"

    def __init__(self, *proposals):
        self.proposals, self.seen = proposals, []

    async def propose(self, leaf, cases, tries, trial):
        self.seen.append((leaf.id, cases))
        return self.proposals if leaf.id == "c0" else ()


class Recorded:
    """A judge that remembers what it was asked."""

    def __init__(self, judge, meter=None):
        self.judge, self.meter, self.asked = judge, meter, []

    async def __call__(self, rubric, labels, setup):
        if self.meter is not None:
            if self.meter.reached() is not None:
                self.meter.require()
            self.meter.add(Usage(prompt_tokens=100, calls=ratings(labels)), ratings(labels))
        self.asked.append((rubric, {*labels.items}, setup))
        return await self.judge(rubric, labels, setup)


async def climb(judge, writer=None, *, labels=None, limits=None, clock=None, **options):
    whole = labels or people(200, 1)
    reads = []

    async def read_test():
        reads.append(1)
        places = np.array([whole.splits[name] == "test" for name in whole.table.clusters.names])
        return replace(whole, table=whole.table.select(places[whole.table.clusters.codes]))

    meter = Meter(limits or Limits(), **({"clock": clock} if clock else {}))
    asked = Recorded(judge, meter)
    ladder = Ladder(whole.split("dev"), RUBRIC, asked, LadderOptions("main", **options), writer, read_test, meter)
    return await ladder.climb(), reads, asked, ladder


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_is_found_on_its_rung_and_nothing_is_claimed_without_one(fault):
    judge, rung = FAULTS[fault]
    found = await climbed(replace(judge, seed=7), people(240, 7), 7)
    kept = {one.rung for one in found.candidates if one.kept}
    if rung in {None, "turned"}:
        assert found.outcome != "improved"
        assert [one.criterion for one in found.turned] == (["c0"] if rung else [])
    else:
        assert (found.outcome, kept) == ("improved", {rung})
        assert found.final.p < 0.05
        assert not found.turned


class SaysYes:
    """Says yes to everything, with a chance that hardly depends on the item; people say yes to three items of ten."""

    def __init__(self, whole):
        met = [row.item for row in whole.table if row.criterion == "c0"]
        self.met = {item for number, item in enumerate(sorted(met)) if number % 10 < 3}

    def labels(self, whole):
        rows = [row.model_copy(update={"label": "yes" if row.item in self.met else "no"}) for row in whole.table]
        return replace(whole, table=table_of(rows))

    async def __call__(self, rubric, labels, setup):
        rows = [row for row in labels.table if row.role == "human"]
        said = [
            row.model_copy(
                update={
                    "annotator": "main",
                    "role": "judge",
                    "label": "yes",
                    "probability": 0.8 + 0.01 * (row.item in self.met) + 0.001 * (zlib.crc32(row.item.encode()) % 100),
                }
            )
            for row in rows
        ]
        return replace(labels, table=table_of([*rows, *said]))


async def test_a_map_that_says_the_commoner_label_of_everything_is_not_kept():
    whole = people(200, 2)
    judge = SaysYes(whole)
    found, reads, _, _ = await climb(judge, labels=judge.labels(whole))
    maps = [one for one in found.candidates if one.rung == "map"]
    assert maps
    assert all(one.test.after > one.test.before and one.test.alike for one in maps)
    assert (found.outcome, reads) == ("nothing better was found", [])


async def test_a_wording_that_says_nearly_always_the_commoner_label_is_not_kept():
    """It agrees more often by far, because nine of ten items do not meet a criterion."""
    judge = FaultyJudge(errs=0.35, lazy=True, seed=4)
    found, reads, _, _ = await climb(judge, Writer({"statement": "Says it."}), labels=people(400, 4, met=0.1))
    (lazy,) = [one for one in found.candidates if one.rung == "wording"]
    assert lazy.seen.p < 0.05
    assert lazy.seen.after > lazy.seen.before
    assert (lazy.seen.better, lazy.seen.alike, lazy.test) == (False, (), None)
    assert (found.outcome, reads) == ("nothing better was found", [])


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_claimed_about_a_judge_whose_errors_no_change_mends(seed):
    found = await climbed(FaultyJudge(errs=0.15, seed=seed), people(80, seed), seed)
    assert found.outcome != "improved"


async def test_a_misread_criterion_is_mended_by_its_wording_and_confirmed_once():
    found, reads, _, ladder = await climb(MISREAD, Writer({"statement": CLEAR}, {"statement": "Says it well."}))
    assert (found.outcome, len(reads)) == ("improved", 1)
    wordings = [one for one in found.candidates if one.rung == "wording"]
    assert [(one.criterion, one.kept) for one in wordings] == [("c0", True), ("c0", False)]
    assert wordings[0].diff == (f'reworded c0 statement: "{CLEAR}" instead of "Says thing c0."',)
    assert ladder.reached.version == found.version == "1.0.0-draft.1"
    assert [leaf.statement for leaf in ladder.reached.leaves] == [CLEAR, "Says thing c1."]


async def test_a_shifted_threshold_is_found_by_the_map_and_no_wording_is_needed():
    found, reads, _, _ = await climb(FaultyJudge(errs=0.02, shift=0.3), Writer({"statement": "Says it otherwise."}))
    kept = {(one.rung, one.criterion) for one in found.candidates if one.kept}
    assert kept == {("map", "c0"), ("map", "c1")}
    assert (found.outcome, set(found.maps), found.version, len(reads)) == ("improved", {"c0", "c1"}, None, 1)


async def test_examples_that_help_become_the_judges_setup_and_end_the_maps():
    found, *_ = await climb(FaultyJudge(baited=True), examples=EXAMPLES)
    assert (found.outcome, found.setup.examples, found.setup.band, found.maps) == ("improved", EXAMPLES[0], None, ())


async def test_the_band_is_chosen_on_revise_and_bounds_what_the_second_judge_is_asked():
    found, _, asked, _ = await climb(FaultyJudge(unsure=0.4), second="strong", second_share=0.5)
    low, high = found.setup.band
    assert found.outcome == "improved"
    assert 0.3 <= low <= 0.45
    assert 0.55 <= high <= 0.75
    whole = people(200, 1)
    revise, _ = divided(whole.split("dev"), 0)
    (alone,) = [items for _, items, setup in asked.asked if setup.second]
    assert alone == {*revise.items}
    none, *_ = await climb(FaultyJudge(unsure=0.4), second="strong", second_share=0.01)
    assert none.outcome == "nothing better was found"


async def test_a_turned_scale_is_told_first_and_no_wording_is_asked_for_it():
    writer = Writer({"statement": CLEAR})
    found, reads, _, _ = await climb(FaultyJudge(turned=True), writer)
    assert [name for name, _ in writer.seen] == ["c1"]
    assert (found.outcome, reads) == ("nothing better was found", [])
    assert "may be turned round" in str(found.turned[0])
    assert "Scales that may be turned round" in markdown(found)


async def test_a_proposer_that_copies_the_cases_keywords_wins_on_revise_and_is_refused_on_select():
    class Copier(Writer):
        async def propose(self, leaf, cases, tries, trial):
            missed = [one for one in cases if one.judge.label == "no"]
            words = [word for one in missed for word in one.response.split() if word.startswith("word")]
            return [{"statement": f"Says it or mentions {' , '.join(words)} ."}] if leaf.id == "c0" else []

    judge = FaultyJudge(errs=0.0, misreads=0.4, obeys=True)
    found, reads, _, _ = await climb(judge, Copier(), labels=people(300, 3))
    (copied,) = [one for one in found.candidates if one.rung == "wording"]
    assert copied.seen.fixed >= 3
    assert copied.seen.broken == 0
    assert copied.test is not None
    assert not copied.kept
    assert (found.outcome, reads) == ("nothing better was found", [])


async def test_only_the_revise_part_reaches_the_proposer_and_no_prompt_is_in_two_parts():
    whole = people(240, 1, each=2)
    writer = Writer({"statement": CLEAR})
    found, _, asked, _ = await climb(MISREAD, writer, labels=whole)
    revise, select = divided(whole.split("dev"), 0)
    clusters = [{label.cluster for label in part.table} for part in (revise, select)]
    assert not clusters[0] & clusters[1]
    assert clusters[0] | clusters[1] == {name for name, split in whole.splits.items() if split == "dev"}
    assert {case.item for _, cases in writer.seen for case in cases} <= {*revise.items}
    before_test = asked.asked[:-2]
    locked = {label.item for label in whole.table if whole.splits[label.cluster] == "test"}
    assert all(not items & locked for _, items, _ in before_test)
    assert found.questions == 3 * (ratings(revise) + ratings(select)) // 2


async def test_what_does_not_help_where_it_was_made_is_not_tried_on_select():
    harmful = "Mentions " + " ".join(f"word{number}" for number in range(100))
    found, _, asked, _ = await climb(FaultyJudge(obeys=True), Writer({"statement": harmful}))
    (tried,) = [one for one in found.candidates if one.rung == "wording"]
    assert tried.test is None
    assert not tried.seen.better
    assert len(asked.asked) == 3
    assert "no better where it was made" in markdown(found)


async def test_the_budget_ends_before_a_candidate_and_says_so():
    whole = people(200, 1)
    start = sum(ratings(part) for part in divided(whole.split("dev"), 0))
    few = Limits(questions=start)
    found, *_ = await climb(MISREAD, Writer({"statement": CLEAR}), labels=whole, limits=few)
    assert (found.outcome, found.questions) == ("nothing better was found", start)
    assert any("was not measured: the budget is spent" in note for note in found.notes)
    with pytest.raises(BadInput, match="budget does not reach"):
        await climb(MISREAD, labels=whole, limits=Limits(questions=start - 1))


@pytest.mark.parametrize(("limit", "enough"), [("calls", 800), ("tokens", 700)])
async def test_other_limits_keep_a_reserve_for_the_test_split(limit, enough):
    whole = people(200, 1)
    dev = ratings(whole.split("dev"))
    locked = ratings(whole) - dev
    writer, given = Writer({"statement": CLEAR}), {"labels": whole, "locked": locked}
    unit = 1 if limit == "calls" else 100 / (dev / 2)
    fits = Limits(**{limit: enough + 1_000})
    found, *_ = await climb(MISREAD, writer, limits=fits, **given)
    assert found.outcome == "improved"
    short = Limits(**{limit: int((dev + 2 * locked) * unit)})  # the wording and the test split together do not fit
    found, reads, *_ = await climb(MISREAD, writer, limits=short, **given)
    assert (found.outcome, reads) == ("nothing better was found", [])
    assert any(limit in note for note in found.notes)


async def test_a_time_that_is_over_ends_the_search():
    times = iter(range(0, 10_000, 60))
    with pytest.raises(BadInput, match="60 seconds does not reach"):
        await climb(MISREAD, limits=Limits(seconds=60), clock=lambda: next(times))


def test_a_meter_adds_up_over_runs_and_skips_a_line_that_was_cut(tmp_path):
    path = tmp_path / "spent.jsonl"
    for _ in range(2):
        Meter(Limits(), path, clock=lambda: 0.0).add(Usage(prompt_tokens=10, completion_tokens=2, calls=1), 3)
        with path.open("a") as file:
            file.write('\n{"calls": 5')
    meter = Meter(Limits(calls=3), path)
    assert (meter.spent.calls, meter.spent.tokens, meter.spent.ratings) == (2, 24, 6)
    assert meter.reached() is None
    assert meter.reached(6) == "3 calls"
    meter.add(Usage(calls=1))
    with pytest.raises(LimitReached, match="3 calls"):
        meter.require()


async def test_too_few_prompts_show_nothing():
    with pytest.raises(BadInput, match="too few to divide"):
        await climb(MISREAD, labels=people(20, 1))


@pytest.mark.parametrize(
    ("proposal", "reason"),
    [
        ({"statement": "Says it.", "points": 5}, "changes 'points'"),
        ({"statement": "Says it.", "id": "c9"}, "changes 'id'"),
        ({"statement": "Says it.", "kind": "scale"}, "changes 'kind'"),
        ({"statement": "Says it.", "options": [{"label": "a", "value": 0}]}, "changes 'options'"),
        ({"statement": 3}, "is no text"),
        ({"statement": "x"}, "is no criterion"),
        ({"statement": "Says thing c0."}, "changes nothing"),
        ({"statement": "Says that pills are taken twice every single day by it."}, None),
        ({"statement": "Names the blue pills taken twice every single day with food."}, "copies 7 words"),
    ],
)
def test_a_proposal_changes_the_wording_alone_and_copies_nothing(proposal, reason):
    texts = ["Take the blue pills taken twice every single day with food."]
    made = draft(RUBRIC, RUBRIC.leaves[0], proposal, texts, 1)
    assert (made.rubric is None) == (reason is not None)
    assert reason is None or reason in made.refused


async def test_a_refused_proposal_is_reported_and_never_measured():
    found, _, asked, _ = await climb(MISREAD, Writer({"statement": "Says it.", "points": 5}))
    (refused,) = (one for one in found.candidates if one.rung == "wording")
    assert "changes 'points'" in refused.refused
    assert len(asked.asked) == 2


async def test_a_wording_that_repeats_another_is_measured_once():
    found, _, asked, _ = await climb(MISREAD, Writer({"statement": "Says it."}, {"statement": "Says it."}))
    first, second = (one for one in found.candidates if one.rung == "wording")
    assert (first.refused, second.refused) == (None, "it repeats an earlier proposal")
    assert len({rubric.digest for rubric, *_ in asked.asked}) == 2


async def test_the_figures_are_those_of_the_rows():
    whole = people(240, 1, each=2)
    old, new = await MISREAD(RUBRIC, whole, AS_IT_IS), await FaultyJudge()(RUBRIC, whole, AS_IT_IS)
    found = paired_test(old, new, "main")
    truth = {(row.item, row.criterion): row.label for row in whole.table}
    judged = [[row for row in labels.table if row.role == "judge"] for labels in (old, new)]
    right = [{(r.item, r.criterion): r.label == truth[r.item, r.criterion] for r in rows} for rows in judged]
    keys = sorted(truth)
    before, after = (np.array([own[key] for key in keys], dtype=np.int64) for own in right)
    cluster = np.array([int(item[1:].split("-")[0]) // 2 for item, _ in keys])
    assert (found.before, found.after, found.ratings) == (before.sum(), after.sum(), len(keys))
    assert (found.fixed, found.broken) == ((after > before).sum(), (before > after).sum())
    assert found.p == pytest.approx(sign_flip(after, before, cluster).p)
    said = [truth[key] + key[1] for key in keys]  # every label of both criteria counts alike
    shares = [[own[[one == label for one in said]].mean() for label in sorted(set(said))] for own in (before, after)]
    assert [found.balanced.before, found.balanced.after] == pytest.approx([np.mean(own) for own in shares])
    assert found.claim == pytest.approx(max(found.p, found.balanced.p))
    assert mapped(old, "main", {}).table.labels.codes.tolist() == old.table.labels.codes.tolist()


async def test_the_report_says_what_did_not_help_and_escapes_texts():
    found, *_ = await climb(MISREAD, Writer({"statement": CLEAR}, {"statement": "<b>Says</b> | it."}))
    for document in (markdown(found), html(found)):
        assert "What did not help" in document
        assert "read once" in document
        assert "<b>" not in document
    assert "agrees better with wording 1 of c0" in markdown(found)


async def test_the_figures_beside_the_tests_are_recomputed_by_hand():
    """What the parts can show, the p-values adjusted by Holm, and κ of a turned scale with its formula."""
    found, *_ = await climb(
        MISREAD, Writer({"statement": CLEAR}, {"statement": "Says it well."}, {"statement": "Is so."})
    )
    for part in found.parts:
        effect = 1 + 0.3 * (part.ratings / part.prompts - 1)  # ratings of a prompt are correlated by .3
        assert part.half_width == pytest.approx(1.96 * (0.85 * 0.15 * effect / part.ratings) ** 0.5, abs=6e-4)
        assert 2 * 0.5**part.fewest < 0.05 <= 2 * 0.5 ** (part.fewest - 1)
    rungs = {}
    for one in found.candidates:
        if one.test is not None and one.test.p is not None:
            rungs.setdefault(one.rung, []).append((one.test.claim, one.adjusted_p))
    assert rungs
    for tried in rungs.values():
        reached = 0.0
        for place, (p, adjusted) in enumerate(sorted(tried)):
            reached = max(reached, min(1.0, p * (len(tried) - place)))
            assert adjusted == pytest.approx(reached)


async def test_kappa_of_a_turned_scale_by_its_formula():
    whole = people(200, 1)
    judge = FaultyJudge(turned=True, seed=1)
    found, *_ = await climb(judge, labels=whole)
    (turned,) = found.turned
    revise, _ = divided(whole.split("dev"), 0)
    judged = await judge(RUBRIC, revise, AS_IT_IS)
    said = {(row.item, row.role): row.label for row in judged.table if row.criterion == "c0"}
    pairs = [(said[item, "human"] == "yes", said[item, "judge"] == "yes") for item in revise.items]
    share = [sum(one[side] for one in pairs) / len(pairs) for side in (0, 1)]
    chance = share[0] * share[1] + (1 - share[0]) * (1 - share[1])
    agreed = sum(one == other for one, other in pairs) / len(pairs)
    assert turned.value == pytest.approx((agreed - chance) / (1 - chance))
