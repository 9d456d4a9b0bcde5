"""A YAML or JSON text → plain data with the place of every value. The only reader of YAML.

The text is untrusted: bytes, depth and nodes are bounded before anything is built. Anchors, aliases, tags and duplicate
keys are refused. Parser events are handled in a loop, so that deep nesting cannot exhaust the stack.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from judge_server.authoring.finding import MarkedValue, Path, RubricFinding, TextPosition, TextPositions, refusal
from judge_server.authoring.scalar import NotFinite, number_advice, plain, quoted
from judge_server.authoring.syntax_hint import TEXTS, hint_for
from judge_server.core.errors import BadRubric

MOST_BYTES = 1_000_000
MOST_LEVELS = 64
MOST_NODES = 12_000
MOST_FINDINGS = 100

_UNCLOSED = "found unexpected end of stream"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_ESCAPED_PAIR = re.compile(r"(?<!\\)((?:\\\\)*+)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_SPACES = "\u00a0\u2000-\u200a\u202f\u3000"  # that look like a space but do not indent
_ODD_SPACE = re.compile(f"[{_SPACES}]")
_ODD_INDENT = re.compile(rf"^[ \t]*[{_SPACES}]+[ \t{_SPACES}]*(?=\S)", re.MULTILINE)
_ODD_BLANK = re.compile(rf"^[ ]*(?:- )?[A-Za-z_]+:[{_SPACES}]", re.MULTILINE)
_COMMENT = re.compile(r"[ \t]*#")
_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{2}0")
_OPENINGS = re.compile(r"(?:[\[{]\s*+)++\Z")
_LOOKAHEAD = 2_048  # characters; a key on one line has at most 1,024
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Document:
    """``findings`` are faults that did not stop the reading; if there are any, ``value`` must not be used."""

    value: Any
    places: TextPositions
    findings: tuple[RubricFinding, ...] = ()


def read(content: bytes | str, file: str | None = None) -> Document:
    """Read one document. Raises BadRubric with the place of the fault that stopped the reading."""
    text = _text(content, file)
    builder = _Builder(file, text)
    try:
        builder.take(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as fault:
        if deepest := _too_deep_before(fault, text):
            raise builder.too_deep(deepest) from None
        raise refusal([_syntax(fault, file, builder.lines)]) from None
    if builder.documents == 0 or builder.value is None:
        raise refusal([RubricFinding.at(TextPosition(1, 1), "empty", "the file holds no document", file=file)])
    return Document(builder.value, TextPositions(builder.root), tuple(builder.findings))


def _text(content: bytes | str, file: str | None) -> str:
    def refuse(rule: str, message: str, suggestion: str, position: TextPosition | None = None) -> BadRubric:
        return refusal([RubricFinding.at(position, rule, message, file=file, suggestion=suggestion)])

    if len(content) > MOST_BYTES or (isinstance(content, str) and len(content.encode("utf-8", "replace")) > MOST_BYTES):
        raise refuse("too-large", f"the text is larger than {MOST_BYTES:,} bytes", "split it into several rubrics")
    if isinstance(content, bytes):
        content = _decoded(content, refuse)
    if content.startswith("\ufeff"):
        raise refuse("encoding", "it begins with a byte order mark", "save it as UTF-8 without BOM", TextPosition(1, 1))
    if forbidden := _FORBIDDEN.search(content):
        name = f"U+{ord(forbidden.group()):04X}"
        where = _position(content, forbidden.start())
        raise refuse("control-character", f"the control character {name} is not allowed", "remove it", where)
    if content.lstrip()[:1] in ("{", "["):
        # JSON may indent with tabs (inside its strings they are escaped) and write one character as two escapes
        content = content.replace("\t", " ")
        return _ESCAPED_PAIR.sub(_joined, content) if "\\u" in content else content
    if odd := _misplaced_space(content):
        place = next(at for at in range(odd.start(), odd.end()) if content[at] not in " \t" and content[at].isspace())
        message = f"a space-like character (U+{ord(content[place]):04X}) is used as a space"
        raise refuse(
            "odd-blank",
            message,
            "write plain spaces; text copied from a word processor may hold others",
            _position(content, place),
        )
    return content


def _decoded(raw: bytes, refuse: Callable[..., BadRubric]) -> str:
    if raw.startswith(_UTF16) or b"\0" in raw[:200]:
        raise refuse("encoding", "it is UTF-16 or no text", "save it as UTF-8", TextPosition(1, 1))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        where = _position(raw[: fault.start].decode("utf-8"), fault.start)
        message = f"byte {fault.start} (0x{raw[fault.start]:02x}) is not UTF-8"
        meant = raw[fault.start : fault.start + 1].decode("cp1252", "ignore")
        if meant:
            message += f"; in Windows-1252 it is {meant!r}"
        raise refuse("encoding", message, "save it as UTF-8", where) from None


def _misplaced_space(text: str) -> re.Match[str] | None:
    """The first of them at an indentation or after a key. Texts without any are searched once, for one character."""
    first = None if text.isascii() else _ODD_SPACE.search(text)
    if first is None:
        return None
    begin = text.rfind("\n", 0, first.start()) + 1
    return _ODD_INDENT.search(text, begin) or _ODD_BLANK.search(text, begin)


def _joined(escape: re.Match[str]) -> str:
    before, high, low = escape.groups()
    return before + chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))


def _position(text: str, offset: int) -> TextPosition:
    before = text[:offset]
    return TextPosition(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _too_deep_before(fault: yaml.YAMLError, text: str) -> TextPosition | None:
    """The place of the bracket that is one level too deep, if the fault stands after a row of brackets. From version
    0.2.6 on libyaml looks a thousand brackets ahead, and refuses them, before it hands out the first."""
    mark = getattr(fault, "problem_mark", None)
    row = None if mark is None else _OPENINGS.search(text[max(0, mark.index - _LOOKAHEAD) : mark.index])
    brackets = [] if row is None else [place for place, char in enumerate(row.group()) if char in "[{"]
    if mark is None or row is None or len(brackets) <= MOST_LEVELS:
        return None
    return _position(text, max(0, mark.index - _LOOKAHEAD) + row.start() + brackets[MOST_LEVELS])


def _syntax(fault: yaml.YAMLError, file: str | None, lines: list[str]) -> RubricFinding:
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    if getattr(fault, "problem", None) == _UNCLOSED:  # the place where it opened says more than the end of the file
        mark = getattr(fault, "context_mark", None) or mark
    position = TextPosition(mark.line + 1, mark.column + 1) if mark else None
    problem = " ".join(filter(None, (getattr(fault, "context", None), getattr(fault, "problem", None)))) or str(fault)
    line = lines[position.line - 1] if position and position.line <= len(lines) else ""
    before = lines[position.line - 2] if position and 2 <= position.line <= len(lines) + 1 else ""
    hint = hint_for(line, before, problem)
    return RubricFinding.at(position, "syntax", f"this is not YAML: {problem}", file=file, suggestion=hint)


@dataclass(slots=True)
class _Frame:
    """A container being filled; ``key`` is the key without a value yet, ``last`` the entry before it. ``flow``: written
    in braces or brackets."""

    container: Any
    path: Path
    marked: MarkedValue
    flow: bool
    key: str | None = None
    key_mark: Any = None
    last: tuple[str, str] | None = None


class _Builder:
    """Notes marks as the parser gives them: a text may have 12,000 values, and few of their positions are asked for."""

    def __init__(self, file: str | None, text: str) -> None:
        self.file = file
        self.text = text
        self.value: Any = None
        self.root: MarkedValue | None = None
        self.findings: list[RubricFinding] = []
        self.documents = 0
        self.nodes = 0
        self.stack: list[_Frame] = []
        self.takes: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.DocumentStartEvent: self._document,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
        }

    @cached_property
    def lines(self) -> list[str]:
        """Split when first needed: most texts are read or refused without it."""
        return self.text.splitlines()

    def take(self, events: Iterable[Any]) -> None:
        for event in events:
            take = self.takes.get(type(event))
            if take is not None:
                take(event)

    def _alias(self, event: Any) -> None:
        told = f"the alias *{event.anchor} is not allowed"
        raise self._refuse(event.start_mark, "alias", told, "write the text out or quote it")

    def _close(self, _: Any) -> None:
        self.stack.pop()

    def _refuse(self, mark: Any, rule: str, message: str, suggestion: str) -> BadRubric:
        position = mark if isinstance(mark, TextPosition) else TextPosition.of(mark)
        return refusal([RubricFinding.at(position, rule, message, file=self.file, suggestion=suggestion)])

    def too_deep(self, mark: Any) -> BadRubric:
        return self._refuse(mark, "too-deep", f"nested deeper than {MOST_LEVELS} levels", "flatten the rubric")

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            told = "a second document begins here"
            raise self._refuse(event.start_mark, "several-documents", told, "one rubric a file")
        if event.tags:
            raise self._refuse(event.start_mark, "tag", "the directive %TAG is not allowed", "remove it")

    def _check_node(self, event: Any) -> None:
        if self.nodes > MOST_NODES:
            told = f"there are more than {MOST_NODES:,} values"
            raise self._refuse(event.start_mark, "too-large", told, "split the rubric")
        if event.anchor is not None:
            told = f"the anchor &{event.anchor} is not allowed"
            raise self._refuse(event.start_mark, "anchor", told, "write the text out or quote it")
        if event.tag is not None:
            told = f"the tag {event.tag} is not allowed"
            raise self._refuse(event.start_mark, "tag", told, "remove it or quote the text")

    def _scalar(self, event: Any) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES or event.anchor is not None or event.tag is not None:
            self._check_node(event)
        text, mark = event.value, event.start_mark
        if event.style == '"' and (forbidden := _FORBIDDEN.search(text)):  # only escapes can produce one
            name = f"U+{ord(forbidden.group()):04X}"
            self._note(mark, "control-character", f"the character {name} is not allowed in text", "remove it")
            text = _FORBIDDEN.sub("", text)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.container) is dict:
            self._key(frame, text, mark)
            return
        plain_style = event.style in (None, "")
        if frame is not None and plain_style:
            if frame.flow and frame.key is not None and not text:
                self._cut_by_a_comma(frame, frame.key)
                return
            if not frame.flow and text:
                self._check_comment(frame, event)
        value = self._implicit(text, mark) if event.implicit[0] else text
        if frame is not None and frame.key is not None:
            frame.last = (frame.key, text)
        self._place(value, mark)

    def _implicit(self, text: str, mark: Any) -> Any:
        """The value of a scalar without quotation marks."""
        if "." in text and _THOUSANDS.fullmatch(text):
            whole, rest = text.split(".")
            advice = f"write {whole}{rest} for thousands, or {float(text):g} with a decimal point"
            self._note(mark, "number", f"{text} may be a decimal or thousands", advice)
        try:
            return plain(text)
        except NotFinite as fault:
            self._note(mark, "non-finite", str(fault), "give a finite number, such as 5 or -2.5")
            return 0

    def _cut_by_a_comma(self, frame: _Frame, key: str) -> None:
        """A comma split this entry from the one before: ``{value: 0,5}``, ``{description: A, B or C}``. It is reported
        and dropped."""
        frame.key = None
        name, text = frame.last or ("", "")
        advice = number_advice(f"{text},{key}")
        if advice is not None:
            message = f"{name}: {text},{key} is read as two entries, {text} and {key}"
            # use the intended value, so that no other finding follows
            frame.container[name] = int(text + key) if len(key) == 3 else float(f"{text}.{key}")
        else:
            whole = f"{text}, {key}" if text else key
            message = f"{key!r} has no value: inside braces a comma ends the text"
            advice = f"put the text in quotes: {name or 'key'}: {quoted(whole)}"
            if name:
                frame.container[name] = whole
        self._note(frame.key_mark, "comma", message, advice)

    def _check_comment(self, frame: _Frame, event: Any) -> None:
        """Report an unquoted text that is cut off by `` #``."""
        end = event.end_mark
        found = _COMMENT.match(self.text, end.index)
        if found is None:
            return
        key = frame.key
        comment = self.text[found.end() - 1 : self._end_of_line(found.end())]
        spaced = (
            comment[1:2].isspace() and not comment[1:].lstrip()[:1].isdecimal()
        )  # "water # 3" is no remark on water
        usual = " " not in event.value and (key is not None or spaced)  # after an id, a number or a tag
        if key in TEXTS or not usual:
            position = TextPosition(end.line + 1, end.column + found.end() - end.index)
            message = f"the text ends before {comment.strip()[:60]!r}, which is a comment"
            whole = quoted(f"{event.value}{found.group()[:-1]}{comment.rstrip()}")[:200]
            place = f"{key}: " if key else "- "
            advice = f"put all of it in quotes: {place}{whole}; or give the comment a line of its own"
            self._note(position, "comment-in-text", message, advice)

    def _end_of_line(self, place: int) -> int:
        end = self.text.find("\n", place)
        return len(self.text) if end < 0 else end

    def _note(self, mark: Any, rule: str, message: str, suggestion: str) -> None:
        position = mark if isinstance(mark, TextPosition) else TextPosition.of(mark)
        path = self.stack[-1].path if self.stack else ()
        if self.stack and self.stack[-1].key is not None:
            path = (*path, self.stack[-1].key)
        found = RubricFinding.at(position, rule, message, file=self.file, path=path, suggestion=suggestion)
        self.findings.append(found)
        if len(self.findings) >= MOST_FINDINGS:
            raise refusal(self.findings)

    def _key(self, frame: _Frame, text: str, mark: Any) -> None:
        frame.key = text
        frame.key_mark = mark
        first = frame.marked.keys.setdefault(text, mark)
        if first is not mark:
            place = TextPosition.of(first)
            message = f"the key {text!r} appears a second time; the first is at {place.line}:{place.column}"
            self._note(mark, "duplicate-key", message, "keep one of the two")

    def _open(self, event: Any) -> None:
        self.nodes += 1
        self._check_node(event)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.container) is dict:
            raise self._refuse(event.start_mark, "key", "a key must be text", "write 'key: value'")
        if len(self.stack) >= MOST_LEVELS:
            raise self.too_deep(event.start_mark)
        container: Any = {} if type(event) is yaml.MappingStartEvent else []
        marked = MarkedValue(event.start_mark, {}, {})
        step = self._place(container, marked)
        path = (*frame.path, step) if frame is not None else ()
        self.stack.append(_Frame(container, path, marked, bool(event.flow_style)))

    def _place(self, value: Any, marked: Any) -> str | int:
        """``marked``: a MarkedValue for a container, else its mark. Returns the last step of its path."""
        if not self.stack:
            self.value = value
            self.root = marked if isinstance(marked, MarkedValue) else MarkedValue(marked, {}, {})
            return ""
        frame = self.stack[-1]
        step: str | int
        if type(frame.container) is list:
            step = len(frame.container)
            frame.container.append(value)
        else:
            step = frame.key or ""
            frame.container[step] = value
            frame.key = None
        frame.marked.inner[step] = marked
        return step
