"""A server that knows secrets of every kind, and everything that can be seen of it while it is used and misused."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from judge_server.core.api_key import new_key
from judge_server.store.payload import unpack
from tests.command import PROGRAM, Server, judge_server
from tests.postgres import Cluster
from tests.stub_judge import Reply, StubJudge, faithful
from tests.submissions import rubric, submission
from tests.yardstick import PATIENCE_SECONDS

WORD = "canary9f27ce41"  # in every text that is judged
ENGINE_KEY = "engine-key-41c7d0a2b9"
SECOND_KEY = "second-engine-key-77ab31c0"
PASSWORD = "database-pass-5d2e8f10"
WEBHOOK = "webhook-secret-0c9b8a7d6e"
WRONG_KEY = "jsk_0123456789ab_" + "f00dfeed" * 8
_RUBRIC = "medical/consultation"


@dataclass
class Seen:
    """Everything that came out, by place. ``log``: standard error of the server."""

    answers: dict[str, str] = field(default_factory=dict)
    log: str = ""
    doctor: str = ""
    database: str = ""
    own_key: str = ""
    fence_secret: str = ""

    @property
    def secrets(self) -> dict[str, str]:
        return {
            "engine key": ENGINE_KEY,
            "second engine key": SECOND_KEY,
            "database password": PASSWORD,
            "webhook secret": WEBHOOK,
            "own key": self.own_key.rpartition("_")[2],
            "wrong key": WRONG_KEY.rpartition("_")[2],
            "secret of the fences": self.fence_secret,
        }

    @property
    def places(self) -> dict[str, str]:
        return self.answers | {"log": self.log, "doctor": self.doctor, "database": self.database}


def _telling_all(body: dict[str, Any]) -> Reply:
    """A model server that quotes keys and prompts in its errors, as some do."""
    told = json.dumps(body["messages"])
    quoted = f"Incorrect API key provided: {ENGINE_KEY}. Your request: {told}"
    for mark, reply in {
        "Unwelcome": Reply(401, {"error": {"message": quoted, "code": ENGINE_KEY, "type": "auth"}}),
        "Overlong": Reply(400, {"error": {"message": f"maximum context length. {quoted}"}}),
        "Broken": Reply(500, quoted.encode()),
        "Garbled": Reply(200, quoted.encode()),
    }.items():
        if mark in told:
            return reply
    return faithful()(body)


@contextmanager
def _server(folder: Path, database: str, address: str, own: str, level: str) -> Iterator[Server]:
    (folder / "server.toml").write_text(
        f"""log_level = "{level}"
access_log = "all"
authentication = "required"
default_judge = "first"
alarm_webhook_url = "http://127.0.0.1:9/alarms"

[judges.first]
model = "openai:one@{address}"
engine = {{api_key_env = "ENGINE_KEY", transport_attempts = 1, timeout_seconds = 5.0}}

