import copy
import pickle

import pytest

from judge_client import errors
from judge_client.errors import JudgeClientError
from judge_client.flow import Reply
from judge_client.problem import error_of
from judge_server.core.errors import JudgeServerError
from tests.client.scripted_server import problem


def tree(kind: type) -> list[type]:
    return [kind, *(deeper for special in kind.__subclasses__() for deeper in tree(special))]


def error_from(status: int, slug: str | None = None, **headers: str) -> JudgeClientError:
    content = problem(status, slug).data if slug else b"<html>Bad Gateway</html>"
    return error_of(Reply(status, headers, content))


SERVER = [kind for kind in tree(JudgeServerError) if kind.type not in {"bad_configuration", "missing_dependency"}]


@pytest.mark.parametrize("kind", SERVER, ids=lambda kind: kind.__name__)
def test_every_error_of_the_server_has_its_slug_and_lies_on_the_right_branch(kind):
    error = error_from(kind.status, kind.type)
    assert error.slug == kind.type
    passing = kind.status >= 500 or kind.status == 429
    assert isinstance(error, errors.Momentary if passing else errors.Refused)


@pytest.mark.parametrize("slug", ["unknown_rubric", "unknown_judge", "bad_rubric", "rubric_conflict", "overloaded"])
def test_what_callers_tell_apart_has_a_class_of_its_own(slug):
    assert error_from(400, slug).type == slug


def test_a_proxy_without_problem_documents_is_understood_by_its_status():
    assert type(error_from(502)) is errors.ServerFailure
    assert type(error_from(413)) is errors.TooLarge
    assert type(error_from(418)) is errors.Refused
    assert "418" in str(error_from(418))


def test_a_problem_document_of_a_future_kind_is_understood_by_its_status():
    error = error_from(429, "quota_spent", **{"retry-after": "7"})
    assert isinstance(error, errors.Overloaded)
    assert (error.slug, error.retry_after_seconds) == ("quota_spent", 7.0)


@pytest.mark.parametrize("content", [b"null", b"[1]", b'{"type": null, "detail": 3}', b'{"detail": "\xff"}', b""])
def test_a_strange_body_is_still_an_error(content):
    assert isinstance(error_of(Reply(503, {}, content)), errors.Momentary)


@pytest.mark.parametrize("kind", tree(JudgeClientError), ids=lambda kind: kind.__name__)
def test_every_error_crosses_process_borders(kind):
    error = kind("what", remedy="do", status=418, problem={"a": 1})
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert str(other) == "what do"
        assert (other.status, other.problem, other.slug) == (418, {"a": 1}, error.slug)


def test_the_tree_is_drawn_whole():
    assert [kind.__name__ for kind in tree(JudgeClientError) if kind.__name__ not in errors.__doc__] == []
