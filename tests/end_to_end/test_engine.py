"""The whole path on the real engine: ``judge-server serve --model vllm:…`` and ``judge-server score``, each with an
engine of its own on one checkpoint that knows nothing. ``make test`` starts one engine only, in tests/models."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.command import serving
from tests.end_to_end.answers import COUNT, submissions
from tests.end_to_end.both_ways import by_command, kept_in, over_http, read_back, said
from tests.numerics import Numerics
from tests.served import until
from tests.submissions import PROMPT, RESPONSE, rubric, submission

pytestmark = [pytest.mark.engine, pytest.mark.long, pytest.mark.timeout(600)]

ENGINE = ("kv_cache_gib=1", "max_model_len=8192", "max_num_seqs=64")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def flags(tiny_checkpoint: Path, numerics: Numerics) -> tuple[object, ...]:
    """Of both commands."""
    engine = (part for option in (*ENGINE, f"dtype={numerics.dtype}") for part in ("--engine", option))
    return ("--model", f"vllm:{tiny_checkpoint}", "--mode", "direct", "--min-label-mass", 0.01, *engine)


@pytest.fixture(scope="module")
def client(folder: Path, flags: tuple[object, ...]) -> Iterator[httpx.Client]:
    with serving(*flags, "--database", f"sqlite:///{folder}/http.db", cwd=folder, seconds=240) as (open_client, _):
        yield open_client


def test_eight_rollouts_on_twelve_criteria_are_judged_and_share_their_prompts(client):
    listed = rubric(*[1] * 12)
    rollouts = [submission(rubric=listed, response=f"{RESPONSE} {'Then wait for help. ' * n}") for n in range(8)]
    answer = client.post("/v1/score/batch", json={"items": rollouts}).json()
    verdicts = [verdict for result in answer["results"] for verdict in result["verdicts"]]
    prompt = sum(result["usage"]["prompt_tokens"] for result in answer["results"])
    cached = sum(result["usage"]["cached_tokens"] for result in answer["results"])
    assert len(verdicts) == 96
    assert all(verdict["status"] == "ok" for verdict in verdicts), verdicts[0]
    assert all(0 <= verdict["met"] <= 1 and verdict["label_mass"] > 0.01 for verdict in verdicts)
    assert len({verdict["met"] for verdict in verdicts}) > 4
    assert sum(result["usage"]["calls"] for result in answer["results"]) == 96
    assert cached > 0.6 * prompt, (cached, prompt)


def test_the_engine_passes_the_canaries_that_every_judge_must_pass(client):
    def found() -> dict:
        (judge,) = client.get("/v1/judges").json()["judges"]
        return {canary["canary"]: canary["passed"] for canary in judge["canaries"]}

    until(found)
    assert [found()[name] for name in ("constrained_output", "raw_probabilities", "steady_probabilities")] == [True] * 3


@pytest.mark.parametrize("kind", ["listwise", "pairwise"])
def test_rollouts_are_compared_and_share_their_prompts(client, kind):
    responses = [f"{RESPONSE} {'Then wait for help. ' * n}" for n in range(4)]
    body = {"prompt": PROMPT, "responses": responses, "rubric": rubric(5, -3), "relative": {"kind": kind}}
    answer = client.post("/v1/score/group", json=body).json()
    found = answer["group"]["relative"]
    assert found["comparisons"]["presentations"] == {"listwise": 2, "pairwise": 12}[kind]
    least = {"listwise": 0.0, "pairwise": 0.3}[kind]  # two lists at once leave each other nothing to find
    assert found["usage"]["cached_tokens"] > least * found["usage"]["prompt_tokens"]
    assert all(0 <= reward <= 1 for reward in answer["rewards"]), answer["errors"]
    assert answer["errors"] == [None] * 4


def test_graders_in_openais_shape_are_answered(client):
    """A score may be unreadable with random weights, but what is read lies within the range that the grammar allows."""
    asked = [{"role": "user", "content": "Rate {{sample.output_text}} as an answer to {{item.question}}."}]
    label = {"type": "label_model", "model": "default", "input": asked, "labels": ["good", "bad"]}
    score = {"type": "score_model", "model": "default", "input": asked, "range": [1, 5]}
    for grader, bounds in ((label | {"passing_labels": ["good"]}, (0, 1)), (score, (1, 5))):
        body = {"grader": grader, "model_sample": RESPONSE, "item": {"question": PROMPT}}
        answer = client.post("/v1/fine_tuning/alpha/graders/run", json=body)
        if answer.status_code == 200:
            assert bounds[0] <= answer.json()["reward"] <= bounds[1]
            assert answer.json()["metadata"]["token_usage"] > 0
        else:
            assert (answer.status_code, answer.json()["error_type"]) == (502, "unusable_verdict")
            assert grader["type"] == "score_model"


def test_a_hundred_answers_get_the_same_rewards_both_ways_and_are_all_read_back(client, folder, flags, numerics):
    items, database = submissions(), f"sqlite:///{folder}/command.db"
    judged = over_http(client, items)
    remembered = read_back(client)
    repeated = by_command(folder, items, *flags, "--database", database, timeout=500)
    for once, again in zip(said(judged), said(repeated), strict=True):
        assert once[0] == again[0]
        assert again[1] == pytest.approx(once[1], abs=numerics.tolerance)
        assert [verdict[:2] for verdict in again[4]] == [verdict[:2] for verdict in once[4]]
    assert all(result["reward"] is not None for result in judged)
    assert {result["id"]: result for result in judged}.items() <= remembered.items()
    assert len(kept_in(database)) == COUNT
