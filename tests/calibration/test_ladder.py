"""The ladder finds known faults of simulated judges on their rung, and claims nothing about a judge without faults."""

from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest

from judge_server.agreement.marginal import sign_flip
from judge_server.calibration.ladder import Ladder, LadderOptions, mapped, paired_test
from judge_server.calibration.parts import divided, ratings
from judge_server.calibration.wording import draft
from judge_server.core.errors import BadInput
from judge_server.labels.label import CriterionScale, Item, Label
from judge_server.labels.splits import split_by_prompt
from judge_server.labels.table_builder import table_of
from judge_server.report.improvement_pages import html, markdown
from tests.calibration.measured import NO, YES, label_set, rubric

PROMPTS = 120
CLEAR = "Says thing c0 in so many words."
RUBRIC = rubric("c0", "c1")


def people(prompts=PROMPTS, seed=0, share=0.3):
    """Two items to a prompt; the item's truth on each criterion is in its name."""
    random = np.random.default_rng(seed)
    labels, items = [], {}
    for number in range(2 * prompts):
        truth = {name: int(random.random() < 0.5) for name in ("c0", "c1")}
        item = f"i{number}-{truth['c0']}{truth['c1']}"
        prompt = f"Question {number // 2}: does it hurt?"
        items[item] = Item(
            id=item, prompt=prompt, response=f"Answer {number} about pills taken twice every single day."
        )
        for name, met in truth.items():
            said = YES if met else NO
            common = {"item": item, "criterion": name, "cluster": f"p{number // 2}"}
            labels.append(Label(annotator="ann", role="human", label=said, **common))
    scales = [CriterionScale(criterion=name, kind="binary", classes=(NO, YES), positive=YES) for name in ("c0", "c1")]
    return split_by_prompt(label_set(labels, *scales, items=items), test_share=share, seed=seed)


class SimulatedJudge:
    """Answers by the truth in the item's name, and errs by ``wrong`` (statement, criterion) → share of items; its
    probability is about .75 for what it says, moved by ``shift``. Equal questions get equal answers."""

    def __init__(self, wrong, shift=0.0, seed=0):
        self.wrong, self.shift, self.seed, self.asked = wrong, shift, seed, []

    def _share(self, *key):
        return crc32("|".join(map(str, (self.seed, *key))).encode()) / 2**32

    async def __call__(self, asked, labels):
        self.asked.append((asked, {*labels.items}))
        rows = [label for label in labels.table if label.role == "human"]
        statements = {leaf.id: leaf.statement for leaf in asked.leaves}
        judged = []
        for label in rows:
            met = int(label.item[-2:][int(label.criterion[-1])])
            errs = self._share(label.item, label.criterion) < self.wrong(statements[label.criterion], label.criterion)
            noise = 0.15 * self._share("noise", label.item, label.criterion)
            chance = float(np.clip((0.75 - noise if met != errs else 0.25 + noise) + self.shift, 0.01, 0.99))
            judged.append(
                label.model_copy(
                    update={
                        "annotator": "main",
                        "role": "judge",
                        "label": YES if chance >= 0.5 else NO,
                        "probability": chance,
                    }
                )
            )
        return replace(labels, table=table_of([*rows, *judged]))


class Writer:
    """Proposes what a test says."""

    name = "writer"

    def __init__(self, *proposals):
        self.proposals, self.seen = proposals, []

    async def propose(self, leaf, cases, tries):
        self.seen.append((leaf.id, cases))
        return self.proposals if leaf.id == "c0" else ()


async def climb(judge, *proposals, labels=None, **options):
    whole = labels or people()
    reads = []

    async def read_test():
        reads.append(1)
        places = np.array([whole.splits[name] == "test" for name in whole.table.clusters.names])
        table = whole.table.select(places[whole.table.clusters.codes])
        return replace(whole, table=table)

    writer = Writer(*proposals)
    ladder = Ladder(whole.split("dev"), RUBRIC, judge, LadderOptions("main", **options), writer, read_test)
    found = await ladder.climb()
    return found, reads, writer, ladder


def misread(statement, criterion):
    """c0 is misread unless it is worded clearly."""
    return 0.35 if criterion == "c0" and statement != CLEAR else 0.05


async def test_a_misread_criterion_is_mended_by_its_wording_and_confirmed_once():
    found, reads, _, ladder = await climb(SimulatedJudge(misread), {"statement": CLEAR}, {"statement": "Says it well."})
    assert (found.outcome, len(reads)) == ("improved", 1)
    wordings = [one for one in found.candidates if one.rung == "wording"]
    assert [(one.criterion, one.kept) for one in wordings] == [("c0", True), ("c0", False)]
    assert wordings[0].diff == (f'reworded c0 statement: "{CLEAR}" instead of "Says thing c0."',)
    assert ladder.reached.version == found.version == "1.0.0-draft.1"
    assert [leaf.statement for leaf in ladder.reached.leaves] == [CLEAR, "Says thing c1."]
    assert found.final.p < 0.05
    assert found.final.before < found.final.after <= found.final.ratings


