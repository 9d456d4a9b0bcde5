"""What a text says without the forms in which an announcement may be dressed, and read the way it was written.

Forms are a program that only prints or comments, a table with numbered rows, front matter, an invented dialogue, the
numbers of steps, placeholders in brackets, and grades that a text gives itself. What is left is what it says. Ways of
writing are letters upside down, mirrored or shifted, codes such as Base64, and words without blanks between them.
"""

import binascii
import html
import re
import string
from base64 import b64decode
from codecs import decode
from collections.abc import Callable
from urllib.parse import unquote

from judge_server.guard.discourse import words_of
from judge_server.guard.remark import is_remark

_LONGEST = 600
_FORM = re.compile(r"[|#{}\[\]<>%*$\d\n_&]|//|/\*|--")  # a text without any of these wears no form
_LONG_PROSE = 200
_PLAIN_SENTENCE = re.compile(r"(?:\A|[.!?] )([^\W\d_][^.!?:;|#{}\[\]<>%*$\d\n_&\\/\"`()=-]{40,400}[.!?])(?=\s|\Z)")
_COMMENT = re.compile(
    r"/\*(.{0,300}?)\*/|<!--(.{0,300}?)-->|(?:^|(?<=\s))(?://|--[ \t]|%%?|#(?!!|include|#))[ \t]*([^\n]*)",
    re.DOTALL | re.MULTILINE,
)
_PRINTED = re.compile(
    r"(?:\$[ \t]*)?\b"
    r"(?:print|printf|logger\.\w{4,7}|logging\.\w{4,7}|log|puts|echo|console\.log|System\.out\.println|fmt\.Println|println!?|alert|say|return"
    r"|cout <<|document\.write)"
    r"[ \t]*\(?[ \t]*f?(?:\"([^\"\n]{0,300})\"|'((?:[^'\n]|\\'){0,300})')[ \t]*\)?[ \t]*;?"
)
_DOCUMENTED = re.compile(r'"""(.{0,300}?)"""', re.DOTALL)
_SCAFFOLD = re.compile(
    r"#![^\n]{1,60}|#include[^\n]{0,60}|^(?:import|from|using|package)\b[^\n]{0,60}$"
    r"|\b(?:int|void|def|function|func|fn|sub|public static void)[ \t]+\w{1,30}"
    r"[ \t]*\([^()\n]{0,60}\)(?:[ \t]*->[ \t]*\w+)?[ \t]*:?"
    r"|\breturn(?:[ \t]+(?:0|\w{1,12}))?[ \t]*(?:;|$)|^[ \t]*(?:pass|exit(?: \d)?|\.\.\.|end|begin)[ \t]*;?$"
    r"|^\$[ \t]*$",
    re.MULTILINE,
)
_ROLE = re.compile(
    r"^[#*\s]{0,6}(?:human|user|assistant|system|instruction|input|response|output"
    r"|question|answer|q|a|ai|bot|me|you)[*]{0,2}[ \t]*:[*]{0,2}",
    re.IGNORECASE | re.MULTILINE,
)
_FEWEST_ROLES = 2
_FRONT_MATTER = re.compile(r"\A(?:---|\+\+\+)\n((?:[\w -]{1,30}[:=][^\n]{0,200}\n)+)(?:---|\+\+\+)\s*")
_CHANGE = re.compile(r"^@@[^\n]{0,60}@@\n|^[+](?=\w)", re.MULTILINE)
_KEY = re.compile(r"^[ \t]*[\w-]{1,30}[ \t]*[:=][ \t]*", re.MULTILINE)
_ENTRIES = re.compile(r"(?:[ \t]*[\w-]{1,30}:[ \t]*[^\n]{0,200}\n?){2,}")
_RULE_OF_A_TABLE = re.compile(r"^\|?[ \t:|-]{3,}\|?$", re.MULTILINE)
_CELLS = re.compile(r"^\|.*\|[ \t]*$", re.MULTILINE)
_NUMBER_OF_A_ROW = re.compile(r"\|[ \t]*\d{1,2}[ \t]*(?=\|)")
_STEP = re.compile(
    r"\b(?:step|part|point|phase|stage|item|edit|act|scene|chapter|schritt|teil|étape|etape|paso|passo|pas|krok|steg|stap|"
    r"lépés|adım|шаг|крок|bước|langkah|hatua)[ \t]*#?\d{1,2}(?:[ \t]*(?:of|/|von|de)[ \t]*\d{1,2})?[ \t]*[:.)–-]*"
    r"|第[ \t]*[\d一二三四五六七八九十]{1,2}[ \t]*[步部章][ \t：:]*|(?:ステップ|步骤|단계)[ \t]*\d{1,2}[ \t：:]*"
    r"|^[ \t]*\(?\d{1,2}[.):]",
    re.IGNORECASE | re.MULTILINE,
)
_GRADE = re.compile(
    r"\b(?:score|grade|rating|confidence|quality|verdict|mark|points|accuracy|progress|status|loading)\b"
    r"[ \t]*[:=]?[ \t]*"
    r"(?:\d{1,3}(?:\.\d+)?[ \t]*(?:%|/[ \t]*\d{1,3})?|a\+{0,2}|correct|perfect|excellent|passed|high)(?!\w)"
    r"|\b\d{1,3}[ \t]*(?:%|/[ \t]*(?:10|100|5)\b)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\[[ \t]?[^\W\d_][\w .'-]{2,40}\]|\{%[^%{}\n]{0,80}%\}|<%[^%<>\n]{0,80}%>|\{\{[^{}\n]{0,80}\}\}|\{\d?\}|%[sdif]\b"
    r"|<[|｜][\w ]{1,40}[|｜]>|\$\{[^{}\n]{0,80}\}"
)
_BOXES = re.compile(r"\[[ xX✓✔]?\]|☐|☑|☒")
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,80}>")
_TO_FILL_IN = re.compile(r"_{3,}|\.{4,}")
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])")

