"""Both formats of decision models over HTTP: questions to judges and to rubrics, and errors in the formats' shape."""

import json

import pytest

from tests.decisions import FORMS
from tests.served import judged_by, served, settings_of
from tests.server.faults import only_for
from tests.server.keys import allowing, bearer, demanding, key_of
from tests.stub_judge import Reply, StubJudge, labels
from tests.submissions import rubric

NOUL = {"type": "noul", "instructions": "Names water."}
SCORE = {"type": "score", "instructions": "How clear is it?", "criteria": ["unclear", "fair", "clear"]}
PREDICATE = {"type": "predicate", "name": "w", "instructions": "Names water."}
LEVELS = {
    "type": "score",
    "name": "s",
    "instructions": "How clear is it?",
    "levels": [{"label": "unclear"}, {"label": "fair", "description": "Some effort."}, {"label": "clear"}],
}


def answering(body):
    text = body["messages"][-1]["content"]
    return labels(A=0.1, B=0.2, C=0.7) if "Which option fits best" in text else labels(Yes=0.8, No=0.2)


@pytest.fixture(scope="module")
def client():
    with judged_by(answering) as (client, _):
        yield client


def systemone(client, status=200, **body):
    response = client.post("/v1/systemone", json={"model": "default", "state": {"response": "Drink water."}} | body)
    assert response.status_code == status, response.text
    return response.json()


def decisions(client, status=200, **body):
    response = client.post("/v1/decisions", json={"model": "default", "input": "Drink water."} | body)
    assert response.status_code == status, response.text
    return response.json()


def test_system_one_answers_by_id(client):
    answered = systemone(client, questions={"w": NOUL, "s": SCORE})
    assert answered["answers"]["w"] == {
        "type": "noul",
        "noul": pytest.approx(0.8),
        "probabilities": {"yes": pytest.approx(0.8), "no": pytest.approx(0.2)},
        "confidence": pytest.approx(0.8),
    }
    score = answered["answers"]["s"]
    assert score["score"] == pytest.approx(1.6)
    assert score["legend"] == {"0": "unclear", "1": "fair", "2": "clear"}
    assert score["probabilities"] == {"0": pytest.approx(0.1), "1": pytest.approx(0.2), "2": pytest.approx(0.7)}
    assert answered["diagnostics"]["w"]["label_mass"] == pytest.approx(1)
    assert answered["model"] == "default"
    assert answered["usage"]["input_tokens"] >= 0


def test_decisions_answers_in_order(client):
    answered = decisions(client, questions=[LEVELS, PREDICATE, PREDICATE | {"name": None}])
    first, second, third = answered["answers"]
    assert first["score"] == pytest.approx(1.6)
    assert [one["label"] for one in first["probabilities"]] == ["unclear", "fair", "clear"]
    assert second == {"type": "predicate", "name": "w", "probability": pytest.approx(0.8)}
    assert third["name"] is None
    assert answered["usage"]["total_tokens"] >= 0


def test_a_choice_is_answered_by_its_options(client):
    choice = {
        "type": "choice",
        "instructions": "Which kind?",
        "criteria": {"advice": "Tells what to do.", "b": None, "c": None},
    }
    answered = systemone(client, questions={"k": choice})["answers"]["k"]
    assert (answered["type"], answered["choice"]) == ("choice", "c")
    assert answered["probabilities"] == pytest.approx({"advice": 0.1, "b": 0.2, "c": 0.7})
    values = [{"value": True}, {"value": False}, {"value": "unclear", "description": "Neither."}]
    listed = decisions(client, questions=[{"type": "choice", "name": "k", "instructions": "Is it?", "choices": values}])
    (found,) = listed["answers"]
    assert found["choice"] == "unclear"
    assert [one["value"] for one in found["probabilities"]] == [True, False, "unclear"]


