import pickle
import re

import pytest

from judge_server.core import errors
from judge_server.core.errors import Draining, JudgeFailure, JudgeServerError, Overloaded, UnknownRubric


def everything(kind=JudgeServerError):
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from everything(child)


def drawn():
    """Name → (parent, status) as the picture in the docstring has them."""
    found, above = {"JudgeServerError": (None, None)}, ["JudgeServerError"]
    for line in errors.__doc__.splitlines():
        match = re.match(r"([│ ]*)[├└]── (\w+) +(\d{3})?", line)
        if match:
            depth = len(match[1]) // 4 + 1
            above[depth:] = [match[2]]
            found[match[2]] = (above[depth - 1], int(match[3]) if match[3] else None)
    return found


def test_the_picture_of_the_tree_shows_exactly_the_classes():
    actual = {kind.__name__: (kind.__bases__[0].__name__, kind.status) for kind in everything()}
    picture = drawn()
    assert picture.keys() == actual.keys()
    del picture["JudgeServerError"]
    assert {name: actual[name] for name in picture} == picture


def test_every_error_has_a_type_of_its_own_and_a_title():
    kinds = list(everything())
    assert len({kind.type for kind in kinds}) == len(kinds)
    assert all(re.fullmatch(r"[a-z_]+", kind.type) and kind.title for kind in kinds)


def test_a_problem_document_has_the_members_of_the_standard_and_the_remedy():
    fault = Overloaded("The queue holds 512.", remedy="Ask again later.", retry_after_seconds=2.5, queued=512)
    assert fault.problem() == {
        "type": "urn:judge-server:error:overloaded",
        "title": "The queue is full",
        "status": 429,
        "detail": "The queue holds 512.",
        "remedy": "Ask again later.",
        "retry_after_seconds": 2.5,
        "queued": 512,
    }
    assert str(fault) == "The queue holds 512. Ask again later."
    assert UnknownRubric("No.").problem().keys() == {"type", "title", "status", "detail"}


def test_an_extension_never_replaces_a_member_of_the_standard():
    assert Draining("Bye.", status=200, type="fine").problem()["status"] == 503
    assert Draining("Bye.", status=200, type="fine").problem()["type"] == "urn:judge-server:error:draining"


def test_an_error_survives_the_way_between_processes():
    fault = pickle.loads(pickle.dumps(UnknownRubric("No.", remedy="List them.", known=["a"])))
    assert (type(fault), fault.detail, fault.remedy, fault.extensions) == (
        UnknownRubric,
        "No.",
        "List them.",
        {"known": ["a"]},
    )


@pytest.mark.parametrize("kind", [kind for kind in everything() if issubclass(kind, JudgeFailure)])
def test_the_failures_of_a_judge_are_named_as_the_verdicts_name_them(kind):
    of_judges = {
        "judge_failure", "timeout", "judge_unavailable", "judge_refused", "judge_changed", "unusable_verdict",
        "context_overflow",
        "content_filtered", "budget_spent", "judge_asleep",
    }  # fmt: skip
    of_graders = {"grader_failed", "grader_unavailable"}
    assert kind.type in of_judges | of_graders
