"""What holds for every trainer: URL, rubric, policy, substitutions."""

import json

import pytest

from tests.served import judged_by
from tests.server.dialects.conftest import RUBRIC, publish
from tests.server.dialects.exchanges import DIALECTS, LLAMAFACTORY, OPENRLHF, SLIME, submitted
from tests.server.faults import only_for
from tests.stub_judge import Reply
from tests.submissions import checking, rubric

NAMES = sorted(DIALECTS)
LABELLED = sorted(name for name, one in DIALECTS.items() if one.labelled)
NUMBER = {"on_error": "-0.5"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("asked", [RUBRIC, f"{RUBRIC}@1.0.0"])
def test_the_reward_of_the_one_scoring_path_comes_back(served_rubric, name, asked):
    answer = DIALECTS[name].ask(served_rubric, asked, **NUMBER)
    assert answer.status_code == 200, answer.text
    assert DIALECTS[name].reward(answer.json()) == pytest.approx(0.9)
    assert "x-judge-substituted" not in answer.headers


@pytest.mark.parametrize("name", NAMES)
def test_what_is_judged_is_the_conversation_without_the_trainers_framing(served_rubric, name):
    words = f"Answer for {name}."
    DIALECTS[name].ask(served_rubric, RUBRIC, words, **NUMBER)
    found = submitted(served_rubric)
    assert words in json.dumps(found["response"])
    assert "<|im_" not in json.dumps(found)


@pytest.mark.parametrize("name", NAMES)
def test_the_run_in_the_url_is_kept_with_the_judgment(served_rubric, name):
    DIALECTS[name].ask(served_rubric, RUBRIC, f"Answer of the run of {name}.", run=f"night-{name}", **NUMBER)
    found = submitted(served_rubric)
    assert found["run"] == f"night-{name}"


@pytest.mark.parametrize("name", NAMES)
def test_tags_in_the_url_list_and_erase_the_judgments(served_rubric, name):
    tags = [f"study-{name}", f"ward-{name}"]
    DIALECTS[name].ask(served_rubric, RUBRIC, f"Answer with tags of {name}.", tag=tags, **NUMBER)
    (found,) = served_rubric.get("/v1/judgments", params={"tag": tags[1]}).json()["judgments"]
    erased = served_rubric.delete("/v1/judgments", params={"tag": tags[0]}).json()
    assert erased["judgments"] == 1
    assert served_rubric.get(f"/v1/judgments/{found['id']}").status_code == 404


@pytest.mark.parametrize("dialect", [OPENRLHF, SLIME], ids=lambda one: one.name)
def test_tags_in_an_envelope_are_added_and_alone_make_no_envelope(served_rubric, dialect):
    envelope = {"reference": "r", "tags": ["of-the-sample"]}
    dialect.ask(served_rubric, RUBRIC, f"{dialect.name} said so.", label=envelope, tag="of-the-url", **NUMBER)
    assert submitted(served_rubric)["tags"] == ["of-the-url", "of-the-sample"]
    label = {"answer": 7, "tags": ["its own", 8]}
    dialect.ask(served_rubric, RUBRIC, f"{dialect.name} said more.", label=label, **NUMBER)
    found = submitted(served_rubric)
    assert json.loads(found["reference"]) == label
    assert not found.get("tags")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("query", "status", "slug"),
    [
        ({"on_eror": "0"}, 422, "bad_input"),
        ({"on_error": "nan"}, 422, "bad_input"),
        ({"on_error": "0", "judge": "nobody"}, 404, "unknown_judge"),
        ({"on_error": "0", "deadline_seconds": "-1"}, 422, "bad_input"),
        ({"on_error": "0", "tag": "x" * 101}, 422, "bad_input"),
    ],
    ids=["misspelt", "nan", "judge", "deadline", "tag"],
)
def test_a_mistake_in_the_url_is_an_error_and_never_a_number(served_rubric, name, query, status, slug):
    answer = DIALECTS[name].ask(served_rubric, RUBRIC, **query)
    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:judge-server:error:{slug}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("asked", ["medical/nothing", f"{RUBRIC}@9.9.9", "%2e%2e/%2e%2e/etc/passwd", "A B", ""])
def test_an_unknown_rubric_in_the_url_is_a_404_and_never_a_number(served_rubric, name, asked):
    answer = DIALECTS[name].ask(served_rubric, asked, **NUMBER)
    assert answer.status_code == 404
    assert answer.json()["type"].endswith(("unknown_rubric", "not_found"))


@pytest.mark.parametrize("name", LABELLED)
def test_a_label_is_the_reference(served_rubric, name):
    DIALECTS[name].ask(served_rubric, RUBRIC, f"Said to {name}.", "Call at once.", **NUMBER)
    assert submitted(served_rubric)["reference"] == "Call at once."


