"""What the pages of docs/trainers tell people to run, so that the tests run it."""

import re
from collections.abc import Mapping

from tests.trainers.environment import ROOT


def examples(page: str, language: str) -> list[str]:
    """The code blocks of ``docs/trainers/PAGE.md`` in a language, in order."""
    text = (ROOT / "docs" / "trainers" / f"{page}.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def example(page: str, language: str, replacements: Mapping[str, str]) -> str:
    """The one block that holds all of these words, with each replaced: a model that exists here, a shorter run."""
    (found,) = [block for block in examples(page, language) if all(word in block for word in replacements)]
    for word, instead in replacements.items():
        found = found.replace(word, instead)
    return found
