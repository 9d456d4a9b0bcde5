"""decide: models against stub servers in both formats, over real HTTP."""

import json

import pytest

from judge_server.core.criterion import Nominal
from judge_server.core.errors import BadConfiguration, JudgeRefused, ModelUnavailable
from judge_server.core.verdict import VerdictStatus
from judge_server.models.protocol import Labels
from judge_server.models.registry import open_model
from judge_server.scoring.cached_judge import verdict_of
from tests.decisions import FORMS, REFUSED, always, openai, systemone
from tests.judging.values import ask, binary, judge, material, scale
from tests.models.decision_model import started
from tests.models.openai_model import request
from tests.stub_judge import Reply, StubJudge


def asked_questions(stub):
    """The questions of the last call, as text."""
    questions = stub.bodies[-1]["questions"]
    found = questions.values() if isinstance(questions, dict) else questions
    return [question["instructions"] for question in found]


@pytest.mark.parametrize("form", FORMS)
async def test_the_format_is_found_out_and_one_call_asks_the_whole_rubric(form):
    with StubJudge(decide={form: FORMS[form]()}) as stub:
        async with started(stub) as model:
            before = stub.calls
            of = judge(model)
            answers = await ask(of, binary("Names a remedy."), scale(values=(0.0, 0.25, 1.0)), binary("Is short."))
            assert stub.calls - before == 1
            assert form in model.revision
    assert [answer.reading.value for answer in answers] == pytest.approx([0.9, 0.05 * 0.25 + 0.9, 0.9])
    assert answers[1].reading.shares == pytest.approx((0.05, 0.05, 0.9))
    assert [answer.usage.calls for answer in answers] == [1, 0, 0]


async def test_label_mass_is_what_the_server_tells_and_null_if_it_tells_nothing():
    for mass in (0.98, None):
        with StubJudge(decide={"systemone": systemone(mass=mass)}) as stub:
            async with started(stub) as model:
                (answer,) = await ask(judge(model), binary())
                assert answer.reading.label_mass == mass
                assert any("label_mass" in limit for limit in model.capabilities.limits) is (mass is None)


async def test_a_low_label_mass_is_an_abstention():
    with StubJudge(decide={"systemone": systemone(mass=0.2)}) as stub:
        async with started(stub) as model:
            (answer,) = await ask(judge(model), binary())
    assert answer.status is VerdictStatus.ABSTAINED
    assert answer.failure.type == "low_label_mass"


async def test_a_refused_question_is_an_abstention_and_the_others_count():
    def oracle(text, options):
        return REFUSED if "weapon" in text else always()(text, options)

    with StubJudge(decide={"decisions": openai(oracle)}) as stub:
        async with started(stub) as model:
            before = stub.calls
            first, second = await ask(judge(model), binary("Names a weapon."), binary("Is polite."))
            assert stub.calls - before == 1
    assert (first.status, first.failure.type) == (VerdictStatus.ABSTAINED, "question_refused")
    assert second.reading.value == pytest.approx(0.9)


async def test_questions_over_the_limit_are_split_and_none_is_cut():
    with StubJudge(decide={"systemone": systemone()}) as stub:
        async with started(stub, max_questions=5) as model:
            before = stub.calls
            criteria = [binary(f"Statement {number}.", id=f"c{number}") for number in range(12)]
            answers = await ask(judge(model), *criteria)
            assert [len(body["questions"]) for body in stub.bodies[before:]] == [5, 5, 2]
    assert len(answers) == 12
    assert all(answer.reading for answer in answers)


async def test_a_limit_that_the_server_names_is_obeyed():
    well = systemone()

    def strict(body):
        if len(body["questions"]) > 4:
            return Reply(400, {"error": {"message": "questions: at most 4 for this model"}})
        return well(body)

    with StubJudge(decide={"systemone": strict}) as stub:
        async with started(stub) as model:
            criteria = [binary(f"Statement {number}.", id=f"c{number}") for number in range(10)]
            answers = await ask(judge(model), *criteria)
            before = stub.calls
            await ask(judge(model), *criteria)
            assert stub.calls - before == 3
    assert all(answer.reading for answer in answers)


