"""Encodes chunks as columns of integer codes to keep memory small for millions of rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.layout import FACTS, SAW_JUDGE, TEXTS, is_fact
from judge_server.labels.readers.no_answer import abstains
from judge_server.labels.readers.records import Chunk
from judge_server.labels.readers.word import NO, YES, tidy, written
from judge_server.labels.table import Codes
from judge_server.util.parsing import quick_json

KEYS: Final = ("item", "criterion", "annotator", "role", "cluster", "label", "split")
Floats = NDArray[np.float64]


class Numbering(dict[str, int]):
    """The code of each text, in the order of first appearance; what nobody sees is ignored."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        number = self.known.setdefault(tidy(text), len(self.known))
        self[text] = number
        return number

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.known)


class Gathering:
    """The content of all chunks, by column."""

    def __init__(self, findings: LabelFindings) -> None:
        self.findings = findings
        self.numbering: dict[str, Numbering] = {key: Numbering() for key in KEYS}
        self.texts: dict[str, list[str]] = {name: [] for name in (*TEXTS, "tags", FACTS)}
        self.rationales: dict[int, str] = {}
        self.distributions: dict[int, dict[str, float]] = {}
        self.saw_judge: set[int] = set()
        self._codes: dict[str, list[Codes]] = {key: [] for key in KEYS}
        self._rows: list[Codes] = []
        self._probabilities: list[Floats] = []
        self._count = 0

    def add(self, chunk: Chunk, sources: Mapping[str, str], constants: Mapping[str, str]) -> None:
        """``sources``: the chunk's column for a field."""
        size = len(chunk.rows)

        def column(name: str) -> Sequence[str]:
            if name in sources:
                return self._plain(chunk.columns[sources[name]], name, chunk.rows)
            return [constants.get(name, "")] * size

        known = len(self.numbering["item"].known)
        for key in KEYS:
            codes = np.fromiter(map(self.numbering[key].__getitem__, column(key)), dtype=np.int32, count=size)
            self._codes[key].append(codes)
        items = self._codes["item"][-1]
        for name in sources:
            if is_fact(name):
                self.texts.setdefault(name, [])
        for name in self.texts:
            if name in sources:
                self._add_texts(name, items, column(name), chunk.rows, known)
        self._probabilities.append(self._numbers(column("probability"), chunk.rows))
        self._add_sparse(sources, chunk)
        self._rows.append(chunk.rows)
        self._count += size

    def codes(self, key: str) -> Codes:
        codes: Codes = _joined(self._codes[key], np.int32)
        return codes

    @property
    def rows(self) -> Codes:
        rows: Codes = _joined(self._rows, np.int32)
        return rows

    @property
    def probabilities(self) -> Floats:
        probabilities: Floats = _joined(self._probabilities, np.float64)
        return probabilities

    def _plain(self, values: Sequence[Any], name: str, rows: Codes) -> Sequence[str]:
        """Typed values as text; text is unchanged."""
        if set(map(type, values)) == {str}:
            return values
        return [
            value if type(value) is str else self._text(value, name, int(row))
            for value, row in zip(values, rows, strict=True)
        ]

    def _text(self, value: Any, name: str, row: int) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | str):
            return str(value)
        if isinstance(value, float):
            return "" if value != value else written(value)  # noqa: PLR0124 only nan differs from itself
        if name == FACTS and isinstance(value, Mapping):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        if name == "tags" and isinstance(value, Iterable) and not isinstance(value, Mapping):
            return ";".join(str(tag) for tag in value)
        self.findings.add(row, name, f"{name} is a {type(value).__name__}", "Write a text, a number, true or false.")
        return ""

    def _add_texts(self, name: str, items: Codes, values: Sequence[str], rows: Codes, known: int) -> None:
        """Keep an item's first text; a different text in a later row is a finding."""
        held = self.texts[name]
        held.extend("" for _ in range(len(self.numbering["item"].known) - len(held)))
        for place, (item, value) in enumerate(zip(items.tolist(), values, strict=True)):
            if not value or held[item] == value:
                continue
            if not held[item]:
                held[item] = value
                if name == FACTS and facts_in(value) is None:
                    advice = """Write them like {"allergy": true}, or give each fact a column: facts.allergy."""
                    self.findings.add(int(rows[place]), name, "the facts are not a JSON object", advice)
                continue
            item_name = self.numbering["item"].names[item] if self.findings.count < 20 else f"number {item}"
            self.findings.add(
                int(rows[place]),
                name,
                f"item {item_name!r} has another {name} here than in an earlier row",
                f"An item has one {name}: give different texts different item ids.",
            )

    def _numbers(self, values: Sequence[str], rows: Codes) -> Floats:
        size = len(rows)
        if not any(values):
            return np.full(size, np.nan)
        try:
            return np.array([float(value) if value else np.nan for value in values], dtype=np.float64)
        except ValueError:
            pass
        found = np.full(size, np.nan)
        for place, value in enumerate(values):
            if abstains(value.strip()):
                continue
            try:
                found[place] = float(value)
            except ValueError:
                self.findings.add(
                    int(rows[place]),
                    "probability",
                    f"the probability {value[:40]!r} is not a number",
                    "Write a number from 0 to 1 with a decimal point, or leave it empty.",
                )
        return found

    def _add_sparse(self, sources: Mapping[str, str], chunk: Chunk) -> None:
        if "rationale" in sources:
            values = self._plain(chunk.columns[sources["rationale"]], "rationale", chunk.rows)
            self.rationales.update((self._count + place, text) for place, text in enumerate(values) if text)
        if SAW_JUDGE in sources:
            values = self._plain(chunk.columns[sources[SAW_JUDGE]], SAW_JUDGE, chunk.rows)
            self.saw_judge.update(
                self._count + place
                for place, text in enumerate(values)
                if text and self._yes(text, SAW_JUDGE, int(chunk.rows[place]))
            )
        if "probabilities" in sources:
            for place, value in enumerate(chunk.columns[sources["probabilities"]]):
                shares = self._shares(value, int(chunk.rows[place]))
                if shares:
                    self.distributions[self._count + place] = shares

    def _yes(self, text: str, name: str, row: int) -> bool:
        folded = text.strip().casefold()
        if folded not in YES | NO and not abstains(folded):
            self.findings.add(row, name, f"{name} is {text[:40]!r}", "Write true or false, or leave it empty.")
        return folded in YES

    def _shares(self, value: Any, row: int) -> dict[str, float]:
        """``{"1": 0.2, "2": 0.8}``, as an object or as its JSON text."""
        try:
            given = quick_json(value) if isinstance(value, str) and value.strip() else value or {}
            shares = {str(name): float(share) for name, share in given.items() if share is not None}
        except (ValueError, TypeError, AttributeError):
            shares = {"": -1.0}
        if any(not 0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1.01:
            self.findings.add(
                row,
                "probabilities",
                "the probabilities are not a JSON object of classes with numbers from 0 to 1 that sum to at most 1",
                """Write them like {"1": 0.2, "2": 0.8}, or leave the field empty.""",
            )
            return {}
        return shares


def facts_in(text: str) -> dict[str, Any] | None:
    """The facts in a JSON text; None for anything but an object."""
    try:
        value = quick_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _joined(parts: list[Any], kind: Any) -> Any:
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)