@pytest.mark.parametrize("name", LABELLED)
def test_an_envelope_brings_its_own_rubric(served_rubric, name):
    envelope = {"rubric": checking("emergency"), "reference": "r", "facts": {"audience": "patient"}}
    answer = DIALECTS[name].ask(served_rubric, "-", label=envelope, **NUMBER)
    assert DIALECTS[name].reward(answer.json()) == 1.0
    assert submitted(served_rubric)["facts"] == {"audience": "patient"}


@pytest.mark.parametrize("dialect", [OPENRLHF, SLIME], ids=lambda one: one.name)
def test_an_envelope_may_be_a_text_and_goes_before_the_url(served_rubric, dialect):
    envelope = json.dumps({"rubric": checking("banana")})
    assert dialect.reward(dialect.ask(served_rubric, RUBRIC, label=envelope, **NUMBER).json()) == 0.0


@pytest.mark.parametrize(
    ("label", "error"),
    [
        ({"rubric": RUBRIC, "refrence": "x"}, "bad_envelope"),
        ({"rubric": "medical/nothing"}, "unknown_rubric"),
        ({"rubric": {"id": "a/b"}}, "bad_submission"),
        ({"rubric": RUBRIC, "judge": "nobody"}, "unknown_judge"),
        ({"rubric": RUBRIC, "judge": "http://127.0.0.1:1/v1"}, "unknown_judge"),
        (None, "unbound_rubric"),
    ],
    ids=["field", "rubric", "inline", "judge", "address", "none"],
)
def test_a_bad_envelope_fails_its_own_sample_with_a_type(served_rubric, label, error):
    body = OPENRLHF.body("Fine.", {"rubric": RUBRIC})
    bad = OPENRLHF.body("Not fine.", label)
    both = {name: body[name] + bad[name] for name in body}
    answer = served_rubric.post("/trainers/openrlhf/-", json=both, params=NUMBER)
    assert answer.json()["rewards"] == [pytest.approx(0.9), -0.5]
    assert answer.headers["x-judge-substituted"] == f"{error}=1"
    raised = SLIME.ask(served_rubric, "-", label=label)
    assert raised.status_code in (404, 422)
    assert raised.json()["type"].endswith(error)


def test_half_a_surrogate_pair_fails_its_own_sample(served_rubric):
    body = b'{"prompt": "What?", "response": "\\ud800", "label": null}'
    answer = served_rubric.post(f"/trainers/slime/{RUBRIC}", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:judge-server:error:bad_submission")


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_is_no_json_is_refused_with_the_place(served_rubric, name):
    path = DIALECTS[name].path.format(rubric=RUBRIC)
    answer = served_rubric.post(
        path, content=b'{"a": NaN}', params=NUMBER, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400
    assert "NaN is not JSON" in answer.json()["detail"]


@pytest.mark.parametrize("name", NAMES)
def test_every_substituted_number_is_counted_told_and_never_of_a_judge(name):
    with judged_by(only_for("criterion-", Reply(503))) as (client, _):
        publish(client)
        dialect = DIALECTS[name]
        answers = [dialect.ask(client, RUBRIC, f"Answer {turn}.", **NUMBER) for turn in range(3)]
        metrics = client.get("/metrics").text
    assert [dialect.reward(answer.json()) for answer in answers] == [-0.5] * 3
    assert {answer.headers["x-judge-substituted"] for answer in answers} == {"judge_unavailable=1"}
    labels = f'dialect="{name}",error="judge_unavailable"'
    assert f"judge_server_substituted_rewards_total{{{labels}}} 3.0" in metrics


def test_many_samples_are_judged_in_one_request_and_in_order(served_rubric):
    texts = [LLAMAFACTORY.body(word, None)["messages"][0] for word in ("banana", "emergency", "banana split")]
    served_rubric.post("/v1/rubrics", json=checking("banana"))
    answer = served_rubric.post(
        "/trainers/llamafactory/test/word", json={"model": "model", "messages": [*texts, "no template"]}, params=NUMBER
    )
    assert answer.json()["scores"] == [1.0, 0.0, 1.0, -0.5]
    assert answer.headers["x-judge-substituted"] == "unsplit_text=1"


def test_the_judge_named_in_the_url_answers(served_rubric):
    SLIME.ask(served_rubric, RUBRIC, "Named.", judge="default")
    assert submitted(served_rubric)["judge"] == "default"


def test_the_openapi_document_tells_of_every_trainer(served_rubric):
    document = served_rubric.get("/openapi.json").json()
    routes = {path: methods for path, methods in document["paths"].items() if path.startswith("/trainers/")}
    assert len(routes) == 11
    for methods in routes.values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]
            assert "rubric" in {parameter["name"] for parameter in operation["parameters"]}


def test_a_rubric_that_cannot_be_split_off_the_path_of_another_route_is_not_mistaken(served_rubric):
    assert served_rubric.post("/v1/rubrics", json=rubric(id="test/verify/verify")).status_code == 201
    answer = DIALECTS["nemo-gym"].ask(served_rubric, "test/verify/verify")
    assert answer.json()["reward"] == pytest.approx(0.9)
