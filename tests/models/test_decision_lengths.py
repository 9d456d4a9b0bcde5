"""What is too long for a decision server, and what it does not tell."""

import pytest

from tests.decisions import systemone
from tests.judging.values import ask, binary, judge, material
from tests.models.decision_model import started
from tests.stub_judge import Reply, StubJudge


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(422, {"error": {"message": "questions.q0: options.0.label: String should have at most 60 characters"}}),
        Reply(413, {"error": {"message": "the request body is too large"}}),
    ],
    ids=["a long label", "a long body"],
)
async def test_questions_that_are_too_long_cost_no_other_its_answer(refusal):
    well = systemone()

    def strict(body):
        asked = [question["instructions"] for question in body["questions"].values()]
        return refusal if len("".join(asked)) > 2_000 else well(body)

    with StubJudge(decide={"systemone": strict}) as stub:
        async with started(stub) as model:
            criteria = [binary("Names water. " * (200 if n == 3 else 30), id=f"c{n}") for n in range(8)]
            answers = await ask(judge(model), *criteria)
    assert [answer.reading is None for answer in answers] == [n == 3 for n in range(8)]
    assert answers[3].failure.type == "context_overflow"


async def test_material_that_is_too_long_is_sent_once():
    well = systemone()

    def strict(body):
        if len(str(body["state"])) > 10_000:
            return Reply(400, {"error": {"message": "This model's maximum context length is 2048 tokens."}})
        return well(body)

    with StubJudge(decide={"systemone": strict}) as stub:
        async with started(stub) as model:
            before = stub.calls
            criteria = [binary(f"Statement {number}.", id=f"c{number}") for number in range(8)]
            answers = await ask(judge(model), *criteria, on=material("water " * 5_000))
            assert stub.calls - before == 1
    assert {answer.failure.type for answer in answers} == {"context_overflow"}


async def test_the_start_says_once_that_a_server_tells_no_label_mass(caplog):
    with StubJudge(decide={"systemone": systemone(mass=None)}) as stub:
        async with started(stub) as model:
            await model.relearn()
    assert [one.message.count("label_mass") for one in caplog.records if one.levelname == "WARNING"] == [1]
