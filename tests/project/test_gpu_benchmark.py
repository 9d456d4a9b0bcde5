"""``python -m benchmarks.gpu``: real shapes, the prompts that the server makes, and the table."""

import json
import subprocess
import sys

import pytest

from benchmarks.gpu.shapes import SHAPES, checkpoint
from benchmarks.gpu.table import rows
from benchmarks.gpu.work import Work, items, least_tokens, recorded, shared_tokens, submissions_of
from judge_server.sizing.model_shape import KNOWN, shape_of
from tests.project.repository import ROOT


@pytest.mark.parametrize("name", [name for name in SHAPES if name.lower() in KNOWN])
def test_a_shape_is_that_of_the_model_it_is_called_after(tmp_path, name):
    written = shape_of(str(checkpoint(name, tmp_path)))
    known = KNOWN[name.lower()]
    assert (written.layers, written.heads, written.kv_heads, written.head_size) == (
        known.layers,
        known.heads,
        known.kv_heads,
        known.head_size,
    )
    assert written.parameters == pytest.approx(known.parameters, rel=0.02)
    assert not list(tmp_path.glob("*.safetensors"))
    assert json.loads((tmp_path / "config.json").read_text())["random_weights"] is True


@pytest.mark.parametrize("mode", ["direct", "reason"])
async def test_the_recorded_prompts_are_those_of_every_criterion_of_every_rollout(tmp_path, mode):
    made = checkpoint("small", tmp_path / "small")
    work = Work(4, criteria=3, group=2, prompt_tokens=80, response_tokens=160)
    questions = await recorded(made, submissions_of(work, "mark"), mode)
    assert len(questions) == 12
    assert len({tuple(one.ids) for one in questions}) == 12
    assert all(len(one.ids) > 240 for one in questions)
    assert {bool(one.label_ids) for one in questions} == {mode == "direct"}
    assert {one.schema is not None for one in questions} == {mode == "reason"}
    computed = least_tokens([one.ids for one in questions])
    assert computed < sum(len(one.ids) for one in questions) / 2  # criteria of a rollout begin alike


def test_texts_of_another_mark_are_new():
    work = Work(8, prompt_tokens=50, response_tokens=50)
    both = [one[name] for mark in ("a", "b") for one in items(work, mark) for name in ("prompt", "response")]
    assert len(set(both)) == 2 * (1 + 8)


def test_the_fewest_tokens_are_the_nodes_of_the_trie():
    assert least_tokens([[1, 2, 3], [1, 2, 4], [1, 2], [5], [1, 2, 3]]) == 5
    assert least_tokens([]) == 0


def test_what_a_prompt_shares_is_counted_against_those_before_it():
    """Two prompts share 3 tokens, with the third they share 1, and the last begins as none."""
    assert shared_tokens([[1, 2, 3, 4], [9], [1, 2, 3, 5], [1, 7]]) == [0, 1, 3]


def test_the_table_compares_the_server_with_vllm_on_the_same_work():
    told = {"seconds": 2.0, "verdicts": 10, "prompt_tokens": 1_000, "cached_tokens": 800}
    names = {"shape": "small", "prefix_caching": True, "least_tokens": {"direct": 100}}
    parts = [
        names | {"way": "vLLM alone", "direct": told},
        names
        | {"way": "server", "direct": told | {"seconds": 2.5, "cpu_seconds": 0.1, "statuses": {"ok": 9, "failed": 1}}},
        names | {"way": "server", "prefix_caching": False, "error": "no memory"},
    ]
    alone, beside = rows(parts)
    assert alone == ("small", "on", "direct", "vLLM alone", "5.0", "", "2.00 x", "", "")
    assert beside == ("small", "on", "direct", "server", "4.0", "0.80", "2.00 x", "1", "10.00")


@pytest.mark.engine
@pytest.mark.longest
@pytest.mark.timeout(1_800)
def test_the_whole_benchmark_runs_on_processors(tmp_path):
    command = [sys.executable, "-m", "benchmarks.gpu", "--shapes", "small", "--rollouts", "4", "--criteria", "3"]
    command += ["--response-tokens", "200", "--prompt-tokens", "100", "--engine", "kv_cache_gib=0.5"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "gpu.json")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert [part.get("error") for part in found["parts"]] == [None] * 4
    assert len(list(rows(found["parts"]))) == 6
    assert [one["level"] for one in found["parts"][1]["sleep"]] == [1, 2]
