"""Criteria, materials and judges to ask."""

from judge_server.core.criterion import Binary, Scale
from judge_server.core.judge import JudgeSpecification
from judge_server.core.submission import Message
from judge_server.judging.answer import Terms
from judge_server.judging.judge_input import JudgeInput
from judge_server.judging.prompt import PromptWriter
from judge_server.judging.single import SingleJudge

SECRET = b"s" * 32
TERMS = Terms()
QUESTION = Message(role="user", content="What helps against a headache?")


def binary(statement: str = "Names a remedy.", **more) -> Binary:
    return Binary.model_validate({"id": "remedy", "statement": statement} | more)


def scale(statement: str = "How plain is it?", values=(0.0, 0.5, 1.0), **more) -> Scale:
    options = [{"label": f"level {place}", "value": value} for place, value in enumerate(values)]
    return Scale.model_validate({"id": "plain", "kind": "scale", "statement": statement, "options": options} | more)


def material(response: str = "Drink water and rest.", **more) -> JudgeInput:
    return JudgeInput(**({"conversation": (QUESTION,), "response": response} | more))


def judge(model, name: str = "main", **more) -> SingleJudge:
    specification = JudgeSpecification.model_validate({"name": name, "model": "scripted:one"} | more)
    return SingleJudge(specification, model, PromptWriter(SECRET))


async def ask(asked, *criteria, on: JudgeInput | None = None, terms: Terms = TERMS):
    return await asked.ask(on or material(), criteria, terms)
