"""The thirteenth to the nineteenth corpus: texts that say nothing, and genuine answers that look as if they did.

They were written by other hands, who had not seen the rules. Of the fourteenth and the sixteenth no text had been read
when they were measured for the second time; of the last three none has been read, and nothing was learnt of
them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

Corpus = Literal["thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"]
CORPORA: tuple[Corpus, ...] = get_args(Corpus)
HELD_OUT: tuple[Corpus, ...] = ("seventeenth", "eighteenth", "nineteenth")
_KINDS = {
    "opening_en": "English openings",
    "opening_other": "openings in other languages",
    "disguised": "disguised",
    "blank_frame": "blanks and frames",
}


def empty_texts(corpus: Corpus) -> Iterator[tuple[str, str, str]]:
    """Kind, question and text."""
    for kind, question, text in _read(corpus)["empty"]:
        yield _KINDS[kind], question, text


def genuine_texts(corpus: Corpus) -> Iterator[tuple[str, str, str | None]]:
    """Question, answer and, where there is one, the reference."""
    return ((question, text, reference) for question, text, reference in _read(corpus)["genuine"])


def _read(corpus: Corpus) -> dict[str, list[list[str]]]:
    content: dict[str, list[list[str]]] = json.loads(
        Path(__file__).with_name(f"{corpus}_texts.json").read_text("utf-8")
    )
    return content
