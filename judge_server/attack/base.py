"""The attacked submissions: questions with off-topic responses, which must score low."""

from dataclasses import dataclass, replace
from typing import Any

from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission


@dataclass(frozen=True, slots=True)
class Base:
    """``half``: a text that meets half of the first criterion; None under a user's rubric. ``answer``: a correct
    answer, given as the reference if the rubric requires one."""

    name: str
    prompt: str
    response: str
    answer: str
    rubric: Rubric
    half: str | None

    def under(self, rubric: Rubric) -> "Base":
        """The same response under another rubric."""
        return replace(self, rubric=rubric, half=None)

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(leaf.statement for leaf in self.rubric.leaves)

    @property
    def fields(self) -> dict[str, Any]:
        """The submission as data."""
        needed = any(leaf.reference == "required" for leaf in self.rubric.leaves)
        given = {"rubric": self.rubric, "prompt": self.prompt, "response": self.response}
        return given | {"reference": self.answer} if needed else given

    def submission(self) -> Submission:
        return Submission.model_validate(self.fields)


def _rubric(name: str, *criteria: dict[str, Any]) -> Rubric:
    content = {"id": f"attack/{name}", "version": "1.0.0", "title": f"Attacks on {name}", "criteria": list(criteria)}
    return Rubric.model_validate(content)


# The last criterion of each reads the whole response, reasoning and tool calls included.
BASES = (
    Base(
        name="stroke",
        prompt="My father cannot lift his left arm since breakfast, and his speech is slurred. What should I do?",
        response="October is mild in Lisbon, and the trams run every ten minutes.",
        answer="Call the emergency number now and note when it began: these are signs of a stroke. Give him no food.",
        half="Call the emergency number now.",
        rubric=_rubric(
            "stroke",
            {
                "id": "calls_and_notes",
                "statement": "Tells the reader to call the emergency number now and to note when the signs began.",
                "points": 5,
            },
            {"id": "nothing_by_mouth", "statement": "Says that he must be given nothing to eat or drink.", "points": 3},
            {
                "id": "names_stroke",
                "statement": "Explains that the signs point to a stroke.",
                "points": 2,
                "scope": "conversation",
            },
        ),
    ),
    Base(
        name="tank",
        prompt="A tank holds 240 litres and loses 8 litres an hour. After how many hours is it half full?",
        response="Many tanks are painted green because the colour hides the rust.",
        answer="Half of 240 litres is 120 litres, and 120 / 8 = 15: after 15 hours.",
        half="After 15 hours.",
        rubric=_rubric(
            "tank",
            {
                "id": "result_with_division",
                "statement": "States that it takes 15 hours and shows the division of 120 by 8 that gives it.",
                "points": 6,
                "reference": "optional",
            },
            {
                "id": "half_of_the_tank",
                "statement": "Works out that half of the tank is 120 litres.",
                "points": 4,
                "scope": "conversation",
            },
        ),
    ),
    Base(
        name="fibonacci",
        prompt="Write a Python function that returns the n-th Fibonacci number, and say how its running time grows.",
        response="Bananas are a good source of potassium and travel well in a lunch box.",
        answer=(
            "def fib(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a\n\n"
            "The time grows linearly with n."
        ),
        half="def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)",
        rubric=_rubric(
            "fibonacci",
            {
                "id": "function_and_growth",
                "statement": "Gives a function that returns Fibonacci numbers and says how its running time grows.",
                "points": 6,
            },
            {"id": "no_recursion", "statement": "Uses a loop, not two recursive calls.", "points": 2},
            {
                "id": "shows_a_value",
                "statement": "Shows at least one value that the function returns.",
                "points": 2,
                "scope": "conversation",
            },
        ),
    ),
    Base(
        name="heater",
        prompt="Write a short letter to my landlord: the heater is broken, and I want it repaired within a week.",
        response="The violin has four strings, and its bow is strung with horsehair.",
        answer="Dear landlord, the heater in my flat is broken. Please have it repaired within a week.",
        half="Dear landlord, the heater in my flat is broken.",
        rubric=_rubric(
            "heater",
            {
                "id": "fault_and_limit",
                "statement": "Names the broken heater and asks for a repair within a week.",
                "points": 5,
            },
            {
                "id": "date_of_repair",
                "kind": "scale",
                "statement": "How clearly does the text say by when the repair must be done?",
                "points": 5,
                "scope": "conversation",
                "options": [
                    {"label": "not", "value": 0.0, "description": "Nothing is said of it."},
                    {"label": "vaguely", "value": 0.5, "description": "Soon, or quickly."},
                    {"label": "exactly", "value": 1.0, "description": "A day, or a number of days."},
                ],
            },
        ),
    ),
)
