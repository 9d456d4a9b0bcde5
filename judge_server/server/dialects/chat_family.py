"""How families of chat templates mark turns, and the tokens that decoding leaves at the two ends of a text.

Formats as the families' own templates write them (Qwen 2.5 and 3, Phi-3 and Phi-4, Llama 2 and 3, Mistral, Gemma 2 and
3, DeepSeek V3 and R1, GLM-4, Zephyr, gpt-oss), read in September 2026. A family is recognised by the beginning of a
text only, so a policy cannot choose how its response is parsed. Of the marks only those at the very beginning (start of
text, padding) and at the very end (end of turn, end of text, padding) are removed; nothing between them is, so a policy
gains nothing by writing such marks into its response.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ROLES = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool",
    "ipython": "tool",
    "observation": "tool",
    "User": "user",
    "Assistant": "assistant",
}
_LLAMA2_SYSTEM = re.compile(r"\A\s*<<SYS>>\n?(.*?)\n?<</SYS>>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One turn of a conversation. ``closed``: its end is marked, so it is complete."""

    role: str
    content: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Header:
    """The place of a turn's header in the text, as character offsets."""

    role: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Family:
    """A family of templates. ``header`` gives the role in the group ``role``, or by the name of the group that matched;
    ``end`` closes a turn. ``system_first``: text before the first header is the system message."""

    name: str
    header: re.Pattern[str]
    end: re.Pattern[str]
    system_first: bool = False

    def headers(self, text: str, start: int = 0) -> Iterator[Header]:
        for match in self.header.finditer(text, start):
            yield _header(match)

    def answer_header(self, text: str, *, last: bool = False) -> Header | None:
        """The first (or last) header of an assistant's turn."""
        found = (header for header in self.headers(text) if header.role == "assistant")
        return next(iter(list(found)[-1:]), None) if last else next(found, None)

    def turns(self, text: str) -> list[ChatTurn] | None:
        """The turns of a text; None if it has content outside of turns."""
        place = content_start(text)
        turns: list[ChatTurn] = []
        if self.system_first:
            first = self.header.search(text, place)
            before = text[place : first.start() if first else len(text)]
            place += len(before)
            turns += [ChatTurn("system", before, closed=True)] if before.strip() else []
        while (place := past_space(text, place)) < len(text):
            match = self.header.match(text, place)
            header = _header(match) if match else None
            if header is None or header.role is None:
                return None
            end = self.end.search(text, header.end)
            turns.append(ChatTurn(header.role, text[header.end : end.start() if end else len(text)], end is not None))
            place = end.end() if end else len(text)
        return _with_llama2_system(turns)


def _header(match: re.Match[str]) -> Header:
    named = match.groupdict().get("role") or match.lastgroup or ""
    return Header(_ROLES.get(named), match.start(), match.end())


def _with_llama2_system(turns: list[ChatTurn]) -> list[ChatTurn]:
    """Llama 2 writes the system message into the first user turn."""
    match = _LLAMA2_SYSTEM.match(turns[0].content) if turns and turns[0].role == "user" else None
    if match is None:
        return turns
    first = turns[0]
    return [
        ChatTurn("system", match[1], closed=True),
        ChatTurn("user", first.content[match.end() :], first.closed),
        *turns[1:],
    ]


def _family(name: str, header: str, end: str, *, system_first: bool = False) -> Family:
    return Family(name, re.compile(header), re.compile(end), system_first)


