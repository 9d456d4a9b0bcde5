"""What an author probably meant by a line that is not YAML, and how to write it."""

import re

from judge_server.authoring.scalar import quoted

TEXTS = frozenset(
    ("statement", "guidance", "title", "description", "response", "reason", "question", "label", "note", "organisation",
     "contact", "serves")
)  # fmt: skip
_HINTS = {
    "unexpected end of stream": "close the quotation mark; the curved ones of a word processor close none",
    "cannot start any token": "indent with spaces, not tabs, and put text that begins with %, @ or ` in quotes",
    "mapping values are not allowed": "put text that contains ': ' in quotes, and check the indentation",
    "could not find expected ':'": "write 'key: value', and close every quote and bracket",
    "did not find expected": "check the indentation and close every quote and bracket",
    "while parsing a": "check the indentation and close every quote and bracket",
}
_KEYED_TEXT = re.compile(r"^\s*(?:- +)*(?P<key>[A-Za-z_]+):\s+(?P<text>\S.*?)\s*$")
_LISTED_TEXT = re.compile(r"^\s*(?:- +)+(?P<text>\S.*?)\s*$")
_CURVED = "\u201c\u201d\u201e\u00bb\u00ab"
_BULLETS = "\u2013\u2014\u2022\u00b7*"


def hint_for(line: str, before: str, problem: str) -> str | None:
    """A hint for the ``line`` with a syntax error. ``before``: the line above it; ``problem``: the parser's words."""
    return (
        _meant(line)
        or _cut_in_braces(before)
        or next((advice for sign, advice in _HINTS.items() if sign in problem), None)
    )


def _meant(line: str) -> str | None:
    """A hint for a line that is not YAML, if its intention is clear."""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "the line begins with a tab: indent with spaces"
    if line.lstrip()[:1] in _BULLETS and line.strip():
        return "begin each entry of a list with '- '"
    keyed = _KEYED_TEXT.match(line)
    found = keyed or _LISTED_TEXT.match(line)
    if found is None or not _needs_quotes(found["text"], text=keyed is None or keyed["key"] in TEXTS):
        return None
    begin = f"{keyed['key']}: " if keyed else "- "
    if found["text"][0] == '"' and found["text"][-1] in _CURVED:
        return f"{_HINTS['unexpected end of stream']}: {begin}{quoted(found['text'][1:-1])}"
    whole = begin + quoted(found["text"])
    why = "> and | begin a block of lines; " if found["text"][0] in ">|" else ""
    return f"{why}put the text in quotes: {whole}"


def _needs_quotes(value: str, *, text: bool) -> bool:
    """Whether a value that is not YAML would be text in quotes. ``text``: nothing but a text is expected here."""
    first, last = value[0], value[-1]
    if first in ">|%@`*&!":
        return True
    if first in "\"'":
        return last != first or len(value) == 1 or first in value[1:-1]
    return text and (first in "[{?-" or ": " in value or value.endswith(":"))


def _cut_in_braces(line: str) -> str | None:
    """A hint for a line in braces that `` #`` cuts off."""
    if line.lstrip().startswith(("{", "- {", "[")) and " #" in line:
        return "the line before is cut off at ' #', which begins a comment: put the text that holds it in quotes"
    return None