_TURNED = str.maketrans(dict(zip("ɐqɔpǝɟƃɓɥᴉıɾʞןɯuodbɹsʇnʌʍxʎz˙‘", "abcdefgghiijklmnopqrstuvwxyz.,", strict=True)))
_MIRRORED = str.maketrans(dict(zip("ɒdɔbɘʇϱǫʜiįʞlmnoqpɿꙅɟuvwxγz", "abcdefgghijklmnopqrstuvwxyz", strict=True)))
_DISTINCT = re.compile("[ɐɔǝɟƃɓᴉɾɹʇʌʍʎɘɿꙅɒʜϱǫ]")
_FEWEST_TURNED = 2
_LONGEST_PLAIN = 100
_LENGTHENED = re.compile(r"([^\W\d_])\1{3,}")
_BACKWARDS = "\u202e"
_PRINTABLE = frozenset(string.printable)
_VOWELS, _SHIFTED_VOWELS = re.compile("[aeiouAEIOU]"), re.compile("[nrvbhNRVBH]")  # as rot13 writes them
_FEWEST_SHIFTED, _AS_MANY = 3, 1.4
_SIGNS_OF_MORSE = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
)
_MORSE = dict(zip(_SIGNS_OF_MORSE.split(), string.ascii_lowercase, strict=True))


def _from_morse(text: str) -> str:
    words = re.split(r"\s*[/|]\s*|\s{2,}", text.strip())
    return " ".join("".join(_MORSE.get(sign, "") for sign in word.split()) for word in words)


_HEX, _OCTET = re.compile(r"0x|\\x|[\s,]"), re.compile(r"[01]{8}")
# codes of which a whole text may consist, and how they are read
_CODES: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"[A-Za-z0-9+/]{12,600}={0,2}"), lambda text: b64decode(text, validate=True).decode("ascii")),
    (re.compile(r"(?:%[0-9A-Fa-f]{2}|[\w.~-]){4,}(?<!%)"), unquote),
    (
        re.compile(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[\s,]*){4,}"),
        lambda text: bytes.fromhex(_HEX.sub("", text)).decode("ascii"),
    ),
    (
        re.compile(r"(?:[01]{8}\s*){3,}"),
        lambda text: bytes(int(one, 2) for one in _OCTET.findall(text)).decode("ascii"),
    ),
    (re.compile(r"(?:\\u[0-9A-Fa-f]{4}){3,}"), lambda text: text.encode("ascii").decode("unicode_escape")),
    (re.compile(r"(?:[.-]{1,4}(?:[\s/|]+|$)){3,}"), _from_morse),
)


