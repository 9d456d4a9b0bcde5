"""The base of a released image, by its digest: a tag names another image next month.

    python -m deploy.base_image python:3.11-slim-bookworm@sha256:…    ends with 2 for a name that a release cannot use

The digest is known where the image is (``docker buildx imagetools inspect``), and not from this repository alone, so
the Dockerfile names the tag, and ``make image`` and ``make release`` take the digest as BASE_IMAGE.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
_DEFAULT = re.compile(r"^ARG PYTHON_IMAGE=(\S+)$", re.MULTILINE)
_NAMED = re.compile(r"((?:[\w.:-]+/)*)([\w.-]+:[\w.-]+)@sha256:([0-9a-f]{64})", re.ASCII)


class BaseImage(NamedTuple):
    """``name``: with registry and tag; ``digest``: 64 hexadecimal digits of SHA-256."""

    name: str
    digest: str


def default(dockerfile: str) -> str:
    """What a build without a base uses: the tag that a release's digest must be of."""
    found = _DEFAULT.search(dockerfile)
    if found is None:
        raise ValueError("the Dockerfile has no ARG PYTHON_IMAGE")
    return found[1]


def base_image(given: str, expected: str) -> BaseImage:
    """Raises ValueError for a name without a whole digest, or of another tag than ``expected``."""
    found = _NAMED.fullmatch(given)
    if found is None:
        raise ValueError(f"{given!r} names no image by tag and digest: write {expected}@sha256:… with 64 digits")
    if found[2] != expected:
        raise ValueError(f"{given!r} is not {expected}, which is what the image is tested with")
    return BaseImage(found[1] + found[2], found[3])


def main() -> None:
    try:
        print(base_image(" ".join(sys.argv[1:]), default((ROOT / "Dockerfile").read_text("utf-8"))).digest)
    except ValueError as fault:
        print(f"base image: {fault}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
