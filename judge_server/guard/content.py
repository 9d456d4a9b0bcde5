"""What of a text is content, and not a form that holds nothing, or only the beginning or the frame of an answer.

A form is JSON without values, tags, LaTeX commands, fences, tables, empty lists. Blocks of reasoning in the tags of any
family are no part of an answer and are taken out with their text.
"""

import re
import string
import unicodedata
from functools import cache

from judge_server.guard.discourse import words_of
from judge_server.util.parsing import parse_json

_READ_CHARACTERS = 20_000
_THOUGHT = re.compile(
    r"\A\s*(?:[<\[◁]\|?/?(?:seed:)?(?:channel\|>)?\s*"
    r"(think\w*|thought\w*|reason\w*|scratch\w*|reflect\w*|analysis|inner\w*|monolog\w*|cot|plan\w*)[^>\]▷\n]{0,40}[>\]▷])",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"</?(?:[^\W\d_]|[!?])[^<>]{0,400}>|<!--|-->|\A(?:\s*<[|｜][^<>\n]{1,40}[|｜]>)+|&(?:nbsp|zwnj|zwj|lt|gt|amp);"
)
_INLINE = re.compile(
    r"(?<=\w)(?:</?(?:b|i|u|s|em|strong|sub|sup|span|small|mark|font|a)(?: [^<>]{0,80})?>)+(?=\w)", re.IGNORECASE
)
_COMMENT = re.compile(r"<!--[^<]{0,2000}-->|/\*[^*]{0,2000}\*/")
_LATEX = re.compile(
    r"\\begin\{(?:tabular|array)\}\{[^{}]{0,40}\}|\\(?:begin|end)\{[^{}]{0,40}\}"
    r"|\\(?:boxed|fbox|text\w*|math\w*|frac|dfrac|left|right|underline|emph|section\*?|subsection\*?|quad|qquad|item|displaystyle|large|bf|it|rm)(?![a-zA-Z])"
    r"|\\(?:documentclass|usepackage)(?:\[[^\[\]]{0,80}\])?\{[^{}]{0,80}\}"
    r"|\\(?:qed|qedhere|hline|cline|toprule|midrule|bottomrule|hfill|vfill|par|noindent|centering|maketitle|newpage|smallskip|medskip|bigskip|newline|null|tableofcontents|ldots|cdots)(?![a-zA-Z])"
    r"|\\[a-zA-Z]{2,20}\*?\{[ \t]*\}"
    r"|\\(?:[hv]?phantom|label|color)\{[^{}]{0,40}\}|\\[hv]space\*?\{[^{}]{0,20}\}|\\[\[\]()\\ ,;!]"
)
_EMPTY_ITEM = re.compile(
    r"^[ \t]*(?:[-*+•>]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)])[ \t]*(?:\[[ xX]?\][ \t]*)?$", re.MULTILINE
)
_ITEM = re.compile(r"^[ \t]*(?:[-*+•>]|\d{1,3}[.)])[ \t]+(?:\[[ xX]?\][ \t]+)?", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]]{0,400})\]\([^()]{0,400}\)")
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,}|:{3,}|<{7}|={7}|>{7})[ \t]?[A-Za-z0-9_+-]{0,20}[ \t]*$", re.MULTILINE)
_FENCES = ("```", "~~~", ":::", ">>>>>>>")
_RULE = re.compile(r"^[ \t|:+=_*-]{3,}$", re.MULTILINE)
_EMPTY_ENTRY = re.compile(
    r"""^[ \t]*(?:(?:-[ \t]+)?["']?[\w-]{1,40}["']?[ \t]*[:=][ \t]*(?:''|""|\[\]|\{\}|null|~)?[ \t]*,?"""
    r"""|\[[\w.-]{1,40}\])$""",
    re.MULTILINE,
)
_VARIABLE = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|\{[A-Za-z_]{3,}\}|<<[^<>]*>>|%\w+%|__\w+__|\[\[\w*\]\]|@@\w+@@")
_PICTURES = re.compile("[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001ffff]")
_ASCII_SIGNS = frozenset(string.punctuation)
_CODE_SIGNS = _ASCII_SIGNS - frozenset(".,:;!?-'\"`#*_~|")
_LONGEST_SIGNS = 200
_NO_VALUES = frozenset(
    (
        "null",
        "undefined",
        "nan",
        "[object object]",
        "todo",
        "[todo]",
        "tbd",
        "[tbd]",
        "tba",
        "placeholder",
        "[placeholder]",
    )
)
_BLANK_ESCAPES = re.compile(r"(?:\\(?:[nrt]|u00(?:20|a0|A0)))+")
_FOOTNOTE = re.compile(r"\[\^\w{1,10}\]:?")
_LONGEST_NO_VALUES = 80
_BETWEEN_VALUES = re.compile(r"[,;|]\s*|\n\s*|(?<=undefined) (?=undefined)|(?<=null) (?=null)")
# beside a text, these say something about it: keys of JSON objects
_TEXTS = frozenset(
    "answer response reply text content output result message description final_answer"  # noqa: SIM905
    " explanation reasoning".split()
)
_ABOUT_A_TEXT = frozenset(
    "confidence score probability certainty status role type id step index number model date timestamp time tokens"  # noqa: SIM905
    " language format version finish_reason quality rating grade verified valid correct complete completed done ok"
    " success final title author source".split()
)
# a line that one of the patterns of list items and rules may match: most texts have none, and this search is short
_LISTED = re.compile(r"\n(?:[ \t]{3}|[ \t]*(?:[-*+•>|:=_(]|\w{1,3}[.)]))")
_BLANKS = re.compile(
    "[\u0640\u115f\u1160\u2500-\u259f\u25a0-\u25a3\u25fc\u25fb\u2800\ufffd\u3164\uffa0]"
)  # rules, boxes, blanks
_MOST_READ_CHARACTERS = 200_000
_LONGEST_REFERENCE = 60
_COMMAS = (",", "，", "、", "،", "､")
_MOST_BEFORE_A_COMMA = 6
_COLONS, _MOST_BEFORE_A_COLON = (":", "："), 3
_NO_ANSWERS = frozenset(
    ("none", "nil", "n/a", "na", "not applicable", "no answer", "no comment", "empty", "void", "eof")
)
_BOLD_HEADING = re.compile(r"(?:\*\*[^*\n\d]{1,40}\*\*:?)?\s*")
_NUMBERED_HEADING = re.compile(r"[#*\s]*(?:[^\W\d_]{2,20} \d{1,2})?[.:*\s]*")
_HEADING = re.compile(r"(?:#{1,6} [^\n]{1,60})?\s*")
_HEADINGS = (_NUMBERED_HEADING, _HEADING, _BOLD_HEADING)
_PLACEHOLDER = re.compile(
    r"[\[<({]{1,2}(?:[^\W\d_]{3,15}|[^\W\d_]{2}(?=[ _-]))(?:[ _-][^\W\d_]{1,15}){0,3}[\])}>]{1,2}"
    r"|\$(?:[A-Z_]{2,30}|\d)|%[sdif]|#\{\w{1,30}\}|(?:\{\d?\}[ ,]*){1,9}"
)
# of letters that stand for something to come, a picture that nobody is shown, a bar that has not moved
_STAND_INS = re.compile(
    r"x{2,}|tbc|q?wert[yz]\w{0,10}|asdf\w{0,10}|[░▒▓█▱▰▁-▇■□▪▫●○\[\]. ]{3,} ?\d{1,3} ?%"
    r"|(?:[^\W\d_]{1,20}(?: [^\W\d_]{1,20}){0,3}: ?_{2,}[\s/_]*){1,12}",
    re.IGNORECASE,
)
_HEADER_OF_A_TABLE = re.compile(r"\|[^\n|\d]{1,40}(?:\|[^\n|\d]{1,40}){0,12}\|\s*")
_ENUMERATORS = re.compile("[\u2460-\u2473\u24b6-\u24e9\u2474-\u249b\\s]{2,}")  # circled and bracketed
_EMPTY_STATEMENT = re.compile(
    r"\s*(?:pass|return(?: (?:None|null|nil))?;?|begin|end;?|[{}]*"
    r"|(?:#|//|--|%|;)\s?(?:"
    r"\.\.\.|(?:todo|fixme)\b.{0,80}|(?:(?:add|write|insert|implement|put) )?(?:your|the) "
    r"(?:code|answer|solution|logic)\b(?: goes)?(?: here)?|.*coding.*)"
    r"|exit(?: \d)?;?|return;|SELECT ?;|(?:0x0+\s*)+|(?:%20|\\u[02][0-9a-f]{3}|\\x[0-9a-f]{2})+|\"?\\u0000\"?"
    r"|(?:(?:I|II|III|IV|V|VI)[.)]\s*){1,9}(?:Q\.?E\.?D\.?)?|\w{1,20} ?[:=] ?(?:None|null|nil|\'\'|\"\"|\[\]|\{\})"
    r"|(?:if|else|elif|while|for|do|try|catch|finally|switch|class|struct|interface|namespace)\b[^\n;]{0,40}[{:)] ?\}?"
    r"|(?:def|function|func|fn|sub) \w{1,20} ?\([^()\n]{0,60}\)[^\n\w]{0,10}"  # a function's head
    r"|(?:print|printf|puts|echo|console\.log|return) ?\(?(?:\'\'|\"\")?\)?;?"  # nothing is printed
    r"|\{(?:\s{0,9}['\"]?\w{1,20}['\"]?:\s{0,9}(?:None|null|nil|\'\'|\"\"|\[\]|\{\}),?){1,9}\s{0,9}\})\s*",
    re.IGNORECASE,
)


