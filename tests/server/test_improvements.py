"""POST /v1/improvements: the ladder of ``calibrate improve`` in the background, outliving the server's process."""

import csv
import io
import json
import re
import threading
import time
from collections import Counter
from dataclasses import replace

from judge_server.authoring.parsing import parse
from judge_server.labels.archive import keep
from judge_server.labels.readers import read_labels
from judge_server.labels.splits import split_by_prompt
from judge_server.store import Store
from tests.cli.judged_labels import RUBRIC, write
from tests.cli.test_calibrate_improve import BETTER, behave, proposes
from tests.cli.test_improve_killed import asked
from tests.served import served, settings_of, until
from tests.stub_judge import StubJudge, labels
from tests.yardstick import PATIENCE_SECONDS

WATER = parse(RUBRIC.encode()).rubric.model_dump(mode="json", exclude_defaults=True)
REQUEST = {"labels": "water", "rubric": WATER, "proposer": "default", "examples": [0]}


async def stored(database, folder, items=120):
    """The labels of the command line's test, with a locked test split, in a new database."""
    write(folder, items, right=1.0)
    whole = split_by_prompt(read_labels(folder / "labels.csv"), test_share=0.4)
    store = await Store.open(database)
    await keep(replace(whole, id="water"), store.labels)
    await store.close()
    return whole


class Held:
    """The judge of the command line's test. Once so many ratings were answered, the next one waits until ``let``."""

    def __init__(self, after):
        self.answered, self.after = Counter(), after
        self.held, self.let = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def __call__(self, body):
        question = asked(body)
        if question is None:
            return behave(body)
        with self._lock:
            if self.after is not None and self.answered.total() >= self.after and not self.let.is_set():
                self.held.set()
                return replace(behave(body), until=self.let)
            self.answered[question] += 1
        return behave(body)


def begun(client, **more):
    answer = client.post("/v1/improvements", json=REQUEST | more)
    assert answer.status_code == 202, answer.text
    return f"/v1/improvements/{answer.json()['id']}"


def ended(client, path):
    """Asked for now and then: work in the background waits for requests."""
    for _ in range(3 * int(PATIENCE_SECONDS)):
        told = client.get(path).json()
        if told["status"] not in ("queued", "running"):
            return told
        time.sleep(1)
    raise AssertionError(told)


def settings(judge, database):
    return settings_of(judge.specification, database=database, judge={"engine": {"transport_attempts": 1}})


async def test_one_that_a_server_left_is_continued_by_the_next_without_asking_twice(tmp_path):
    database = f"sqlite:///{tmp_path}/j.db"
    whole = await stored(database, tmp_path)
    holding = Held(after=90)
    with StubJudge(holding) as judge:
        with served(settings(judge, database)) as client:
            path = begun(client)
            assert holding.held.wait(PATIENCE_SECONDS)
            until(lambda: client.get(path).json()["done"] >= 1)
            told = client.get(path).json()
            assert (told["status"], [one["name"] for one in told["parts"]]) == ("running", ["revise", "select"])
            assert told["result"] is None
        holding.after = None
        holding.let.set()
        with served(settings(judge, database)) as client:
            done = ended(client, path)
            assert done["status"] == "done", done["error"]
            assert max(holding.answered.values()) == 1
            assert done["result"]["outcome"] == "improved"
            assert done["files"] == ["improvement.html", "improvement.json", "improvement.md", "rubric.yaml"]
            rubric = client.get(f"{path}/files/rubric.yaml")
            assert BETTER in rubric.text
            page = client.get(f"{path}/files/improvement.html")
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert "sandbox" in page.headers["content-security-policy"]
            assert "What did not help" in client.get(f"{path}/files/improvement.md").text
            assert client.get(f"{path}/files/improvement.json").json() == done["result"]
            assert client.get(f"{path}/files/judge.toml").status_code == 404
            assert client.get("/v1/improvements").json()["improvements"][0]["id"] == done["id"]
            again = begun(client, seed=1)
            assert "was read before" in ended(client, again)["error"]["detail"]
            assert BETTER not in client.get("/v1/rubrics").text
    locked = {whole.items[row.item].response for row in whole.table if whole.splits[row.cluster] == "test"}
    proposed = [json.dumps(body["messages"]) for body in judge.bodies if proposes(body)]
    assert proposed
    assert not any(response in told for response in locked for told in proposed)


async def test_one_is_cancelled_and_stays_so(tmp_path):
    database = f"sqlite:///{tmp_path}/j.db"
    await stored(database, tmp_path, 80)
    holding = Held(after=3)
    with StubJudge(holding) as judge, served(settings(judge, database)) as client:
        path, waiting = begun(client), begun(client, seed=2)
        assert holding.held.wait(PATIENCE_SECONDS)
        assert client.get(waiting).json()["status"] == "queued"
        for one in (waiting, path):
            assert client.delete(one).json()["status"] == "cancelled"
        holding.let.set()
        assert client.delete(path).json()["status"] == "cancelled"
        last = begun(client, examples=[], proposer=None, limits={"calls": 5})
        assert "budget" in ended(client, last)["error"]["detail"]
        assert client.get(path).json()["status"] == "cancelled"
        assert client.get(f"{path}/files/improvement.html").status_code == 404


async def test_examples_are_files_of_the_result_and_come_from_revise_alone(tmp_path):
    database = f"sqlite:///{tmp_path}/j.db"
    whole = await stored(database, tmp_path, 160)

    def behaves(body):
        """Right if it sees examples."""
        text = json.dumps(body["messages"])
        if "BEGIN EXAMPLE" not in text:
            return behave(body)
        response = re.search(r"BEGIN RESPONSE \w+\](.*?)\[END RESPONSE", text)[1]
        met = "recommends drinking" in response
        return labels(Yes=0.9 if met else 0.1, No=0.1 if met else 0.9)

    with StubJudge(behaves) as judge, served(settings(judge, database)) as client:
        path = begun(client, proposer=None, examples=[2])
        done = ended(client, path)
        assert done["error"] is None
        assert done["result"]["setup"]["examples"]["k"] == 2, done
        rows = csv.DictReader(io.StringIO(client.get(f"{path}/files/examples.csv").text))
        shown = {row["response"] for row in rows if row["response"]}
        assert shown
        assert not shown & {
            whole.items[row.item].response for row in whole.table if whole.splits[row.cluster] == "test"
        }
        assert json.loads(client.get(f"{path}/files/examples.csv.about.json").text)["id"] == "water"
        assert 'from = "examples.csv"' in client.get(f"{path}/files/judge.toml").text


async def test_what_cannot_begin_is_refused_at_once(tmp_path):
    database = f"sqlite:///{tmp_path}/j.db"
    await stored(database, tmp_path, 20)
    with served(settings_of("baseline", database=database)) as client:
        for change, status in (
            ({"labels": "nothing"}, 404),
            ({"judge": "nobody"}, 404),
            ({"second": "nobody"}, 404),
            ({"rubric": "medical/nothing"}, 404),
            ({"proposer": "default"}, 422),
            ({"examples": [99]}, 422),
            ({"limits": {"calls": 0}}, 422),
            ({"surprise": 1}, 422),
        ):
            answer = client.post("/v1/improvements", json=REQUEST | {"proposer": None} | change)
            assert answer.status_code == status, (change, answer.text)
        assert client.get("/v1/improvements/imp_none").status_code == 404
        assert client.delete("/v1/improvements/imp_none").status_code == 404
        few = ended(client, begun(client, proposer=None))
        assert "too few to divide" in few["error"]["detail"]
