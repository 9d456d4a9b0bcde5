"""TRL's own trainers on a CPU, and what docs/trainers/trl.md says of them."""

import itertools
import json
import math
import statistics
from contextlib import ExitStack

import pytest

from tests.served import judged_by, served, settings_of
from tests.stub_judge import Reply, StubJudge, labels
from tests.trainers.conftest import FAULTS, nobody, once_started
from tests.trainers.environment import ROOT, Environment
from tests.trainers.page import at, example, examples, lay_out

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(900)]

TRL = Environment("trl")
PLAIN = [{"prompt": "I have had a headache."}, {"prompt": "My child has a fever.", "facts": {"age": 4}}]
CHAT = [{**row, "prompt": [{"role": "user", "content": row["prompt"]}]} for row in PLAIN]
POLICIES = ("drop", "raise", "neutral", 0.25)
NAME = "kindness"


def varied():
    """A judge whose every answer has another probability."""
    number = itertools.count()
    return once_started(lambda body: labels(Yes=(yes := 0.1 + 0.07 * (next(number) % 12)), No=1 - yes))


def every_second_fails():
    number, answer = itertools.count(), varied()
    return once_started(lambda body: Reply(503) if next(number) % 2 else answer(body))


def kindness(run):
    """A rubric of one criterion, worded anew for every run: no answer comes from the cache of another."""
    criteria = [{"id": "kind", "statement": f"Is kind in run {run!r}.", "points": 1}]
    return {"id": "test/kindness", "version": "1.0.0", "title": "Kindness", "criteria": criteria}


def planned(urls):
    def run(url, policy=None, *, trainer="grpo", reward="RubricReward", rows=PLAIN, **more):
        options = {"name": NAME, "url": urls[url], "deadline_seconds": 30.0, "attempts": 1}
        if url == "timeout":
            options["deadline_seconds"] = 0.4
        if policy is not None:
            options["on_failure"] = policy
        return {"trainer": trainer, "reward": reward, "options": options, "rows": rows, **more}

    runs = {
        "grpo, async, chat": run("varied", rows=CHAT),
        "grpo, sync": run("varied", reward="SyncRubricReward"),
        "rloo, async": run("varied", trainer="rloo"),
        "rloo, sync, chat": run("varied", trainer="rloo", reward="SyncRubricReward", rows=CHAT),
        "online_dpo": run("varied", trainer="online_dpo", reward="UnmaskedRubricReward"),
        "grpo, half": run("half"),
        "rloo, half": run("half", trainer="rloo"),
        "grpo, half, beside": run("half", beside=True),
        "grpo, half, raise": run("half", "raise"),
        "grpo, half, neutral": run("half", "neutral"),
        "grpo, half, number": run("half", 0.25),
        "online_dpo, async": run("varied", trainer="online_dpo", reward="RubricReward"),
        "online_dpo, unavailable": run("unavailable", trainer="online_dpo", reward="UnmaskedRubricReward"),
        "grpo, beside a judge that sleeps": run("asleep", reward="SyncRubricReward"),
        "unknown rubric": run("varied"),
    }
    runs["grpo, beside a judge that sleeps"]["options"]["sleep_level"] = 1
    for fault, policy in itertools.product([*FAULTS, "down"], POLICIES):
        runs[f"{fault}, {policy}"] = run(fault, policy)
    for name, one in runs.items():
        one["options"]["rubric"] = "medical/consultatoin" if name == "unknown rubric" else kindness(name)
    return runs


@pytest.fixture(scope="module")
def results(tiny_checkpoint, tmp_path_factory):
    """All runs in one process: importing takes longer than training."""
    folder = tmp_path_factory.mktemp("trl")
    judges = {"varied": varied(), "half": every_second_fails(), **FAULTS}
    with ExitStack() as stack:
        clients = {name: stack.enter_context(judged_by(behave))[0] for name, behave in judges.items()}
        urls = {name: str(client.base_url) for name, client in clients.items()} | {
            "down": stack.enter_context(nobody())
        }
        sleeper = stack.enter_context(StubJudge(varied(), sleeps=True))
        urls["asleep"] = str(stack.enter_context(served(settings_of(sleeper.specification))).base_url)
        (folder / "runs.json").write_text(json.dumps(planned(urls)))
        given = [str(folder / "runs.json"), str(folder / "results.json"), str(tiny_checkpoint)]
        TRL.run("trl_runs.py", *given, timeout=800)
    told = json.loads((folder / "results.json").read_text())
    return told | {"sleeper": {"orders": sleeper.orders, "calls_asleep": sleeper.calls_asleep}}


