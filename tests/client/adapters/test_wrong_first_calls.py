"""Every adapter, every wrong first call that it makes possible: an exception with the fix in its text, no reward."""

import itertools
import re

import pytest

from judge_client import JudgeClientError
from tests.client.adapters.first_calls import ADAPTERS, FirstCall
from tests.client.adapters.stand_ins import trainers
from tests.client.adapters.wrong_calls import RUBRIC, WRONG
from tests.client.conftest import environment
from tests.project.repository import ROOT
from tests.served import served, settings_of

LEAST = 40
"""Kinds of fault tried of each adapter."""
NO_CALLERS = {"asynchronous", "columns", "conversation", "decoded", "kept", "label"}
RUNS = itertools.count()


@pytest.fixture(scope="module")
def url():
    with trainers(), served(settings_of()) as client:
        yield str(client.base_url).rstrip("/")


def called(adapter, url, wrong=None):
    """By a run of its own, so that no earlier reward of this process or of the server counts as its first."""
    call = FirstCall({"url": url, "rubric": RUBRIC, "on_failure": adapter.lenient})
    with environment(JUDGE_RUN=f"run-{next(RUNS)}", JUDGE_PATIENCE_SECONDS="0.1"):
        return adapter.first_call(call if wrong is None else wrong.spoilt(call))


def seen(adapter, url, wrong):
    """What is missing: an exception, one of ours, or the fix in its text."""
    try:
        return f"no exception: {called(adapter, url, wrong)}"
    except JudgeClientError as error:
        return None if re.search(wrong.fix, str(error)) else f"no fix: {error}"
    except Exception as error:  # noqa: BLE001 - any other is a fault of the adapter
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("name", ADAPTERS)
def test_each_wrong_first_call_ends_in_an_exception_with_the_fix_in_its_text(url, name):
    adapter = ADAPTERS[name]
    possible = {fault: wrong for fault, wrong in WRONG.items() if wrong.needs <= adapter.takes}
    called(adapter, url)

    found = {fault: seen(adapter, url, wrong) for fault, wrong in possible.items()}

    assert {fault: text for fault, text in found.items() if text} == {}
    assert len(possible) >= LEAST


def test_every_adapter_is_in_the_table():
    files = {path.stem for path in (ROOT / "clients/judge_client/adapters").glob("[a-z]*.py")}
    named = {adapter.first_call.__name__ for adapter in ADAPTERS.values()}

    assert files - NO_CALLERS <= named
