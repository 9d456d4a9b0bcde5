"""The training of ``calibrate tune``: TRL's trainer and peft in an environment of their own, on a model that knows
nothing."""

import json
from pathlib import Path

import psutil
import pytest

from judge_server.calibration.adapter_training import IGNORED, last_checkpoint, rows_of
from judge_server.calibration.training_process import require_trainer, trained_apart
from judge_server.calibration.tuning import Trained, TrainingTask
from judge_server.core.errors import BadConfiguration, MissingDependency
from tests.trainers.environment import Environment

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(600)]

TRL = Environment("trl")


def interpreter(folder: Path) -> str:
    """That of TRL's environment, on one thread, as the other trainers' programs run."""
    TRL.install()
    own = folder / "python"
    own.write_text(f'#!/bin/sh\nOMP_NUM_THREADS=1 TRANSFORMERS_VERBOSITY=error exec {TRL.python} "$@"\n')
    own.chmod(0o755)
    return str(own)


def written(checkpoint: Path, out: Path, **more) -> Path:
    """A task: after an even token the answer is 40, after an odd one 41."""
    out.mkdir()
    rows = [{"input_ids": [number, 100 + number % 7, 20 + number % 2, 40 + number % 2]} for number in range(24)]
    (out / "training.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = {"rank": 8, "epochs": 1, "learning_rate": 1e-3, "batch": 4, "checkpoint_steps": 4} | more
    places = {"base": str(checkpoint), "rows": str(out / "training.jsonl"), "out": str(out)}
    task = TrainingTask.model_validate({**options, **places, "adapter": str(out / "adapter")})
    path = out / "task.json"
    path.write_text(task.model_dump_json())
    return path


def trained(task: Path) -> Trained:
    return Trained.model_validate_json(task.with_name("trained.json").read_text())


def log(task: Path) -> list[dict]:
    return [json.loads(line) for line in task.with_name("steps.jsonl").read_text().splitlines() if line]


async def test_an_adapter_is_learnt_stopped_by_its_time_and_continued(tiny_checkpoint, tmp_path):
    python = interpreter(tmp_path)
    await require_trainer(python)
    told = []
    task = written(tiny_checkpoint, tmp_path / "out", seconds=1e-6)
    await trained_apart(python, task, told.append)
    assert (trained(task).steps, trained(task).planned_steps, trained(task).stopped) == (1, 6, True)
    task.write_text(json.dumps(json.loads(task.read_text()) | {"seconds": None}))
    await trained_apart(python, task, told.append)
    found = trained(task)
    assert (found.steps, found.planned_steps, found.stopped) == (6, 6, False)
    assert [one["step"] for one in told] == [one["step"] for one in log(task)] == list(range(1, 7))
    assert told[-1]["loss"] == found.loss < told[0]["loss"]
    assert found.seconds == pytest.approx(sum(one["took"] for one in log(task)), abs=0.1)
    assert set(found.versions) == {"datasets", "peft", "python", "torch", "transformers", "trl"}
    adapter = tmp_path / "out" / "adapter"
    assert json.loads((adapter / "adapter_config.json").read_text())["r"] == 8
    assert (adapter / "adapter_model.safetensors").stat().st_size > 10_000


async def test_a_trainer_killed_in_the_middle_goes_on_from_its_last_whole_checkpoint(tiny_checkpoint, tmp_path):
    """Killed once its fifth step is told: the checkpoint of step 4 stands, and only step 5 is learnt again."""
    python, told = interpreter(tmp_path), []
    task = written(tiny_checkpoint, tmp_path / "out")

    def kill_after_the_fifth(step):
        told.append(step["step"])
        if step["step"] == 5:
            for child in psutil.Process().children(recursive=True):
                if str(task) in child.cmdline():
                    child.kill()

    with pytest.raises(BadConfiguration, match="status -9"):
        await trained_apart(python, task, kill_after_the_fifth)
    first = len(told)
    await trained_apart(python, task, lambda step: told.append(step["step"]))
    assert told[first:] == [5, 6]
    assert (trained(task).steps, trained(task).planned_steps, trained(task).stopped) == (6, 6, False)
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").stat().st_size > 10_000


async def test_a_training_that_fails_says_why(tiny_checkpoint, tmp_path):
    task = written(tiny_checkpoint, tmp_path / "out")
    (tmp_path / "out" / "training.jsonl").unlink()
    with pytest.raises(
        BadConfiguration, match=r"failed with status 1: FileNotFoundError: .*training\.jsonl"
    ) as refused:
        await trained_apart(interpreter(tmp_path), task, lambda _: None)
    assert "training.log" in str(refused.value)
    assert not (tmp_path / "out" / "trained.json").exists()


async def test_an_interpreter_without_a_trainer_is_refused_before_any_question(tmp_path):
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\necho peft trl\n")
    bare.chmod(0o755)
    with pytest.raises(MissingDependency, match="lacks peft and trl"):
        await require_trainer(str(bare))
    with pytest.raises(BadConfiguration, match="No such file"):
        await require_trainer(str(tmp_path / "absent"))


def test_only_the_answer_is_learnt_and_a_checkpoint_that_a_kill_cut_off_is_not_continued(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"input_ids": [5, 6, 7]}\n')
    assert rows_of(rows) == [{"input_ids": [5, 6, 7], "labels": [IGNORED, IGNORED, 7]}]
    for step, state in ((5, '{"global_step": 5}'), (10, '{"global_st'), (20, None)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if state is not None:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-5"
    assert last_checkpoint(tmp_path / "checkpoint-5") is None
