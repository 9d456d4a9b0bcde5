"""docs/prompts.md: the prompts of every kind as they are sent.

python -m tests.judging.prompt_page      writes the page anew
"""

import json
from pathlib import Path
from typing import Any

from judge_server.core.criterion import Nominal
from judge_server.core.fact import CANNOT_TELL
from judge_server.core.rubric import Rubric
from judge_server.core.step import Step
from judge_server.core.submission import Message
from judge_server.judging.decision import typed_question
from judge_server.judging.judge_input import JudgeInput, ShownExample, example_text
from judge_server.judging.prompt import NEWEST, PromptWriter
from judge_server.judging.relative.comparison import CandidateComparison, Standard
from judge_server.judging.relative.prompt import Script
from judge_server.models.decision_wire import Format, decision_body
from judge_server.models.protocol import Decisions, Prompt, Request
from tests.judging.values import binary, material, scale
from tests.project.repository import ROOT

PAGE = ROOT / "docs" / "prompts.md"
_WRITER = PromptWriter(b"a server's secret, drawn at random")
_HEAD = f"""# Prompts as they are sent

The prompt of every kind, version {NEWEST}, rendered by the code and compared with this page by a test. `prompt = "1"`
in a judge's [configuration](configuration.md#judges) selects the first version; the version is part of the judge's
fingerprint. [How a judge is asked](judging.md) says why the prompts are written so.
"""
_ILL = (
    Message(role="user", content="What helps against a headache?"),
    Message(role="assistant", content="How long have you had it?"),
    Message(role="user", content="Since yesterday."),
)
_EXAMPLES = [
    {"response": "Take a walk.", "met": False, "reason": "It names no remedy."},
    {"response": "Ibuprofen helps.", "met": True, "reason": "It names ibuprofen."},
]
_LABELLED = (
    ShownExample(example_text("What helps against a cough?", "Buy a new hat.", 2_000), "No"),
    ShownExample(example_text("What helps against a cold?", "Drink water and rest well.", 2_000), "Yes"),
)


def page() -> str:
    parts, shown = [_HEAD], dict[str, str]()
    for heading, prompt in _prompts():
        parts.append(f"## {heading}\n")
        for turn in prompt.turns:
            text = turn.text.strip()
            known = shown.setdefault(text, heading)
            again = f'{turn.role}: as for "{known}"\n'
            parts.append(again if known != heading else f"{turn.role}:\n\n```text\n{text}\n```\n")
    for form, name in (("systemone", "System One"), ("decisions", "Decisions")):
        parts.append(f"## Typed questions to a decision model, {name}\n\nThe body that is posted:\n")
        parts.append(f"```json\n{json.dumps(_decision(form), indent=1, ensure_ascii=False)}\n```\n")
    return "\n".join(parts)


def _decision(form: Format) -> dict[str, Any]:
    given = material("Drink water and rest.", conversation=_ILL)
    asked = (binary("Names a remedy."), binary("Names a dose that is too high.", if_absent="skip"), scale())
    questions = tuple(typed_question(criterion, _WRITER) for criterion in asked)
    return decision_body(Request(_WRITER.material(given), Decisions(questions)), questions, "a-model", form)


def _prompts() -> list[tuple[str, Prompt]]:
    given = material("Drink water and rest.", conversation=_ILL, reference="Rest, fluids, paracetamol.")
    listed = binary("Names a warning sign.", any_of=["a stiff neck", "fever", "a sudden beginning"])
    shown = material("Drink water and rest.", conversation=_ILL, examples=_LABELLED)
    step = material("Drink water.\n\nRest.", conversation=_ILL, step=Step(1, 14, 19, "Rest."))
    options = [{"label": "advice", "value": 1.0}, {"label": "question", "value": 0.5}]
    nominal = Nominal.model_validate(
        {"id": "kind", "kind": "nominal", "statement": "Kind of answer.", "options": options, "if_absent": "skip"}
    )
    thought = material("The user wants rest. I say so.", conversation=_ILL)
    sourced = material(
        "Two tablets.", conversation=_ILL, reference="Adults: two tablets at most.", facts=(("country", "GB"),)
    )
    kept = binary(
        "Every dose in the response stands in the reference.",
        reference="required", reference_role="source", if_absent="skip", guidance="Words and digits are equal.",
    )  # fmt: skip
    told = JudgeInput(_ILL, response="", about="conversation")
    fact = Nominal.model_validate(
        {
            "id": "fact",
            "kind": "nominal",
            "statement": "Who asks: a patient or a clinician?",
            "options": [
                {"label": "patient", "value": 0.0},
                {"label": "clinician", "value": 0.0},
                {"label": CANNOT_TELL, "value": 0.0, "description": "the conversation does not say it"},
            ],
        }
    )
    graded = scale("How plain is it?", guidance="Technical words that are explained count as plain.")
    rubric = Rubric.model_validate(
        {
            "id": "test/page",
            "version": "1.0.0",
            "title": "A page",
            "criteria": [
                {"id": "remedy", "statement": "Names a remedy.", "points": 5},
                {"id": "dose", "statement": "Names a dose that is too high.", "points": -5},
            ],
        }
    )
    candidates = CandidateComparison.ordered(["Drink water and rest.", "Ibuprofen, 400 mg."])
    compared = CandidateComparison(_ILL, Standard.of(rubric, rubric.leaves), candidates)
    script = Script(compared, _WRITER)
    return [
        ("One binary criterion, mode direct", _WRITER.write(given, [binary(examples=_EXAMPLES)], "direct")),
        ("A list as data, mode direct", _WRITER.write(given, [listed], "direct")),
        ("A scale with guidance, mode direct", _WRITER.write(given, [graded], "direct")),
        ("Nominal options that may not apply, mode direct", _WRITER.write(given, [nominal], "direct")),
        ("One step of a response, mode direct", _WRITER.write(step, [binary(scope="step")], "direct")),
        (
            "The reasoning instead of the answer, mode direct",
            _WRITER.write(thought, [binary(scope="reasoning")], "direct"),
        ),
        ("A source as reference, facts, and an absent premise, mode direct", _WRITER.write(sourced, [kept], "direct")),
        ("Labelled examples, mode direct", _WRITER.write(shown, [binary()], "direct")),
        ("A fact that the conversation tells, mode direct", _WRITER.write(told, [fact], "direct")),
        ("A fact that the conversation tells, mode reason", _WRITER.write(told, [fact], "reason")),
        ("One binary criterion, mode reason", _WRITER.write(given, [binary(examples=_EXAMPLES)], "reason")),
        ("Several criteria, mode reason", _WRITER.write(given, [binary(), graded], "reason")),
        ("Two responses compared, mode direct", script.prompt((0, 1), "relative_pair_direct")),
        ("Two responses compared, mode reason", script.prompt((0, 1), "relative_pair_reason")),
        ("A list of responses compared", script.prompt((0, 1), "relative_list")),
    ]


def main() -> None:
    Path(PAGE).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
