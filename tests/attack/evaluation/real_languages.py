"""Sentences that people translated into many languages: the catalogues (``*.mo``) of programs installed on the machine.

None of them is an empty answer, so each one refused is a fault. A machine without catalogues measures nothing.
"""

import gettext
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

FOLDERS = (Path("/usr/share"), Path("/usr/lib"), Path("/usr/local/share"))
QUESTION = "What does the program tell its user here?"
_FEWEST_CHARACTERS = 25
_MOST_EACH = 400
_NO_SENTENCE = frozenset("%{<>|")  # templates and usages
_OPEN_ENDS = " :：﹕︰፦៖՝"  # a heading announces what the program prints below it, which makes it none here


def translated_sentences(
    folders: tuple[Path, ...] = FOLDERS, shortest: int = _FEWEST_CHARACTERS
) -> Iterator[tuple[str, str]]:
    """(language, sentence), up to 400 of each language, drawn by a fixed seed; of ``shortest`` characters at least."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder in folders:
        for file in folder.rglob("*.mo"):
            language = file.parent.parent.name.split(".")[0]
            found[language].update(_sentences(file, shortest))
    for language, sentences in sorted(found.items()):
        some = sorted(sentences)
        random.Random(11).shuffle(some)
        for sentence in some[:_MOST_EACH]:
            yield language, sentence


def english_sentences(folders: tuple[Path, ...] = FOLDERS) -> list[str]:
    """What the same programs say in English, as it stands in their catalogues."""
    files = (file for folder in folders for file in folder.rglob("*.mo"))
    found = {" ".join(original.split()) for file in files for original in _messages(file) if isinstance(original, str)}
    return sorted(one for one in found if len(one) >= _FEWEST_CHARACTERS and _NO_SENTENCE.isdisjoint(one))


def _messages(file: Path) -> dict[str | tuple[str, int], str]:
    """Translations by the English text; nothing of a broken catalogue."""
    try:
        with file.open("rb") as opened:
            return dict(gettext.GNUTranslations(opened)._catalog)  # type: ignore[attr-defined]
    except (OSError, ValueError, LookupError):
        return {}


def _sentences(file: Path, shortest: int) -> Iterator[str]:
    for original, text in _messages(file).items():
        said = " ".join(str(text).split())
        if original and said != original and len(said) >= shortest and _NO_SENTENCE.isdisjoint(said):
            yield said.rstrip(_OPEN_ENDS)
