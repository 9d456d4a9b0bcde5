"""The model's chat template as a skeleton: control text with a slot for each turn, rendered once per sequence of roles.

No text of a prompt passes through the template. Random placeholders do, and the rendered text is split at them. So the
content of a message cannot influence a template that trims, splits or searches its messages.
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

from judge_server.core.errors import BadConfiguration
from judge_server.models.protocol import Prompt
from judge_server.models.tokenizing import PartTokenizer

Skeleton = tuple[str | int, ...]  # control text, and the turn numbers between its parts

# Templates that print today's date print this one, so that prompts do not change from day to day.
FIXED_DATE = date(2025, 1, 1)


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a model family marks thinking: ``opening`` begins it, the control token ``closing`` ends it, ``answer`` is
    the text between it and the answer; ``skip`` starts the answer directly if the template does not."""

    opening: str
    closing: str
    answer: str
    skip: str = ""


_FINAL = "<|channel|>final<|message|>"
_FAMILIES = (
    Thinking("<|channel|>analysis<|message|>", "<|end|>", f"<|start|>assistant{_FINAL}", skip=_FINAL),
    Thinking("<think>\n", "</think>", "\n\n"),
    Thinking("[THINK]", "[/THINK]", ""),
)
_CONTROL_TOKEN = re.compile(r"<\|\w+\|>|</?think>|\[/?THINK\]")


class ChatTemplate:
    """Turns prompts into token ids. ``thinking``: how this model marks thinking, None if it does not think."""

    def __init__(self, tokenizer: Any, parts: PartTokenizer) -> None:
        if not tokenizer.chat_template:
            raise BadConfiguration(
                "The model has no chat template.", remedy="Name an instruction-tuned model, or add its chat_template."
            )
        self._tokenizer = tokenizer
        self._parts = parts
        self._skeletons: dict[tuple[tuple[str, ...], bool], Skeleton] = {}
        self.thinking = next((family for family in _FAMILIES if self._knows(family)), None)

    def encode(self, prompt: Prompt, *, thinking: bool = False) -> list[int]:
        """The token ids of ``prompt`` up to where the model starts to think or answer. Raises BadConfiguration if the
        template cannot render the turns."""
        roles = tuple(turn.role for turn in prompt.turns)
        skeleton = self._skeletons.get((roles, thinking))
        if skeleton is None:
            skeleton = self._skeletons[roles, thinking] = self._skeleton(roles, thinking=thinking)
        ids: list[int] = []
        encode = self._parts.opening
        ours: list[str] = []
        for text, trusted in _runs(skeleton, prompt):
            if trusted:
                ours.append(text)
            elif text:
                ids += (*encode("".join(ours)), *self._parts.untrusted(text))
                ours, encode = [], self._parts.trusted
        ids += encode("".join(ours))
        return ids

    def _knows(self, family: Thinking) -> bool:
        marks = _CONTROL_TOKEN.findall(family.opening + family.closing + family.answer)
        return all(self._parts.control_id(mark) is not None for mark in marks)

    def _skeleton(self, roles: tuple[str, ...], *, thinking: bool) -> Skeleton:
        """The first way to render the turns that shows each of them once: as they are, or merged into one user turn
        (some templates refuse a system turn, or drop it); as text, or as a list of parts (some know only those)."""
        cause = "no way of rendering shows every turn once"
        for merged, as_list in product((False, True), repeat=2):
            marks = [secrets.token_hex(16) for _ in roles]
            turns = [("user", "\n\n".join(marks))] if merged else list(zip(roles, marks, strict=True))
            try:
                rendered = self._render(turns, as_list=as_list, thinking=thinking)
            except Exception as error:  # noqa: BLE001 - a template can raise any error
                cause = f"{type(error).__name__}: {error}"
                continue
            pieces = re.split("|".join(marks), rendered)
            if re.findall("|".join(marks), rendered) == marks:
                pieces[-1] = self._start(pieces[-1], thinking=thinking)
                between = [part for number, piece in enumerate(pieces[1:]) for part in (number, piece)]
                return (pieces[0], *between)
        raise BadConfiguration(
            f"The model's chat template cannot render a {' and a '.join(roles)} turn ({cause}).",
            remedy="Use a model with a common chat template.",
        )

    def _render(self, turns: list[tuple[str, str]], *, as_list: bool, thinking: bool) -> str:
        messages = [
            {"role": role, "content": [{"type": "text", "text": text}] if as_list else text} for role, text in turns
        ]
        return str(
            self._tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=thinking,
                thinking=thinking,
                strftime_now=FIXED_DATE.strftime,
            )
        )

    def _start(self, ending: str, *, thinking: bool) -> str:
        """``ending`` extended to the start of the model's output, whether or not the template used the thinking
        variables."""
        family = self.thinking
        if family is None:
            return ending
        opened = ending.rstrip().endswith(family.opening.strip())
        if thinking:
            return ending if opened else ending + family.opening
        if opened:
            return f"{ending}{family.closing}{family.answer}"
        return ending if ending.endswith(family.skip) else ending + family.skip


def _runs(skeleton: Skeleton, prompt: Prompt) -> Iterator[tuple[str, bool]]:
    """The whole prompt as (text, whether it is trusted) in order."""
    for part in skeleton:
        if isinstance(part, str):
            yield part, True
        else:
            for segment in prompt.turns[part].segments:
                yield segment.text, segment.trusted
