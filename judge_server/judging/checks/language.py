"""``language``: the share of the text's letters in passages of the requested languages."""

import re
from functools import lru_cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from judge_server.core.check import LanguageCheck
from judge_server.judging.checks.interface import CheckFailed, CheckFinding, CheckInput, passed

MOST_PASSAGES = 40
SHORTEST_PASSAGE = 80
LONGEST_PASSAGE = 400
_NO_LANGUAGE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`|https?://\S+|\\[a-zA-Z]+|\$[^$\n]{1,200}\$", re.DOTALL)
_PIECE = re.compile(rf"[^.!?。！？\n]{{1,{LONGEST_PASSAGE}}}[.!?。！？\n]*|[.!?。！？\n]+")


def prepare(spec: LanguageCheck) -> None:
    unknown = sorted(set(spec.any) - set(_identifier().labels))
    if unknown:
        known = ", ".join(sorted(_identifier().labels))
        raise ValueError(f"the language {', '.join(unknown)} cannot be distinguished from others; known: {known}")


def find(spec: LanguageCheck, check_input: CheckInput) -> CheckFinding:
    passages = _passages(_NO_LANGUAGE.sub(" ", check_input.text))
    letters = [sum(map(str.isalpha, passage)) for passage in passages]
    if not sum(letters):
        raise CheckFailed("The text has no letters, so its language cannot be detected.")
    said = [_identifier().classify(passage)[0] for passage in passages]
    share = sum(n for n, code in zip(letters, said, strict=True) if code in spec.any) / sum(letters)
    return passed(
        share >= spec.min_share, f"{share:.0%} in {' or '.join(spec.any)}, at least {spec.min_share:.0%} wanted"
    )


def _passages(text: str) -> list[str]:
    """Sentences gathered to at least ``SHORTEST_PASSAGE`` characters (a shorter end goes with the one before);
    ``MOST_PASSAGES`` of them, evenly spread, if there are more."""
    passages, gathered = [], ""
    for match in _PIECE.finditer(text):
        gathered += match.group()
        if len(gathered) >= SHORTEST_PASSAGE:
            passages.append(gathered)
            gathered = ""
    if passages and len(gathered) < SHORTEST_PASSAGE // 2:
        passages[-1] += gathered
    elif gathered:
        passages.append(gathered)
    stride = max(1, -(-len(passages) // MOST_PASSAGES))
    return passages[::stride]


@lru_cache(maxsize=1)
def _identifier() -> Any:
    return LanguageIdentifier.from_model_file(MODEL_FILE)
