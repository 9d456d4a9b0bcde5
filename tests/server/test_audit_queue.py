"""/v1/monitor/audit-queue…: from a draw to labels to an estimate, over HTTP."""

import pytest

QUEUE = "/v1/monitor/audit-queue"
SCORED = {"rubric": "medical/consultation", "prompt": "My head aches.", "facts": {"audience": "patient"}}


@pytest.fixture(scope="module")
def drawn(client):
    """A server with a draw of four judgments for the set audit/june."""
    for number in range(4):
        answer = client.post(
            "/v1/score", json={**SCORED, "response": f"Rest, and drink {number + 1} glasses of water."}
        )
        assert answer.status_code == 200, answer.text
    answer = client.post(QUEUE, json={"label_set": "audit/june", "rubric": "medical/consultation"})
    assert answer.status_code == 201, answer.text
    assert sum(answer.json()["drawn"].values()) == 4
    assert answer.json()["drawn"] == answer.json()["population"]
    return client


def test_labels_of_drawn_items_flow_into_a_label_set_and_an_estimate(drawn):
    items = drawn.get(QUEUE, params={"label_set": "audit/june", "annotator": "ann"}).json()["items"]
    assert len(items) == 4
    labels = [
        {"judgment": item["judgment"], "criterion": criterion["id"], "label": True}
        for item in items
        for criterion in item["criteria"]
        if "options" not in criterion or not criterion["options"]
    ]
    body = {"label_set": "audit/june", "annotator": "ann", "labels": labels}
    answer = drawn.post(f"{QUEUE}/labels", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["new"] == 2 * len(labels)
    assert drawn.get(QUEUE, params={"label_set": "audit/june", "annotator": "ann"}).json() == {"items": []}
    (found,) = drawn.get(f"{QUEUE}/estimate", params={"label_set": "audit/june"}).json()["agreements"]
    assert (found["judge"], found["value"], found["items"]) == ("default", 1.0, 4)
    kept = drawn.get("/v1/label-sets/audit/june").json()
    assert kept["total"] == 2 * len(labels)
    assert kept["description"]["counts"]["humans"] == kept["description"]["counts"]["judges"] == 1


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"label_set": "a", "judge": "nobody"}, 404, "nobody"),
        ({"label_set": "../x"}, 422, "label_set"),
        ({"label_set": "a", "sizes": {"random": -1}}, 422, "sizes.random"),
        ({"label_set": "a", "sizes": {"best": 1}}, 422, "best"),
        ({}, 422, "label_set"),
    ],
)
def test_a_draw_that_cannot_be_made_is_refused(drawn, body, status, named):
    answer = drawn.post(QUEUE, json=body)
    assert answer.status_code == status
    assert named in answer.text


@pytest.mark.parametrize(
    ("labels", "named"),
    [([], "labels"), ([{"judgment": "jdg_none", "criterion": "c", "label": True}], "was not drawn")],
)
def test_labels_of_nothing_are_refused(drawn, labels, named):
    answer = drawn.post(f"{QUEUE}/labels", json={"label_set": "audit/june", "annotator": "ann", "labels": labels})
    assert answer.status_code == 422
    assert named in answer.json()["detail"]


def test_a_set_that_nothing_was_drawn_for_is_empty(drawn):
    assert drawn.get(QUEUE, params={"label_set": "other"}).json() == {"items": []}
    assert drawn.get(f"{QUEUE}/estimate", params={"label_set": "other"}).json() == {"agreements": []}