_BAR_ROLES = r"<\|(?P<role>system|user|assistant)\|>\n?"
_GLM_ROLES = r"<\|(?P<role>system|user|assistant|observation)\|>\n?"
CHATML = _family("chatml", r"<\|im_start\|>(?P<role>[a-z]+)\n", r"<\|im_end\|>")
PHI4 = _family("phi-4", r"<\|im_start\|>(?P<role>[a-z]+)<\|im_sep\|>", r"<\|im_end\|>")
LLAMA3 = _family("llama-3", r"<\|start_header_id\|>(?P<role>[a-z]+)<\|end_header_id\|>\n{0,2}", r"<\|eo[tm]_id\|>")
GEMMA = _family("gemma", r"<start_of_turn>(?P<role>[a-z]+)\n", r"<end_of_turn>")
PHI3 = _family("phi-3", _BAR_ROLES, r"<\|end\|>")
ZEPHYR = _family("zephyr", _BAR_ROLES, r"</s>")
GLM = _family("glm", _GLM_ROLES, rf"(?={_GLM_ROLES.replace('?P<role>', '?:')})")
DEEPSEEK = _family(
    "deepseek",
    "<\uff5c(?P<role>User|Assistant)\uff5c>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>|(?=<\uff5c(?:User|Assistant)\uff5c>)",
    system_first=True,
)
LLAMA2 = _family(
    "llama-2 and mistral",
    r"(?:<s> ?)?(?:(?P<user>\[INST\]) ?|(?P<assistant>\[/INST\]) ?|(?P<system>\[SYSTEM_PROMPT\]) ?)",
    r"\[/SYSTEM_PROMPT\]|</s>| ?(?=\[/?INST\])",
)
HARMONY = _family(
    "harmony",
    r"<\|start\|>(?P<role>system|developer|user|assistant|tool)(?:<\|message\|>)?",
    r"<\|(?:end|return|call)\|>",
)
_STARTS: tuple[tuple[re.Pattern[str], Family], ...] = (
    (re.compile(r"<\|im_start\|>[a-z]+\n"), CHATML),
    (re.compile(r"<\|im_start\|>[a-z]+<\|im_sep\|>"), PHI4),
    (re.compile(r"<\|start_header_id\|>"), LLAMA3),
    (re.compile(r"<start_of_turn>"), GEMMA),
    (re.compile(r"<\|start\|>(?:system|developer|user)"), HARMONY),
    (re.compile(r"(?:<s> ?)?\[(?:INST|SYSTEM_PROMPT)\]"), LLAMA2),
    (re.compile("<\uff5cUser\uff5c>"), DEEPSEEK),
)
_DEEPSEEK_START = "<\uff5cbegin\u2581of\u2581sentence\uff5c>"


def family_of(text: str) -> Family | None:
    """The family whose framing the text begins with, or None. Reads no further than the first assistant's header."""
    start = content_start(text)
    for pattern, family in _STARTS:
        if pattern.match(text, start):
            return family
    if _DEEPSEEK_START in text[:start]:
        return DEEPSEEK
    return _bar_family(text, start) if re.compile(_GLM_ROLES).match(text, start) else None


def _bar_family(text: str, start: int) -> Family:
    """Phi-3, Zephyr and GLM write the same headers; they differ in how a turn ends."""
    answer = GLM.answer_header(text)
    prompt = text[start : answer.start if answer else len(text)].rstrip()
    if prompt.endswith("<|end|>"):
        return PHI3
    return ZEPHYR if prompt.endswith("</s>") else GLM


LEADING = (
    "<s>",
    "<bos>",
    "<pad>",
    "<unk>",
    "<|begin_of_text|>",
    "<|endoftext|>",
    "<|startoftext|>",
    "<|finetune_right_pad_id|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|im_end|>",
    "<|pad|>",
    "[PAD]",
    "[gMASK]",
    "<sop>",
    "</s>",
    "<eos>",
    "<\uff5cbegin\u2581of\u2581sentence\uff5c>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "<\uff5c\u2581pad\u2581\uff5c>",
)
TRAILING = (
    "<|im_end|>",
    "<|im_start|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|finetune_right_pad_id|>",
    "<end_of_turn>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|user|>",
    "<|observation|>",
    "<|pad|>",
    "</s>",
    "<eos>",
    "<pad>",
    "[PAD]",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "<\uff5c\u2581pad\u2581\uff5c>",
)

# Python cannot search backwards, so the text and the marks are reversed
_BEGINNING = re.compile(rf"(?:\s|{'|'.join(map(re.escape, LEADING))})*+")
_ENDING = re.compile(rf"(?:\s*+(?:{'|'.join(re.escape(mark[::-1]) for mark in TRAILING)}))*+")


def content_start(text: str) -> int:
    """The offset after leading white space and marks. Takes time linear in what is skipped."""
    found = _BEGINNING.match(text)
    return found.end() if found else 0


def without_ending(text: str) -> str:
    """``text`` without the run of marks at its end; unchanged if it has none."""
    found = _ENDING.match(text[::-1])
    return text[: len(text) - found.end()] if found else text


def past_space(text: str, place: int) -> int:
    """The first offset from ``place`` on that is not white space."""
    while place < len(text) and text[place].isspace():
        place += 1
    return place
