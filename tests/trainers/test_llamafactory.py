"""LLaMA-Factory's own PPO on a CPU, and what docs/trainers/llamafactory.md says of it."""

import itertools
import json
import re
import shutil
from contextlib import ExitStack

import httpx
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from examples.tiny_checkpoint import ONE, train_tokenizer
from tests.served import judged_by, served
from tests.server.keys import demanding, key_of
from tests.stub_judge import Reply, labels
from tests.trainers.conftest import FAULTS, nobody, once_started
from tests.trainers.environment import Environment
from tests.trainers.page import at, example, examples, lay_out
from tests.yardstick import PATIENCE_SECONDS

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(600)]

LLAMAFACTORY = Environment("llamafactory")
RUBRIC = "test/kindness"
KINDNESS = {
    "id": RUBRIC,
    "version": "1.0.0",
    "title": "Kindness",
    "criteria": [{"id": "kind", "statement": "Is kind.", "points": 1}],
}
WORDS = [
    "paracetamol",
    "aspirin",
    "water",
    "doctor",
    "hospital",
    "insulin",
    "fever",
    "tablets",
    "liver",
    "kidney",
    "lungs",
]
WORDS += [
    "skin",
    "diabetes",
    "pregnancy",
    "infection",
    "treatment",
    "medicine",
    "nurse",
    "surgery",
    "heart",
    "pressure",
]
"""What the policy may write. A response of any of these says something, so the judge is asked about it and the guard
does not decide."""
NEVER = -1_000.0
QUESTIONS, DATASETS = examples("llamafactory", "json")
(CONFIGURATION,) = examples("llamafactory", "yaml")
FAILURES = {"timeout": "timeout", "garbage": "unusable_verdict", "unavailable": "judge_unavailable"}
SUBSTITUTED = re.compile(
    r'^judge_server_substituted_rewards_total\{dialect="llamafactory",error="(\w+)"\} (\S+)$', re.MULTILINE
)


def varied(*, half_fails=False):
    """A judge whose every answer has another probability."""
    number = itertools.count()

    def behave(body):
        place = next(number)
        yes = 0.1 + 0.07 * (place % 12)
        return Reply(503) if half_fails and place % 2 else labels(Yes=yes, No=1 - yes)

    return once_started(behave)


def substituted(url):
    return {
        error: float(count)
        for error, count in SUBSTITUTED.findall(httpx.get(f"{url}/metrics", timeout=PATIENCE_SECONDS).text)
    }


@pytest.fixture(scope="module")
def checkpoint(tiny_checkpoint, tmp_path_factory):
    """The checkpoint for LLaMA-Factory's transformers 4.52, which has another name for the class of the tokenizer. As a
    policy it writes WORDS only, in any order."""
    folder = tmp_path_factory.mktemp("older") / "tiny"
    shutil.copytree(tiny_checkpoint, folder)
    told = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(told | {"tokenizer_class": "PreTrainedTokenizerFast"}))
    tokenizer = train_tokenizer()
    words = [token for word in WORDS for token in tokenizer(f" {word}")["input_ids"]]
    assert len(words) == len(WORDS)
    weights = load_file(folder / "model.safetensors")
    bias = weights["lm_head.weight"][:, ONE]
    bias[:], bias[words] = NEVER, 0.0
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def set_up(folder):
    """The page's data set."""
    (folder / "data").mkdir()
    (folder / "data" / "questions.jsonl").write_text(QUESTIONS)
    (folder / "data" / "dataset_info.json").write_text(DATASETS)
    return folder


def planned(urls, checkpoint, data):
    page = yaml.safe_load(CONFIGURATION)

    def run(url, query="?on_error=-1", rubric=RUBRIC, **more):
        reward = f"{urls[url]}/trainers/llamafactory/{rubric}{query}"
        here = {"model_name_or_path": str(checkpoint), "reward_model": reward, "dataset_dir": str(data)}
        return page | here | {"max_new_tokens": 8, "preprocessing_num_workers": None} | more

    return {
        "healthy": run("varied"),
        "half": run("half"),
        "timeout": run("timeout", "?on_error=-1&deadline_seconds=0.4"),
        "garbage": run("garbage"),
        "unavailable": run("unavailable"),
        "cut": run("cut", cutoff_len=12),
        "no number": run("varied", ""),
        "raise": run("varied", "?on_error=raise"),
        "drop": run("varied", "?on_error=drop"),
        "unknown rubric": run("varied", rubric="test/kidness"),
        "down": run("down"),
    }


@pytest.fixture(scope="module")
def results(checkpoint, tmp_path_factory):
    """All runs after one import, which takes longer than training; each with what its server put in."""
    folder = set_up(tmp_path_factory.mktemp("llamafactory"))
    judges = {"varied": varied(), "half": varied(half_fails=True), "cut": varied(), **FAULTS}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(judged_by(behave)) for name, behave in judges.items()}
        urls = {name: str(client.base_url).rstrip("/") for name, (client, _) in servers.items()}
        for client, _ in servers.values():
            assert client.post("/v1/rubrics", json=KINDNESS).status_code == 201
        runs = planned(urls | {"down": stack.enter_context(nobody())}, checkpoint, folder / "data")
        (folder / "runs.json").write_text(json.dumps(runs))
        given = [str(folder / "runs.json"), str(folder / "results.json")]
        LLAMAFACTORY.run("llamafactory_runs.py", *given, timeout=550)
        results = json.loads((folder / "results.json").read_text())
        counted = {name: {"substituted": substituted(url)} for name, url in urls.items()}
        asked = {name: {"asked": [str(body) for body in judge.bodies]} for name, (_, judge) in servers.items()}
    for name, server in {"healthy": "varied", **{name: name for name in counted if name != "varied"}}.items():
        results[name] |= counted[server] | asked[server]
    return results