def test_a_state_by_fields_is_shown_as_conversation_response_and_reference():
    with judged_by(answering) as (client, judge):
        state = {
            "input": "I feel ill.",
            "submission": "Rest.",
            "reference_submission": "Sleep.",
            "guidelines": "Be kind.",
        }
        systemone(client, state=state, questions={"w": NOUL}, instructions="You read medical answers.")
        shown = judge.bodies[-1]["messages"][-1]["content"]
    conversation, _, rest = shown.partition("[END CONVERSATION")
    assert "I feel ill." in conversation
    assert "Be kind." in conversation
    assert "Rest." in rest.partition("[END RESPONSE")[0]
    assert "Sleep." in rest.partition("[BEGIN REFERENCE")[2]
    assert "You read medical answers." in shown


def test_messages_end_with_the_response():
    with judged_by(answering) as (client, judge):
        messages = [
            {"role": "user", "content": [{"type": "input_text", "text": "I feel ill."}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Rest."}]},
        ]
        decisions(client, input=messages, questions=[PREDICATE])
        shown = judge.bodies[-1]["messages"][-1]["content"]
    assert "I feel ill." in shown.partition("[END CONVERSATION")[0]
    assert "Rest." in shown.partition("[BEGIN RESPONSE")[2]


@pytest.mark.parametrize("path", ["/v1/systemone", "/v1/decisions"])
def test_a_published_rubric_is_asked_by_name(path):
    with judged_by(answering) as (client, _):
        published = client.post("/v1/rubrics", json=rubric(5, 3))
        assert published.status_code in (200, 201), published.text
        submission = {"prompt": "I feel ill.", "response": "Rest."}
        field = {"state": submission} if path.endswith("one") else {"input": json.dumps(submission)}
        answered = client.post(path, json={"model": "rubric:test/listed@1.0.0"} | field).json()
        judgment = client.get(f"/v1/judgments/{answered['judgment']}").json()
        answers = answered["answers"]
        found = (
            [one["noul"] for one in answers.values()]
            if isinstance(answers, dict)
            else [one["probability"] for one in answers]
        )
        assert found == pytest.approx([0.8, 0.8])
        assert answered["reward"] == pytest.approx(judgment["reward"])
        assert answered["calibration"] is None


def test_a_rubric_by_name_is_answered_by_the_version_that_judged():
    """A newer version is published while the judge is asked under the older one."""
    newer = rubric(5, 3) | {"version": "2.0.0"}
    newer["criteria"] = [one | {"id": f"other_{one['id']}"} for one in newer["criteria"]]

    asking = []

    def publishing(body):
        if asking:
            assert asking.pop().post("/v1/rubrics", json=newer).status_code in (200, 201)
        return answering(body)

    with judged_by(publishing) as (client, _):
        client.post("/v1/rubrics", json=rubric(5, 3))
        asking.append(client)
        state = {"prompt": "I feel ill.", "response": "Rest."}
        answered = systemone(client, model="rubric:test/listed", state=state)
        asked = [one["id"] for one in rubric(5, 3)["criteria"]]
        assert list(answered["answers"]) == asked
        assert list(systemone(client, model="rubric:test/listed", state=state)["answers"]) != asked


def test_a_question_without_an_answer_is_no_number_and_says_why():
    failing = only_for("sugar", Reply(200, b"not json"))

    def behave(body):
        return failing(body) if "sugar" in body["messages"][-1]["content"] else answering(body)

    with judged_by(behave) as (client, _):
        sweet = NOUL | {"instructions": "Names sugar."}
        answered = systemone(client, questions={"w": NOUL, "sugar": sweet})
        assert set(answered["answers"]) == {"w"}
        assert answered["failures"]["sugar"]["type"] == "unusable_verdict"
        listed = decisions(
            client, questions=[PREDICATE, {**PREDICATE, "name": "sugar", "instructions": "Names sugar."}]
        )
        assert listed["answers"][1] == {"type": "refusal", "name": "sugar"}
        assert listed["failures"]["sugar"]["type"] == "unusable_verdict"
        nothing = systemone(client, 502, questions={"sugar": sweet})
        assert nothing["error"]["code"] == "unusable_verdict"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"questions": {}}, 422, "at least one"),
        ({"questions": {"q": {"type": "box", "instructions": "Find the mug."}}}, 422, "no type of question"),
        ({"questions": {"q": NOUL | {"criteria": {"maybe": "Perhaps."}}}}, 422, "true and false"),
        ({"questions": {"q": SCORE | {"criteria": ["only"]}}}, 422, "2 to 10 levels"),
        ({"questions": {"q": SCORE | {"criteria": ["a", "a"]}}}, 422, "same label"),
        ({"questions": {"q": {"type": "noul"}}}, 422, "questions.q"),
        ({"questions": {str(n): NOUL for n in range(129)}}, 422, "129 are more than the 128"),
        ({"questions": {"q": NOUL}, "model": "luna"}, 404, "luna"),
        ({"questions": {"q": NOUL}, "images": ["data:image/png;base64,AA=="]}, 422, "images"),
        ({"questions": {"q": NOUL}, "model": ""}, 422, "model"),
        ({"questions": {"q": SCORE | {"criteria": ["A", "a"]}}}, 422, "questions.q: question: two options"),
        ({"model": "rubric:no/such"}, 404, "no/such"),
        ({"model": "rubric:medical/consultation", "questions": {"q": NOUL}}, 422, "own questions"),
    ],
)
def test_an_error_of_system_one_has_its_shape_and_names_the_fault(client, body, status, said):
    state = {"prompt": "I feel ill.", "response": "Rest."}
    error = systemone(client, status, **({"state": state} | body))["error"]
    assert said in error["message"]
    assert error["type"] == "invalid_request_error"


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