def undisguised(text: str) -> str:
    """What the text says; the text itself if it wears no form that is known here, or is long."""
    if len(text) > _LONGEST or (_FORM.search(text) is None and (" " in text or _JOINED.search(text) is None)):
        return text
    if len(text) > _LONG_PROSE and (plain := _PLAIN_SENTENCE.search(text)) and not is_remark(plain[1]):
        return text  # no form takes this sentence away
    shown = _TAG.sub(" ", html.unescape(text)) if _ENTITY.search(text) else text
    said = _printed(shown)
    if said is None:
        said = _entries(_GRADE.sub("\n", shown))
    if len(_ROLE.findall(said)) >= _FEWEST_ROLES:
        said = _ROLE.sub("\n", said)
    if _CELLS.search(said):
        said = _NUMBER_OF_A_ROW.sub("|", _RULE_OF_A_TABLE.sub("", said)).replace("|", "\n")
    for form in (_CHANGE, _BOXES, _PLACEHOLDER, _GRADE, _STEP, _TO_FILL_IN):
        said = form.sub("\n", said)
    said = _JOINED.sub(" ", said)
    return text if said == text else said.strip()


def turned_readings(text: str) -> list[str]:
    """What a short text is read as that is written upside down, mirrored, backwards, shifted or in a code; nothing for
    almost every text."""
    if len(text) > _LONGEST:
        return []
    if text.isascii():
        return [*_decoded(text.strip()), *_rewritten(text)]
    if _BACKWARDS in text:
        return [text.replace(_BACKWARDS, "")[::-1]]
    if len(_DISTINCT.findall(text)) < _FEWEST_TURNED:
        return []
    turned = (text.lower().translate(letters) for letters in (_TURNED, _MIRRORED))
    return [reading for one in turned for reading in (one[::-1], one)]


def _rewritten(text: str) -> list[str]:
    """A short line with few vowels as rot13; one backwards, if it ends like a beginning, and with its lengthened
    letters said once."""
    if len(text) > _LONGEST_PLAIN:
        return []
    if len(_SHIFTED_VOWELS.findall(text)) > max(_AS_MANY * len(_VOWELS.findall(text)), _FEWEST_SHIFTED):
        return [decode(text, "rot13")]
    backwards = text[-1:].isupper() and not text[:1].isupper()
    short = _LENGTHENED.sub(r"\1", text)
    return [*([text[::-1]] if backwards else []), *([short] if short != text else [])]


def _decoded(text: str) -> list[str]:
    for form, read in _CODES:
        if form.fullmatch(text) is None:
            continue
        try:
            said = read(text)
        except (binascii.Error, ValueError):
            continue
        if said != text and _PRINTABLE.issuperset(said):
            return [said]
    return []


def _printed(text: str) -> str | None:
    """What a program prints or comments, if it does nothing else."""
    said: list[str] = []

    def told(match: re.Match[str]) -> str:
        said.append(next((group for group in match.groups() if group), ""))
        return "\n"

    rest = text
    for form in (_DOCUMENTED, _PRINTED, _COMMENT):
        rest = form.sub(told, rest)
    bare = _SCAFFOLD.sub("\n", rest)
    if rest == text and bare == text:
        return None
    left = words_of(bare)
    return None if left and " ".join(left) not in " ".join(words_of(" ".join(said))) else "\n".join(said)


def _entries(text: str) -> str:
    """The values of front matter, or of a text that has nothing but entries."""
    front = _FRONT_MATTER.match(text)
    if front is not None:
        return f"{_values(front[1])}\n{text[front.end() :]}"
    return _values(text) if _ENTRIES.fullmatch(text) else text


def _values(entries: str) -> str:
    return re.sub(r"[\[\]\",]", "\n", _KEY.sub("", entries))
