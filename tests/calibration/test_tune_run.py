"""Tuning a judge in its folder: what it learns from, what it never sees, what it goes on from, and what it says."""

import json
import tomllib

import pytest

from benchmarks.simulation.ladder import RUBRIC, people
from judge_server.calibration.improvement import PairedTest
from judge_server.calibration.kept_answers import KeptAnswers
from judge_server.calibration.parts import divided
from judge_server.calibration.tune_run import ROWS, TRAINED, TuneRun
from judge_server.calibration.tuning import AdapterComparison, Trained, TrainingOptions, require_trained_on_revise
from judge_server.core.errors import BadInput, ContextOverflow
from judge_server.core.judge import JudgeSpecification
from tests.scoring.assembly import judge, scorer
from tests.scripted_model import ScriptedModel, labelled

TRAINING = Trained(steps=12, planned_steps=12, stopped=False, loss=0.1, seconds=3.0, versions={"trl": "1.16.0"})
JUDGE = JudgeSpecification(name="main", model="vllm:some/model", engine={"dtype": "float32"})


class SpelledModel(ScriptedModel):
    """Its tokens are the bytes of the text; a question that names ``too_long`` does not fit."""

    too_long = "no such text"

    def taught(self, question, word):
        text = "\n\n".join(turn.text for turn in question.prompt.turns)
        if self.too_long in text:
            raise ContextOverflow("It is too long.")
        return list(text.encode()), ord(word[0])


def answering(whole, wrong):
    """Right but for the criteria in ``wrong``, of which it says that they are met."""
    met = {(row.item.split("-")[0][1:], row.criterion): row.label == "yes" for row in whole.table}

    def script(request):
        text = request.prompt.turns[-1].text
        name = "c0" if "Criterion: Says thing c0" in text else "c1"
        number = text.partition("word")[2].partition(" ")[0]
        said = name in wrong or met[number, name]
        return labelled(Yes=0.9 if said else 0.1, No=0.1 if said else 0.9)

    return SpelledModel(script)


def tuning(whole, out, **more):
    out.mkdir(exist_ok=True)
    return TuneRun(whole=whole, rubric=RUBRIC, judge=JUDGE, options=TrainingOptions(**more), out=out)


def answers(out):
    return KeptAnswers(out, lambda judges: scorer(registry=judges))


async def learnt(task):
    task.with_name(TRAINED).write_text(TRAINING.model_dump_json())


async def whole_run(whole, out, before=("c0",), after=()):
    run = tuning(whole, out)
    first, second = answering(whole, before), answering(whole, after)
    second.revision = "1+main-tuned"
    task = await run.prepare(judge(first), first, answers(out))
    trained = await run.train(task, learnt)
    found = await run.compare(judge(second, name="main-tuned"), answers(out), trained, "judge-server calibrate tune")
    return run, found, first


async def test_no_locked_and_no_select_text_reaches_any_file_that_the_trainer_reads(tmp_path):
    whole = people(120, 5)
    _, _, model = await whole_run(whole, tmp_path / "out")
    revise, select = divided(whole.split("dev"), 0)
    read = (tmp_path / "out" / ROWS).read_text()
    locked = [item for name, item in whole.items.items() if name not in revise.items and name not in select.items]
    assert len(locked) > 25
    assert all(item.response in read for item in revise.items.values())
    spelled = "".join(bytes(json.loads(line)["input_ids"]).decode() for line in read.splitlines())
    for item in [*locked, *select.items.values()]:
        assert item.response not in read
        assert item.response not in spelled
        assert item.id not in read
    shown = "".join(request.prompt.turns[-1].text for request in model.asked)
    assert not any(item.response in shown for item in locked)


async def test_a_row_is_the_question_as_the_judge_is_asked_it_and_people_s_majority_as_the_answer(tmp_path):
    whole = people(120, 5)
    run, found, _ = await whole_run(whole, tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / ROWS).read_text().splitlines()]
    said = {(row.item, row.criterion): row.label for row in run.revise.table}
    assert {(row["item"], row["criterion"]): row["answer"] == "Yes" for row in rows} == {
        place: label == "yes" for place, label in said.items()
    }
    for row in rows:
        *question, answer = row["input_ids"]
        assert bytes(question).decode() == row["prompt"]
        assert chr(answer) == row["answer"][0]
        assert run.revise.items[row["item"]].response in bytes(question).decode()
    assert (found.rows, found.left_out) == (len(rows), 0)


async def test_what_changed_is_counted_by_hand(tmp_path):
    whole = people(120, 5)
    run, found, _ = await whole_run(whole, tmp_path / "out")
    rows = list(run.select.table)
    wrong = sum(row.criterion == "c0" and row.label == "no" for row in rows)
    test = found.held_out.test
    assert (test.ratings, test.before, test.after) == (len(rows), len(rows) - wrong, len(rows))
    assert (test.fixed, test.broken) == (wrong, 0)
    assert test.p == pytest.approx(2 * 0.5**wrong)  # one item a prompt: each of them favours the adapter
    assert found.held_out.outcome == "better"
    assert found.text.startswith("The adapter agrees better with people: on held-out prompts it agrees on ")


