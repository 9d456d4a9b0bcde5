"""A judge that does what each response tells it to: answers, or fails in one of the ways of tests.trainers."""

from collections.abc import Iterator
from contextlib import contextmanager

from judge_client import Rewarder, Sample
from tests.served import judged_by
from tests.stub_judge import StubJudge, labels
from tests.trainers.conftest import FAULTS, once_started
from tests.yardstick import PATIENCE_SECONDS

GOOD = "Rest, and drink enough."
FAILING = {fault: f"This answer meets {fault}." for fault in FAULTS}
ANSWERED = {fault: response for fault, response in FAILING.items() if fault != "timeout"}
QUESTION = "I have had a headache since yesterday. Where is the pharmacy?"
MESSAGES = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": QUESTION}]
RENDERED = f"<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
END = "<|im_end|>\n"
RUBRIC = {
    "id": "test/kindness",
    "version": "1.0.0",
    "title": "Kindness",
    "criteria": [{"id": "kind", "statement": "Is kind.", "points": 1}],
}
UNUSABLE = {"timeout": "timeout", "garbage": "unusable_verdict", "unavailable": "judge_unavailable"}


@once_started
def as_told(body):
    """The last response told of, so that earlier answers in a conversation decide nothing."""
    for fault, response in FAILING.items():
        if response in str(body):
            return FAULTS[fault](body)
    return labels(Yes=0.9, No=0.1)


@contextmanager
def telling() -> Iterator[tuple[str, StubJudge]]:
    """The address of a server with such a judge, and the judge."""
    with judged_by(as_told) as (client, judge):
        yield str(client.base_url).rstrip("/"), judge


def seconds_for(fault: str | None = None) -> float:
    """A deadline: short for a judge that never answers, whom every machine finds too slow, and else so long that none
    does. A call with both kinds of answers would depend on the machine: ``ANSWERED`` are the faults for those."""
    return 0.5 if fault == "timeout" else PATIENCE_SECONDS


def settings(url: str, fault: str | None = None, **more: object) -> dict[str, object]:
    """Arguments of Rewarder. ``fault``: of all that is judged."""
    return {"url": url, "rubric": RUBRIC, "deadline_seconds": seconds_for(fault), "attempts": 1} | more


def of_the_page(url: str, response: str = GOOD) -> float:
    """What the rubric that the pages name gives a response here."""
    scored = Rewarder("medical/consultation", url=url).score_one(Sample(QUESTION, response))
    assert scored.reward is not None
    return scored.reward
