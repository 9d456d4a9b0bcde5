"""Write prompts from our templates: instructions, then conversation, response, reference, and the criterion last.

Outside text never passes through Jinja. A template is rendered with numbered slots; the rendered text is split at the
slots, and the outside texts fill them as untrusted segments. So no text can act as template syntax, and the model knows
which parts of the prompt may hold control tokens (ours) and which may not.

Each outside text is fenced by markers with a code that is an HMAC of the text under the server's secret. Its author
cannot guess the code, and it is the same in every prompt that shows the text, so that prefixes are shared and replays
are exact.
"""

import hashlib
import hmac
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files
from operator import attrgetter
from sys import getsizeof
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from judge_server.core.caller import current_caller
from judge_server.core.criterion import Binary, Choice, Judged, Scale
from judge_server.core.judge import Mode, PromptVersion
from judge_server.guard.sanitize import sanitize
from judge_server.judging.judge_input import ROLE_MARK, JudgeInput
from judge_server.models.protocol import LabelPrompt, Part, Prompt, Segment, Turn
from judge_server.util.apart import apart
from judge_server.util.canonical import canonical_texts
from judge_server.util.lru import BoundedCache

_TEMPLATES = ("system", "judge_input", "criterion", "direct", "reason", "fact_system", "fact_input", "fact")
NEWEST: PromptVersion = "2"
EXAMPLES = "examples"  # a template of its own, so that judges without labelled examples keep their fingerprint
EVIDENCE = "evidence"  # likewise; the criterion's digest says that it is asked for
_SLOT = re.compile("\ue000(\\d+)\ue001")
YES_NO = ("Yes", "No")
_BYTES_KEPT = 16_000_000
_END_OF_PART = "\ue002"
_PARTS: tuple[Part, ...] = ("conversation", "response", "reference")


def _source(name: str) -> str:
    """``name`` with the version of the prompt before it, such as ``2/system``."""
    return files("judge_server.judging").joinpath("prompts", f"{name}.j2").read_text("utf-8")


@lru_cache(maxsize=8)
def template_digest(version: PromptVersion = NEWEST, names: tuple[str, ...] = _TEMPLATES) -> str:
    """SHA-256 over templates. Those for single responses, the default, are part of every judge's fingerprint."""
    sources = "\0".join(_source(f"{version}/{name}") for name in names)
    return "sha256:" + hashlib.sha256(sources.encode()).hexdigest()


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=False,  # noqa: S701 - prompts are not HTML, and outside text never reaches the templates
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in _TEMPLATES:
        environment.get_template(f"{NEWEST}/{name}")  # compiling them takes 100 ms: not in the first request
    return environment


def render(version: PromptVersion, name: str, values: Mapping[str, Any]) -> str:
    """Render one of our templates. Values may be slots but never outside text."""
    return _environment().get_template(f"{version}/{name}").render(values)


def labels_of(criterion: Judged) -> tuple[str, ...]:
    """The labels of a verdict: Yes and No, or the letters of the options. If the criterion may turn out not to apply,
    all are letters, and the last one says so."""
    if isinstance(criterion, Choice) or criterion.if_absent == "skip":
        return tuple(string.ascii_uppercase[: len(criterion.values) + (criterion.if_absent == "skip")])
    return YES_NO


class Slots:
    """Placeholders for outside texts while a template is rendered."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.texts: list[str] = []
        self._codes: list[str] = []

    def __call__(self, text: str, code: str = "") -> str:
        """``code``: of the fence around the text, shown with the roles inside it."""
        self.texts.append(text)
        self._codes.append(code)
        return f"\ue000{len(self.texts) - 1}\ue001"

    def segments(
        self, rendered: str, parts: Mapping[int, Part] | None = None, own: Part | None = None
    ) -> tuple[Segment, ...]:
        """``own``: the part that the template's text belongs to."""
        pieces = _SLOT.split(rendered)
        result = []
        for place, piece in enumerate(pieces):
            if place % 2 == 0:
                if piece:
                    result.append(Segment(piece, own or self.part, trusted=True))
            else:
                index = int(piece)
                result += self._with_roles(index, (parts or {}).get(index, self.part))
        return tuple(result)

    def _with_roles(self, index: int, part: Part) -> Iterator[Segment]:
        """The text as outside segments, and the marks of real roles between them as ours, with the fence's code."""
        for place, piece in enumerate(ROLE_MARK.split(self.texts[index])):
            if place % 2:
                yield Segment(f"[{self._codes[index]} {piece}]\n", part, trusted=True)
            elif piece or not place:
                yield Segment(piece, part, trusted=False)


