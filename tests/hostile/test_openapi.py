"""The document says everything that the server answers, and nothing that is sent is an error of the server."""

import pytest

from tests.hostile.openapi import try_every_route


@pytest.mark.timeout(600)
@pytest.mark.parametrize("examples", [2, pytest.param(12, marks=pytest.mark.long)])
@pytest.mark.parametrize("keys", [False, True], ids=["open", "demanding keys"])
def test_no_request_gets_a_5xx_or_an_answer_that_the_document_does_not_know(keys, examples):
    outcome = try_every_route(examples=examples, keys=keys)
    assert outcome.sound, outcome.report
    assert outcome.operations >= 40
    assert outcome.cases >= 60
