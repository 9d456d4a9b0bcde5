"""Answers that say nothing: empty ones, master keys, pure repetition. Judge models are known to reward all three.

Master keys: Zhao et al., "One Token to Fool LLM-as-a-Judge" (2507.08794).
"""

import re
import string
import unicodedata
from functools import cache

from judge_server.guard.normalize import looks_alike, normalize

_READ_CHARACTERS = 200_000
_PHRASES = (
    "thought process", "thinking process", "let us solve this problem step by step",
    "lets solve this problem step by step", "let us think step by step", "lets think step by step",
    "let me think step by step", "step by step", "solution", "the solution", "answer", "the answer",
    "final answer", "the final answer", "solución", "la solución", "respuesta", "la respuesta",
    "respuesta final", "réponse", "la réponse", "la solution", "lösung", "die lösung", "antwort", "die antwort",
    "risposta", "la risposta", "soluzione", "la soluzione", "resposta", "a resposta", "solução", "a solução",
    "antwoord", "oplossing", "odpowiedź", "rozwiązanie", "cevap", "çözüm", "đáp án", "lời giải", "jawaban",
    "решение", "ответ", "відповідь", "розвязання", "الإجابة", "الجواب", "الحل", "उत्तर", "हल", "정답", "풀이",
    "해설", "解", "解答", "解析", "解説", "かいせつ", "答案", "回答", "答え", "解题过程", "解题思路",
    "思考过程", "思考過程", "the answer is", "the final answer is", "so the answer is",
    "therefore the answer is", "my thought process", "the thought process", "step by step solution",
    "detailed solution", "complete solution", "let me think", "let us think", "lets think",
    "let me solve this step by step", "lets solve this step by step", "let us solve this step by step",
    "lets break this down step by step", "lets break this down", "lets break it down",
    "lets solve this problem", "let us solve this problem", "here is the solution", "heres the solution",
    "here is the answer", "heres the answer", "here is my answer", "heres my answer",
    "resolvamos este problema paso a paso", "pensemos paso a paso", "paso a paso",
    "résolvons ce problème étape par étape", "réfléchissons étape par étape", "étape par étape",
    "lösen wir dieses problem schritt für schritt", "lassen sie uns dieses problem schritt für schritt lösen",
    "denken wir schritt für schritt", "schritt für schritt", "risolviamo questo problema passo dopo passo",
    "pensiamo passo dopo passo", "vamos resolver este problema passo a passo", "vamos pensar passo a passo",
    "passo a passo", "laten we dit probleem stap voor stap oplossen", "rozwiążmy ten problem krok po kroku",
    "bu problemi adım adım çözelim", "adım adım düşünelim", "hãy giải bài toán này từng bước",
    "mari kita selesaikan masalah ini langkah demi langkah", "решим эту задачу шаг за шагом",
    "давайте решим эту задачу шаг за шагом", "давайте подумаем шаг за шагом", "让我们一步一步地解决这个问题",
    "让我们一步一步解决这个问题", "让我们逐步解决这个问题", "让我们一步步思考", "让我们一步一步地思考",
    "逐步解决", "この問題をステップバイステップで解きましょう", "ステップバイステップで考えましょう",
    "段階的に考えましょう", "이 문제를 단계별로 풀어 봅시다", "단계별로 생각해 봅시다",
    "चलिए इस समस्या को चरण दर चरण हल करते हैं", "دعونا نحل هذه المشكلة خطوة بخطوة", "لنفكر خطوة بخطوة",
)  # fmt: skip
_LONGEST_PIECE = 200
# words that may well be an answer, but not with a colon behind which nothing follows; and frames around nothing
_FRAMES = re.compile(
    r"\W*(?:explanation|reasoning|analysis|proof|step\ (?:1|one)|response|output|result|conclusion|thought|problem|"
    r"question|approach|method|strategy|plan|思考|分析|问题|推理)\W*[:：]\W*|\W*\\boxed\{\s*\}\W*|"
    r"\s*<(answer|final_answer|response|output|solution)>\s*</\1>\s*",
    re.IGNORECASE,
)
_PIECE = re.compile(r"[^\n\r.!?:;。！？：；…]+")
# one of these alone may well be the answer; a dot, a colon or a dash is not
_OPERATORS = frozenset(
    ("@", "$", "''", "::", ".*", "===", "+", "*", "/", "%", "<", ">", "=", "<=", ">=", "==", "!=", "<>",
     "&&", "||", "&", "|", "^", "~", "//", "->", "=>")
)  # fmt: skip
_ASCII_SIGNS = frozenset(string.punctuation)
_CODE_SIGNS = _ASCII_SIGNS - frozenset(".,:;!?-'\"`#*_~|")
_PROSE_WORD = re.compile(r"[^\W\d_]{3,}")
_PROSE_WORDS = 4  # a unit with as many words is no row of a table, whatever numbers it holds
_LAST_LETTER = re.compile(r".*[^\W_]", re.DOTALL)
_AROUND = " \t\r\n:：*`_#-.,;"  # what stands around an answer: stops, and marks of emphasis and code
_BLANKS = re.compile("[\u115f\u1160\u2500-\u259f\u2800\ufffd]")  # invisible letters, rules and boxes


