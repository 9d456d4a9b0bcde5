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
