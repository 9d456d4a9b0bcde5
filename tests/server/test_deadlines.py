"""A database, a judge or a disk of rubrics that hangs: every route, pages too, is answered after the caller's deadline.

``python -m tests.end_to_end.hanging`` does it with more dependencies, and times it on a quiet machine.
"""

import pytest

from judge_server.authoring.lock import LOCK
from tests.served import settings_of
from tests.server.hanging import REFUSED, REQUESTS, Answer, Hanging, threads_of_the_database, unread
from tests.yardstick import PATIENCE_SECONDS


@pytest.fixture(scope="module", params=["database", "judge", "rubrics"])
def hanging(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Answer]]:
    folder = tmp_path_factory.mktemp("hanging")
    (folder / "rubrics").mkdir()

    def settings(judge):
        return settings_of(judge, database=f"sqlite:///{folder}/j.db", rubrics=(folder / "rubrics",))

    hangs = {
        "database": threads_of_the_database,
        "judge": None,
        "rubrics": lambda stack, _: stack.enter_context(unread(folder / "rubrics" / LOCK)),
    }
    return request.param, Hanging(settings, hangs[request.param]).answers()


@pytest.mark.parametrize("name", REQUESTS)
def test_every_route_is_answered_soon_after_the_deadline(hanging, name):
    what, answers = hanging
    answer = answers[name]
    assert answer.seconds < PATIENCE_SECONDS, f"the {what} hangs until the end"
    assert answer.status != 500, answer.text
    if what == "database":
        assert answer.status not in REFUSED, f"refused before it waited: NEEDS says what it needs. {answer.text}"
