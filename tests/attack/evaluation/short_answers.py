"""Short sentences that say something, in the languages of the guard's remarks and partly in their words."""

import tomllib
from pathlib import Path

_LISTED = tomllib.loads((Path(__file__).with_suffix(".toml")).read_text("utf-8"))
SENTENCES = {language: tuple(listed["full"].strip().splitlines()) for language, listed in _LISTED.items()}