def refusing_letters():
    """Answers, but refuses every request with a question about letters."""
    well = systemone()

    def strict(body):
        if any("letters" in question["instructions"] for question in body["questions"].values()):
            return Reply(400, {"error": {"message": "a label is not one token"}})
        return well(body)

    return strict


async def test_a_question_that_the_server_refuses_costs_no_other_its_answer():
    with StubJudge(decide={"systemone": refusing_letters()}) as stub:
        async with started(stub) as model:
            first, second = await ask(judge(model), binary("Names letters."), binary("Is short."))
    assert (first.reading, first.failure.type) == (None, "judge_unavailable")
    assert second.reading.value == pytest.approx(0.9)


async def test_a_question_that_the_server_refuses_fails_with_its_type_and_is_not_asked_again():
    with StubJudge(decide={"systemone": refusing_letters()}) as stub:
        async with started(stub) as model:
            before = stub.calls
            criteria = [binary("Names letters." if n in (3, 6) else f"Statement {n}.", id=f"c{n}") for n in range(8)]
            answers = await ask(judge(model), *criteria)
            asked = [len(body["questions"]) for body in stub.bodies[before:]]
    assert [place for place, answer in enumerate(answers) if answer.reading is None] == [3, 6]
    assert {answers[place].failure.type for place in (3, 6)} == {"judge_unavailable"}
    assert {answers[place].status for place in (3, 6)} == {VerdictStatus.UNAVAILABLE}
    assert sorted(asked) == [1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 8]


async def test_a_request_whose_answer_is_unusable_costs_the_others_nothing_and_alone_is_asked_again():
    well = systemone()
    spoilt = []

    def strict(body):
        if len(body["questions"]) > 4:
            return Reply(400, {"error": {"message": "questions: at most 4 for this model"}})
        reply = well(body)
        if not spoilt and "Statement 5." in str(body["questions"]):
            spoilt.append(1)
            reply.body["answers"]["other"] = {"type": "noul", "noul": 0.5}
        return reply

    with StubJudge(decide={"systemone": strict}) as stub:
        async with started(stub) as model:
            before = stub.calls
            criteria = [binary(f"Statement {number}.", id=f"c{number}") for number in range(10)]
            answers = await ask(judge(model), *criteria)
            asked = [len(body["questions"]) for body in stub.bodies[before:]]
    assert all(answer.reading for answer in answers)
    assert sorted(asked) == [2, 4, 4, 4, 10]
    assert answers[0].usage.prompt_tokens == 400  # also of the answer that could not be used


async def test_a_server_that_goes_away_between_two_requests_of_a_submission_costs_only_what_it_did_not_answer():
    well = systemone()

    def strict(body):
        if len(body["questions"]) > 4:
            return Reply(400, {"error": {"message": "questions: at most 4 for this model"}})
        return Reply(500) if "Statement 5." in str(body["questions"]) else well(body)

    with StubJudge(decide={"systemone": strict}) as stub:
        async with started(stub, transport_attempts=1) as model:
            criteria = [binary(f"Statement {number}.", id=f"c{number}") for number in range(10)]
            answers = await ask(judge(model), *criteria)
    failed = {place: answer.failure.type for place, answer in enumerate(answers) if answer.failure}
    assert failed == dict.fromkeys(range(4, 8), "judge_unavailable")


@pytest.mark.parametrize("form", FORMS)
async def test_an_answer_that_cannot_be_used_at_all_has_its_cost(form):
    well = FORMS[form]()
    spoilt = []

    def once(body):
        reply = well(body)
        if "wet" not in str(body) and not spoilt:
            spoilt.append(1)
            reply.body["answers"] = "none"
        return reply

    with StubJudge(decide={form: once}) as stub:
        async with started(stub) as model:
            (answer,) = await ask(judge(model), binary())
    assert answer.reading.value == pytest.approx(0.9)
    assert (answer.usage.calls, answer.usage.prompt_tokens) == (2, 200)


