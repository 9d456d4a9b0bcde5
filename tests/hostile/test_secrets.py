"""What must stay secret is seen nowhere, however the server is used and misused."""

import pytest

from tests.hostile.secrets import WORD, Seen, seen_of
from tests.postgres import cluster

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]
SECRETS = (
    "engine key",
    "second engine key",
    "database password",
    "webhook secret",
    "own key",
    "wrong key",
    "secret of the fences",
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> Seen:
    with cluster() as postgres:
        return seen_of(tmp_path_factory.mktemp("secrets"), postgres)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_in_no_log_error_metric_page_or_row_nor_in_what_doctor_says(seen, name):
    secret = seen.secrets[name]
    assert len(secret) >= 12
    assert [place for place, text in seen.places.items() if secret in text] == []


def test_texts_that_are_judged_are_in_no_log_error_or_metric(seen):
    assert [place for place, text in seen.places.items() if WORD in text and place != "database"] == []


def test_the_server_was_really_used_and_misused(seen):
    statuses = {text.split(" ", 1)[0] for text in seen.answers.values()}
    assert {"200", "202", "401", "422"} <= statuses
    assert statuses & {"502", "503"}
    assert WORD in seen.database
    assert "judge_unavailable" in seen.database
    assert len(seen.answers) > 40
    assert len(seen.log.splitlines()) > 40
    assert "POST /v1/score" in seen.log
    assert "fault" in seen.doctor