def content_of(text: str) -> str | None:
    """The words and values in a text, or None if there are none."""
    shown = without_shell(text)
    if not has_content(shown) or _holds_no_value(shown) or _VARIABLE.fullmatch(text.strip()):
        return None
    return shown


def _holds_no_value(text: str) -> bool:
    """Whether the text is a word for a missing value, or one symbol three times or more."""
    if any(map(str.isalnum, text)):
        short = len(text) <= _LONGEST_NO_VALUES
        return (
            short and _NO_VALUES.issuperset(_BETWEEN_VALUES.split(text.strip("[]() \n,").lower()))
        ) or _BLANK_ESCAPES.fullmatch(text) is not None
    signs = set(text.split()) if " " in text or "\n" in text else {*text}
    return len(text) > 2 and len(signs) == 1


def without_shell(text: str) -> str:
    """The words and values in a text. A long text is looked at as it is."""
    if len(text) > _READ_CHARACTERS:
        return text
    shown = _without_thought(text)
    for _ in range(2):  # JSON in a fence, LaTeX in a tag
        if any(sign[0] in shown and sign in shown for sign in _FENCES):  # one sign is found much faster than three
            shown = _FENCE.sub("", shown).strip()
        values = _values(shown)
        if values is not None:
            shown = values
        if "<" in shown or "&" in shown or ("/" in shown and "/*" in shown):
            shown = _TAG.sub(" ", _INLINE.sub("", _COMMENT.sub(" ", shown)))
        if "]" in shown and "](" in shown:
            shown = _LINK.sub(r"\1", shown)
        if "\\" in shown:
            shown = _LATEX.sub(" ", shown)
    if "[^" in shown:
        shown = _FOOTNOTE.sub("", shown)
    if (
        (":" in shown or "=" in shown)
        and "\n" in shown.strip()
        and _EMPTY_ENTRY.search(shown)
        and not _EMPTY_ENTRY.sub("", shown).strip(" -\n")
    ):
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
    """The strings, numbers and truth values of a JSON object or list, one a line; None if it is none of both. What is
    said about a text beside it, such as its confidence or its role, is form."""
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
            about = _ABOUT_A_TEXT if not _TEXTS.isdisjoint(one) else ()
            waiting.extend(said for key, said in one.items() if key not in about)
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


