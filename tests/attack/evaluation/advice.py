"""Short advice and findings of a physician, a safety adviser, an editor or a lawyer: each of them says something.

The weights of the sound are learnt from one part; the other only measures.
"""

import tomllib
from pathlib import Path

_LISTED = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
LEARNT = tuple(line for texts in _LISTED.values() for line in texts.get("learnt", "").strip().splitlines())
UNSEEN = tuple(line for texts in _LISTED.values() for line in texts.get("unseen", "").strip().splitlines())
