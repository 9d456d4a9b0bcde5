"""vLLM's engine in replicas on a real Ray cluster: tokens computed with calls of one conversation on one replica."""

import asyncio
import logging

import httpx
import pytest

from examples.tiny_checkpoint import build
from tests.distributed.cluster import serving
from tests.postgres import cluster

_LOG = logging.getLogger(__name__)
pytestmark = [
    pytest.mark.ray,
    pytest.mark.postgres,
    pytest.mark.engine,
    pytest.mark.longest,
    pytest.mark.timeout(1_800),
]
_CONVERSATIONS, _ROLLOUTS, _CRITERIA = 12, 6, 4
_SENTENCE = "Rest, water and a dark room help; a sudden severe headache or weakness needs emergency care at once. "
_JUDGE = """
[judges.{name}]
name = "{name}"
model = "vllm:{checkpoint}"
min_label_mass = 0.0
engine = {{dtype = "float32", kv_cache_gib = 0.02, max_num_seqs = 8, max_model_len = 4096, seed = {seed}}}
[ray.judges.{name}]
replicas = {replicas}
routing = "{routing}"
at_once = 8
cpus = 0.05
"""
_SERVER = """
database_url = "{database}"
default_judge = "one"
canary = "off"
reask = 0.0
log_level = "warning"
[ray.server]
replicas = 1
cpus = 0.05
"""
_JUDGES = {"one": (1, "conversation"), "two": (2, "conversation"), "chance": (2, "load")}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engines")
    checkpoint = build(folder / "tiny")
    with cluster() as database:
        configuration = _SERVER.format(database=database.url("judge")) + "".join(
            _JUDGE.format(name=name, checkpoint=checkpoint, seed=seed, replicas=replicas, routing=routing)
            for seed, (name, (replicas, routing)) in enumerate(_JUDGES.items())
        )
        with serving(folder, configuration) as made:
            yield made


async def test_two_engines_compute_hardly_more_than_one_if_conversations_stay_and_more_if_they_do_not(served):
    """A replica's KV cache holds about 10,000 tokens; the conversations and responses have more than twice as many."""
    computed = {name: await _computed(served.address, name) for name in _JUDGES}
    _LOG.info("tokens computed: %s", computed)
    assert computed["two"] <= 1.15 * computed["one"]
    assert computed["chance"] > max(1.15 * computed["one"], 1.1 * computed["two"])


async def _computed(address, judge):
    places = asyncio.Semaphore(8)
    async with httpx.AsyncClient(base_url=address, timeout=600) as client:

        async def one(number):
            async with places:
                answer = await client.post("/v1/score", json=_submission(number) | {"judge": judge})
            judgment = answer.json()
            assert len(judgment["verdicts"]) == _CRITERIA, answer.text[:500]
            assert judgment["usage"]["calls"] == _CRITERIA
            return judgment["usage"]["prompt_tokens"] - judgment["usage"]["cached_tokens"]

        return sum(await asyncio.gather(*(one(number) for number in range(_CONVERSATIONS * _ROLLOUTS))))


def _submission(number):
    criteria = [
        {"id": f"c{place}", "statement": f"Names warning sign {place}.", "points": 1} for place in range(_CRITERIA)
    ]
    return {
        "id": str(number),
        "prompt": f"Question {number // _ROLLOUTS}: what should I do? " + _SENTENCE * 24,
        "response": f"Answer {number}. " + _SENTENCE * 8,
        "rubric": {"id": "test/warnings", "version": "1.0.0", "title": "Warnings", "criteria": criteria},
    }
