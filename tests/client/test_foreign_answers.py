"""Another service, a proxy or nothing sensible at the address of the server: a training does not begin, whatever
``on_failure`` says, and the error names the fix."""

import asyncio
import os
import socket
import subprocess
import sys
import threading

import pytest

from judge_client import JudgeClientError, JudgeFailed, Rewarder, Sample
from judge_client.adapters.trl import SyncRubricReward
from judge_client.adapters.verl import compute_score
from tests.client.scripted_server import ScriptedServer, judged
from tests.stub_judge import Reply


def of_trl(url):
    return SyncRubricReward("a/b", url=url, on_failure="drop", patience_seconds=0.2)(["p"], ["r"])


def of_verl(url):
    given = {"rubric": "a/b", "url": url, "on_failure": 0.25, "patience_seconds": 0.2}
    return asyncio.run(compute_score("d", "r", "", {"raw_prompt": "p"}, **given))


def natively(url):
    return Rewarder("a/b", url=url, on_failure="drop", patience_seconds=0.2).score([Sample("p", "r")])


CALLERS = {"trl": of_trl, "verl": of_verl, "native": natively}
ANSWERS = {
    "a server of files": (Reply(501, b"<html>Unsupported method</html>"), "of another service: correct url"),
    "a broken service": (Reply(500, b"<html>oops</html>"), "of another service: correct url"),
    "a proxy before nothing": (Reply(502, b"<html>Bad Gateway</html>"), "start the judge-server behind it"),
    "a proxy in maintenance": (Reply(503, b"<html>soon</html>"), "start the judge-server behind it"),
    "a proxy with a password": (Reply(401, b"", {"WWW-Authenticate": "Basic"}), "credentials of its own"),
    "a proxy that forbids": (Reply(403, b"<html>no</html>"), "credentials of its own"),
    "another scheme": (Reply(301, b"", {"Location": "https://judge.test/"}), "leads to https://judge.test/: write"),
    "a page to sign in": (Reply(302, b"", {"Location": "https://sso.test/in"}), "leads to https://sso.test/in: write"),
    "a port of TLS": (Reply(400, b"The plain HTTP request was sent to HTTPS port"), "write https:// in url"),
    "another API": (Reply(422, b'{"detail": [{"loc": ["body", "model"]}]}'), "of another service: correct url"),
    "another API without the route": (Reply(404, b'{"error": "nope"}'), "of another service: correct url"),
    "a page": (Reply(200, b"<html>hello</html>"), "Is this the address of a judge-server"),
    "an older server": (Reply(200, b'{"results": [{"reward": 0.5}]}'), "Is the server older than this client"),
}


@pytest.mark.parametrize("call", CALLERS.values(), ids=CALLERS)
@pytest.mark.parametrize(("answer", "fix"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_no_judge_server_gives_ends_the_first_call_with_its_fix(answer, fix, call):
    with ScriptedServer() as server:
        server.behave = lambda _: answer
        with pytest.raises(JudgeClientError) as raised:
            call(server.url)

    assert fix in str(raised.value)


def test_a_gateway_without_its_server_is_waited_for_later_and_then_follows_the_policy():
    with ScriptedServer() as server:
        server.behave = judged
        rewarder = Rewarder("a/b", url=server.url, on_failure="drop", patience_seconds=0.2)
        rewarder.score([Sample("p", "r")])
        server.behave = lambda _: Reply(502, b"<html>Bad Gateway</html>")
        (one,) = rewarder.score([Sample("p", "r")])

    assert (one.reward, one.failure) == (None, "foreign_answer")


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"-ERR unknown command\r\n"], ids=["ssh", "redis"])
def test_a_port_of_another_protocol_is_no_server(greeting):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greeting, args=(listener, greeting), daemon=True).start()
        with pytest.raises(
            JudgeFailed, match=r"write https:// in url \(JUDGE_URL\); if it does not run, start it|Start it"
        ):
            natively(f"http://127.0.0.1:{listener.getsockname()[1]}")


def _greeting(listener, greeting):
    while True:
        try:
            with listener.accept()[0] as one:
                one.sendall(greeting)
        except OSError:  # the test is over
            return


REMOTE = {"JUDGE_URL": "http://judge.test"}
VARIABLES = {
    "a proxy that does not run": (
        REMOTE | {"HTTP_PROXY": "http://127.0.0.1:9"},
        "through the proxy http://127.0.0.1:9",
    ),
    "a proxy that nobody knows": (
        REMOTE | {"HTTP_PROXY": "http://no-such-proxy.invalid:3128"},
        "through the proxy http://no-such-proxy.invalid:3128",
    ),
    "a proxy of an unknown scheme": (REMOTE | {"HTTP_PROXY": "ftp://proxy:1"}, "Correct HTTP_PROXY, HTTPS_PROXY and"),
    "a file of certificates that is not there": ({"SSL_CERT_FILE": "/no/such.pem"}, "Correct SSL_CERT_FILE"),
    "a misspelt variable": ({"JUDGE_RUBIRC": "a/b"}, "Did you mean JUDGE_RUBRIC?"),
    "another misspelt variable": ({"JUDGE_ON_FALIURE": "raise"}, "Did you mean JUDGE_ON_FAILURE?"),
    "quotation marks in a variable": ({"JUDGE_URL": "'http://127.0.0.1:8000'"}, "without quotation marks"),
    "a unit in a variable": ({"JUDGE_DEADLINE_SECONDS": "30s"}, "Give seconds"),
}


@pytest.mark.parametrize(("variables", "fix"), VARIABLES.values(), ids=VARIABLES)
def test_a_variable_that_cannot_work_ends_the_first_call_with_its_fix(variables, fix):
    program = (
        "from judge_client import *; Rewarder('a/b', on_failure='drop', patience_seconds=0.2).score([Sample('p', 'r')])"
    )
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    around = kept | {"JUDGE_URL": "http://127.0.0.1:8"} | variables

    done = subprocess.run([sys.executable, "-c", program], env=around, capture_output=True, text=True, check=False)

    assert fix in done.stderr.splitlines()[-1]


def test_a_variable_that_is_somebodys_own_is_left_alone():
    kept = os.environ | {"JUDGE_URL_2": "x", "JUDGE_MODEL": "y", "JUDGE_SERVER_MODEL": "z"}
    program = "from judge_client import Rewarder; Rewarder('a/b')"

    subprocess.run([sys.executable, "-c", program], env=kept, check=True)
