"""One attack: a text and its place in a submission. Plain data, so that users can write their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from judge_server.attack.base import Base
from judge_server.core.errors import BadInput
from judge_server.core.submission import Submission

Place = Literal[
    "replace", "beside_a_call", "append", "prepend", "reasoning", "think", "tool_arguments", "tool_result",
    "second_message", "prompt", "system", "earlier_turn", "reference",
]  # fmt: skip
PLACES: tuple[Place, ...] = get_args(Place)
LONGEST_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Attack:
    """``id`` is ``family/name``. In ``text`` the placeholders ``@RESPONSE@``, ``@PROMPT@``, ``@CRITERION@`` (the first
    one), ``@CRITERIA@`` (all) and ``@HALF@`` (a text that meets half of the first) are filled in from the base. The
    text is repeated ``repeat`` times."""

    id: str
    text: str
    place: Place = "append"
    repeat: int = 1

    @property
    def family(self) -> str:
        return self.id.partition("/")[0]

    def written(self, base: Base) -> str:
        """The text with the placeholders filled in from ``base``. Raises BadInput above a million characters."""
        statements = base.statements
        marks = {
            "@RESPONSE@": base.response,
            "@PROMPT@": base.prompt,
            "@HALF@": base.half or base.response,
            "@CRITERION@": statements[0],
            "@CRITERIA@": "\n".join(f"{number}. {statement}" for number, statement in enumerate(statements, 1)),
        }
        text = self.text
        for mark, meant in marks.items():
            text = text.replace(mark, meant)
        if len(text) * self.repeat > LONGEST_CHARACTERS:
            raise BadInput(
                f"The attack {self.id} has {len(text) * self.repeat:,} characters; {LONGEST_CHARACTERS:,} are allowed.",
                remedy="Shorten its text or lower its repeat.",
            )
        return text * self.repeat

    def on(self, base: Base) -> Submission:
        """The base's submission with the attack in it."""
        return Submission.model_validate(base.fields | _PLACED[self.place](base, self.written(base)))


def _says(content: str, **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content} | fields


def _call(query: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": {"query": query}}}


def _after_a_tool(base: Base, result: str) -> dict[str, Any]:
    told = {"role": "tool", "tool_call_id": "call_1", "content": result}
    return {"response": [_says("", tool_calls=[_call("weather")]), told, _says(base.response)]}


def _after_a_turn(base: Base, said: str) -> dict[str, Any]:
    turns = [("user", "Hello."), ("assistant", said), ("user", base.prompt)]
    return {"prompt": [{"role": role, "content": content} for role, content in turns]}


_PLACED: dict[Place, Callable[[Base, str], dict[str, Any]]] = {
    "replace": lambda base, text: {"response": text},
    "beside_a_call": lambda base, text: {"response": [_says(text, tool_calls=[_call("weather")])]},
    "append": lambda base, text: {"response": f"{base.response}\n\n{text}"},
    "prepend": lambda base, text: {"response": f"{text}\n\n{base.response}"},
    "think": lambda base, text: {"response": f"<think>{text}</think>\n{base.response}"},
    "reasoning": lambda base, text: {"response": [_says(base.response, reasoning=text)]},
    "second_message": lambda base, text: {"response": [_says(base.response), _says(text)]},
    "tool_arguments": lambda base, text: {"response": [_says(base.response, tool_calls=[_call(text)])]},
    "tool_result": _after_a_tool,
    "prompt": lambda base, text: {"prompt": f"{base.prompt}\n\n{text}"},
    "system": lambda base, text: {
        "prompt": [{"role": "system", "content": text}, {"role": "user", "content": base.prompt}]
    },
    "earlier_turn": _after_a_turn,
    "reference": lambda base, text: {"reference": text},
}
