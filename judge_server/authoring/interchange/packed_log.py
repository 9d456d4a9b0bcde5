"""inspect_ai's packed logs (``.eval``): a zip archive with a header and a member for each sample.

Source: inspect_ai's eval recorder. ``header.json`` holds the log without its samples (a log that still runs has
``_journal/start.json``, an old one ``start.json``), ``samples/ID_epoch_N.json`` one sample each; of two members of one
name the later counts. A sample in pieces is ``samples/ID_epoch_N/sample.json`` with its texts in
``attachments/START.json`` beside it, lists that are named by the number of their first; its ``messages`` and ``events``
are not read. Members are deflated, or packed with zstd, which zipfile reads from Python 3.14 on and pyarrow
before. Texts that a sample repeats stand under its ``attachments`` and are named ``attachment://KEY``.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from judge_server.core.errors import BadInput, MissingDependency
from judge_server.core.extra import installing
from judge_server.util.bounded import bounded
from judge_server.util.parsing import read_json

_MOST_UNPACKED = 4_000_000_000
_HEADERS = ("header.json", "_journal/start.json", "start.json")
_SAMPLE = re.compile(r"samples/(?P<id>.+)_epoch_(?P<epoch>\d{1,9})\.json", re.DOTALL)
_IN_PIECES = re.compile(r"samples/(?P<id>.+)_epoch_(?P<epoch>\d{1,9})/sample\.json", re.DOTALL)
_TEXTS = re.compile(r"(?P<folder>samples/.+)/attachments/(?P<start>\d{1,12})\.json", re.DOTALL)
_ZSTANDARD = 93
_HEADING_BYTES = 30
_CONVERT = "Write the log as JSON: inspect log convert --to json."


def packed_log(path: Path, most: int, most_unpacked: int = _MOST_UNPACKED) -> Iterator[tuple[str, Any]]:
    """(``file:number``, log with one sample) for each sample, by epoch and id as inspect_ai orders them; the first log
    holds the whole header, the others its scorers. ``most``: bytes of one member, ``most_unpacked`` of all. Raises
    BadInput for an archive that is damaged, larger, or no log."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {one.filename: one for one in archive.infolist()}
            yield from _logs(_Archive(archive, path, most, most_unpacked), members)
    except zipfile.BadZipFile as fault:
        raise BadInput(f"{path} is not a packed log: {fault}.", remedy=_CONVERT) from None


def is_packed_log(path: Path) -> bool:
    """Whether a zip archive is a log."""
    try:
        with zipfile.ZipFile(path) as archive:
            return not set(_HEADERS).isdisjoint(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


class _Archive:
    """The members of one archive, each up to ``most`` bytes, all together up to ``most_unpacked``."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, most: int, most_unpacked: int) -> None:
        self._archive = archive
        self.path = path
        self._most = most
        self._left = most_unpacked

    def read(self, member: zipfile.ZipInfo) -> Any:
        """The member's JSON. Raises BadInput that names it."""
        named = f"{self.path}: {member.filename}"
        try:
            with self._opened(member) as stream:
                content = bounded(stream, min(self._most, self._left))
            self._left -= len(content)
            return read_json(content)
        except (OSError, ValueError, EOFError, RuntimeError) as fault:  # RuntimeError: it is encrypted
            raise BadInput(f"{named} cannot be read: {fault}.", remedy=_CONVERT) from None

    def _opened(self, member: zipfile.ZipInfo) -> IO[bytes]:
        try:
            return self._archive.open(member)
        except NotImplementedError:
            if member.compress_type != _ZSTANDARD:
                raise ValueError(f"its compression method {member.compress_type} is not known") from None
        return self._unpacked(member)

    def _unpacked(self, member: zipfile.ZipInfo) -> IO[bytes]:
        try:
            from pyarrow import BufferReader, CompressedInputStream
        except ImportError:
            raise MissingDependency(
                f"{self.path}: {member.filename} is packed with zstd, which needs pyarrow or Python 3.14.",
                remedy=installing("calibration"),
            ) from None
        with self.path.open("rb") as stream:
            stream.seek(member.header_offset)
            heading = stream.read(_HEADING_BYTES)
            stream.seek(sum(int.from_bytes(heading[at : at + 2], "little") for at in (26, 28)), 1)
            content = stream.read(min(member.compress_size, self._most))
        unpacked: IO[bytes] = CompressedInputStream(BufferReader(content), "zstd")
        return unpacked


def _logs(archive: _Archive, members: dict[str, zipfile.ZipInfo]) -> Iterator[tuple[str, Any]]:
    name = next((one for one in _HEADERS if one in members), None)
    header = archive.read(members[name]) if name else None
    if not isinstance(header, dict) or not isinstance(header.get("eval"), dict):
        raise zipfile.BadZipFile(f"it has none of {', '.join(_HEADERS)} with an eval")
    found = sorted((_order(match), match[0]) for one in members if (match := _match(one)))
    texts = _texts(members) if any(map(_IN_PIECES.fullmatch, members)) else {}
    if not found:
        yield f"{archive.path}", header
    for number, (_, sample) in enumerate(found, 1):
        rest = header if number == 1 else {"eval": {"scorers": header["eval"].get("scorers")}}
        yield f"{archive.path}:{number}", {**rest, "samples": [_sample(archive, members, sample, texts)]}


def _match(name: str) -> re.Match[str] | None:
    return _SAMPLE.fullmatch(name) or _IN_PIECES.fullmatch(name)


def _texts(members: Mapping[str, zipfile.ZipInfo]) -> dict[str, list[tuple[int, zipfile.ZipInfo]]]:
    """The members with the texts of each sample in pieces, by its folder, with the number of their first."""
    found: dict[str, list[tuple[int, zipfile.ZipInfo]]] = {}
    for name, member in members.items():
        if match := _TEXTS.fullmatch(name):
            found.setdefault(match["folder"], []).append((int(match["start"]), member))
    return found


def _sample(
    archive: _Archive,
    members: Mapping[str, zipfile.ZipInfo],
    name: str,
    texts: Mapping[str, list[tuple[int, zipfile.ZipInfo]]],
) -> Any:
    """One sample; one in pieces with its texts under ``attachments``, as in a sample that is whole."""
    sample = archive.read(members[name])
    if _IN_PIECES.fullmatch(name) is None or not isinstance(sample, dict):
        return sample
    held: dict[str, Any] = {}
    for start, member in texts.get(name.rpartition("/")[0], []):
        piece = archive.read(member)
        if not isinstance(piece, list):
            raise BadInput(f"{archive.path}: {member.filename} is no list of texts.", remedy=_CONVERT)
        held |= {str(start + place): text for place, text in enumerate(piece)}
    return {**sample, "attachments": held}


def _order(sample: re.Match[str]) -> tuple[int, str]:
    """Numbers by their size, as inspect_ai sorts ids."""
    return int(sample["epoch"]), sample["id"].zfill(20) if sample["id"].isdigit() else sample["id"]
