"""Records of a JSON or JSONL file, one at a time, with the line on which each begins."""

import re
import unicodedata
import zlib
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, NoReturn

from judge_server.authoring.interchange.packed_log import packed_log
from judge_server.authoring.interchange.tracked import tracked
from judge_server.authoring.reading import read as read_yaml
from judge_server.core.criterion import Binary, CheckCriterion, Criterion, Group, Nominal, Scale, nodes
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.util.bounded import bounded, bounded_file, unzipped
from judge_server.util.parsing import parse_toml, read_json

MOST_BYTES = 64_000_000
MOST_BYTES_BESIDE = 2_000_000
LINES = (".jsonl", ".ndjson")
SUFFIXES = (*LINES, ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz", ".parquet", ".yaml", ".yml", ".toml", ".eval")
_MARK = b"\xef\xbb\xbf"
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error)
# a field that a row of a data set has and an entry of a list of criteria has not
_ROW = frozenset(
    (
        "rubric", "rubrics", "Rubrics", "rubric_list", "prompt", "question", "instruction", "messages", "checklist",
        "decomposed_questions", "reward_model", "ground_truth", "score_rubric", "orig_criteria", "assert",
        "instruction_id_list", "sub_tasks", "conversation_input", "evaluation_steps", "instructions",
        "serialized_scorer", "calculate_output", "passing_labels", "instructions_judge_pydantic_data",
    )
)  # fmt: skip


def files_of(path: Path) -> list[Path]:
    """The file, or every file of records in a folder and below it, by name. Raises BadInput if there is none."""
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.rglob("*") if is_data(one.relative_to(path)) and not one.is_dir())
    if not found:
        raise BadInput(f"{path} holds no {', '.join(SUFFIXES)} file.", remedy="Name a folder with such files.")
    return found


