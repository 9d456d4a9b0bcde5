"""What a text says without the forms in which an announcement may be dressed.

Forms are a program that only prints or comments, a table with numbered rows, front matter, an invented dialogue, the
numbers of steps, placeholders in brackets, and grades that a text gives itself. What is left is what it says.
"""

import re

from judge_server.guard.discourse import words_of

_LONGEST = 600
_FORM = re.compile(r"[|#{}\[\]<>%*$\d\n]|//|/\*|--")  # a text without any of these wears no form
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


def undisguised(text: str) -> str:
    """What the text says; the text itself if it wears no form that is known here, or is long."""
    if len(text) > _LONGEST or _FORM.search(text) is None:
        return text
    said = _printed(text)
    if said is None:
        said = _entries(_GRADE.sub("\n", text))
    if len(_ROLE.findall(said)) >= _FEWEST_ROLES:
        said = _ROLE.sub("\n", said)
    if _CELLS.search(said):
        said = _NUMBER_OF_A_ROW.sub("|", _RULE_OF_A_TABLE.sub("", said)).replace("|", "\n")
    for form in (_CHANGE, _BOXES, _PLACEHOLDER, _GRADE, _STEP):
        said = form.sub("\n", said)
    return text if said == text else said.strip()


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
