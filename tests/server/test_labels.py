"""/v1/monitor/audit-queue…: from a draw to labels to an estimate, over HTTP."""

import pytest

LABEL = {"item": "a", "criterion": "c", "annotator": "ann", "label": "yes", "prompt": "Q", "cluster": "p"}


@pytest.fixture
def post(client, request):
    """Posts to a set that belongs to the test alone."""

    def posted(*labels, status=201, **more):
        answer = client.post("/v1/labels", json={"label_set": request.node.name[:60], "labels": labels, **more})
        assert answer.status_code == status, answer.text
        return answer.json()

    return posted


def test_labels_go_in_one_by_one_and_come_out_as_a_set(client, post, request):
    assert post(LABEL)["added"] == {"new": 1, "changed": 0, "unchanged": 0}
    post({**LABEL, "annotator": "gpt", "role": "judge", "label": True, "probability": 0.9})
    post({**LABEL, "annotator": "bob", "label": None})
    name = request.node.name[:60]
    told = client.get(f"/v1/label-sets/{name}").json()
    assert [one["label"] for one in told["labels"]] == ["yes", "yes", ""]
    assert told["labels"][0]["prompt"] == "Q"
    assert told["description"]["counts"]["abstained"] == 1
    listed = client.get("/v1/label-sets").json()["label_sets"]
    assert [one["collected"] for one in listed if one["id"] == name] == [True]


def test_labels_that_cannot_stand_together_are_refused_by_row(post):
    post({**LABEL, "label": 3})
    problem = post({**LABEL, "item": "b", "label": "banana"}, status=422)
    assert problem["findings"][0]["column"] == "label"
    assert post({**LABEL, "item": "b", "label": 4}, {**LABEL, "item": "b", "label": 5}, status=422)["findings"]


def test_an_annotator_thinks_again_only_when_asked(post):
    post(LABEL)
    assert "replace" in post({**LABEL, "label": "no"}, status=422)["remedy"]
    assert post({**LABEL, "label": "no"}, replace=True)["added"]["changed"] == 1


def test_a_bad_body_is_refused_by_its_field(post, client):
    post(status=422)
    post({**LABEL, "probability": 2}, status=422)
    assert client.post("/v1/labels", json={"label_set": "../x", "labels": [LABEL]}).status_code == 422


def test_an_unknown_set_is_not_found(client):
    assert client.get("/v1/label-sets/nobody/knows@1").status_code == 404


def test_the_test_split_asks_who_reads_it(client, post, request):
    post(LABEL)
    answer = client.get(f"/v1/label-sets/{request.node.name[:60]}", params={"split": "test"})
    assert answer.status_code == 422
    assert "recorded" in answer.json()["detail"]


def test_labels_come_in_pages(client, post, request):
    post(*({**LABEL, "item": f"item {number}"} for number in range(5)))
    told = client.get(f"/v1/label-sets/{request.node.name[:60]}", params={"offset": 3, "limit": 3}).json()
    assert (told["total"], len(told["labels"])) == (5, 2)


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


def decided(client, judgment: str, criterion: str) -> bool:
    """Whether the judge has a verdict on this criterion; it may say that the criterion does not apply."""
    verdicts = client.get(f"/v1/judgments/{judgment}").json()["verdicts"]
    return any(one["criterion"] == criterion and one["value"] is not None for one in verdicts)


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
    both = len(labels) + sum(decided(drawn, one["judgment"], one["criterion"]) for one in labels)
    assert answer.json()["new"] == both > len(labels)
    assert drawn.get(QUEUE, params={"label_set": "audit/june", "annotator": "ann"}).json() == {"items": []}
    (found,) = drawn.get(f"{QUEUE}/estimate", params={"label_set": "audit/june"}).json()["agreements"]
    assert (found["judge"], found["value"], found["items"]) == ("default", 1.0, 4)
    kept = drawn.get("/v1/label-sets/audit/june").json()
    assert kept["total"] == both
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
