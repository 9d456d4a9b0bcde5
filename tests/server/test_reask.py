"""The judge of a run is asked again past the cache, and what differs is shown as noise of the reward."""

from random import Random

from tests.cli.test_runs import invoke
from tests.served import served, settings_of, until
from tests.stub_judge import StubJudge, faithful, labels
from tests.submissions import rubric, submission

VALUE = 'judge_server_monitor_value{judge="default",monitor="reward_noise",rubric="inline"}'


def asks(client, responses, *, prompts=10):
    for number, response in enumerate(responses):
        place = {"prompt": f"Case {number % prompts}?", "run": "grpo-7", "step": 0}
        asked = submission(rubric=rubric(1), response=response, **place)
        assert client.post("/v1/score", json=asked).status_code == 200


def exported(client):
    """Of the last look, in the metrics."""
    lines = client.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(VALUE)).split()[-1])


def noise(client):
    return client.get("/v1/runs/noise", params={"run": "grpo-7"}).json()["rubrics"]


def test_a_judge_that_prefers_the_word_named_first_is_noisy_by_the_known_amount(tmp_path):
    chance = Random(3)
    merit = {f"Answer {number}.": chance.choice((0.3, 0.7)) for number in range(60)}

    def likes_the_first(body):
        prompt = body["messages"][-1]["content"]
        own = next((value for text, value in merit.items() if text in prompt), None)
        if own is None:
            return faithful()(body)  # the probe at start
        met = own + 0.1 if "Yes or No" in prompt else own - 0.1
        return labels(Yes=met, No=1 - met)

    with StubJudge(likes_the_first) as judge:
        watching = {"monitor": {"noise": 0.05, "false_alarms": 0.1}, "monitor_seconds": 0.3}
        database = f"sqlite:///{tmp_path / 'judge.db'}"
        settings = settings_of(judge.specification, database=database, reask=1.0, **watching)
        with served(settings) as client:
            asks(client, merit)
            until(lambda: noise(client) and noise(client)[0]["pairs"] == 60)
            (found,) = noise(client)
            raised = 'judge_server_alarm{monitor="reward_noise",rubric="inline"} 1.0'
            until(lambda: raised in client.get("/metrics").text)
            until(lambda: abs(exported(client) - found["share"]) < 1e-9)  # at a look after the last pair
            (alarm,) = client.get("/v1/monitor/alarms").json()["alarms"]
        shown = invoke("run", "show", "grpo-7", "--database", settings.database_url).stdout
        surveyed = invoke("monitor", "--database", settings.database_url, "--json").stdout
    assert (found["prompts"], found["failed"]) == (10, 0)
    assert abs(found["noise_variance"] - 0.2**2 / 2) < 1e-6
    assert abs(found["share"] - found["noise_variance"] / found["advantage_variance"]) < 1e-9
    assert found["low"] <= found["share"] <= found["high"]
    assert "is chance of the judge" in shown
    assert alarm["finding"]["subject"] == "run grpo-7"
    assert "use a panel" in alarm["finding"]["text"]
    assert '"monitor":"reward_noise"' in surveyed


def test_a_judge_that_does_not_mind_the_order_has_no_noise_and_few_pairs_are_no_evidence():
    with served(settings_of(reask=1.0)) as client:
        asks(client, [f"Drink water {'and rest ' * number}." for number in range(8)], prompts=2)
        until(lambda: noise(client) and noise(client)[0]["pairs"] == 8)
        (found,) = noise(client)
    assert found["noise_variance"] == 0.0
    assert found["share"] is None
    assert found["text"].startswith("not enough evidence: 8 pairs of 2 prompts")


def test_nothing_is_asked_again_without_a_run_and_what_is_asked_again_is_no_judgment(tmp_path):
    with served(settings_of(reask=1.0)) as client:
        client.post("/v1/score", json=submission())
        asks(client, ["Drink water."])
        until(lambda: noise(client))
        assert len(client.get("/v1/judgments").json()["judgments"]) == 2
        assert noise(client)[0]["pairs"] == 1
