"""The rubrics that come with the package."""

from pathlib import Path

import judge_server
from judge_server.core.errors import BadConfiguration


def rubrics_directory() -> Path:
    """The repository's ``rubrics/`` beside an editable install, ``judge_server/bundled/rubrics`` inside a wheel."""
    package = Path(judge_server.__file__).resolve().parent
    for directory in (package / "bundled" / "rubrics", package.parent / "rubrics"):
        if directory.is_dir():
            return directory
    raise BadConfiguration(
        f"The bundled rubrics are missing beside {package}.", remedy="Install the package again, or name --rubrics DIR."
    )