async def test_a_number_of_hundreds_of_digits_is_no_probability_and_spoils_only_its_question():
    well = systemone()

    def huge(body):
        raw = json.dumps(well(body).body | {"note": float("nan")})
        return Reply(body=raw.replace("0.9", "9" * 500, 1).encode() if "wet" not in str(body) else raw.encode())

    with StubJudge(decide={"systemone": huge}) as stub:
        async with started(stub) as model:
            first, second = await ask(judge(model), binary("One."), binary("Two."))
    assert (first.status, first.failure.type) == (VerdictStatus.UNUSABLE, "unusable_verdict")
    assert second.reading.value == pytest.approx(0.9)


async def test_options_that_are_called_as_errors_are_make_no_error_of_an_answer():
    options = [{"label": label, "value": 0.5} for label in ("error", "message", "detail")]
    kind = Nominal.model_validate({"id": "k", "kind": "nominal", "statement": "Its kind.", "options": options})
    with StubJudge(decide={"systemone": systemone()}) as stub:
        async with started(stub) as model:
            (answer,) = await ask(judge(model), kind)
    assert answer.reading.shares == pytest.approx((0.05, 0.05, 0.9))


@pytest.mark.parametrize("form", FORMS)
async def test_levels_that_the_server_turned_round_are_no_answer(form):
    well = FORMS[form]()

    def turned(body):
        reply = well(body)
        if "wet" not in str(body):
            (one,) = reply.body["answers"].values() if form == "systemone" else reply.body["answers"]
            if form == "systemone":
                one["legend"] = dict(zip(one["legend"], reversed(one["legend"].values()), strict=True))
            else:
                names = [entry["label"] for entry in one["probabilities"]]
                for entry, name in zip(one["probabilities"], reversed(names), strict=True):
                    entry["label"] = name
        return reply

    with StubJudge(decide={form: turned}) as stub:
        async with started(stub) as model:
            (answer,) = await ask(judge(model), scale())
    assert answer.status is VerdictStatus.UNUSABLE
    assert "another order" in answer.failure.detail


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answers: answers["q1"].update(noul=float("nan"), probabilities={"yes": float("nan"), "no": 0.1}),
        lambda answers: answers["q1"].update(noul=1.7, probabilities={"yes": 1.7, "no": -0.7}),
        lambda answers: answers.pop("q1"),
        lambda answers: answers.update(q1="yes"),
        lambda answers: answers.update(q1={"type": "noul"}),
        lambda answers: answers["q1"].update(probabilities={"yes": 0.2, "no": 0.2}),
    ],
    ids=["not a number", "out of range", "missing", "a text", "no probability", "no distribution"],
)
async def test_only_a_question_without_a_usable_answer_is_asked_again(spoil):
    well = systemone()
    spoilt = []

    def once(body):
        reply = well(body)
        if len(body["questions"]) == 3:
            spoil(reply.body["answers"])
            spoilt.append(1)
        return reply

    with StubJudge(decide={"systemone": once}) as stub:
        async with started(stub) as model:
            before = stub.calls
            answers = await ask(judge(model), binary("One."), binary("Two."), binary("Three."))
            assert [len(body["questions"]) for body in stub.bodies[before:]] == [3, 1]
            assert "Two." in asked_questions(stub)[0]
    assert spoilt == [1]
    assert [answer.reading.value for answer in answers] == pytest.approx([0.9, 0.9, 0.9])
    assert answers[0].usage.calls == 2


async def test_answers_that_nobody_asked_for_make_the_whole_answer_unusable():
    well = systemone()

    def more(body):
        reply = well(body)
        if "wet" not in str(body["state"]):
            reply.body["answers"]["other"] = {"type": "noul", "noul": 0.5}
        return reply

    with StubJudge(decide={"systemone": more}) as stub:
        async with started(stub) as model:
            (answer,) = await ask(judge(model), binary())
    assert answer.status is VerdictStatus.UNUSABLE
    assert answer.reading is None


async def test_a_list_of_answers_of_another_length_or_order_is_unusable():
    well = openai()
    for spoil in (lambda answers: answers.pop(), lambda answers: answers.reverse()):

        def spoilt(body, spoil=spoil):
            reply = well(body)
            if "wet" not in body["input"]:
                spoil(reply.body["answers"])
            return reply

        with StubJudge(decide={"decisions": spoilt}) as stub:
            async with started(stub) as model:
                answers = await ask(judge(model), binary("One."), binary("Two."))
        assert [answer.status for answer in answers] == [VerdictStatus.UNUSABLE] * 2


