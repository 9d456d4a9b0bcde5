"""Public files beside the repository, and small ones of the same form."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data"


def published(*names: str) -> list[Path]:
    paths = [FOLDER / name for name in names]
    for path in paths:
        if not path.is_file():
            pytest.skip(f"{path.name} is not beside the repository, in ../shared/data")
    return paths


def written(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