def says_nothing(text: str, reference: str | None = None) -> str | None:
    """As ``emptiness``, which a master key in the letters of another alphabet does not get around."""
    cause = emptiness(text, reference)
    if cause is None and looks_alike(text[:_READ_CHARACTERS]):
        return emptiness(normalize(text[:_READ_CHARACTERS]), reference)
    return cause


def emptiness(answer: str, reference: str | None = None) -> str | None:
    """Why ``answer`` says nothing, or None. What the reference answer says is something, short as it may be."""
    text = answer.strip()[:_READ_CHARACTERS]
    if not text:
        return "the response has no answer"
    cause = _cause(text)
    if cause is not None and reference is not None and _same(text, reference.strip()):
        return None
    return cause


def _cause(text: str) -> str | None:
    if text in _OPERATORS:
        return None
    if not _has_content(text):
        return None if _is_code(text) else "the response has no letter, digit or symbol of content"
    if len(text) <= _LONGEST_PIECE and _FRAMES.fullmatch(text):
        return "the response is a heading or a frame without content"
    if all(_is_phrase(piece.group()) for piece in _PIECE.finditer(text)) and not _ends_in_code(text):
        return "the response is an opening phrase without content"
    return "the response repeats one piece of text" if _is_repetition(text) else None


def _is_code(text: str) -> bool:
    """Brackets and operators that make a literal, a pattern or a drawing: ``[]``, ``.*``, ``!==``. One sign again and
    again is a rule or a fence, and stops and commas are no answer."""
    signs = set(text) - {" ", "\n"}
    return (
        1 < len(signs) <= len(_ASCII_SIGNS)
        and signs <= _ASCII_SIGNS
        and not signs.isdisjoint(_CODE_SIGNS)
        and (len(text) <= _LONGEST_PIECE)
    )


def _ends_in_code(text: str) -> bool:
    """Whether a literal, a pattern or an operator of two signs follows the opening phrase: ``Final answer: []``."""
    last = _LAST_LETTER.sub("", text[-_LONGEST_PIECE:]).strip(_AROUND)
    return len(last) > 1 and (last in _OPERATORS or _is_code(last))


def _same(answer: str, reference: str) -> bool:
    if answer == reference:
        return True
    if len(reference) > _READ_CHARACTERS:
        return False
    bare = _bare(answer, _READ_CHARACTERS)
    return bool(bare) and bare == _bare(reference, _READ_CHARACTERS)


def _has_content(text: str) -> bool:
    """Letters, digits, or symbols beyond ASCII such as an emoji."""
    for start in range(0, len(text), 256):
        for character in _BLANKS.sub("", unicodedata.normalize("NFKC", text[start : start + 256])):
            kind = unicodedata.category(character)[0]
            if kind in "LN" or (kind == "S" and character > "\x7f"):
                return True
    return False


def _is_phrase(piece: str) -> bool:
    bare = _bare(piece, _LONGEST_PIECE)
    if bare is None:
        return False
    bare = bare.replace("`", "").strip()
    if _ASCII_SIGNS.issuperset(bare):  # nothing, or a rule of one sign
        return bare not in _OPERATORS
    return _only_phrases().fullmatch(bare) is not None


@cache
def _only_phrases() -> re.Pattern[str]:
    """The phrases as ``_bare`` writes them."""
    written = sorted({_bare(phrase, _LONGEST_PIECE) or phrase for phrase in _PHRASES}, key=len, reverse=True)
    return re.compile(rf"(?:(?:{'|'.join(written)}) ?)+")


def _bare(text: str, most: int) -> str | None:
    """Letters without their accents, digits, symbols and single spaces, case folded; None beyond ``most`` of them."""
    kept: list[str] = []
    for start in range(0, len(text), 256):
        for character in unicodedata.normalize("NFKD", text[start : start + 256]).casefold():
            kind = unicodedata.category(character)[0]
            if kind in "LNS":
                kept.append(character)
            elif (kind == "Z" or character in "\t\r\n") and kept and kept[-1] != " ":
                kept.append(" ")
        if len(kept) > most:
            return None
    return "".join(kept).strip()


def _is_repetition(text: str) -> bool:
    """Whether a text of some length is one unit said again and again (the last time perhaps cut off)."""
    plain = " ".join(text.casefold().split())
    unit = _unit(plain)
    if unit is None:
        return False
    times = len(plain) / len(unit)
    if any(character.isdigit() for character in unit) and len(_PROSE_WORD.findall(unit)) < _PROSE_WORDS:
        return times >= 64 and " " not in unit.strip()  # tables, matrices and digit strings repeat for good reasons
    if not any(character.isalpha() for character in unit):
        return times >= 16
    return len(plain) >= 24 and (times >= 8 or len(plain) >= 200)


def _unit(text: str) -> str | None:
    """The shortest text of which ``text`` is a repetition, at least four times over."""
    probe = text[: max(1, min(64, len(text) // 8))]
    place = text.find(probe, 1)
    for _ in range(64):
        if place < 0 or place * 4 > len(text):
            return None
        if text.startswith(text[place:]):
            return text[:place]
        place = text.find(probe, place + 1)
    return None