def is_code(text: str) -> bool:
    """Brackets and operators that make a literal, a pattern or a drawing: ``[]``, ``.*``, ``!==``. One sign again and
    again is a rule or a fence, and stops and commas are no answer."""
    signs = set(text) - {" ", "\n"}
    return (
        1 < len(signs) <= len(_ASCII_SIGNS)
        and signs <= _ASCII_SIGNS
        and not signs.isdisjoint(_CODE_SIGNS)
        and (len(text) <= _LONGEST_SIGNS)
    )


def is_picture(sign: str) -> bool:
    """A pictograph, an arrow, a sign of mathematics or money, or a character newer than the interpreter's tables."""
    return sign > "\x7f" and (unicodedata.category(sign) in ("Sm", "Sc", "Cn") or _PICTURES.match(sign) is not None)


def is_fragment(text: str, *, code: bool, program: bool, number: bool) -> bool:
    """Whether a few words end in a comma or a colon, a word says that there is no value, or nothing but headings, the
    header of a table, numbers of a list, a placeholder or empty statements are there. ``code`` and ``number``: whether
    the prompt asks for such a thing, so that "none" or ``[]`` may be the answer; ``program``: for a whole one."""
    if text.endswith(_COMMAS) and not any(map(str.isdigit, text)):
        return len(text.split(None, _MOST_BEFORE_A_COMMA)) <= _MOST_BEFORE_A_COMMA
    if text.endswith(_COLONS) and not code and not any(map(str.isdigit, text)):
        return len(text.split(None, _MOST_BEFORE_A_COLON)) <= _MOST_BEFORE_A_COLON
    if text.lower() in _NO_ANSWERS or _STAND_INS.fullmatch(text):
        return not number
    lines = text.split("\n")
    if len(lines) > 1 and any(all(map(form.fullmatch, lines)) for form in _HEADINGS):
        return True
    if _ENUMERATORS.fullmatch(text):
        return not number
    if (not code or program) and (_PLACEHOLDER.fullmatch(text) or _is_an_empty_table(lines)):
        return True
    return not code and all(map(_EMPTY_STATEMENT.fullmatch, lines))


