"""The pages are true: what their curl commands show is what the server answers, and their examples run."""

import json
import re
import shlex

import httpx
import pytest

from tests.project.repository import ROOT
from tests.served import served, settings_of
from tests.server.test_documentation import differences
from tests.trainers.page import examples

DOCS = ROOT / "docs"
PAGES = [
    DOCS / "dialects.md",
    *(DOCS / "trainers" / f"{name}.md" for name in ["slime", "azure", "nemo-gym", "classify", "roll"]),
]
EXAMPLE = re.compile(r"```sh\n(?P<command>curl .*?)```\n\n```json (?P<status>\d+)\n(?P<answer>.*?)```", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def asked(client: httpx.Client, command: str) -> httpx.Response:
    """What curl would send."""
    words = shlex.split(command)
    url = next(word for word in words if word.startswith("http://127.0.0.1:8000"))
    method = "GET" if "GET" in words else "POST"
    body = words[words.index("--json") + 1]
    headers = {"content-type": "application/json"}
    return client.request(method, url.removeprefix("http://127.0.0.1:8000"), content=body.encode(), headers=headers)


@pytest.fixture(scope="module")
def client():
    with served(settings_of()) as open_client:
        yield open_client


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_curl_command_of_the_page_answers_as_shown(client, page):
    shown = list(EXAMPLE.finditer(page.read_text(encoding="utf-8")))
    assert shown
    task = ""
    for example in shown:
        command = example["command"].replace("{reward_request_id}", task)
        answer = asked(client, command)
        while answer.json() and isinstance(answer.json(), dict) and answer.json().get("errcode") == 1:
            answer = asked(client, command)
        assert answer.status_code == int(example["status"]), (command, answer.text)
        assert differences(json.loads(example["answer"]), answer.json()) == [], command
        task = answer.json().get("reward_request_id", "") if isinstance(answer.json(), dict) else ""


def test_the_example_of_a_reward_models_client_runs(client, capsys):
    source = examples("classify", "python")[0]
    exec(compile(source.replace("http://127.0.0.1:8000", str(client.base_url).rstrip("/")), "classify.md", "exec"), {})
    assert 0 <= float(capsys.readouterr().out) <= 1


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.stem)
def test_every_page_tells_of_every_policy(page):
    text = page.read_text(encoding="utf-8")
    assert "## When the judge fails" in text
    assert all(f"`{policy}`" in text for policy in ("raise", "drop"))
    for source in PYTHON.findall(text):
        compile(source, page.name, "exec")