@pytest.mark.parametrize(
    "state",
    [
        [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}],
        {"response": "A mug.", "messages": [{"role": "user", "content": [PICTURE]}]},
        {"response": "A mug.", "shown": [PICTURE]},
        {"picture": {"type": "image", "source": {"type": "base64", "data": "AA=="}}},
    ],
)
def test_a_state_with_a_picture_is_refused_because_no_judge_has_seen_it(client, state):
    error = systemone(client, 422, state=state, questions={"q": NOUL})["error"]
    assert "image" in error["message"]
    assert "is not read" in error["message"]


@pytest.mark.parametrize(
    "state",
    ['{"type":"image_url"}', {"text": '{"type":"image_url"}'}, {"type": "image", "alt": "A mug."}, [{"type": "text"}]],
)
def test_a_state_that_only_writes_of_a_picture_is_read(client, state):
    assert "q" in systemone(client, 200, state=state, questions={"q": NOUL})["answers"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"questions": [PREDICATE, PREDICATE]}, "'w' is given to several"),
        ({"questions": [{"type": "ranking", "instructions": "Which?"}]}, "no type of question"),
        ({"questions": [LEVELS | {"levels": []}]}, "2 to 10 levels"),
        ({"questions": [PREDICATE], "input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input_image"),
        ({"questions": [PREDICATE | {"type": "choice", "choices": [{"value": 1}, {"value": 0}]}]}, "choices.0.value"),
        ({"questions": [PREDICATE], "input": [1]}, "input.0"),
        ({"model": "rubric:medical/consultation", "input": '{"prompt": "a", "prompt": "b"}'}, "'prompt' stands twice"),
        ({"questions": [PREDICATE], "input": [{"type": "function_call", "name": "f"}]}, "function_call"),
        ({"model": "rubric:medical/consultation", "input": "Rest."}, "a response to a prompt"),
    ],
)
def test_an_error_of_decisions_has_its_shape_and_names_the_fault(client, body, said):
    error = decisions(client, 422, **body)["error"]
    assert said in error["message"]
    assert error["code"] in ("bad_input", "bad_submission")


