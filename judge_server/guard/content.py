"""What of a text is content: neither a form that holds nothing, nor words that only announce an answer.

A form is JSON without values, tags, LaTeX commands, fences, tables, empty lists. Blocks of reasoning in the tags of any
family are no part of an answer and are taken out with their text. A text of discourse words alone ("Let's think step by
step", "Lösung:", "最终答案") says nothing, whatever their order. The words are those of ``discourse.toml``, in some
seventy languages; a text must be made of the words of one of them.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

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
_EMPTY_ENTRY = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?["']?[\w-]{1,40}["']?:[ \t]*(?:''|""|\[\]|\{\}|null|~)?[ \t]*,?$""", re.MULTILINE
)
_VARIABLE = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|\{[A-Za-z_]{3,}\}|<<[^<>]*>>|%\w+%|__\w+__|\[\[\w*\]\]|@@\w+@@")
_NO_VALUES = frozenset(("null", "undefined", "nan", "[object object]"))
_LONGEST_NO_VALUE = max(map(len, _NO_VALUES)) + 8  # a letter may have a longer small form
# a line that one of the patterns of list items and rules may match: most texts have none, and this search is short
_LISTED = re.compile(r"\n(?:[ \t]{3}|[ \t]*(?:[-*+•>|:=_(]|\w{1,3}[.)]))")
_BLANKS = re.compile(
    "[\u115f\u1160\u2500-\u259f\u25a0-\u25a3\u25fc\u25fb\u2800\ufffd\u3164\uffa0]"
)  # rules, boxes, blanks
_MOST_WORDS = 60
_MOST_CHARACTERS = 1_000
_LONGEST_ENDING = 8
_LONGEST_DECOMPOSED = 18  # Hangul and the marks of other scripts are taken apart
_LONG_STEM = 5  # a word alone with a shorter stem has one more letter: "Stephen" is no ending of "step"
_HEAD = 100
_FIRST_WORDS = 4
_FEWEST_WORDS = 4  # from here on, "let me break this down" announces an answer without naming it
_FIRST_UNSPACED = "\u0e00"  # scripts without blanks between words begin with Thai
_NO_WORD = re.compile("[^a-z0-9]+")
_APOSTROPHES = re.compile("['’ʼ`´]")


def content_of(text: str) -> str | None:
    """The words and values in a text, or None if there are none."""
    shown = without_shell(text)
    if not has_content(shown) or _holds_no_value(shown) or _VARIABLE.fullmatch(text.strip()):
        return None
    return shown


def _holds_no_value(text: str) -> bool:
    """Whether the text is a word for a missing value, or one symbol three times or more."""
    if any(map(str.isalnum, text)):
        return len(text) <= _LONGEST_NO_VALUE and text.lower() in _NO_VALUES
    signs = set(text.split()) if " " in text or "\n" in text else {*text}
    return len(text) > 2 and len(signs) == 1


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
    if ":" in shown and len(_EMPTY_ENTRY.findall(shown)) > 1 and not _EMPTY_ENTRY.sub("", shown).strip(" -\n"):
        return ""
    return _without_lists(shown).strip() if _LISTED.search(f"\n{shown}") else shown.strip()


def _without_lists(text: str) -> str:
    if len(_EMPTY_ITEM.findall(text)) > 1:
        text = _EMPTY_ITEM.sub("", text)
    return _RULE.sub("", _ITEM.sub("", text))


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


def has_content(text: str) -> bool:
    """Letters, digits, symbols beyond ASCII such as an emoji, or characters newer than this interpreter's tables."""
    for start in range(0, len(text), 256):
        for character in _BLANKS.sub("", unicodedata.normalize("NFKC", text[start : start + 256])):
            kind = unicodedata.category(character)
            if (
                kind[0] in "LN"
                or (kind[0] == "S" and character > "\x7f")
                or (kind == "Cn" and _may_be_assigned(character))
            ):
                return True
    return False


def _may_be_assigned(character: str) -> bool:
    """Whether a later version of Unicode may give the code a visible character."""
    code = ord(character)
    return not (
        0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE or 0xE0000 <= code <= 0xE0FFF or 0xFFF0 <= code <= 0xFFF8
    )