def is_data(path: PurePath, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    """Whether a file of a folder holds records, by its path in there. As in Spark and Arrow, names that begin with a
    dot or an underscore, of files and of folders, are those of something else: a file being written, a cache, a log."""
    return path.name.lower().endswith(suffixes) and not any(part.startswith((".", "_")) for part in path.parts)


def records(path: Path) -> Iterator[tuple[str, Any]]:
    """(``file:line``, record) for every line of a JSONL file. A JSON or YAML file is one record, or one for each item
    of its array if the items are rows. Files may be compressed with gzip. Raises BadInput naming the line."""
    name = path.name.lower().removesuffix(".gz")
    try:
        if path.stat().st_size > MOST_BYTES and not name.endswith(LINES):
            raise BadInput(f"{path} is larger than {MOST_BYTES:,} bytes.", remedy="Split it, or write it as .jsonl.")
        if name.endswith((".yaml", ".yml")):
            yield from _split(read_yaml(bounded_file(path, MOST_BYTES), str(path)).value, path)
        elif name.endswith(".toml"):
            yield from _split(_toml(bounded_file(path, MOST_BYTES), path), path)
        elif name.endswith(".eval"):
            yield from packed_log(path, MOST_BYTES)
        else:
            with unzipped(path) as stream:
                yield from _json_records(stream, path, lines=name.endswith(LINES))
    except _UNREADABLE as fault:
        raise BadInput(f"{path} cannot be read: {getattr(fault, 'strerror', None) or fault}.") from None


def _json_records(stream: Any, path: Path, *, lines: bool) -> Iterator[tuple[str, Any]]:
    first = stream.readline(MOST_BYTES).removeprefix(_MARK)
    whole = _try(first)
    rest = stream.readline(MOST_BYTES)
    if whole is None or (not rest.strip() and not lines):
        parsed = _parse(first + rest + bounded(stream, MOST_BYTES), f"{path}")
        yield from _split(_by_id(parsed) or parsed, path)
        return
    yield f"{path}:1", whole
    number = 2
    while rest:
        if rest.strip():
            yield f"{path}:{number}", _parse(rest, f"{path}:{number}")
        rest, number = stream.readline(MOST_BYTES), number + 1


@lru_cache(maxsize=4)
def _beside(path: Path, _changed_ns: int) -> Any:
    content = bounded_file(path, MOST_BYTES_BESIDE).removeprefix(_MARK)
    return parse_toml(content) if path.suffix.lower() == ".toml" else read_json(content)


def beside(where: str, named: str) -> Any:
    """The JSON or TOML file that a record names, which has to lie in the record's folder or below. Raises BadInput."""
    folder = Path(where.rsplit(":", 1)[0]).parent
    path = (folder / named).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadInput(f"{where}: {named} lies outside of {folder}.", remedy="Copy the file beside the record's.")
    try:
        return tracked(_beside(path, path.stat().st_mtime_ns))
    except _UNREADABLE as fault:
        raise BadInput(
            f"{where}: {path} cannot be read: {fault}.", remedy=f"Put {named} into the record's folder."
        ) from None


def _toml(content: bytes, path: Path) -> Any:
    try:
        return parse_toml(content.removeprefix(_MARK))
    except ValueError as fault:
        raise BadInput(f"{path} is not TOML: {fault}.") from None


def _split(whole: Any, path: Path) -> Iterator[tuple[str, Any]]:
    several = isinstance(whole, list) and all(isinstance(item, dict) and not _ROW.isdisjoint(item) for item in whole)
    yield from ((f"{path}:{number}", item) for number, item in enumerate(whole if several else [whole], 1))


def _by_id(whole: Any) -> list[Any]:
    """The records of an object that holds them by id, as BiGGen Bench publishes its rows; none of another object."""
    several = isinstance(whole, dict) and len(whole) > 1
    if not several or not all(isinstance(one, dict) and not _ROW.isdisjoint(one) for one in whole.values()):
        return []
    return [{"id": name, **one} for name, one in whole.items()]


def _try(line: bytes) -> Any:
    try:
        return _parse(line, "")
    except BadInput:
        return None


def _parse(content: bytes, where: str) -> Any:
    try:
        return read_json(content, constant=_refuse, unique=True)
    except ValueError as fault:
        raise BadInput(f"{where} is not JSON: {fault}.", remedy="Give JSON, or JSONL with one record a line.") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a finite number")


def wrong_shape(where: str, message: str, remedy: str) -> BadInput:
    """The error for a JSON record that does not have the format."""
    return BadInput(f"{where}: {message}.", remedy=remedy)


_LONGEST = 48
_MOST_WORDS = 7
_FILLERS = frozenset(("a", "an", "the", "of", "to", "and", "or", "that", "is", "are", "in", "for", "with", "it", "its"))


def slug(text: str, taken: set[str]) -> str:
    """A criterion id from a statement's first significant words. It differs from all in ``taken`` and is added
    there."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = [word for word in re.findall(r"[a-z0-9]+", ascii_text.lower()) if word not in _FILLERS]
    base = "_".join(words[:_MOST_WORDS])[:_LONGEST].strip("_") or "criterion"
    base = base if base[0].isalpha() else f"c_{base}"
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name


_ALWAYS = (
    "gate", "when", "scope", "reference", "reference_role", "guidance", "evidence", "any_of", "all_of", "if_absent",
    "examples", "sources",
)  # fmt: skip
_SAID_APART = frozenset({"id", "version", "title", "criteria", "aggregate", "missing"})


def losses_of(rubric: Rubric, keeps: Collection[str]) -> list[str]:
    """One line for each feature that the rubric uses and ``keeps`` lacks, naming the first criterion that uses it.
    Features of the rubric as a whole are its fields: ``rubric facts``."""
    seen: dict[str, str] = {}
    for node in nodes(rubric.criteria):
        for feature in _features(node):
            if feature not in keeps:
                seen.setdefault(feature, node.id)
    lines = [f"{feature} (first: {name})" for feature, name in seen.items()]
    aggregate = rubric.aggregate
    if f"aggregate {aggregate.kind}" not in keeps:
        lines.append(f"aggregate kind {aggregate.kind}")
    lines += [
        f"aggregate {name}"
        for name in ("clip", "scale", "length_adjustment")
        if getattr(aggregate, name) is not None and f"aggregate {name}" not in keeps
    ]
    for name, field in Rubric.model_fields.items():
        different = getattr(rubric, name) != field.get_default(call_default_factory=True)
        if name not in _SAID_APART and different and f"rubric {name}" not in keeps:
            lines.append(f"rubric {name}")
    return lines + (["missing policy"] if rubric.missing.policy != "null" else [])


def _features(node: Criterion) -> list[str]:
    kinds = {
        Group: "groups",
        Scale: "scale criteria",
        Nominal: "nominal criteria",
        CheckCriterion: "checks",
        Binary: "statements",
    }
    defaults = type(node).model_fields
    used = [kinds[type(node)]]
    used += [
        name for name in _ALWAYS if name in defaults and getattr(node, name) not in (None, "answer", "none", (), {})
    ]
    if isinstance(node, Group) and node.aggregate.kind != "weighted_mean":
        used.append(f"group aggregate {node.aggregate.kind}")
    if node.tags:
        used.append("tags")
    if node.points < 0:
        used.append("negative points")
    return used


def first_given(*values: Any, default: Any = None) -> Any:
    """The first value that is neither None nor ""; 0 and False count as values."""
    return next((value for value in values if value is not None and value != ""), default)