def test_a_policy_is_trained_with_the_rewards_of_the_server(results):
    result = results["healthy"]

    assert result["error"] is None
    assert len(result["log"]) == 2
    assert all(0.1 <= step["reward"] <= 0.9 for step in result["log"])
    assert result["learned"]
    assert result["substituted"] == {}


def test_the_judge_sees_question_and_response_without_the_template(results):
    asked = [body for body in results["healthy"]["asked"] if "[BEGIN RESPONSE" in body]

    assert len(asked) == 4
    for question in (json.loads(line)["question"] for line in QUESTIONS.splitlines()):
        assert sum(question in body for body in asked) == 2
    assert not any("<|im_start|>" in body for body in asked)


@pytest.mark.parametrize("fault", FAILURES)
def test_a_failed_judge_gives_the_number_of_the_url_and_is_counted(results, fault):
    result = results[fault]

    assert result["error"] is None
    assert [step["reward"] for step in result["log"]] == [-1.0, -1.0]
    assert result["substituted"] == {FAILURES[fault]: 4.0}


def test_the_number_is_a_reward_like_any_other(results):
    result = results["half"]

    assert result["error"] is None
    assert result["substituted"] == {"judge_unavailable": 2.0}
    assert all(-0.5 < step["reward"] < 0 for step in result["log"])


def test_training_stops_if_every_prompt_is_cut_and_nothing_is_judged(results):
    result = results["cut"]

    assert result["error"] == {"type": "KeyError", "detail": "'scores'"}
    assert result["log"] == []
    assert not result["learned"]
    assert result["substituted"] == {}
    assert not any("[BEGIN RESPONSE" in body for body in result["asked"])


@pytest.mark.parametrize("name", ["no number", "raise", "drop", "unknown rubric"])
def test_training_stops_at_the_first_request_of_a_url_that_cannot_be_used(results, name):
    assert results[name]["error"] == {"type": "KeyError", "detail": "'scores'"}
    assert results[name]["log"] == []
    assert not results[name]["learned"]


def test_training_stops_where_the_server_cannot_be_reached(results):
    assert results["down"]["error"]["type"] == "ConnectionError"
    assert results["down"]["log"] == []


TEXT = "<|im_start|>user\nI have a headache.<|im_end|>\n<|im_start|>assistant\nRest.<|im_end|>"
ASK = """
import sys
from llamafactory.train.ppo.ppo_utils import get_rewards_from_server

for reward_model in sys.argv[2:]:
    print(get_rewards_from_server(reward_model, [sys.argv[1]] * 2).tolist())
"""


def own_client(*reward_models, expect=0):
    """Asks each for two rewards as LLaMA-Factory does."""
    return LLAMAFACTORY.command(str(LLAMAFACTORY.python), "-c", ASK, TEXT, *reward_models, expect=expect)


def test_llamafactorys_own_client_reads_the_answer_whose_header_tells_of_the_substitution(serving):
    with serving("garbage") as url:
        reward_model = f"{url}/trainers/llamafactory/medical/consultation?on_error=-1"
        answer = httpx.post(reward_model, json={"model": "model", "messages": [TEXT] * 2}, timeout=60)
        done = own_client(reward_model)

    assert answer.json() == {"scores": [-1.0, -1.0]}
    assert answer.headers["X-Judge-Substituted"] == "unusable_verdict=2"
    assert done.stdout.split("\n")[-2] == "[-1.0, -1.0]"


def test_a_key_in_the_url_is_sent_and_without_one_training_stops():
    text, kept = key_of()
    with served(demanding(kept)) as client:
        path = f"{client.base_url.netloc.decode()}/trainers/llamafactory/medical/consultation?on_error=-1"
        done = own_client(f"http://any:{text}@{path}", f"http://{path}", expect=1)

    rewards = json.loads(done.stdout.split("\n")[-2])
    assert all(-1 < reward <= 1 for reward in rewards)
    assert "KeyError: 'scores'" in done.stderr


@pytest.fixture
def page_command(checkpoint, tmp_path):
    """Runs the page's command in a folder with the page's files."""

    def run(url, expect=0):
        lay_out("llamafactory", tmp_path, checkpoint)
        (tmp_path / "ppo.yaml").write_text(at((tmp_path / "ppo.yaml").read_text(), url))
        command = example("llamafactory", "sh", {"llamafactory-cli": "llamafactory-cli"})
        return LLAMAFACTORY.command("bash", "-e", "-c", command, cwd=tmp_path, expect=expect)

    return run


def test_the_command_of_the_page_trains(judge_url, page_command, tmp_path):
    page_command(judge_url)

    steps = [json.loads(line) for line in (tmp_path / "out" / "trainer_log.jsonl").read_text().splitlines()]
    rewards = [step["reward"] for step in steps if "reward" in step]
    assert len(rewards) == 2
    assert all(-1 < reward <= 1 for reward in rewards)
    assert substituted(judge_url) == {}