async def test_a_worse_adapter_and_one_without_effect_are_called_so(tmp_path):
    whole = people(120, 5)
    _, worse, _ = await whole_run(whole, tmp_path / "worse", before=(), after=("c0", "c1"))
    assert worse.held_out.outcome == "worse"
    assert "agrees less with people" in worse.text
    _, same, _ = await whole_run(whole, tmp_path / "same", before=("c0",), after=("c0",))
    assert same.held_out.outcome == "no difference shown"


def test_an_adapter_that_says_the_commoner_label_of_everything_is_not_called_better():
    """What SmolLM2's adapter did after one step: yes to all became no to all."""
    test = PairedTest(ratings=105, prompts=15, before=33, after=72, fixed=72, broken=33, p=0.0015, alike=("c0",))
    held = AdapterComparison(test=test, ratings=105, silent_before=0, silent_after=0)
    assert held.outcome == "no better judge"
    worse = held.model_copy(update={"test": test.model_copy(update={"fixed": 33, "broken": 72})})
    assert worse.outcome == "worse"


def test_five_prompts_on_one_side_show_nothing():
    test = PairedTest(ratings=50, prompts=50, before=40, after=45, fixed=5, broken=0, p=0.0625)
    assert AdapterComparison(test=test, ratings=50, silent_before=0, silent_after=0).outcome == "no difference shown"


async def test_the_judge_with_the_adapter_is_written_as_it_was_asked(tmp_path):
    run, found, _ = await whole_run(people(120, 5), tmp_path / "out")
    configured = tomllib.loads((tmp_path / "out" / "judge.toml").read_text())["judges"]
    assert JudgeSpecification(name="main-tuned", **configured["main-tuned"]) == found.tuned == run.tuned
    assert found.tuned.engine["loras"] == {"main-tuned": str(tmp_path / "out" / "adapter")}
    assert found.tuned.engine["dtype"] == "float32"


async def test_a_finished_run_is_found_again_and_one_of_other_labels_is_refused(tmp_path):
    whole, out = people(120, 5), tmp_path / "out"
    _, found, _ = await whole_run(whole, out)
    assert tuning(whole, out).finished() == found
    assert tuning(whole, out, epochs=4).finished() is None
    other = people(120, 6)
    model = answering(other, ())
    with pytest.raises(BadInput, match="holds another training"):
        await tuning(other, out).prepare(judge(model), model, answers(out))


async def test_an_interrupted_run_asks_and_trains_nothing_twice(tmp_path):
    whole, out = people(120, 5), tmp_path / "out"
    model, trainings = answering(whole, ("c0",)), []

    async def counted(task):
        trainings.append(task)
        await learnt(task)

    for _ in range(2):
        run = tuning(whole, out)
        await run.train(await run.prepare(judge(model), model, answers(out)), counted)
    assert len(model.asked) == 2 * len(run.select.items)
    assert len(trainings) == 1


async def test_a_training_whose_time_was_over_goes_on_if_there_is_more(tmp_path):
    whole, out = people(120, 5), tmp_path / "out"
    model, trainings = answering(whole, ()), []

    async def stopped(task):
        trainings.append(json.loads(task.read_text())["seconds"])
        cut = TRAINING.model_copy(update={"stopped": True, "seconds": 60.0})
        task.with_name(TRAINED).write_text(cut.model_dump_json())

    for seconds in (60.0, 60.0, 120.0):
        run = tuning(whole, out, seconds=seconds)
        await run.train(await run.prepare(judge(model), model, answers(out)), stopped)
    assert trainings == [60.0, 120.0]


async def test_a_question_that_the_model_cannot_read_is_left_out_and_counted(tmp_path):
    whole, out = people(120, 5), tmp_path / "out"
    run = tuning(whole, out)
    model = answering(whole, ())
    model.too_long = next(iter(run.revise.items.values())).response
    await run.prepare(judge(model), model, answers(out))
    assert run._made.left_out == 2
    assert len(run._made.rows) == 2 * len(run.revise.items) - 2


def test_too_few_prompts_are_refused():
    with pytest.raises(BadInput, match="too few to divide"):
        TuneRun(whole=people(20, 5), rubric=RUBRIC, judge=JUDGE, options=TrainingOptions(), out=None)


async def test_an_adapter_of_other_labels_or_another_seed_may_know_the_prompts_it_would_be_tried_on(tmp_path):
    whole = people(120, 5)
    run, _, _ = await whole_run(whole, tmp_path / "out")
    require_trained_on_revise(run.tuned, whole, 0)
    for labels, seed in ((whole, 1), (people(120, 6), 0)):
        with pytest.raises(BadInput, match="may know the prompts"):
            require_trained_on_revise(run.tuned, labels, seed)
    with pytest.raises(BadInput, match="has no adapter of calibrate tune"):
        require_trained_on_revise(JUDGE, whole, 0)