@dataclass(frozen=True, slots=True)
class _RenderedInput:
    """A rendered judge input, shared by every criterion that reads it. ``bytes``: its size in memory."""

    segments: tuple[Segment, ...]
    prefix: tuple[str, ...]
    bytes: int


class PromptWriter:
    """Writes prompts whose fence codes come from one server secret. ``reordered``: labels, options and examples come in
    the opposite order, which should change no verdict. ``version``: of the prompt."""

    def __init__(self, secret: bytes, version: PromptVersion = NEWEST, *, reordered: bool = False) -> None:
        _environment()
        self._secret = secret
        self.version = version
        self.reordered = reordered
        self._inputs = BoundedCache[str, _RenderedInput](_BYTES_KEPT, attrgetter("bytes"))
        self._questions = BoundedCache[tuple[str, ...], tuple[Segment, ...]](_BYTES_KEPT, _size)
        self._system = lru_cache(maxsize=4)(self._render_system)

    def of(self, version: PromptVersion) -> "PromptWriter":
        """A writer of another version with the same fences."""
        return self if version == self.version else PromptWriter(self._secret, version, reordered=self.reordered)

    def turned(self) -> "PromptWriter":
        """A writer of the opposite order with the same fences."""
        return PromptWriter(self._secret, self.version, reordered=not self.reordered)

    def write(self, judge_input: JudgeInput, criteria: Sequence[Judged], mode: Mode) -> Prompt:
        """The prompt that asks about ``criteria`` (several only in reason mode) on one judge input."""
        shown = self._shown(judge_input)
        facts = judge_input.about == "conversation"
        asked: tuple[str, ...] = (mode, str(facts), *[criterion.question_digest for criterion in criteria])
        question = self._questions.get_or_make(asked, partial(self._render_question, criteria, mode, facts))
        user = Turn("user", shown.segments + question)
        return Prompt((Turn("system", self._system(len(criteria) > 1, facts)), user), shown.prefix)

    async def prepare(self, judge_input: JudgeInput) -> None:
        """Read a long judge input in the process for long texts, so that writing prompts about it does not hold the
        event loop. Raises NotDone."""
        if judge_input.digest in self._inputs:
            return
        rendered = await apart(current_caller.get().name, _rendered, self._secret, self.version, judge_input)
        self._inputs.put(judge_input.digest, rendered)

    def label_prompt(self, judge_input: JudgeInput, criterion: Judged) -> LabelPrompt:
        """The prompt that asks about one criterion in direct mode, and the labels that may answer it."""
        return LabelPrompt(self.write(judge_input, (criterion,), "direct"), labels_of(criterion))

    def material(self, judge_input: JudgeInput) -> Prompt:
        """The prompt without any question, for models that get typed questions beside it."""
        shown = self._shown(judge_input)
        system = self._system(True, judge_input.about == "conversation")
        return Prompt((Turn("system", system), Turn("user", shown.segments)), shown.prefix)

    def statement(self, criterion: Judged) -> tuple[Segment, ...]:
        """The statement and the examples of a criterion, without its options: a typed question has them apart."""
        asked = ("statement", criterion.question_digest)
        return self._questions.get_or_make(asked, partial(self._render_statement, criterion))

    def _shown(self, judge_input: JudgeInput) -> _RenderedInput:
        return self._inputs.get_or_make(judge_input.digest, partial(self.render_input, judge_input))

    def code(self, kind: str, text: str) -> str:
        """The fence code of ``text``: 12 hexadecimal digits that its author cannot know."""
        data = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, data, "sha256").hex()[:12]

    def fenced(self, kind: str, text: str, part: Part) -> tuple[Segment, ...]:
        """Text that somebody else wrote, as a person would see it, between markers that carry its code and the last
        word of ``kind``."""
        shown = sanitize(text)
        mark = f"{kind.rpartition(' ')[2].upper()} {self.code(kind, shown)}"
        opening, closing = (Segment(ours, part, trusted=True) for ours in (f"[BEGIN {mark}]\n", f"\n[END {mark}]"))
        return opening, Segment(shown, part, trusted=False), closing

    def _render_system(self, several: bool, facts: bool) -> tuple[Segment, ...]:
        text = render(self.version, "fact_system" if facts else "system", {"count": 2 if several else 1})
        return (Segment(text.strip(), "instructions", trusted=True),)

    def render_input(self, judge_input: JudgeInput) -> _RenderedInput:
        """Everything of a prompt that does not depend on the question."""
        slots = Slots("conversation")
        parts: dict[int, Part] = {}
        codes = {"conversation": self.code("conversation", canonical_texts(judge_input.turns))}

        def show(part: Part, kind: str, text: str) -> None:
            parts[len(slots.texts)] = part
            codes[kind] = self.code(kind, text)
            slots(text, codes[kind])

        for _, text in judge_input.turns:
            slots(text, codes["conversation"])
        if judge_input.about == "response":
            show("response", "response", judge_input.response)
        if judge_input.step:
            show("response", "step", judge_input.step.text)
        if judge_input.reference is not None:
            show("reference", "reference", judge_input.reference)
        if judge_input.facts:
            show("reference", "facts", "\n".join(f"{name}: {value}" for name, value in judge_input.facts))
        rendered = _frame_of(self.version, judge_input)
        for kind, code in codes.items():
            rendered = rendered.replace(_CODES[kind], code)
        shown_segments: list[Segment] = []
        for part, block in zip(_PARTS, rendered.split(_END_OF_PART), strict=False):
            shown_segments += slots.segments(block, parts, part)
        if judge_input.examples:
            shown_segments += self._render_examples(judge_input)
        segments = tuple(shown_segments)
        prefix = (codes["conversation"], codes.get("response", codes["conversation"]))
        return _RenderedInput(segments, prefix, _size(segments))

    def _render_examples(self, judge_input: JudgeInput) -> tuple[Segment, ...]:
        """Labelled responses, each in a fence of its own."""
        slots = Slots("question")
        shown = []
        for example in judge_input.examples:
            code = self.code("example", example.text)
            shown.append({"code": code, "text": slots(example.text, code), "verdict": example.verdict})
        return slots.segments(render(NEWEST, EXAMPLES, {"examples": shown}))

    def _render_question(self, criteria: Sequence[Judged], mode: Mode, facts: bool) -> tuple[Segment, ...]:
        slots = Slots("question" if facts else "criterion")
        parts: dict[int, Part] = {}
        template = "fact" if facts else "criterion"
        several = len(criteria) > 1
        blocks = []
        for number, criterion in enumerate(criteria, 1):
            values = self._ordered(_criterion_values(criterion, slots, parts, number if several else None), criterion)
            blocks.append(render(self.version, template, values | {"reasons": mode == "reason"}))
            if mode == "reason" and criterion.evidence == "quote":
                blocks.append(render(NEWEST, EVIDENCE, {"number": number if several else None}))
        first = criteria[0]
        labels = labels_of(first)[::-1] if self.reordered else labels_of(first)
        closing = {"count": len(criteria), "labels": labels, "options": labels_of(first) != YES_NO}
        blocks.append(render(self.version, mode, closing))
        return slots.segments("\n".join(block.strip("\n") for block in blocks), parts)

    def _render_statement(self, criterion: Judged) -> tuple[Segment, ...]:
        slots, parts = Slots("criterion"), dict[int, Part]()
        values = _criterion_values(criterion, slots, parts, None, lettered=False)
        values = self._ordered(values, criterion) | {"options": [], "reasons": False}
        return slots.segments(render(self.version, "criterion", values).strip(), parts)

    def _ordered(self, values: dict[str, Any], criterion: Judged) -> dict[str, Any]:
        """Examples in an order that the criterion's digest decides, so that no verdict always comes first; turned if
        the prompt is. Each option keeps its letter, so answers are read alike."""
        if self.version != "1" and criterion.question_digest[-1] in "13579bdf":
            values |= {"examples": values["examples"][::-1]}
        if not self.reordered:
            return values
        turned = {name: values[name][::-1] for name in ("items", "options", "examples")}
        order = values["order"].replace("from worst to best", "from best to worst")
        return values | turned | {"order": order}