def rewards_and_advantages(result):
    """Of every group of four: rewards with None where there is none, and the advantages beside them."""
    for step in result["steps"]:
        rewards, advantages = step["rewards"][NAME], step["advantages"]
        for start in range(0, len(rewards), 4):
            group = [None if math.isnan(reward) else reward for reward in rewards[start : start + 4]]
            yield group, advantages[start : start + 4]


@pytest.mark.parametrize("name", ["grpo, async, chat", "grpo, sync", "rloo, async", "rloo, sync, chat"])
def test_a_policy_learns_from_the_rewards_of_the_server(results, name):
    result = results[name]

    assert result["error"] is None
    assert result["moved"]
    assert result["finite"]
    assert result["counts"] == {"judged": 16, "failed": 0, "substituted": 0, "dropped": 0}
    assert all(0 < step[f"rewards/{NAME}/mean"] < 1 for step in result["log"][:2])
    assert all(step["reward_std"] > 0 for step in result["log"][:2])


def test_the_judge_sleeps_while_the_policy_trains_and_wakes_for_each_reward(results):
    result, sleeper = results["grpo, beside a judge that sleeps"], results["sleeper"]

    assert result["error"] is None
    assert result["counts"]["judged"] == 16
    assert result["counts"]["failed"] == 0
    assert sleeper["calls_asleep"] == 0
    assert sleeper["orders"] == ["/sleep?level=1", "/wake_up", "/sleep?level=1"]


def test_every_criterion_is_in_the_metrics_and_in_the_table_of_completions(results):
    first, table = results["grpo, sync"]["log"][0], results["grpo, sync"]["steps"][0]

    assert first[f"{NAME}/criterion/kind"] == pytest.approx(first["reward"], abs=1e-6)
    assert first[f"{NAME}/coverage"] == 1.0
    assert first[f"{NAME}/judge_failed"] == 0.0
    assert table["extra"][f"{NAME}/criterion/kind"] == pytest.approx(table["rewards"][NAME], abs=1e-6)
    assert table["extra"][f"{NAME}/failure"] == [None] * 8


def test_grpo_leaves_failed_judgments_out_of_the_baseline(results):
    seen = list(rewards_and_advantages(results["grpo, half"]))

    assert results["grpo, half"]["moved"]
    for rewards, advantages in seen:
        known = [reward for reward in rewards if reward is not None]
        spread = statistics.stdev(known) if len(known) > 1 else math.nan
        for reward, advantage in zip(rewards, advantages, strict=True):
            alone = reward is None or len(known) < 2
            expected = 0.0 if alone else (reward - statistics.fmean(known)) / (spread + 1e-4)
            assert advantage == pytest.approx(expected, abs=1e-3)
    assert any(None in rewards and len(set(rewards)) > 2 for rewards, _ in seen)


def test_rloo_leaves_failed_judgments_out_of_the_baseline(results):
    for rewards, advantages in rewards_and_advantages(results["rloo, half"]):
        known = [reward for reward in rewards if reward is not None]
        for reward, advantage in zip(rewards, advantages, strict=True):
            alone = len(known) < 2
            others = 0.0 if reward is None or alone else (sum(known) - reward) / (len(known) - 1)
            assert advantage == pytest.approx(0.0 if reward is None or alone else reward - others, abs=1e-5)


def test_what_failed_is_told_for_each_completion_and_as_a_share(results):
    step, logged = results["grpo, half"]["steps"][0], results["grpo, half"]["log"][0]
    missing = [math.isnan(reward) for reward in step["rewards"][NAME]]

    assert 0 < sum(missing) < 8
    assert step["extra"][f"{NAME}/failure"] == ["judge_unavailable" if one else None for one in missing]
    assert logged[f"{NAME}/judge_failed"] == sum(missing) / 8
    known = [reward for reward in step["rewards"][NAME] if not math.isnan(reward)]
    assert logged["reward"] == pytest.approx(statistics.fmean(known), abs=1e-6)


