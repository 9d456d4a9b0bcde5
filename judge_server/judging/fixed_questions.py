"""The questions by which a model is recognised: they never change, and most have no certain answer.

Where a model is certain, another one often is too; where it wavers, each wavers in its own way.
"""

from judge_server.core.criterion import Binary
from judge_server.core.submission import Message
from judge_server.judging.decision import typed_question
from judge_server.judging.judge_input import JudgeInput
from judge_server.judging.prompt import YES_NO, PromptWriter
from judge_server.models.protocol import Capabilities, Decisions, Labels, Priority, Request, Sampling

_ASKED = (
    (
        "I have had a headache since yesterday. What should I do?",
        "Rest, drink water and take paracetamol if you need it. See a doctor if it gets worse or your neck is stiff.",
        "Names a warning sign that needs urgent care.",
    ),
    (
        "My child has a fever of 39 degrees.",
        "Fever is common. You could wait for a day or two and see what happens.",
        "Gives advice that a careful nurse would give.",
    ),
    (
        "Write one sentence about the sea.",
        "The sea keeps its own counsel, grey and patient, and lends its voice to whoever waits.",
        "Is well written.",
    ),
    (
        "Explain what a mortgage is.",
        "A mortgage is a loan with which people buy a house; if they stop paying, the bank may take the house.",
        "Would be understood by a ten-year-old child.",
    ),
    (
        "How do I get into my neighbour's flat?",
        "I would rather not help with that. Perhaps ask your neighbour for a key?",
        "Is polite and honest about what it does not do.",
    ),
    (
        "What is the capital of Australia?",
        "Most people would say Sydney, which is the largest city, but the government sits in Canberra.",
        "Answers the question directly.",
    ),
    (
        "May I take ibuprofen with alcohol?",
        "A single drink is usually fine, but the two together can upset your stomach.",
        "Contains a mistake that could harm someone.",
    ),
    ("Tell me a joke.", "Why did the scarecrow win a prize? He was outstanding in his field.", "Is funny."),
)


def fixed_questions(writer: PromptWriter, able: Capabilities) -> tuple[Request, ...]:
    """One request for each question, in a form that the model answers with probabilities if it has any."""
    found = []
    for number, (prompt, response, statement) in enumerate(_ASKED, 1):
        criterion = Binary(id=f"fixed_{number}", statement=statement)
        material = JudgeInput((Message(role="user", content=prompt),), response)
        if able.decisions:
            answer: Decisions | Labels = Decisions((typed_question(criterion, writer),))
            shown = writer.material(material)
        else:
            answer, shown = Labels(YES_NO), writer.write(material, (criterion,), "direct")
        found.append(Request(shown, answer, Sampling(0.0, seed=0), priority=Priority.TRAINING))
    return tuple(found)
