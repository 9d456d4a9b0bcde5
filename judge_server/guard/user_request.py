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
_SPELT_NUMBER = re.compile(r"hundred|dozen|thousand|hundert|\bcien\b|\bcent\b|百|千")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class UserRequest:
    """``known``: whether the prompt says enough to be read at all. ``text``: what was read of it, in small letters."""

    text: str = ""
    reference: str | None = None

    @classmethod
    def asking(cls, text: str, reference: str | None = None) -> "UserRequest":
        """What is read of a prompt's ``text``."""
        return cls(text[-READ_OF_A_PROMPT:].lower(), reference)

    @property
    def known(self) -> bool:
        if not self.text.isascii():
            return len(self.text.strip()) >= _FEWEST_CHARACTERS // 2
        words = len(self.text.split(None, _FEWEST_WORDS))
        return len(self.text.strip()) >= _FEWEST_CHARACTERS and words >= _FEWEST_WORDS

    @property
    def for_signs(self) -> bool:
        """Whether a sign, a character or a drawing may be the answer."""
        return self.known and _asks("signs", self.text)

    @property
    def for_programming(self) -> bool:
        """Whether the prompt names a language or a part of one, so that brackets and operators are an answer."""
        return not self.known or _asks("programming", self.text)

    @property
    def for_code(self) -> bool:
        """Whether brackets and operators may be the answer."""
        return self.for_programming or _asks("code", self.text)

    @property
    def asks_how_many(self) -> bool:
        """Whether "none" may be the answer, or a word of a programming language."""
        return self.for_code or _asks("number", self.text)

    @property
    def for_a_term(self) -> bool:
        """Whether a word, a name, a title or a quotation may be the answer."""
        return self.known and len(self.text) <= _LONGEST_QUESTION and _asks("term", self.text)

    @property
    def for_a_salutation(self) -> bool:
        """Whether the answer may end in the colon of a letter's first line."""
        return "letter" in self.text and re.search(r"begin|start|open|salut|greet", self.text) is not None

    @property
    def only_greets(self) -> bool:
        """Whether the prompt asks for nothing, so that a greeting or an offer of help is the answer."""
        return len(self.text) <= _LONGEST_GREETING and _only_greets(self.text)

    @property
    def for_a_copy(self) -> bool:
        """Whether the answer may be a part of the prompt."""
        return _asks("copy", self.text)

    def for_repetition(self, times: int) -> bool:
        """Whether something may be said ``times`` times."""
        numbers = {int(number[:6]) for number in _NUMBER.findall(self.text)}
        if numbers & {times - 1, times, times + 1} or _asks("repetition", self.text):
            return True
        as_many = _SPELT_NUMBER.search(self.text) is not None or any(times <= 2 * number for number in numbers)
        return as_many and _asks("numbered_repetition", self.text)

    def offers(self, answer: str) -> bool:
        """Whether the prompt gives the answer as one of several to choose from."""
        said = " ".join(words_of(answer))
        choice = re.search(r" or | oder | ou | o | или | або |还是|それとも|또는| أم | या ", self.text)
        return bool(said) and choice is not None and f" {said} " in f" {' '.join(words_of(self.text))} "


@lru_cache(maxsize=256)  # the responses to one prompt share it
def _only_greets(text: str) -> bool:
    if _asks("whole_greeting", text):
        return True
    found = discourse(text, wide=True) if _asks("greeting", text) else None
    return found is not None and found.core <= 1


@lru_cache(maxsize=512)  # the responses to one prompt share it
def _asks(for_: str, text: str) -> bool:
    return _requests()[for_].search(text) is not None


@cache
def _requests() -> dict[str, re.Pattern[str]]:
    content = tomllib.loads(files("judge_server.guard").joinpath("request.toml").read_text("utf-8"))
    return {kind: re.compile("|".join(patterns)) for kind, patterns in content.items()}