_CODES = {"conversation": "\ue010", "response": "\ue011", "step": "\ue012", "reference": "\ue013", "facts": "\ue014"}
_MOST_KEPT_ROLES = 16
_SEGMENT_BYTES = getsizeof(Segment("", "conversation", trusted=False)) + 8  # beside its text, and of its place


def _frame_of(version: PromptVersion, shown: JudgeInput) -> str:
    """The rendered template of an input with slots for its texts, in order, and marks for the codes of its fences."""
    step = shown.step.index + 1 if shown.step else None
    asked = (version, shown.about, step, shown.reference is not None, bool(shown.facts))
    roles = tuple([role for role, _ in shown.turns])
    frame = _frame if len(roles) <= _MOST_KEPT_ROLES else _frame.__wrapped__
    return frame(*asked, roles)


@lru_cache(maxsize=512)  # most submissions have one of a few shapes
def _frame(
    version: PromptVersion, about: str, step: int | None, reference: bool, facts: bool, roles: tuple[str, ...]
) -> str:
    slots = Slots("conversation")
    messages = [{"role": role, "text": slots("")} for role in roles]

    def fenced(kind: str) -> dict[str, Any]:
        return {"code": _CODES[kind], "text": slots("")}

    values = {
        "conversation": {"code": _CODES["conversation"]},
        "messages": messages,
        "response": fenced("response") if about == "response" else {"code": _CODES["conversation"]},
        "step": fenced("step") | {"number": step} if step else None,
        "reference": fenced("reference") if reference else None,
        "facts": fenced("facts") if facts else None,
        "end_of_part": _END_OF_PART,
    }
    return render(version, "judge_input" if about == "response" else "fact_input", values)


