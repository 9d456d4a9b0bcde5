"""What the pages of docs/trainers tell people to run, so that the tests run it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.trainers.environment import ROOT

SMALL = "HuggingFaceTB/SmolLM2-135M-Instruct"
_BLOCK = re.compile(
    r"(?:`(?P<file>[\w./-]+\.\w+)`[^`\n]*:\n\n)?^```(?P<language>\w*)(?: \d+)?\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A code block. ``file``: what the page calls it, as in "`prompts.jsonl`:"."""

    language: str
    text: str
    file: str | None


def blocks(page: str) -> list[Block]:
    """All code blocks of ``docs/trainers/PAGE.md``, in order."""
    text = (ROOT / "docs" / "trainers" / f"{page}.md").read_text()
    return [Block(found["language"], found["text"], found["file"]) for found in _BLOCK.finditer(text)]


def examples(page: str, language: str) -> list[str]:
    """The code blocks of the page in a language, in order."""
    return [block.text for block in blocks(page) if block.language == language]


def example(page: str, language: str, replacements: Mapping[str, str]) -> str:
    """The one block that holds all of these words, with each replaced: a model that exists here, a shorter run."""
    (found,) = [block for block in examples(page, language) if all(word in block for word in replacements)]
    for word, instead in replacements.items():
        found = found.replace(word, instead)
    return found


def added(block: str) -> list[str]:
    """The lines that a diff adds, without their mark."""
    return [line[1:] for line in block.splitlines() if line.startswith("+")]


def lay_out(page: str, folder: Path, checkpoint: Path, name: str = SMALL) -> None:
    """A folder in which the commands of the page run as they are typed: its files (a block after "`prompts.jsonl`:"),
    and the model that it names."""
    for block in blocks(page):
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(checkpoint, target_is_directory=True)


def at(command: str, url: str) -> str:
    """The command with the address of a server that a test started."""
    return command.replace("http://127.0.0.1:8000", url)