[judges.second]
model = "openai:two@{address}"
engine = {{api_key = "{SECOND_KEY}", transport_attempts = 1, timeout_seconds = 5.0}}
"""
    )
    environment = os.environ | _environment(folder, database, own)
    command = [PROGRAM, "serve", "--port", "0", "--config", folder / "server.toml"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    server = Server(process)
    try:
        server.wait_until_it_listens(60)
        yield server
    finally:
        server.stop()


def _environment(folder: Path, database: str, own: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database,
        "ENGINE_KEY": ENGINE_KEY,
        "JUDGE_SERVER_ALARM_WEBHOOK_SECRET": WEBHOOK,
        "JUDGE_SERVER_API_KEYS": own,
        "JUDGE_SERVER_JOB_ATTEMPTS": "1",
        "XDG_STATE_HOME": str(folder / "state"),
    }


def seen_of(folder: Path, postgres: Cluster, level: str = "info") -> Seen:
    """Use a server well and badly, take its database and its judge away, and collect everything that it shows."""
    seen = Seen()
    database = postgres.empty_database().replace("secret-word", PASSWORD)
    key = new_key()
    seen.own_key = key.text
    scopes = ["score", "author", "label", "admin"]
    own = json.dumps({"all": {"id": key.id, "sha256": key.sha256, "scopes": scopes}})
    bearer = {"Authorization": f"Bearer {key.text}"}
    with (
        StubJudge(_telling_all) as judge,
        _server(folder, database, judge.address, own, level) as server,
        httpx.Client(base_url=server.address, timeout=PATIENCE_SECONDS, headers=bearer) as client,
    ):
        _use(client, seen.answers)
        seen.doctor = _doctor(folder, database, own)
        seen.database, seen.fence_secret = _contents(database)
        postgres.stop()
        seen.answers["judgments without a database"] = client.get("/v1/judgments").text
        seen.answers["score without a database"] = client.post("/v1/score", json=_asking("Alone")).text
        judge.stop()
        seen.answers["score without a judge"] = client.post("/v1/score", json=_asking("Left")).text
        seen.doctor += _doctor(folder, database, own, "--json")
        postgres.start()
    seen.log = "".join(server.log)
    return seen


def _asking(how: str, **more: Any) -> dict[str, Any]:
    words = {"prompt": f"{WORD} asks: what now?", "response": f"{how}: {WORD} says to call for help."}
    return submission(**words, reference=f"{WORD} knows.", facts={"word": WORD}) | more


def _use(client: httpx.Client, answers: dict[str, str]) -> None:
    def tell(name: str, answer: httpx.Response) -> None:
        answers[name] = f"{answer.status_code} {answer.headers} {answer.text}"

    for how in ("Well", "Unwelcome", "Overlong", "Broken", "Garbled"):
        for judge in ("first", "second"):
            tell(f"score {how} {judge}", client.post("/v1/score", json=_asking(how, judge=judge)))
    items = [_asking(how) for how in ("Well", "Unwelcome", "Broken")]
    tell("batch", client.post("/v1/score/batch", json={"items": [*items, {"prompt": [WORD]}]}))
    group = {"prompt": WORD, "responses": [f"Unwelcome {WORD}", f"Well {WORD}"], "rubric": rubric()}
    tell("group", client.post("/v1/score/group", json=group))
    job = client.post("/v1/jobs", json={"items": items})
    tell("job", job)
    events = client.get(f"/v1/jobs/{job.json()['id']}/events", timeout=60)
    tell("events", events)
    tell("results", client.get(f"/v1/jobs/{job.json()['id']}/results"))
    chat = f"<|im_start|>user\n{WORD}<|im_end|>\n<|im_start|>assistant\n"
    trainers = {"query": [f"{chat}Broken {WORD}<|im_end|>"], "prompts": [chat], "labels": [WORD]}
    tell("openrlhf", client.post(f"/trainers/openrlhf/{_RUBRIC}?on_error=-1", json=trainers))
    tell("slime", client.post(f"/trainers/slime/{_RUBRIC}", json={"prompt": chat, "response": f"Unwelcome {WORD}"}))
    grader = {
        "type": "score_model",
        "name": "g",
        "model": "first",
        "input": [{"role": "user", "content": f"Broken {WORD}"}],
    }
    tell(
        "grader",
        client.post("/v1/fine_tuning/alpha/graders/run", json={"grader": grader, "model_sample": WORD, "item": {}}),
    )
    _misuse(client, tell)
    for name in (
        "/openapi.json",
        "/docs",
        "/metrics",
        "/readyz",
        "/healthz",
        "/v1/judges",
        "/v1/judgments",
        "/v1/jobs",
    ):
        tell(name, client.get(name))


def _misuse(client: httpx.Client, tell: Any) -> None:
    wrong = {"Authorization": f"Bearer {WRONG_KEY}"}
    tell("a wrong key", client.get("/v1/judgments", headers=wrong))
    tell("a wrong key as a password", client.get("/v1/judgments", headers={"Authorization": ""}, auth=("x", WRONG_KEY)))
    json_type = {"content-type": "application/json"}
    tell("half a body", client.post("/v1/score", content=f'{{"prompt": "{WORD}', headers=json_type))
    tell("no UTF-8", client.post("/v1/score", content=f'{{"prompt": "{WORD}"'.encode() + b"\xff", headers=json_type))
    for name, value in {
        "prompt": {"x": WORD},
        "response": [WORD],
        "step": WORD,
        "facts": [WORD],
        "explain": WORD,
    }.items():
        tell(f"a wrong {name}", client.post("/v1/score", json=_asking("Well") | {name: value}))
    tell("a wrong rubric", client.post("/v1/score", json=_asking("Well", rubric={"criteria": []})))
    tell("a wrong batch", client.post("/v1/score/batch", json={"items": WORD}))
    tell(
        "wrong lines",
        client.post("/v1/jobs", content=f'{{"prompt": "{WORD}', headers={"content-type": "application/jsonl"}),
    )


def _doctor(folder: Path, database: str, own: str, *flags: str) -> str:
    ended = judge_server(
        "doctor", "--config", folder / "server.toml", *flags, cwd=folder, **_environment(folder, database, own)
    )
    return ended.stdout + ended.stderr


def _readable(value: Any) -> Any:
    """Compressed contents as their text."""
    try:
        return unpack(value) if isinstance(value, bytes) else value
    except ValueError:
        return value


def _contents(database: str) -> tuple[str, str]:
    """All rows of all tables but the one that holds the secret of the fences, as text; and that secret."""
    with psycopg.connect(database) as connection:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        names = [name for (name,) in connection.execute(query)]
        assert {"judgment", "job", "secret"} <= set(names), names
        rows = [
            repr([_readable(value) for value in row])
            for name in names
            if name != "secret"
            for row in connection.execute(f'SELECT * FROM "{name}"')
        ]
        (secret,) = (
            value for value in connection.execute("SELECT * FROM secret").fetchone() if isinstance(value, bytes)
        )
        return "\n".join(rows), secret.hex()
