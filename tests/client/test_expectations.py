"""The client as people expect it: what is scored, and what is refused with the fix in its text."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from judge_client import Client, JudgeClientError, Rewarder, Sample
from judge_client.adapters.columns import USUAL
from judge_client.sample import samples_of
from tests.served import served, settings_of

RUBRIC = "medical/consultation"
ROWS = [{"prompt": "I have a headache.", "response": "Rest."}, {"prompt": "I cough.", "response": "Drink water."}]


@pytest.fixture(scope="module")
def url():
    with served(settings_of()) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def client(url):
    with Client(url) as one:
        yield one


@pytest.fixture(scope="module")
def rewarder(url):
    with Rewarder(RUBRIC, url=url) as one:
        yield one


def generated():
    return (Sample(**row) for row in ROWS)


GIVEN = {
    "a generator": generated,
    "mappings": lambda: ROWS,
    "a tuple": lambda: tuple(generated()),
    "a map": lambda: map(dict, ROWS),
    "a DataFrame": lambda: pd.DataFrame(ROWS),
    "a DataFrame with gaps": lambda: pd.DataFrame([ROWS[0] | {"reference": "Rest.", "step": 7}, ROWS[1]]),
    "an array of objects": lambda: np.array(list(generated()), dtype=object),
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_any_iterable_of_samples_is_scored_by_every_call(rewarder, client, given):
    assert len(rewarder.score(given())) == 2
    assert len(client.score_batch(given(), rubric=RUBRIC)) == 2
    assert client.begin_job(given(), rubric=RUBRIC).total == 2


@pytest.mark.parametrize("kind", [tuple, pd.Series, list])
def test_any_iterable_of_responses_is_a_group(rewarder, client, kind):
    responses = kind(["Rest.", None])
    assert len(rewarder.score_group("I cough.", responses)) == 2
    assert len(client.score_group("I cough.", iter(responses), rubric=RUBRIC).results) == 2


@pytest.mark.parametrize("kind", [np.int64, np.float64, torch.tensor, float])
def test_numbers_of_numpy_and_torch_are_plain_ones(client, kind):
    facts = {"age": np.int64(4), "weight": torch.tensor(2.5)}
    judged = client.score(Sample("p", "r", step=kind(3), id=np.int64(5), group=6, facts=facts), rubric=RUBRIC)

    assert (judged.submission.step, judged.submission.id, judged.submission.group) == (3, "5", "6")


def test_options_may_be_numbers_of_numpy(url):
    one = Rewarder(RUBRIC, url=url, deadline_seconds=np.float32(20), attempts=np.int64(3), on_failure=torch.tensor(0.5))
    assert math.isfinite(one.score_one(Sample("p", "r")).reward)


def test_a_completion_of_none_among_others_is_judged_as_empty_and_changes_no_judge(rewarder):
    """The guard alone decides about an empty response, and no judge is named."""
    scored = rewarder.score([Sample("p", "Rest, and drink water."), Sample("p", None), Sample("p", "Sleep.")])

    assert [one.failure for one in scored] == [None, None, None]


def test_columns_of_a_data_set_may_be_any_iterables():
    batch = {"reference": pd.Series(["a", None]), "facts": np.array([{"age": 4}, None], dtype=object)}
    first, second = USUAL.samples(iter(["p", "q"]), iter(["r", "s"]), batch)

    assert (first.reference, first.facts) == ("a", {"age": 4})
    assert (second.reference, second.facts) == (None, None)


WRONG = {
    "one text": (lambda r, c: r.score("text"), "Write [Sample(prompt, response)]"),
    "a list of texts": (lambda r, c: r.score(["text"]), "Write Sample(prompt, response)"),
    "a list of texts in a batch": (lambda r, c: c.score_batch(["text"]), "Write Sample(prompt, response)"),
    "tuples": (lambda r, c: r.score([("p", "r")]), "Write Sample(prompt, response)"),
    "prompts beside responses": (lambda r, c: r.score(["p"], ["r"]), "zip(prompts, responses, strict=True)"),
    "a text as a sample": (lambda r, c: c.score("text"), "Write Sample(prompt, response)"),
    "a number": (lambda r, c: r.score(3), "is no list"),
    "a list as a response": (lambda r, c: Sample("p", ["text"]), "Give one text, or messages"),
    "token ids": (lambda r, c: Sample("p", [1, 2]), "tokenizer.decode"),
    "no prompt": (lambda r, c: Sample(None, "r"), "Give a str"),
    "another name": (lambda r, c: Sample(prompt="p", completion="r"), "Did you mean 'response'?"),
    "a misspelt member": (lambda r, c: r.score([{"prompt": "p", "respnse": "r"}]), "Did you mean 'response'?"),
    "a row without a response": (lambda r, c: r.score([{"prompt": "p"}]), "Give prompt and response"),
    "a step that is none": (lambda r, c: Sample("p", "r", step="last"), "whole number"),
    "one response as a group": (lambda r, c: r.score_group("p", "r"), 'Write ["…", "…"]'),
    "no response": (lambda r, c: r.score_group("p", []), "at least one"),
    "ids of another length": (lambda r, c: r.score_group("p", ["r"], ids=["a", "b"]), "Give one, or None, for each"),
    "timeout": (lambda r, c: Rewarder(RUBRIC, timeout=3), "Did you mean deadline_seconds?"),
    "timeout of a call": (lambda r, c: c.score_batch(ROWS, timeout=3), "Did you mean deadline_seconds?"),
    "a misspelt option": (lambda r, c: Rewarder(RUBRIC, patience_second=3), "Did you mean patience_seconds?"),
    "an option of a group": (lambda r, c: r.score_group("p", ["r"], refernce="x"), "Did you mean reference?"),
    "a filter": (lambda r, c: c.judgments(ruric="x"), "Did you mean rubric?"),
    "an option of a calibration": (lambda r, c: c.calibrate("a", "b", jugde="x"), "Did you mean judge?"),
    "a deadline as text": (lambda r, c: Rewarder(RUBRIC, deadline_seconds="20"), "without quotation marks"),
    "attempts as text": (lambda r, c: Rewarder(RUBRIC, attempts="3"), "without quotation marks"),
    "a rubric as a list": (lambda r, c: Rewarder([RUBRIC]), "Give one name"),
    "a port as an address": (lambda r, c: Client(8000), "Write url='http://HOST:PORT'"),
    "an address with /v1": (lambda r, c: Client("http://127.0.0.1:8000/v1"), "Write http://127.0.0.1:8000 (JUDGE_URL)"),
    "no scheme": (lambda r, c: Client("127.0.0.1:8000"), "Write http://HOST:PORT"),
    "a key with Bearer": (lambda r, c: Client(api_key="Bearer abc"), "Give the key alone"),
    "columns of unequal length": (lambda r, c: USUAL.samples(["p"], ["r", "s"], {}), "Repeat each prompt"),
    "a column of unequal length": (
        lambda r, c: USUAL.samples(["p"], ["r"], {"judge": ["a", "b"]}),
        "Give one for each",
    ),
}


@pytest.mark.parametrize(("call", "fix"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_refused_with_the_fix_in_its_text(rewarder, client, call, fix):
    with pytest.raises(JudgeClientError) as raised:
        call(rewarder, client)

    assert fix in str(raised.value)


def test_progress_moves_while_a_batch_is_under_way(client):
    told = []
    client.score_batch(
        (Sample("p", f"Answer {number}.") for number in range(40)),
        rubric=RUBRIC,
        progress=lambda done, total: told.append((done, total)),
    )

    assert told[-1] == (40, 40)
    assert len(told) > 10


def test_what_a_table_leaves_empty_is_absent():
    row = {"prompt": "p", "response": float("nan"), "reference": pd.NA, "facts": pd.NaT, "id": None}
    assert samples_of([row]) == [Sample("p", "")]