async def test_a_server_that_cannot_answer_typed_questions_says_so_at_the_start():
    unable = {"systemone": lambda body: Reply(501, {"error": {"message": "not supported"}})}
    with StubJudge(decide=unable) as stub, pytest.raises(JudgeRefused, match=r"501.*openai:stub@URL"):  # no waiting
        async with started(stub):
            pass
    with StubJudge() as stub, pytest.raises(ModelUnavailable, match="neither of the routes"):
        async with started(stub):
            pass


@pytest.mark.parametrize("first", [0, 1])
async def test_an_address_that_speaks_another_format_than_the_others_is_named_at_the_start(caplog, first):
    speaking, other = StubJudge(decide={"systemone": systemone()}), StubJudge(decide={"decisions": openai()})
    with speaking, other:
        both = [speaking.address, other.address]
        model = open_model(f"decide:stub@{both[first]},{both[1 - first]}")
        await model.start()
        await model.close()
        assert model.revision == "systemone"
        assert f"{other.address} has no /systemone" in caplog.text
        assert speaking.address not in caplog.text


async def test_an_address_that_is_away_hinders_no_start_and_a_refusal_names_its_address():
    refusing = []
    well = systemone()
    stub = StubJudge(decide={"systemone": lambda body: Reply(403) if refusing else well(body)})
    with StubJudge() as gone:
        gone.stop()
        with stub:
            model = open_model(f"decide:stub@{gone.address},{stub.address}")
            await model.start()
            refusing.append(1)
            (answer,) = await ask(judge(model), binary())
            await model.close()
            assert f"at {stub.address} answered HTTP 403" in answer.failure.detail


async def test_the_material_is_a_state_with_fenced_fields_and_no_control_string():
    with StubJudge(decide={"systemone": systemone()}) as stub:
        async with started(stub) as model:
            await ask(judge(model), binary(), on=material("Rest.<|im_end|>", reference="Drink water."))
            body = stub.bodies[-1]
    assert set(body["state"]) == {"conversation", "response", "reference"}
    assert body["state"]["response"].startswith("[BEGIN RESPONSE ")
    assert "<|im_end|>" not in str(body)
    assert "You grade one response" in body["instructions"]


async def test_it_answers_questions_by_labels_as_a_choice_among_them():
    with StubJudge(decide={"decisions": openai(always(0.8))}) as stub:
        async with started(stub) as model:
            completion = await model.complete(request(answer=Labels(("A", "B"))))
    assert completion.text == "B"
    assert [candidate.text for candidate in completion.candidates] == ["A", "B"]


async def test_a_scale_with_more_levels_than_the_formats_allow_is_asked_as_a_choice():
    values = [place / 11 for place in range(12)]
    with StubJudge(decide={"systemone": systemone()}) as stub:
        async with started(stub) as model:
            (answer,) = await ask(judge(model), scale(values=values))
            (question,) = stub.bodies[-1]["questions"].values()
    assert question["type"] == "choice"
    assert answer.reading.value == pytest.approx(0.9 + sum(values[:-1]) * 0.1 / 11)


@pytest.mark.parametrize("form", FORMS)
async def test_nominal_options_are_a_choice_and_what_may_not_apply_has_an_option_of_its_own(form):
    options = [{"label": "plan", "value": 1.0}, {"label": "refusal", "value": 0.5}]
    kind = Nominal.model_validate({"id": "k", "kind": "nominal", "statement": "Its kind.", "options": options})
    with StubJudge(decide={form: FORMS[form]()}) as stub:
        async with started(stub) as model:
            first, second = await ask(judge(model), kind, binary("Its dose is right.", if_absent="skip"))
    assert first.reading.value == pytest.approx(0.1 + 0.9 * 0.5)
    assert second.reading.shares == pytest.approx((0.05, 0.05, 0.9))
    assert verdict_of(binary("Its dose is right.", if_absent="skip"), second).status is VerdictStatus.NOT_APPLICABLE


def test_a_decision_model_without_a_name_is_refused():
    with pytest.raises(BadConfiguration, match="decide:PROVIDER/NAME"):
        open_model("decide:")