def _is_an_empty_table(lines: list[str]) -> bool:
    """Whether no row below the header holds a letter or a digit."""
    return _HEADER_OF_A_TABLE.fullmatch(lines[0]) is not None and not any(map(str.isalnum, "".join(lines[1:])))


# if nothing is known of the prompt, a few words of discourse must be among these to be refused
_KEYS = (
    "answer solution resolution process think respuesta solución réponse lösung antwort risposta soluzione resposta "
    "solução antwoord oplossing odpowiedź rozwiązanie cevap çözüm jawaban решение ответ відповідь الإجابة الجواب الحل "
    "उत्तर हल 정답 풀이 해설 解 解答 解析 解説 かいせつ 答案 回答 答え"
)


@cache
def key_words() -> frozenset[str]:
    return frozenset("".join(words_of(key)) for key in _KEYS.split())


def words_of_all(text: str) -> list[str]:
    """As ``words_of``, of a text of any length."""
    return [word for start in range(0, len(text), 1_000) for word in words_of(text[start : start + 1_000])]


def is_in_reference(answer: str, reference: str | None) -> bool:
    """Whether the reference answer is the same text, or is short and holds it."""
    if reference is None or len(reference) > _MOST_READ_CHARACTERS:
        return False
    if answer == reference.strip():
        return True
    said, right = words_of_all(answer), words_of_all(reference)
    if said and said == right:
        return True
    return bool(said) and len(reference) <= _LONGEST_REFERENCE and f" {' '.join(said)} " in f" {' '.join(right)} "
