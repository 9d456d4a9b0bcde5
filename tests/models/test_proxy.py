"""HTTP_PROXY and its kin: the engine and the client follow the convention, and loopback is reached without a proxy."""

import subprocess
import sys

import pytest

from judge_server.util.proxy import on_loopback, via
from tests.forwarding_proxy import ForwardingProxy
from tests.stub_judge import StubJudge

ENGINE = """
import asyncio, os, sys
from judge_server.core.errors import JudgeServerError
from judge_server.models.registry import open_model

async def started(url):
    model = open_model(f"openai:stub@{url}/v1", {"transport_attempts": 1, "connect_timeout_seconds": 2.0})
    try:
        await model.start()
        return f"started, probabilities: {model.capabilities.logprobs}"
    except JudgeServerError as fault:
        return str(fault)
    finally:
        await model.close()

open_, closed, direct = sys.argv[1:]
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
for variables, url in (
    ({"HTTP_PROXY": open_}, "http://judge.test"),
    ({"ALL_PROXY": open_.removeprefix("http://")}, "http://other.test"),
    ({"HTTP_PROXY": closed}, "http://judge.test"),
    ({"HTTPS_PROXY": closed}, "https://judge.test"),
    ({"HTTP_PROXY": "http://ann:secret-word@127.0.0.1:9"}, "http://judge.test"),
    ({"HTTP_PROXY": open_, "NO_PROXY": "judge.test"}, "http://judge.test"),
    ({"HTTP_PROXY": closed}, direct),
):
    os.environ.update(variables)
    print(asyncio.run(started(url)))
    for name in variables:
        del os.environ[name]
"""
CLIENT = """
import os, sys
from judge_client import Client
os.environ.update({"HTTP_PROXY": sys.argv[1]})
for url in ("http://judge.test", sys.argv[2]):
    try:
        Client(url, patience_seconds=0.2).judges()
    except Exception as fault:
        print(f"{fault}")
"""


def _run(program: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "secret-word" not in done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_engine_goes_through_the_proxy_of_the_environment():
    with StubJudge() as judge, ForwardingProxy(judge.port, "ann:secret-word") as proxy:
        place = f"127.0.0.1:{proxy.port}"
        given, wrong = f"http://ann:secret-word@{place}", f"http://ann:wrong-word@{place}"
        through, by_all, refused, tunnel, gone, direct, loopback = _run(
            ENGINE, given, wrong, f"http://127.0.0.1:{judge.port}"
        )
        assert through == by_all == loopback == "started, probabilities: True"
        for said in (refused, tunnel):
            assert f"asked through the proxy http://{place}," in said
            assert "the proxy answered 407" in said
            assert "wrong-word" not in said
        assert "asked through the proxy http://127.0.0.1:9, accepts no connection" in gone
        assert "proxy" not in direct
        assert {one.split("/")[2] for one in proxy.asked} == {"judge.test", "other.test"}


def test_the_client_goes_through_the_proxy_too_but_not_to_its_own_machine():
    with StubJudge() as judge, ForwardingProxy(judge.port) as proxy:
        _run(CLIENT, f"http://127.0.0.1:{proxy.port}", f"http://127.0.0.1:{judge.port}")
        assert proxy.asked
        assert all("judge.test" in one for one in proxy.asked)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "a.localhost"])
def test_these_are_on_loopback(host):
    assert on_loopback(host)


def test_a_message_names_the_proxy_without_its_password():
    assert via("http://ann:secret-word@proxy:3128") == ", asked through the proxy http://proxy:3128,"
    assert via(None) == ""