@dataclass(frozen=True, slots=True)
class Discourse:
    """``core`` words name an answer or the thinking about it; ``words`` counts all."""

    core: int
    words: int


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Bit masks of the languages to which a word, or a stem of a word, belongs."""

    words: dict[str, int]
    wide: dict[str, int]
    core_words: dict[str, int]
    stems: dict[str, int]
    core_stems: dict[str, int]
    soft_words: dict[str, int]
    soft_stems: dict[str, int]
    unspaced: frozenset[str]
    unspaced_core: re.Pattern[str]

    def languages(self, word: str, *, wide: bool, alone: bool) -> int:
        """Those to which the word belongs."""
        found = _languages(word, self.words, self.stems, alone=alone)
        if wide:
            found |= self.wide.get(word, 0) | _languages(word, {}, self.soft_stems, alone=alone)
        return found


def words_of(text: str) -> list[str]:
    """The words in small letters without accents. Marks, stops and signs part words; apostrophes do not."""
    if text.isascii():
        return _NO_WORD.sub(" ", _APOSTROPHES.sub("", text[:_MOST_CHARACTERS]).lower()).split()
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text[:_MOST_CHARACTERS])).casefold()
    letters = (
        "" if unicodedata.category(character)[0] == "M" else character if character.isalnum() else " "
        for character in plain
    )
    return "".join(letters).split()


def discourse(text: str, *, wide: bool = False) -> Discourse | None:
    """What of the text is discourse, if all of it is; None if any of its words could be an answer. ``wide``: with the
    words that make up a long announcement, and that alone might be an answer."""
    if len(text) > _MOST_CHARACTERS:
        return None
    vocabulary = _vocabulary()
    if next(filter(str.isalpha, text), "") < _FIRST_UNSPACED and not _may_be_discourse(text, vocabulary, wide=wide):
        return None
    words = words_of(text)
    if not words or len(words) > _MOST_WORDS:
        return None
    languages = -1
    alone = len(words) == 1
    for word in words:
        languages &= vocabulary.languages(word, wide=wide, alone=alone)
        if not languages:
            return _unspaced("".join(words), vocabulary)
    core = sum(
        bool(_languages(word, vocabulary.core_words, vocabulary.core_stems, alone=alone) & languages) for word in words
    )
    if not core and len(words) >= _FEWEST_WORDS:
        core = sum(
            bool(_languages(word, vocabulary.soft_words, vocabulary.soft_stems, alone=False) & languages)
            for word in words
        )
    return Discourse(core, len(words))


def _may_be_discourse(text: str, vocabulary: _Vocabulary, *, wide: bool) -> bool:
    """Whether the first words do not rule it out: most texts are decided by them."""
    languages = -1
    for word in words_of(" ".join(text[:_HEAD].split()[:_FIRST_WORDS])):
        languages &= vocabulary.languages(word, wide=wide, alone=False)
    return bool(languages)


def _unspaced(text: str, vocabulary: _Vocabulary) -> Discourse | None:
    """As ``discourse``, of a text without blanks: whether it can be cut into pieces of the vocabulary."""
    longest = max(map(len, vocabulary.unspaced))
    ends = {0}
    for start in range(len(text)):
        if start not in ends:
            continue
        found = (end for end in range(start + 1, start + longest + 1) if text[start:end] in vocabulary.unspaced)
        ends.update(found)
        if max(ends) <= start:
            return None
    if len(text) not in ends:
        return None
    return Discourse(len(vocabulary.unspaced_core.findall(text)), max(1, len(text) // 2))


def _languages(word: str, words: dict[str, int], stems: dict[str, int], *, alone: bool) -> int:
    found = words.get(word, 0)
    longest = _LONGEST_ENDING if word.isascii() else _LONGEST_DECOMPOSED
    for end in range(max(2, len(word) - longest), len(word) + 1):
        if end >= _LONG_STEM or len(word) - end <= 1 or not (alone and word.isascii()):
            found |= stems.get(word[:end], 0)
    return found


@cache
def _vocabulary() -> _Vocabulary:
    content: dict[str, dict[str, str]] = tomllib.loads(
        files("judge_server.guard").joinpath("discourse.toml").read_text("utf-8")
    )
    unspaced = content.pop("unspaced")
    core = _pieces(unspaced["core"])
    pieces = frozenset((*core, *_pieces(unspaced["rest"])))
    made = _Vocabulary({}, {}, {}, {}, {}, {}, {}, pieces, re.compile("|".join(core)))
    for number, lists in enumerate(content.values()):
        for name, listed in lists.items():
            for entry in listed.split():
                stem = entry.endswith("*")
                for word in words_of(entry.rstrip("*")):
                    if name not in ("more", "soft"):
                        _add(made.stems if stem else made.words, word, 1 << number)
                    elif not stem:
                        _add(made.wide, word, 1 << number)
                    if name == "core":
                        _add(made.core_stems if stem else made.core_words, word, 1 << number)
                    elif name == "soft":
                        _add(made.soft_stems if stem else made.soft_words, word, 1 << number)
    return made


def _add(table: dict[str, int], word: str, language: int) -> None:
    table[word] = table.get(word, 0) | language


def _pieces(listed: str) -> list[str]:
    """The pieces as they stand in a text, the longest first."""
    return sorted({"".join(words_of(piece)) for piece in listed.split()} - {""}, key=len, reverse=True)
