"""Wrong first calls of a training that drops failures: each ends in an exception with the fix in its text, before any
reward and so before the first optimiser step."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from judge_client import JudgeClientError, Rewarder, Sample
from judge_client.adapters.columns import Columns
from judge_client.adapters.trl import SyncRubricReward
from judge_client.adapters.verl import compute_score
from tests.served import served, settings_of

RUBRIC = "medical/consultation"
WITH_REFERENCE = {
    "id": "t/reference",
    "version": "1.0.0",
    "title": "t",
    "criteria": [{"id": "same", "statement": "Agrees with the reference.", "points": 1, "reference": "required"}],
}
PICTURE = {"type": "image_url", "image_url": {"url": "x"}}


class _Chat(BaseHTTPRequestHandler):
    """A model server where a judge-server is expected."""

    def do_POST(self):
        body = b'{"object": "chat.completion", "choices": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    with served(settings_of()) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def model_server():
    server = HTTPServer(("127.0.0.1", 0), _Chat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def trained(url, *, rubric=RUBRIC, batch=None, prompts=("I cough.",), completions=("Rest.",), **options):
    """The first call of TRL."""
    given = {"url": url, "on_failure": "drop", "patience_seconds": 0.5} | options
    reward = SyncRubricReward(rubric, **given)
    return reward(prompts=list(prompts), completions=list(completions), completion_ids=[[1]], **(batch or {}))


def of_verl(url, *, extra_info=None, **options):
    """The first call of verl."""
    given = {"rubric": RUBRIC, "url": url, "on_failure": 0.25, "patience_seconds": 0.5} | options
    return asyncio.run(compute_score("d", "Rest.", "", extra_info or {"raw_prompt": "I cough."}, **given))


CALLS = {
    "the address of a page": (lambda u: trained(f"{u}/docs"), "which the client adds by itself. Write http://127"),
    "the address of a trainer's route": (lambda u: trained(f"{u}/trainers/openrlhf/{RUBRIC}"), "Write http://127"),
    "an address with a query": (lambda u: trained(f"{u}/?rubric={RUBRIC}"), "has a query"),
    "an address with a space": (lambda u: trained(u.replace("//", "// ")), "Write http://HOST:PORT"),
    "TLS where there is none": (lambda u: trained(u.replace("http:", "https:")), "Write http:// in url"),
    "a host that nobody knows": (lambda u: trained("http://no-such-host.invalid:8000"), "correct url (JUDGE_URL)"),
    "a port where nobody listens": (lambda u: trained("http://127.0.0.1:9"), "Start it, or correct url"),
    "a header as a key": (lambda u: trained(u, api_key="Authorization: Bearer abc"), "Give the key alone"),
    "a key in quotation marks": (lambda u: trained(u, api_key='"abc"'), "Give the key alone"),
    "a version that is not there": (lambda u: trained(u, rubric=f"{RUBRIC}@9.9.9"), "Known: 1.0.0, 2.0.0"),
    "the file of a rubric": (
        lambda u: trained(u, rubric=f"rubrics/{RUBRIC}.yaml"),
        "write it like medical/consultation",
    ),
    "a path as a rubric": (lambda u: trained(u, rubric=Path(RUBRIC)), "Give one name such as medical/consultation"),
    "an inline rubric without criteria": (lambda u: trained(u, rubric={"id": "a/b", "criteria": []}), "criteria"),
    "a model as a judge": (lambda u: trained(u, judge="gpt-4"), "Configured judges: default"),
    "a column that is not there": (
        lambda u: trained(u, columns=Columns(reference="solutoin"), batch={"solution": ["x"]}),
        "Did you mean 'solution'?",
    ),
    "a reference under another name": (
        lambda u: trained(u, rubric=WITH_REFERENCE, batch={"solution": ["x"]}),
        "Add the field reference",
    ),
    "facts that are no JSON": (lambda u: trained(u, batch={"facts": ["{bad"]}), "which is no JSON"),
    "a column of another length": (lambda u: trained(u, batch={"reference": ["x", "y"]}), "Give one for each"),
    "roles of ShareGPT": (lambda u: trained(u, prompts=[[{"role": "human", "content": "hi"}]]), "Write 'user'"),
    "messages of ShareGPT": (lambda u: trained(u, prompts=[[{"from": "human", "value": "hi"}]]), 'Write "role" and'),
    "token ids": (lambda u: trained(u, completions=[[1, 2]]), "Decode them"),
    "one message": (lambda u: trained(u, completions=[{"role": "assistant", "content": "hi"}]), "Write [message]"),
    "a picture": (
        lambda u: trained(
            u, prompts=[[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]]
        ),
        "the judge reads text only",
    ),
    "a user who answers": (
        lambda u: trained(u, completions=[[{"role": "user", "content": "hi"}]]),
        "come from assistant or tool",
    ),
    "milliseconds as a deadline": (lambda u: trained(u, deadline_seconds=300_000), "Give seconds"),
    "a deadline that nothing meets": (lambda u: trained(u, deadline_seconds=0.0001), "Give seconds, and enough"),
    "a unit in a deadline": (lambda u: trained(u, deadline_seconds="30s"), "without quotation marks"),
    "a policy in words": (lambda u: trained(u, on_failure="zero"), "Write raise, drop, neutral"),
    "an address in quotation marks": (lambda u: trained(f"'{u}'"), "without quotation marks"),
    "IPv6 without brackets": (lambda u: trained("http://::1:8000"), "Write an IPv6 address in brackets"),
    "the address of the pages, as it is written": (lambda u: trained("http://HOST:PORT"), "the server's host and port"),
    "a path that no proxy removes": (lambda u: trained(f"{u}/judge"), "The server's address has no path"),
    "a key in two lines": (lambda u: trained(u, api_key="abc\ndef"), "Give the key alone"),
    "a version with a v": (lambda u: trained(u, rubric=f"{RUBRIC}@v1.0.0"), "write it like medical/consultation"),
    "the text of a rubric": (lambda u: trained(u, rubric='{"id": "a/b"}'), "Give it as a dict"),
    "columns as a dict": (lambda u: trained(u, columns={"reference": "solution"}), "Write columns=Columns("),
    "a column that there is none of": (lambda u: trained(u, columns=Columns(refrence="x")), "Did you mean reference?"),
    "columns in each other's place": (
        lambda u: trained(u, batch={"rubric": ["Rest."], "reference": [RUBRIC]}),
        "write it like medical/consultation",
    ),
    "a list as a reference": (lambda u: trained(u, batch={"reference": [["x"]]}), "Give one text for each prompt"),
    "a label of verl as a reference": (
        lambda u: trained(u, batch={"reference": [{"style": "rule", "ground_truth": "x"}]}),
        "Give one text for each prompt",
    ),
    "one text for all completions": (
        lambda u: SyncRubricReward(RUBRIC, url=u)("abc", "abc"),
        "prompts: a str is no list",
    ),
    "no completions": (lambda u: SyncRubricReward(RUBRIC, url=u)(["p"], None), "completions: a NoneType is no list"),
    "fewer completions than prompts": (lambda u: trained(u, prompts=["a", "b"]), "Repeat each prompt for every"),
    "a completion without content": (lambda u: trained(u, completions=[[{"role": "assistant"}]]), "has no content"),
    "a role in capitals": (lambda u: trained(u, prompts=[[{"role": "User", "content": "hi"}]]), "Write 'user'"),
    "token ids of NumPy": (lambda u: trained(u, completions=[np.array([1, 2])]), "Decode them"),
    "a split without its reference": (lambda u: trained(u, rubric=WITH_REFERENCE), "Add the field reference"),
    "no seconds": (lambda u: trained(u, deadline_seconds=0), "Give seconds"),
    "fewer attempts than none": (lambda u: trained(u, attempts=-1), "Give 1 or more"),
    "a policy of another library": (lambda u: trained(u, on_failure="skip"), "Write raise, drop, neutral"),
    "extra_info of verl as text": (lambda u: of_verl(u, extra_info='{"raw_prompt": "x"}'), "extra_info is a str"),
    "a key of verl that is not there": (lambda u: of_verl(u, prompt_key="promt"), "It has raw_prompt"),
    "a policy that verl cannot bear": (lambda u: of_verl(u, on_failure="drop"), "Choose raise or a number"),
    "the class for a reward": (
        lambda u: SyncRubricReward(prompts=["I cough."], completions=["Rest."], completion_ids=[[1]]),
        "Write reward_funcs=[SyncRubricReward(",
    ),
    "a run as long as a prompt": (lambda u: trained(u, run="x" * 5_000), "run: "),
}


@pytest.mark.parametrize(("call", "fix"), CALLS.values(), ids=CALLS)
def test_it_ends_in_an_exception_with_the_fix_in_its_text(url, call, fix):
    with pytest.raises(JudgeClientError) as raised:
        call(url)

    assert fix in str(raised.value)


def test_the_address_of_the_judge_model_is_named(model_server):
    with pytest.raises(JudgeClientError, match="Is this the address of a judge-server, and not of the judge model"):
        trained(model_server)


def test_a_slice_of_a_data_set_is_its_columns(url):
    rewarder = Rewarder(RUBRIC, url=url)
    assert len(rewarder.score({"prompt": ["I cough.", "I ache."], "response": ["Rest.", None]})) == 2
    assert len(rewarder.score([{"prompt": "p", "response": [{"role": "assistant", "content": "r"}]}])) == 1
    with pytest.raises(JudgeClientError, match="prompt 2, response 1"):
        rewarder.score({"prompt": ["a", "b"], "response": ["c"]})
    with pytest.raises(JudgeClientError, match="a list is expected"):
        rewarder.score({"prompt": "a", "response": [{"role": "assistant", "content": "r"}]})
    assert rewarder.score_one(Sample("p", "r")).failure is None