def test_an_error_names_the_field_at_fault(client):
    for asked, field in (({"type": "box"}, "questions.q.type"), (SCORE | {"criteria": []}, "questions.q.criteria")):
        assert systemone(client, 422, questions={"q": asked})["error"]["param"] == field
    assert decisions(client, 422, questions=[PREDICATE], input=[1])["error"]["param"] == "input.0"
    missing = systemone(client, 422, questions={"q": {}})["error"]
    assert (missing["param"], missing["message"]) == (
        "questions.q.type",
        "questions.q.type: Field required. Correct the fields named.",
    )


def test_an_id_that_no_answer_can_repeat_is_refused(client):
    body = b'{"state": "Drink.", "questions": {"\\ud800": {"type": "noul", "instructions": "Names water."}}}'
    answer = client.post("/v1/systemone", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert "surrogate" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("ask", "asked"), [(systemone, {"w": NOUL}), (decisions, [PREDICATE])])
def test_questions_beside_a_rubric_are_refused(client, ask, asked):
    error = ask(client, 422, model="rubric:medical/consultation", questions=asked)["error"]
    assert (error["code"], error["param"]) == ("bad_input", "questions")


def test_what_is_no_json_is_refused_in_the_same_shape(client):
    response = client.post("/v1/systemone", content=b'{"model": NaN}', headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/v1/systemone", "/v1/decisions"])
def test_an_error_before_the_route_has_the_same_shape(path):
    key, kept = allowing(requests_per_second=0.001, burst=4)
    idle, unable = key_of("labeller", "label")
    with served(demanding(kept, unable, max_body_bytes=20_000)) as client:
        faults = {
            401: client.post(path, json={}),
            403: client.post(path, json={}, headers=bearer(idle)),
            405: client.get(path, headers=bearer(key)),
            413: client.post(path, content=b" " * 20_001, headers=bearer(key)),
            415: client.post(path, content=b"{}", headers=bearer(key) | {"content-encoding": "gzip"}),
            422: client.post(path, json={}, headers=bearer(key) | {"deadline-seconds": "soon"}),
            429: client.post(path, json={}, headers=bearer(key)),
        }
    for status, answer in faults.items():
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        error = answer.json()["error"]
        assert set(answer.json()) == {"error"}
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"] == ("rate_limit_error" if status == 429 else "invalid_request_error")
    assert faults[401].headers["www-authenticate"]
    assert faults[405].headers["allow"] == "POST"
    assert int(faults[429].headers["retry-after"]) > 0


@pytest.mark.parametrize("length", [0, 100_000], ids=["short", "long"])
def test_two_questions_with_one_id_are_refused_and_none_is_lost(client, length):
    """Python's readers of JSON keep the last of two equal keys."""
    asked = f'{{"q": {json.dumps(NOUL)}, "q": {json.dumps(SCORE)}}}'
    body = f'{{"model": "default", "state": "{"x" * length}", "questions": {asked}}}'
    answer = client.post("/v1/systemone", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "'q' stands twice" in answer.json()["error"]["message"]


@pytest.mark.parametrize("form", FORMS)
def test_a_decision_model_behind_the_server_gives_its_probabilities_on(form):
    with StubJudge(decide={form: FORMS[form]()}) as stub, served(settings_of(f"decide:stub@{stub.address}")) as client:
        before = stub.calls
        answered = systemone(client, questions={"w": NOUL, "s": SCORE})
        assert stub.calls - before == 1
    assert answered["answers"]["w"]["noul"] == pytest.approx(0.9)
    assert answered["answers"]["s"]["probabilities"]["2"] == pytest.approx(0.9)


def test_a_submission_to_a_decision_model_costs_one_call():
    stub = StubJudge(decide={"systemone": FORMS["systemone"]()})
    with stub, served(settings_of(f"decide:stub@{stub.address}")) as client:
        before = stub.calls
        body = {"prompt": "I feel ill.", "response": "Rest.", "rubric": rubric(*range(1, 13))}
        judgment = client.post("/v1/score", json=body).json()
        assert stub.calls - before == 1
        assert judgment["usage"]["calls"] == 1
        assert len(judgment["verdicts"]) == 12
        again = client.post("/v1/score", json=body).json()
        assert stub.calls - before == 1
    assert again["reward"] == judgment["reward"]


def test_a_question_that_is_refused_alone_is_a_refusal_and_no_error():
    """OpenAI's client asks again after a 502, and a refused question would be refused again."""
    stub = StubJudge(decide={"decisions": FORMS["decisions"](lambda text, _: [] if "sugar" in text else [0.9, 0.1])})
    sugar = PREDICATE | {"instructions": "Names sugar."}
    with stub, served(settings_of(f"decide:stub@{stub.address}", judge={"engine": {"format": "decisions"}})) as client:
        answered = decisions(client, questions=[sugar])
        assert answered["answers"] == [{"type": "refusal", "name": "w"}]
        assert answered["failures"]["w"]["type"] == "question_refused"
        assert systemone(client, 502, questions={"q": NOUL | {"instructions": "Names sugar."}})["error"]["code"] == (
            "question_refused"
        )


def test_a_filtered_prompt_has_its_own_code():
    filtered = Reply(400, {"error": {"message": "The prompt was flagged by policy.", "code": "content_filter"}})
    with judged_by(only_for("sugar", filtered)) as (client, _):
        error = decisions(client, 422, questions=[PREDICATE | {"instructions": "Names sugar."}])["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "content_filtered")


@pytest.mark.parametrize("text", ["?", "ok", "\u6709\u6c34"])
def test_the_shortest_question_is_asked(client, text):
    assert systemone(client, questions={"q": NOUL | {"instructions": text}})["answers"]["q"]["noul"] > 0
    assert decisions(client, questions=[PREDICATE | {"instructions": text}])["answers"][0]["probability"] > 0


SENTENCE = "The response shows that the worry of the patient was heard and is taken seriously by whoever wrote it."


def test_levels_and_options_may_be_sentences_and_instructions_may_be_long():
    context = {"instructions": "The clinic's own rules. " * 400}
    choice = {"type": "choice", "instructions": "Which kind?", "criteria": {SENTENCE: None, "b": None}}
    levels = LEVELS | {"levels": [{"label": "No."}, {"label": SENTENCE}]}
    stub = StubJudge(decide={"systemone": FORMS["systemone"]()})
    with stub, served(settings_of(f"decide:stub@{stub.address}")) as client:
        questions = {"s": SCORE | {"criteria": ["No.", SENTENCE]}, "c": choice, "w": NOUL}
        answers = systemone(client, questions=questions, **context)["answers"]
        (score,) = decisions(client, questions=[levels])["answers"]
    assert answers["s"]["legend"] == {"0": "No.", "1": SENTENCE}
    assert set(answers["c"]["probabilities"]) == {SENTENCE, "b"}
    assert [one["label"] for one in score["probabilities"]] == ["No.", SENTENCE]


@pytest.mark.parametrize("form", FORMS)
def test_this_server_is_the_decision_model_of_another_one(form):
    option = {"label": "kind", "value": 1, "description": SENTENCE}
    scale = {"id": "tone", "kind": "scale", "statement": "How kind is it?", "points": 1}
    scale["options"] = [{"label": "harsh", "value": 0, "description": SENTENCE.replace("heard", "lost")}, option]
    long = {"id": "water", "statement": "Names water. " * 250, "points": 1}
    asked = rubric(5, 3) | {"criteria": [scale, long]}
    stub = StubJudge(decide={"systemone": FORMS["systemone"]()})
    with stub, served(settings_of(f"decide:stub@{stub.address}")) as inner:
        outer = settings_of(f"decide:default@{inner.base_url}", judge={"engine": {"format": form}})
        with served(outer) as client:
            body = {"prompt": "I feel ill.", "response": "Rest.", "rubric": asked}
            judgment = client.post("/v1/score", json=body).json()
    assert [one["status"] for one in judgment["verdicts"]] == ["ok", "ok"]
