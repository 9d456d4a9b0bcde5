"""``judge-server serve`` as a process: starting, serving, draining, and refusing to start in one readable line."""

import os
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest

from benchmarks.stub_judge import answer
from tests.command import judge_server, serving
from tests.served import until
from tests.server.dialects.exchanges import DIALECTS
from tests.server.faults import only_for
from tests.stub_judge import Reply, StubJudge
from tests.submissions import rubric, submission
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS

WANTING_A_JUDGE = {
    "/v1/score": submission(),
    "/v1/score/batch": {"items": [submission()]},
    "/v1/score/group": {"prompt": "p", "responses": ["Rest."], "rubric": rubric()},
    "/v1/jobs": {"items": [submission()]},
} | {
    f"{dialect.path.format(rubric='medical/consultation')}?on_error=-1": dialect.body("Call for help.", None)
    for dialect in DIALECTS.values()
}


def draining_for(seconds: float, folder: Path) -> Path:
    """A configuration file."""
    file = folder / "judge.toml"
    file.write_text(f"drain_seconds = {seconds}")
    return file


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_answers_what_is_under_way_lets_nothing_in_and_ends_well(tmp_path, number):
    go = threading.Event()
    slow = only_for("criterion-", Reply(body=answer("Yes", {"Yes": 0.9, "No": 0.1}), until=go))
    config = ("--config", draining_for(HANG_SECONDS, tmp_path))
    with StubJudge(slow) as judge, serving("--model", judge.specification, *config, cwd=tmp_path) as (client, server):
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(client.post("/v1/score", json=submission())))
        before = judge.calls
        asking.start()
        until(lambda: judge.calls >= before + 2)
        server.process.send_signal(number)
        until(lambda: client.get("/readyz").status_code == 503)
        refused = [client.post(path, json=body) for path, body in WANTING_A_JUDGE.items()]
        assert client.get("/healthz").status_code == 200
        go.set()
        asking.join(PATIENCE_SECONDS)
        assert server.process.wait(PATIENCE_SECONDS) == 0
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.address}/healthz", timeout=PATIENCE_SECONDS)
    for answer_to_it in refused:
        assert (answer_to_it.status_code, answer_to_it.headers["retry-after"]) == (503, "5"), answer_to_it.text
        assert answer_to_it.json()["type"] == "urn:judge-server:error:draining"
    assert answers[0].status_code == 200
    assert answers[0].json()["reward"] == pytest.approx(0.9)
    assert not any("Traceback" in line for line in server.log)
    assert (tmp_path / "judge-server.db").exists()


def test_what_was_judged_is_there_after_a_restart(tmp_path):
    flags = ("--model", "baseline", "--database", f"sqlite:///{tmp_path}/kept.db")
    with serving(*flags, cwd=tmp_path) as (client, _):
        judged = client.post("/v1/score", json=submission()).json()
    with serving(*flags, cwd=tmp_path) as (client, _):
        again = client.get(f"/v1/judgments/{judged['id']}").json()
        repeated = client.post("/v1/score", json=submission()).json()
    assert again["reward"] == judged["reward"] == repeated["reward"]
    assert all(verdict["cached"] for verdict in repeated["verdicts"])


def test_what_cannot_start_says_why_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = {
            "--model nonsense:x": "does not start with a known model provider",
            "--database postgresql://judge:secret-word@127.0.0.1:9/x": "judge:***@127.0.0.1:9/x",
            f"--port {port}": "address already in use",
        }
        for flags, told in refused.items():
            ended = judge_server("serve", *flags.split(), cwd=tmp_path, JUDGE_SERVER_WAIT_FOR_DATABASE_SECONDS="0")
            assert ended.returncode == 2, ended.stderr
            assert told in ended.stderr
            assert "Traceback" not in ended.stderr
            assert "secret-word" not in ended.stdout + ended.stderr


def test_what_is_not_finished_by_the_limit_is_answered_503(tmp_path):
    forever = only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))
    config = draining_for(1.0, tmp_path)
    with (
        StubJudge(forever) as judge,
        serving("--model", judge.specification, "--config", config, cwd=tmp_path) as (client, server),
    ):
        answers: list[httpx.Response] = []
        before = judge.calls
        asking = threading.Thread(target=lambda: answers.append(client.post("/v1/score", json=submission())))
        asking.start()
        until(lambda: judge.calls >= before + 2)
        server.process.send_signal(signal.SIGTERM)
        asking.join(PATIENCE_SECONDS)
        assert server.process.wait(PATIENCE_SECONDS) == 0
        assert judge.disconnects == 2
    assert answers[0].status_code == 503
    assert answers[0].json()["type"] == "urn:judge-server:error:draining"
    assert answers[0].headers["retry-after"] == "5"


def test_a_stopped_server_puts_its_jobs_back_and_the_next_one_goes_on(tmp_path):
    slow = only_for("criterion-", Reply(body=answer("Yes", {"Yes": 0.9, "No": 0.1}), delay_seconds=0.3))
    flags = ("--database", f"sqlite:///{tmp_path}/jobs.db")
    items = [submission(response=f"Answer {n}.", rubric=rubric(1)) for n in range(200)]
    with StubJudge(slow) as judge:
        with serving("--model", judge.specification, *flags, cwd=tmp_path) as (client, server):
            job = client.post("/v1/jobs", json={"items": items}).json()["id"]
            until(lambda: client.get(f"/v1/jobs/{job}").json()["ok"] > 0)
            assert server.stop() == 0
        with serving("--model", judge.specification, *flags, cwd=tmp_path) as (client, _):
            until(lambda: client.get(f"/v1/jobs/{job}").json()["status"] == "done")
            assert client.get(f"/v1/jobs/{job}").json()["ok"] == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait_any_longer(tmp_path, number):
    forever = only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))
    config = draining_for(HANG_SECONDS, tmp_path)
    with (
        StubJudge(forever) as judge,
        serving("--model", judge.specification, "--config", config, cwd=tmp_path) as (client, server),
    ):
        before = judge.calls
        threading.Thread(target=_ignoring_errors, args=(client,), daemon=True).start()
        until(lambda: judge.calls >= before + 2)
        os.kill(server.process.pid, number)
        until(lambda: client.get("/readyz").status_code == 503)
        os.kill(server.process.pid, number)
        server.process.wait(PATIENCE_SECONDS)


def test_a_hangup_does_not_end_the_server(tmp_path):
    with serving("--model", "baseline", cwd=tmp_path) as (client, server):
        server.process.send_signal(signal.SIGHUP)
        until(lambda: any("SIGHUP" in line for line in server.log))
        assert client.post("/v1/score", json=submission()).status_code == 200
        assert server.process.poll() is None


def _ignoring_errors(client: httpx.Client) -> None:
    try:
        client.post("/v1/score", json=submission())
    except httpx.TransportError:
        return
