"""A database that another session locks: a deadline is kept, and the server stops in time."""

import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import httpx
import pytest

from tests.command import PROGRAM, Server
from tests.submissions import submission
from tests.yardstick import PATIENCE_SECONDS


@contextmanager
def locked(tmp_path, drain_seconds: float = 2.0) -> Iterator[Server]:
    """A server that has judged once, and whose database another connection writes to for ever."""
    path = tmp_path / "judge.db"
    command = [PROGRAM, "serve", "--port", "0", "--model", "baseline", "--database", f"sqlite:///{path}"]
    environment = os.environ | {"JUDGE_SERVER_DRAIN_SECONDS": str(drain_seconds)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    server = Server(process)
    try:
        server.wait_until_it_listens(PATIENCE_SECONDS)
        assert httpx.post(f"{server.address}/v1/score", json=submission(), timeout=PATIENCE_SECONDS).status_code == 200
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield server
    finally:
        process.kill()
        process.wait()


def score(server: Server, answers: list[httpx.Response], seconds: float) -> None:
    body = submission(response="Something new: call for help now.", deadline_seconds=seconds)
    with suppress(httpx.TransportError):
        answers.append(httpx.post(f"{server.address}/v1/score", json=body, timeout=PATIENCE_SECONDS))


@pytest.mark.timeout(120)
def test_a_request_is_told_soon_after_its_deadline_that_nothing_was_stored(tmp_path):
    with locked(tmp_path) as server:
        answers: list[httpx.Response] = []
        score(server, answers, 2.0)
        assert answers[0].status_code == 503, answers[0].text
        told = json.loads(answers[0].text)
        assert told["type"] == "urn:judge-server:error:store_unavailable"
        assert "before the deadline" in told["detail"]  # and not when SQLite gave up, after 10 s
        assert int(answers[0].headers["retry-after"]) >= 1
        assert httpx.get(f"{server.address}/healthz", timeout=PATIENCE_SECONDS).status_code == 200


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("signals", "drain_seconds"), [(1, 2.0), (2, 2 * PATIENCE_SECONDS)])
def test_the_server_stops_in_time_whatever_hangs(tmp_path, signals, drain_seconds):
    """The request waits for longer than this test does, and a second signal does not let it drain."""
    with locked(tmp_path, drain_seconds) as server:
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=score, args=(server, answers, 2 * PATIENCE_SECONDS), daemon=True)
        asking.start()
        time.sleep(0.5)
        for _ in range(signals):
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        server.process.wait(PATIENCE_SECONDS)
        asking.join(PATIENCE_SECONDS)
        assert {answer.status_code for answer in answers} <= {503}
        assert answers or signals == 2, "a second signal may leave no time for an answer"
