"""A text without what only gives it a form: JSON without values, tags, LaTeX commands, fences, tables, empty lists.

Blocks of reasoning in the tags of any family are no part of an answer and are taken out with their text.
"""

import re

from judge_server.util.parsing import parse_json

_READ_CHARACTERS = 20_000
_THOUGHT = re.compile(
    r"\A\s*(?:[<\[◁]\|?/?(?:seed:)?(?:channel\|>)?\s*"
    r"(think\w*|thought\w*|reason\w*|scratch\w*|reflect\w*|analysis|inner\w*|monolog\w*|cot|plan\w*)[^>\]▷\n]{0,40}[>\]▷])",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z!?][^<>]{0,400}>|<!--|-->|\A\s*<[|｜][^<>\n]{1,40}[|｜]>|&(?:nbsp|zwnj|zwj|lt|gt|amp);")
_COMMENT = re.compile(r"<!--[^<]{0,2000}-->|/\*[^*]{0,2000}\*/")
_LATEX = re.compile(
    r"\\(?:begin|end)\{[^{}]{0,40}\}"
    r"|\\(?:boxed|fbox|text\w*|math\w*|frac|dfrac|left|right|underline|emph|section\*?|subsection\*?|quad|qquad|item|displaystyle|large|bf|it|rm)(?![a-zA-Z])"
    r"|\\[\[\]()\\ ,;!]"
)
_EMPTY_ITEM = re.compile(r"^[ \t]*(?:[-*+•>]|\(?(?:\d{1,3}|[a-zA-Z])[.)])[ \t]*$", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*(?:[-*+•>]|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]]{0,400})\]\([^()]{0,400}\)")
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[A-Za-z0-9_+-]{0,20}[ \t]*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t|:+=_*-]{3,}$", re.MULTILINE)


def without_shell(text: str) -> str:
    """The words and values in a text. A long text is looked at as it is."""
    if len(text) > _READ_CHARACTERS:
        return text
    shown = _without_thought(text)
    for _ in range(2):  # JSON in a fence, LaTeX in a tag
        if "```" in shown or "~~~" in shown:
            shown = _FENCE.sub("", shown).strip()
        values = _values(shown)
        if values is not None:
            shown = values
        if "<" in shown or "&" in shown or "/*" in shown:
            shown = _TAG.sub(" ", _COMMENT.sub(" ", shown))
        if "](" in shown:
            shown = _LINK.sub(r"\1", shown)
        if "\\" in shown:
            shown = _LATEX.sub(" ", shown)
    if len(_EMPTY_ITEM.findall(shown)) > 1:
        shown = _EMPTY_ITEM.sub("", shown)
    return _RULE.sub("", _ITEM.sub("", shown)).strip()


def _without_thought(text: str) -> str:
    """The text behind a leading block of reasoning; nothing if the block has no end."""
    for _ in range(4):
        match = _THOUGHT.match(text)
        if match is None:
            return text
        name = match[1].lower()
        end = re.compile(
            rf"[<\[◁]/?\|?(?:/?(?:seed:)?{re.escape(name)}|end\|?|message\|)[^>\]▷\n]{{0,40}}[>\]▷]?", re.IGNORECASE
        )
        closing = list(end.finditer(text, match.end()))
        text = text[closing[-1].end() :] if closing else ""
    return text


def _values(text: str) -> str | None:
    """The strings, numbers and truth values of a JSON object or list, one a line; None if it is none of both."""
    if not (text.startswith(("{", "[")) and text.endswith(("}", "]"))):
        return None
    try:
        value = parse_json(text)
    except ValueError:
        return None
    found: list[str] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif one is not None:
            found.append(str(one))
    return "\n".join(reversed(found))
