"""An attempt to improve a judge in its folder: what it writes, what it asks, and that it never shows a locked text."""

import json
import re
import tomllib
from dataclasses import replace

import pytest

from benchmarks.simulation.ladder import RUBRIC, people
from judge_server.calibration.improve_run import Attempt, ImproveRun
from judge_server.calibration.kept_proposals import KeptProposals, ProposalFile
from judge_server.calibration.labelled_responses import labelled_responses, pool_of
from judge_server.calibration.workspace import ImproveFolder
from judge_server.core.errors import BadInput
from judge_server.core.judge import ExampleRule
from judge_server.labels.readers import read_labels
from judge_server.labels.splits import ReadingFile
from judge_server.labels.writing import write_labels
from tests.scoring.assembly import judge, scorer
from tests.scripted_model import ScriptedModel, labelled

RULE = ExampleRule(source="revise", k=4)


def baited(whole):
    """Right, but c0 is met for it whenever the response is certain, unless it sees examples."""
    met = {(row.item.split("-")[0][1:], row.criterion): row.label == "yes" for row in whole.table}

    def script(request):
        text = request.prompt.turns[-1].text
        name = re.search(r"Criterion: Says thing (c\d)", text)[1]
        response = re.search(r"BEGIN RESPONSE \w+\](.*)\[END RESPONSE", text, re.DOTALL)[1]
        said = met[re.search(r"word(\d+)", response)[1], name]
        if name == "c0" and "certainly" in response and "BEGIN EXAMPLE" not in text:
            said = True
        return labelled(Yes=0.9 if said else 0.1, No=0.1 if said else 0.9)

    return script


def without_bait(whole):
    met, bare = {(row.item, row.criterion): row.label == "yes" for row in whole.table}, baited(whole)

    def script(request):
        text = request.prompt.turns[-1].text
        if "Criterion: Says thing c0" not in text:
            return bare(request)
        number = re.search(r"word(\d+)", text)[1]
        said = next(value for (item, name), value in met.items() if name == "c0" and item.startswith(f"i{number}-"))
        return labelled(Yes=0.9 if said else 0.1, No=0.1 if said else 0.9)

    return script


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    write_labels(people(200, 5), path)
    return path


def improving(labels, model, out, **attempt):
    whole = read_labels(labels)
    own = judge(model)
    return ImproveRun(
        attempt=Attempt(examples=(RULE,), **attempt),
        whole=whole,
        rubric=RUBRIC,
        judge=own,
        place=ImproveFolder(out),
        scorer_of=lambda judges: scorer(registry=judges),
        pages=lambda found: {"improvement.md": found.text},
    )


async def test_examples_come_from_revise_alone_and_the_judge_can_be_configured_as_it_was_measured(labels, tmp_path):
    model = ScriptedModel(baited(read_labels(labels)))
    run = improving(labels, model, tmp_path / "out")
    found = await run.climb(None, ReadingFile(labels))
    assert (found.outcome, found.setup.examples.k) == ("improved", 4)
    written = read_labels(tmp_path / "out" / "examples.csv")
    locked = {item.response for item in locked_items(run.whole)}
    assert len(locked) > 40
    assert not locked & {item.response for item in written.items.values()}
    configured = tomllib.loads((tmp_path / "out" / "judge.toml").read_text())["judges"]["main"]["examples"]
    rule = ExampleRule.model_validate(configured)
    measured = run._built(found.setup).pool
    assert pool_of(labelled_responses(written), rule).digest == measured.digest


async def test_a_locked_text_is_judged_last_and_stands_in_no_example(labels, tmp_path):
    model = ScriptedModel(baited(read_labels(labels)))
    run = improving(labels, model, tmp_path / "out")
    await run.climb(None, ReadingFile(labels))
    locked = {item.response for item in locked_items(run.whole)}
    prompts = [request.prompt.turns[-1].text for request in model.asked]
    first = min(place for place, text in enumerate(prompts) if any(one in text for one in locked))
    assert len(prompts) - first == 2 * 2 * len(locked)  # two criteria, before and after
    for text in prompts:
        _, *examples = text.split("[BEGIN EXAMPLE")
        assert not any(one in example for one in locked for example in examples)


async def test_an_adapter_that_agrees_better_is_kept_and_named_in_the_configuration(labels, tmp_path):
    whole = read_labels(labels)
    run = improving(labels, ScriptedModel(baited(whole)), tmp_path / "out")
    right = ScriptedModel(without_bait(whole), revision="1+tuned")
    run.attempt, run.tuned = replace(run.attempt, examples=()), judge(right, name="main-tuned")
    found = await run.climb(None, ReadingFile(labels))
    (change,) = [one for one in found.candidates if one.rung == "adapter"]
    assert (change.kept, found.outcome, found.setup.tuned, found.tuned) == (True, "improved", True, "main-tuned")
    assert found.final.after == found.final.ratings > found.final.before
    assert 'default_judge = "main-tuned"' in (tmp_path / "out" / "judge.toml").read_text()
    locked = {item.response for item in locked_items(whole)}
    prompts = [request.prompt.turns[-1].text for request in right.asked]
    assert sum(any(one in text for one in locked) for text in prompts) == 2 * len(locked)


async def test_a_second_run_asks_nothing_and_another_one_needs_a_reason(labels, tmp_path):
    model = ScriptedModel(baited(read_labels(labels)))
    out, log = tmp_path / "out", ReadingFile(labels)
    found = await improving(labels, model, out).climb(None, log)
    asked = len(model.asked)
    assert ImproveFolder(out).finished(improving(labels, model, out).key) == found.model_dump_json(indent=2)
    (out / f"{improving(labels, model, out).key}.json").unlink()
    again = await improving(labels, model, out).climb(None, log)
    assert len(model.asked) == asked
    assert again.final == found.final
    assert again.spent.calls == found.spent.calls == asked
    assert len(await log.readings(read_labels(labels).digest)) == 1
    with pytest.raises(BadInput, match="The test split was read before"):
        await improving(labels, model, out, seed=1).climb(None, log)
    await improving(labels, model, out, seed=1, reader="ann", reason="a new seed").climb(None, log)
    assert len(await log.readings(read_labels(labels).digest)) == 2


async def test_a_proposal_that_a_kill_cut_off_is_asked_for_again(tmp_path):
    class Writer:
        name, asked = "writer", 0

        async def propose(self, leaf, cases, tries, trial):
            self.asked += 1
            return [{"statement": f"Wording {self.asked}."}]

    writer, path = Writer(), tmp_path / "proposals.jsonl"
    kept = KeptProposals(writer, ProposalFile(path))
    first = await kept.propose(RUBRIC.leaves[0], (), 3, None)
    path.write_text(path.read_text() + '\n{"key": "cut')
    assert await kept.propose(RUBRIC.leaves[0], (), 3, None) == first
    other = await kept.propose(RUBRIC.leaves[1], (), 3, None)
    assert await kept.propose(RUBRIC.leaves[1], (), 3, None) == other
    assert writer.asked == 2
    assert json.loads(path.read_text().splitlines()[-1])["proposals"] == other


def locked_items(whole):
    names = {row.item for row in whole.table if whole.splits[row.cluster] == "test"}
    return [whole.items[name] for name in names]
