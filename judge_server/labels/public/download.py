"""Downloads over HTTP: resumed after a broken transfer; a file gets its final name only when it is complete."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx

from judge_server.core.errors import BadInput

LARGEST: Final = 4 * 2**30
_PATIENCE: Final = httpx.Timeout(30, connect=10)
Watch = Callable[[int, int | None], None]


def is_url(text: str) -> bool:
    return "://" in text


def download(url: str, directory: Path, watch: Watch = lambda _done, _total: None) -> Path:
    """Download ``url`` into ``directory``. A broken transfer leaves ``NAME.part`` behind, and the next call resumes
    from there if the server supports it. ``watch`` gets the bytes received and the total in bytes, if known. Raises
    BadInput for network, server and URL errors."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise BadInput(f"{url} is not an http or https address.", remedy="Give an https URL, or a file.")
    name = Path(unquote(urlsplit(url).path)).name
    if not name or name.startswith("."):
        raise BadInput(f"{url} names no file.", remedy="Give the address of the file itself.")
    part, mark = directory / f"{name}.part", directory / f"{name}.part.etag"
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with httpx.Client(timeout=_PATIENCE, follow_redirects=True, headers={"accept-encoding": "identity"}) as client:
            _transfer(client, url, part, mark, watch)
    except httpx.HTTPError as fault:
        kept = f" {part.stat().st_size} bytes are kept; run the same command to resume." if part.exists() else ""
        raise BadInput(
            f"{url} cannot be fetched: {str(fault) or type(fault).__name__}.{kept}",
            remedy="Check the network, or fetch the file elsewhere and give its path with --from FILE.",
        ) from fault
    mark.unlink(missing_ok=True)
    return part.replace(directory / name)


def _transfer(client: httpx.Client, url: str, part: Path, mark: Path, watch: Watch) -> None:
    there = part.stat().st_size if part.exists() else 0
    tag = mark.read_text(encoding="utf-8") if there and mark.exists() else ""
    asked = {"range": f"bytes={there}-"} if there else {}
    if there and tag:
        asked["if-range"] = tag  # the file changed meanwhile: start again
    with client.stream("GET", url, headers=asked) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # the part is the whole file: its checksum decides
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        there = there if resumed else 0
        etag = answer.headers.get("etag", "")
        mark.write_text("" if etag.startswith("W/") else etag, encoding="utf-8")
        length = answer.headers.get("content-length", "")
        total = there + int(length) if length.isdigit() else None
        with _appending(part, resumed=resumed) as write:
            for block in answer.iter_bytes():
                there += len(block)
                if there > LARGEST:
                    raise BadInput(f"{url} is larger than 4 GiB.", remedy="Fetch the file yourself and give its path.")
                write(block)
                watch(there, total)


@contextmanager
def _appending(part: Path, *, resumed: bool) -> Iterator[Callable[[bytes], int]]:
    with part.open("ab" if resumed else "wb") as file:
        yield file.write
