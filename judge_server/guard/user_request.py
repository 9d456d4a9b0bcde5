"""What the user asks for, as far as a prompt's words tell: a sign, code, a term, a copy, a repetition, or nothing.

The policy does not write the prompt, so what it asks for is no way around the guard.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from judge_server.guard.discourse import discourse, words_of

READ_OF_A_PROMPT = 4_000
_FEWEST_WORDS = 2
_FEWEST_CHARACTERS = 10
_LONGEST_QUESTION = 200
_LONGEST_GREETING = 60
_SPELT_NUMBER = re.compile(
    r"hundred|dozen|thousand|\b(?:four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty)\b|hundert|\bcien\b|\bcent\b|百|千"
)
_NUMBER = re.compile(r"\d+")
_PROGRAM = re.compile(
    r"(?:please )?(?:write|implement|create|code|give me)\b.{0,40}\b(?:function|program|script|class|method)\b"
)
_LONGEST_FOR_A_NAME = 100
# questions that no word of announcements and no sign answers; what is left asks "which" or names a thing
_FOR_MORE = re.compile(
    r"(?:why|how|who|where|when|should|can|could|would|will|is|are|was|do|does|did|have|has|what)\b(?!['’]s missing)"
    r"|.*(?:[.!;]\s|\b(?:why|how|should|explain|describe)\b)"
)


@dataclass(frozen=True, slots=True)
class UserRequest:
    """What ``user_request`` read of one prompt."""

    text: str
    """In small letters."""
    known: bool
    """Whether the prompt says enough to be read at all."""
    for_signs: bool
    """Whether a sign, a character or a drawing may be the answer."""
    for_programming: bool
    """Whether the prompt names a language or a part of one, so that brackets and operators are an answer."""
    for_a_program: bool
    """Whether a whole program is asked for, which no placeholder is."""
    for_code: bool
    """Whether brackets and operators may be the answer."""
    asks_how_many: bool
    """Whether "none" may be the answer, or a word of a programming language."""
    for_a_term: bool
    """Whether a word, a name, a title or a quotation may be the answer."""
    for_a_name: bool
    """Whether it is a short question, to which any word or sign may be the answer: "R's native pipe?"."""
    for_a_salutation: bool
    """Whether the answer may end in the colon of a letter's first line."""
    only_greets: bool
    """Whether the prompt asks for nothing, so that a greeting or an offer of help is the answer."""
    for_a_copy: bool
    """Whether the answer may be a part of the prompt."""
    reference: str | None = None

    def for_a_form(self) -> bool:
        """Whether a frame, a line or a phrase that says nothing elsewhere may be the answer: a judge is asked."""
        return self.known and len(self.text) <= _LONGEST_QUESTION and _asks_for_a_form(self.text)

    def for_repetition(self, times: int) -> bool:
        """Whether something may be said ``times`` times."""
        numbers = {int(number[:6]) for number in _NUMBER.findall(self.text)}
        if _asks("repetition", self.text):
            return True
        as_many = (
            numbers & {times - 1, times, times + 1}
            or _SPELT_NUMBER.search(self.text) is not None
            or any(times <= 2 * number for number in numbers)
        )
        return bool(as_many) and _asks("numbered_repetition", self.text)

    def offers(self, answer: str) -> bool:
        """Whether the prompt gives the answer as one of several to choose from."""
        said = " ".join(words_of(answer))
        choice = re.search(r" or | oder | ou | o | или | або |还是|それとも|또는| أم | या ", self.text)
        return bool(said) and choice is not None and f" {said} " in f" {' '.join(words_of(self.text))} "


@lru_cache(maxsize=512)  # the responses to one prompt share it
def user_request(text: str = "") -> UserRequest:
    """What a prompt's ``text`` asks for; only the end of a long one is read, see ``READ_OF_A_PROMPT``."""
    text = text[-READ_OF_A_PROMPT:].lower()
    known = _is_known(text)
    for_programming = not known or _asks("programming", text)
    for_code = for_programming or _asks("code", text)
    return UserRequest(
        text=text,
        known=known,
        for_signs=known and _asks("signs", text),
        for_programming=for_programming,
        for_a_program=_PROGRAM.match(text) is not None,
        for_code=for_code,
        asks_how_many=for_code or _asks("number", text),
        for_a_term=known and len(text) <= _LONGEST_QUESTION and _asks("term", text),
        for_a_name=known and _asks_for_a_name(text.strip()),
        for_a_salutation="letter" in text and re.search(r"begin|start|open|salut|greet", text) is not None,
        only_greets=len(text) <= _LONGEST_GREETING and _only_greets(text),
        for_a_copy=_asks("copy", text),
    )


def _is_known(text: str) -> bool:
    if not text.isascii():
        return len(text.strip()) >= _FEWEST_CHARACTERS // 2
    return len(text.strip()) >= _FEWEST_CHARACTERS and len(text.split(None, _FEWEST_WORDS)) >= _FEWEST_WORDS


def _asks_for_a_name(text: str) -> bool:
    short = len(text) <= _LONGEST_FOR_A_NAME and text.endswith(("?", "？", "؟"))
    return short and _FOR_MORE.match(text) is None


def _only_greets(text: str) -> bool:
    if _asks("whole_greeting", text):
        return True
    found = discourse(text, wide=True) if _asks("greeting", text) else None
    return found is not None and found.core <= 1


@lru_cache(maxsize=512)  # the responses to one prompt share it
def _asks_for_a_form(text: str) -> bool:
    return _asks("form", text)


def _asks(for_: str, text: str) -> bool:
    return _requests()[for_].search(text) is not None


@cache
def _requests() -> dict[str, re.Pattern[str]]:
    content = tomllib.loads(files("judge_server.guard").joinpath("request.toml").read_text("utf-8"))
    return {kind: re.compile("|".join(patterns)) for kind, patterns in content.items()}
