"""The engineer's question: why is this reward null, and what distinguishes the responses of a group?"""

import re

import pytest

from tests.served import judged_by
from tests.server.pages.browser import visit
from tests.stub_judge import labels, text
from tests.submissions import rubric, submission


@pytest.fixture(scope="module")
def address():
    def behave(body):
        return text("no verdict") if "the odd one" in str(body) else labels(Yes=0.8, No=0.2)

    with judged_by(behave) as (client, _):
        plan, place = rubric(*[1] * 12), {"run": "grpo-7", "step": 41, "group": "case 12"}
        said = ["the odd one" if n == 5 else "plain" for n in range(8)]
        items = [submission(rubric=plan, response=f"Answer {n}, {one}.", **place) for n, one in enumerate(said)]
        client.post("/v1/score/batch", json={"items": items}).raise_for_status()
        yield str(client.base_url).rstrip("/")


def test_from_a_null_reward_to_its_cause_in_three_clicks(chromium, address):
    with visit(chromium, address) as visitor:
        page = visitor.page
        visitor.open("/runs")
        page.get_by_role("link", name="grpo-7").click()
        page.get_by_role("link", name="Its judgments without a reward").click()
        page.get_by_role("row").filter(has_text="none").get_by_role("link").first.click()
        told = page.inner_text("main")
        assert "no reward" in told
        assert re.search("unusable_verdict: 12 criteria have no verdict", told)
        assert "the odd one" in told
        assert visitor.faults == []


def test_a_group_of_eight_under_twelve_criteria_is_one_screen(chromium, address):
    with visit(chromium, address, width=1440) as visitor:
        visitor.open("/groups?group=case+12&run=grpo-7")
        rows = visitor.page.get_by_role("row")
        assert rows.count() == 1 + 1 + 12
        assert rows.last.get_by_role("cell").count() == 1 + 8
        box = rows.last.bounding_box()
        assert box["y"] + box["height"] <= 900
        assert box["x"] + box["width"] <= 1440
        assert visitor.page.get_by_text("none", exact=True).count() == 1