def test_a_dropped_completion_keeps_the_other_rewards(results):
    result = results["grpo, half, beside"]

    assert result["counts"]["dropped"] > 0
    assert all(logged["reward"] >= 1 for logged in result["log"][:2])


def test_neutral_gives_the_mean_of_the_prompt_and_teaches_nothing(results):
    result = results["grpo, half, neutral"]
    step = result["steps"][0]
    put_in = [bool(one) for one in step["extra"][f"{NAME}/judge_substituted"]]

    assert any(put_in)
    for advantage, substituted in zip(step["advantages"], put_in, strict=True):
        assert not substituted or advantage == pytest.approx(0, abs=1e-3)


def test_a_number_counts_as_a_reward_like_any_other(results):
    result = results["grpo, half, number"]
    step = result["steps"][0]

    put_in = [
        reward for reward, failed in zip(step["rewards"][NAME], step["extra"][f"{NAME}/failure"], strict=True) if failed
    ]
    assert put_in
    assert set(put_in) == {0.25}
    assert result["log"][0][f"{NAME}/judge_substituted"] == len(put_in) / 8
    assert result["counts"]["substituted"] == result["counts"]["failed"]


FAILURES = {
    "timeout": "timeout",
    "garbage": "unusable_verdict",
    "unavailable": "judge_unavailable",
    "down": "server_unreachable",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_dropping_goes_on_and_learns_nothing(results, fault):
    result = results[f"{fault}, drop"]

    assert result["error"] is None
    assert not result["moved"]
    assert result["counts"][f"failed/{FAILURES[fault]}"] == 16
    for logged in result["log"][:2]:
        assert logged["reward"] is None
        assert logged[f"{NAME}/judge_failed"] == 1.0
    assert all(step["advantages"] == [0.0] * 8 for step in result["steps"])


@pytest.mark.parametrize("fault", FAILURES)
@pytest.mark.parametrize("policy", ["raise", "neutral"])
def test_raising_stops_the_training_and_so_does_neutral_without_a_mean(results, fault, policy):
    result = results[f"{fault}, {policy}"]

    assert result["error"]["type"] == "JudgeFailed"
    assert FAILURES[fault] in result["error"]["detail"]
    assert not result["moved"]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_server_that_nobody_reached_stops_the_training_whatever_the_policy(results, policy):
    result = results[f"down, {policy}"]

    assert result["error"]["type"] == "JudgeFailed"
    assert "No judgment has succeeded yet" in result["error"]["detail"]
    assert not result["moved"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_number_for_all_goes_on_and_learns_nothing(results, fault):
    result = results[f"{fault}, 0.25"]

    assert result["error"] is None
    assert not result["moved"]
    assert [logged["reward"] for logged in result["log"][:2]] == [0.25, 0.25]
    assert result["log"][0][f"{NAME}/judge_substituted"] == 1.0


def test_one_failure_among_many_stops_the_training_that_raises(results):
    assert results["grpo, half, raise"]["error"]["type"] == "JudgeFailed"


def test_a_rubric_that_nobody_knows_stops_the_training(results):
    error = results["unknown rubric"]["error"]

    assert error["type"] == "UnknownRubric"
    assert "medical/consultation" in error["detail"]


def test_an_async_reward_where_nothing_awaits_it_names_the_synchronous_one(results):
    result = results["online_dpo, async"]

    assert result["error"]["type"] == "BadConfiguration"
    assert "Give this trainer SyncRubricReward." in result["error"]["detail"]
    assert not result["moved"]


def test_online_dpo_learns_and_stops_where_the_judge_fails(results):
    assert results["online_dpo"]["error"] is None
    assert results["online_dpo"]["moved"]
    assert results["online_dpo, unavailable"]["error"]["type"] == "JudgeFailed"


def test_the_example_of_the_page_trains_as_it_is_typed(judge_url, tiny_checkpoint, tmp_path):
    lay_out("trl", tmp_path, tiny_checkpoint)
    (tmp_path / "train.py").write_text(example("trl", "python", {"trainer.train()": "trainer.train()"}))

    done = TRL.run(tmp_path / "train.py", environment={"JUDGE_URL": judge_url}, cwd=tmp_path)

    assert "rewards/medical/consultation/mean" in done.stdout
    assert "medical/consultation/criterion/" in done.stdout


def test_the_command_of_the_page_trains_as_it_is_typed(judge_url, tiny_checkpoint, tmp_path):
    lay_out("trl", tmp_path, tiny_checkpoint)
    command = at(example("trl", "sh", {"trl grpo": "trl grpo"}), judge_url)

    done = TRL.command("bash", "-e", "-c", command, cwd=tmp_path)

    assert "rewards/rubric_reward/mean" in done.stdout
    assert "medical/consultation/judge_failed" in done.stdout
    assert "medical/consultation/distinct_texts" in done.stdout


def test_the_synchronous_reward_trains_by_the_same_command(judge_url, tiny_checkpoint, tmp_path):
    lay_out("trl", tmp_path, tiny_checkpoint)
    path = "judge_client.adapters.trl."
    command = at(example("trl", "sh", {f"{path}rubric_reward": f"{path}sync_rubric_reward"}), judge_url)

    assert "rewards/sync_rubric_reward/mean" in TRL.command("bash", "-e", "-c", command, cwd=tmp_path).stdout


def test_the_reward_of_the_page_for_trainers_that_do_not_mask_can_be_made():
    block = example("trl", "python", {"UnmaskedRubricReward": "UnmaskedRubricReward"})
    check = "print(reward.rewarder.terms.rubric, reward.rewarder.on_failure)"
    quiet = {"TRL_EXPERIMENTAL_SILENCE": "1"}

    done = TRL.command(str(TRL.python), "-c", f"{block}\n{check}", environment=quiet)

    assert done.stdout.split()[-2:] == ["medical/consultation", "raise"]


def test_the_components_of_the_page_are_reward_functions_of_a_trainer(judge_url, tiny_checkpoint, tmp_path):
    lay_out("trl", tmp_path, tiny_checkpoint)
    whole = {
        'RubricReward("medical/consultation")': "rewards",
        "args=GRPOConfig(": 'args=GRPOConfig(\n        multi_objective_aggregation="normalize_then_sum",',
        "max_steps=2": "max_steps=1",
    }
    components = example("trl", "python", {"component_rewards": "component_rewards"})
    (tmp_path / "train.py").write_text(components + example("trl", "python", whole))

    done = TRL.run(tmp_path / "train.py", environment={"JUDGE_URL": judge_url}, cwd=tmp_path)

    for axis in ("accuracy", "communication"):
        assert f"rewards/medical/consultation/axis:{axis}/mean" in done.stdout
    assert "medical/consultation/judge_failed" in done.stdout


def test_the_program_that_leads_from_a_log_line_to_the_verdict_reads_what_trl_wrote(tiny_checkpoint, tmp_path):
    """The example is trained for seven steps with a tiny model; then the program of docs/trainers/log-to-verdict.md."""
    (program,) = examples("log-to-verdict", "python")
    (tmp_path / "lowest.py").write_text(program)
    example_of_grpo = ROOT / "examples" / "grpo_smollm2"
    with served(settings_of(rubrics=(example_of_grpo,))) as client:
        told = ["--model", str(tiny_checkpoint), "--steps", "7", "--out", str(tmp_path / "out")]
        TRL.run(example_of_grpo / "train.py", *told, environment={"JUDGE_URL": str(client.base_url)}, cwd=tmp_path)
        printed = TRL.run(tmp_path / "lowest.py", cwd=tmp_path).stdout.split()
        judgment = client.get(f"/v1/judgments/{printed[-1]}").json()

    assert judgment["submission"]["run"] == "smollm2"
    assert judgment["submission"]["step"] == 7
    assert judgment["reward"] == pytest.approx(float(printed[0]), abs=1e-6)
