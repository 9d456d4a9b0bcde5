"""Unicode's compatibility form (NFKC) in time linear in the text.

Putting combining marks into their canonical order is quadratic in the length of a run of marks: 40,000 in a row take 3
s. Runs are therefore broken after 30 marks by U+034F COMBINING GRAPHEME JOINER, following Unicode Standard Annex #15,
section 13, *Stream-Safe Text Process*. No writing system needs longer runs.
"""

import re
import unicodedata
from functools import cache
from typing import Final

MOST_MARKS: Final = 30
JOINER: Final = "\u034f"
_FIRST_MARK: Final = 0x300
_AFTER_LAST_MARK: Final = 0x1F000


def compatibility_form(text: str) -> str:
    """NFKC of the text; a run of more than 30 combining marks is broken by U+034F first."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _long_runs().sub(rf"\g<0>{JOINER}", text))


@cache
def _long_runs() -> re.Pattern[str]:
    marks = "".join(
        character
        for character in map(chr, range(_FIRST_MARK, _AFTER_LAST_MARK))
        if unicodedata.combining(unicodedata.normalize("NFKD", character)[0])
    )
    return re.compile(f"[{marks}]{{{MOST_MARKS}}}(?=[{marks}])")