def _rendered(secret: bytes, version: PromptVersion, judge_input: JudgeInput) -> _RenderedInput:
    return PromptWriter(secret, version).render_input(judge_input)


def authored(text: str, part: Part) -> Segment:
    """What the author of a rubric or grader wrote: the task itself, so without a fence."""
    return Segment(text, part, trusted=False)


def _size(segments: Sequence[Segment]) -> int:
    return sum(getsizeof(segment.text) + _SEGMENT_BYTES for segment in segments)


def _criterion_values(
    criterion: Judged, slots: Slots, parts: dict[int, Part], number: int | None, *, lettered: bool = True
) -> dict[str, Any]:
    def aside(text: str | None) -> str | None:
        """A slot for text of the criterion other than its statement; None for no text."""
        if not text:
            return None
        parts[len(slots.texts)] = "question"
        return slots(text)

    options: list[dict[str, str | None]] = []
    examples: list[tuple[str, str, str | None]] = []
    labels = labels_of(criterion)
    items: tuple[str, ...] = ()
    if isinstance(criterion, Choice):
        letters = dict(zip((option.label for option in criterion.options), labels, strict=False))
        options = [
            {"letter": letters[option.label], "label": aside(option.label), "description": aside(option.description)}
            for option in criterion.options
        ]
        examples = [
            (example.response, letters[example.option] if lettered else slots(example.option), example.reason)
            for example in criterion.examples
        ]
    else:
        items = criterion.any_of or criterion.all_of or ()
        if criterion.if_absent == "skip":
            words = zip(labels, ("the criterion is met", "the criterion is not met"), strict=False)
            options = [{"letter": letter, "label": word, "description": None} for letter, word in words]
        verdicts = dict(zip((True, False), labels if lettered else YES_NO, strict=False))
        examples = [(example.response, verdicts[example.met], example.reason) for example in criterion.examples]
    return {
        "number": number,
        "statement": slots(criterion.statement),
        "items": [aside(item) for item in items],
        "scope": criterion.scope,
        "together": isinstance(criterion, Binary) and criterion.all_of is not None,
        "if_absent": criterion.if_absent,
        "absent_letter": labels[-1],
        "reference_role": criterion.reference_role,
        "guidance": aside(criterion.guidance),
        "order": "Options, from worst to best:" if isinstance(criterion, Scale) else "Options, in no order:",
        "options": options,
        "examples": [
            {"response": aside(response), "verdict": verdict, "reason": aside(reason)}
            for response, verdict, reason in examples
        ],
    }
