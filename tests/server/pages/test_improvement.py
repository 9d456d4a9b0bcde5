"""A judge is improved on a page: what the labels can show, the rungs, the diff, and the way to the editor."""

import re

from tests.cli.test_calibrate_improve import BETTER
from tests.served import served
from tests.server.pages.test_calibration import posted
from tests.server.pages.test_pages import sound, token
from tests.server.test_improvements import Held, ended, settings, stored
from tests.stub_judge import StubJudge
from tests.yardstick import PATIENCE_SECONDS

PATH = "/calibrations/improve"


async def test_from_the_form_to_a_draft_in_the_editor_and_nothing_is_published(tmp_path):
    database = f"sqlite:///{tmp_path}/j.db"
    await stored(database, tmp_path, 140)
    holding = Held(after=20)
    with StubJudge(holding) as judge, served(settings(judge, database)) as client:
        rubric = posted(client)
        assert PATH in {one["href"] for one in sound(client.get("/calibrations")).all("a")}
        shown = sound(client.get(PATH, params={"labels": "water", "rubric": rubric, "tries": "2"}))
        assert "What these labels can show" in shown.text
        assert re.search(r"revise: \d+ ratings from \d+ prompts; at 85 % agreement the interval is ± \d+", shown.text)
        assert not holding.answered
        form = {"token": token(client, PATH), "labels": "water", "rubric": rubric, "proposer": "default"}
        form |= {"examples": "0", "calls": "500"}
        path = client.post(PATH, data=form).headers["location"]
        assert holding.held.wait(PATIENCE_SECONDS)
        running = client.get(path)
        assert "hx-get" in running.text
        assert "Cancel" in sound(running).text
        holding.let.set()
        done = ended(client, f"/v1/improvements/{path.rpartition('/')[2]}")
        assert done["error"] is None
        page = sound(client.get(path))
        for told in ("improved", "What helped", "What did not help", "Nothing is published", "read once"):
            assert told in page.text
        assert BETTER in page.text
        assert f"/v1/improvements/{done['id']}/files/improvement.html" in {one["href"] for one in page.all("a")}
        assert client.get(path, headers={"HX-Request": "true"}).headers["hx-refresh"] == "true"
        draft = client.post(f"{path}/draft", data={"token": token(client, path)}).headers["location"]
        assert client.post(f"{path}/draft", data={"token": token(client, path)}).headers["location"] == draft
        assert BETTER in client.get(draft).text
        assert client.get(f"/v1/rubrics/{rubric}").json()["rubric"]["version"] == "1.0.0"


async def test_what_cannot_begin_stands_above_the_form_and_one_is_cancelled(tmp_path):
    database = f"sqlite:///{tmp_path}/j.db"
    await stored(database, tmp_path, 60)
    holding = Held(after=2)
    with StubJudge(holding) as judge, served(settings(judge, database)) as client:
        rubric = posted(client)
        form = {"token": token(client, PATH), "labels": "water", "rubric": rubric, "reason": "kept"}
        for change, status, told in (
            ({"labels": "none/such"}, 404, "there is no label set"),
            ({"calls": "many"}, 422, "is no number"),
            ({"positives": "water"}, 422, "is not CRITERION=CLASS"),
            ({"tries": "99"}, 422, "tries"),
        ):
            answer = client.post(PATH, data=form | change)
            page = sound(answer)
            assert (answer.status_code, told in page.text) == (status, True), page.text
            assert "kept" in {one.get("value") for one in page.all("input")}
        assert client.get(PATH, params={"labels": "none/such"}).status_code == 404
        path = client.post(PATH, data=form).headers["location"]
        assert holding.held.wait(PATIENCE_SECONDS)
        assert client.post(f"{path}/cancel", data={"token": token(client, path)}).headers["location"] == path
        assert "cancelled" in sound(client.get(path)).text
        holding.let.set()
        assert client.post(f"{path}/draft", data={"token": token(client, PATH)}).status_code == 404
        assert client.get(f"{PATH}/imp_none").status_code == 404
        assert client.post(f"{path}/cancel", data={}).status_code == 403
