"""Write prompts that show several candidates: instructions; conversation, reference and standard, which all
presentations share; the candidates in their order; the question last. Fences and slots come from ``judging.prompt``."""

import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from judge_server.core.judge import PromptVersion
from judge_server.judging.judge_input import message_text
from judge_server.judging.prompt import PromptWriter, Slots, render, template_digest
from judge_server.judging.relative.comparison import CandidateComparison, Shown, StandardLine
from judge_server.models.protocol import Part, Prompt, Segment, Turn

Question = Literal["relative_list", "relative_pair_direct", "relative_pair_reason"]
_TEMPLATES = (
    "relative_system", "relative_opening", "relative_candidate", "relative_list", "relative_pair_direct",
    "relative_pair_reason",
)  # fmt: skip


def relative_digest(version: PromptVersion) -> str:
    """SHA-256 over the templates of comparisons: part of the cache key of every relative answer."""
    return template_digest(version, _TEMPLATES)


def letters(count: int) -> tuple[str, ...]:
    return tuple(string.ascii_uppercase[:count])


@dataclass(frozen=True)
class Script:
    """Writes the prompts of one comparison; their shared part is rendered once."""

    comparison: CandidateComparison
    writer: PromptWriter

    def prompt(self, shown: Shown, question: Question) -> Prompt:
        labels = letters(len(shown))
        system = render(
            self.writer.version, "relative_system", {"count": "two" if question != "relative_list" else "several"}
        ).strip()
        segments = list(self._opening)
        for label, place in zip(labels, shown, strict=True):
            segments += self._candidate(label, self.comparison.candidates[place])
        segments.append(Segment(render(self.writer.version, question, {"labels": labels}), "candidate", trusted=True))
        instructions = Turn("system", (Segment(system, "instructions", trusted=True),))
        first = self.writer.code("candidate", self.comparison.candidates[shown[0]])
        return Prompt((instructions, Turn("user", tuple(segments))), (self.comparison.digest[:12], first))

    def _candidate(self, label: str, text: str) -> tuple[Segment, ...]:
        slots = Slots("candidate")
        code = self.writer.code("candidate", text)
        values = {"label": label, "code": code, "text": slots(text, code)}
        return slots.segments(render(self.writer.version, "relative_candidate", values))

    @cached_property
    def _opening(self) -> tuple[Segment, ...]:
        comparison, code = self.comparison, self.writer.code
        slots = Slots("conversation")
        parts: dict[int, Part] = {}

        def aside(part: Part, text: str) -> str:
            parts[len(slots.texts)] = part
            return slots(text)

        def lines(part: Part, some: Sequence[StandardLine]) -> list[dict[str, Any]]:
            return [
                {
                    "points": line.points,
                    "statement": aside(part, line.statement),
                    "options": [aside("question", option) for option in line.options],
                }
                for line in some
            ]

        turns = [(message.role, message_text(message)) for message in comparison.conversation]
        conversation_code = code("conversation", json.dumps(turns))
        reference = comparison.reference
        values = {
            "conversation": {"code": conversation_code},
            "messages": [{"role": role, "text": slots(text, conversation_code)} for role, text in turns],
            "reference": None
            if reference is None
            else {"code": code("reference", reference), "text": aside("reference", reference)},
            "wanted": lines("criterion", comparison.standard.wanted),
            "unwanted": lines("pitfall", comparison.standard.unwanted),
        }
        return slots.segments(render(self.writer.version, "relative_opening", values), parts)