async def test_a_shifted_threshold_is_found_by_the_map_and_no_wording_is_needed():
    found, reads, _, _ = await climb(SimulatedJudge(lambda *_: 0.02, shift=0.3), {"statement": "Says it otherwise."})
    kept = {(one.rung, one.criterion) for one in found.candidates if one.kept}
    assert kept == {("map", "c0"), ("map", "c1")}
    assert (found.outcome, set(found.maps), found.version, len(reads)) == ("improved", {"c0", "c1"}, None, 1)


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_is_claimed_about_a_judge_whose_errors_no_change_mends(seed):
    judge = SimulatedJudge(lambda *_: 0.15, seed=seed)
    found, reads, _, ladder = await climb(judge, {"statement": "Says it otherwise."}, labels=people(seed=seed))
    assert (found.outcome, reads, found.final) == ("nothing better was found", [], None)
    assert ladder.reached is RUBRIC
    assert "stays unread" in found.text


async def test_a_wording_that_only_helps_where_it_was_written_is_not_kept():
    """Keyword bait: it mends the cases that the proposer saw, and harms as many others."""
    whole = people()
    revise, _ = divided(whole.split("dev"), 0)

    class Baited(SimulatedJudge):
        async def __call__(self, asked, labels):
            bait = any(leaf.statement == "Names pills." for leaf in asked.leaves)
            self.wrong = lambda _, name: 0.3 if name == "c0" else 0.05
            if bait and {*labels.items} <= {*revise.items}:
                self.wrong = lambda *_: 0.0
            return await super().__call__(asked, labels)

    found, reads, _, _ = await climb(Baited(None), {"statement": "Names pills."}, labels=whole)
    assert (found.outcome, reads) == ("nothing better was found", [])


async def test_only_the_revise_part_reaches_the_proposer_and_no_prompt_is_in_two_parts():
    whole = people()
    judge = SimulatedJudge(misread)
    found, _, writer, _ = await climb(judge, {"statement": CLEAR}, labels=whole)
    revise, select = divided(whole.split("dev"), 0)
    clusters = [{label.cluster for label in part.table} for part in (revise, select)]
    assert not clusters[0] & clusters[1]
    assert clusters[0] | clusters[1] == {name for name, split in whole.splits.items() if split == "dev"}
    shown = {case.item for _, cases in writer.seen for case in cases}
    assert shown <= {*revise.items}
    assert found.questions == sum(ratings(part) for part in (revise, select)) + ratings(select) // 2


async def test_the_budget_ends_before_a_candidate_and_says_so():
    whole = people()
    start = sum(ratings(part) for part in divided(whole.split("dev"), 0))
    found, *_ = await climb(SimulatedJudge(misread), {"statement": CLEAR}, labels=whole, questions=start)
    assert (found.outcome, found.questions) == ("nothing better was found", start)
    assert any("was not measured: the budget is spent" in note for note in found.notes)
    with pytest.raises(BadInput, match="budget does not reach"):
        await climb(SimulatedJudge(misread), labels=whole, questions=start - 1)


async def test_too_few_prompts_show_nothing():
    with pytest.raises(BadInput, match="too few to divide"):
        await climb(SimulatedJudge(misread), labels=people(prompts=20))


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
    judge = SimulatedJudge(misread)
    found, *_ = await climb(judge, {"statement": "Says it.", "points": 5})
    (refused,) = (one for one in found.candidates if one.rung == "wording")
    assert "changes 'points'" in refused.refused
    assert len(judge.asked) == 2


async def test_the_figures_are_those_of_the_rows():
    whole = people()
    judge = SimulatedJudge(misread)
    old, new = await judge(RUBRIC, whole), await SimulatedJudge(lambda *_: 0.05)(RUBRIC, whole)
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
    assert mapped(old, "main", {}).table.labels.codes.tolist() == old.table.labels.codes.tolist()


async def test_the_report_says_what_did_not_help_and_escapes_texts():
    found, *_ = await climb(SimulatedJudge(misread), {"statement": CLEAR}, {"statement": "<b>Says</b> | it."})
    for document in (markdown(found), html(found)):
        assert "What did not help" in document
        assert "read once" in document
        assert "<b>" not in document
    assert "agrees better with wording 1 of c0" in markdown(found)
