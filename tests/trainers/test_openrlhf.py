"""OpenRLHF's own client module, and what docs/trainers/openrlhf.md says of it."""

import json
import re

import pytest

from tests.client.adapters.telling import ANSWERED, FAILING, GOOD, QUESTION, RENDERED, RUBRIC, telling
from tests.trainers.environment import Environment
from tests.trainers.page import example, examples

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

OPENRLHF = Environment("openrlhf")
RESPONSES = [GOOD, *ANSWERED.values()]
NAMED = "medical/consultation"


def run(url, responses=RESPONSES):
    """The rubric comes with each label, as an envelope in the data set's text."""
    labels = [json.dumps({"rubric": RUBRIC})] * len(responses)
    return {
        "url": url,
        "prompts": [RENDERED] * len(responses),
        "responses": [f"{response}<|im_end|>" for response in responses],
        "labels": labels,
    }


def played(runs, folder, **environment):
    (folder / "runs.json").write_text(json.dumps(runs))
    OPENRLHF.run(
        "openrlhf_rewards.py", str(folder / "runs.json"), str(folder / "results.json"), environment=environment
    )
    return json.loads((folder / "results.json").read_text())


def url_on_the_page(server):
    """The URL of the page's complete example, with this server."""
    command = example("openrlhf", "sh", {"train_ppo_ray": "train_ppo_ray", "http://127.0.0.1:8000": server})
    return re.search(r'--reward\.remote_url "([^"]+)"', command)[1]


def file_on_the_page():
    """What the page's command prints."""
    block = example("openrlhf", "sh", {"export REWARD": "export REWARD"})
    told = OPENRLHF.command("bash", "-euc", f"{block}\necho $REWARD $JUDGE_RUBRIC $JUDGE_ON_FAILURE")
    return told.stdout.split()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    OPENRLHF.install()
    file, _, _ = file_on_the_page()
    with telling() as (server, judge):
        found = {}
        for form, target in (("url", url_on_the_page(server)), ("file", file)):
            for name, responses, seconds in (("", RESPONSES, "120"), (", late", [FAILING["timeout"]], "2")):
                told = {"JUDGE_URL": server, "JUDGE_RUBRIC": NAMED, "JUDGE_DEADLINE_SECONDS": seconds}
                asked = target.replace("on_error=0.5", f"on_error=-0.5&deadline_seconds={seconds}")
                runs = {f"{form}{name}": run(asked, responses)}
                found |= played(runs, tmp_path_factory.mktemp("openrlhf"), **told, JUDGE_ON_FAILURE="-0.5")
        # without the known texts by which a judge of thin responses is tried
        about = [body for body in judge.bodies if "capital of France" not in str(body)]
        bodies = [body for body in about if "[BEGIN RESPONSE" in str(body)]
    return found | {"asked": bodies, "file_name": file}


@pytest.mark.parametrize("form", ["url", "file"])
def test_a_sample_gets_the_judge_s_reward(results, form):
    well = results[form][0]
    assert well["reward"] == pytest.approx([0.9])
    assert well["scores"] == well["reward"]
    assert well["extra_logs"] == {"judge_failed": [0.0], "judge_coverage": [1.0]}


@pytest.mark.parametrize("form", ["url", "file"])
@pytest.mark.parametrize("fault", FAILING)
def test_a_failed_judge_is_the_chosen_number_and_seen(results, form, fault):
    late = fault == "timeout"
    failed = results[f"{form}, late"][0] if late else results[form][1 + list(ANSWERED).index(fault)]
    assert (failed["reward"], failed["scores"]) == ([-0.5], [-0.5])
    assert failed["extra_logs"] == {"judge_failed": [1.0], "judge_coverage": [0.0]}


def test_the_judge_reads_turns_and_no_template(results):
    assert all(QUESTION in str(body) for body in results["asked"])
    assert not any(mark in str(body) for body in results["asked"] for mark in ("im_start", "im_end"))


def test_the_page_s_command_prints_the_file():
    file, rubric, number = file_on_the_page()
    assert file.endswith("judge_client/adapters/openrlhf.py")
    assert (rubric, number) == ("medical/consultation", "0.5")


def test_the_file_refuses_when_it_is_loaded_and_gives_no_number_without_a_server(tmp_path):
    file, _, _ = file_on_the_page()
    gone = {"JUDGE_URL": "http://127.0.0.1:9", "JUDGE_RUBRIC": "a/b", "JUDGE_PATIENCE_SECONDS": "0.5"}
    unset = played({"file": run(file, [GOOD])}, tmp_path, **gone)["file"]
    assert unset["error"] == "BadConfiguration"
    assert "OpenRLHF cannot bear raise. Choose a number (JUDGE_ON_FAILURE)." in unset["text"]
    (lonely,) = played({"file": run(file, [GOOD])}, tmp_path, **gone, JUDGE_ON_FAILURE="-0.5")["file"]
    assert lonely["reward"] is None  # never the chosen number: OpenRLHF swallows the error here, and stops later


def test_the_rows_of_the_page_have_the_keys_that_its_command_names():
    command = example("openrlhf", "sh", {"train_ppo_ray": "train_ppo_ray"})
    keys = [re.search(rf"--data\.{flag} (\w+)", command)[1] for flag in ("input_key", "label_key")]
    for line in examples("openrlhf", "json")[0].splitlines():
        row = json.loads(line)
        assert set(row) == set(keys)
        assert row[keys[0]][0]["role"] == "user"


def test_without_a_number_openrlhf_swallows_the_refusal_of_the_url(tmp_path):
    """The page says so: the reward is None there, and the run stops later."""
    with telling() as (server, _):
        url = url_on_the_page(server).replace("?on_error=0.5", "")
        (swallowed,) = played({"url": run(url, [GOOD])}, tmp_path)["url"]
    assert swallowed["reward"] is None
