"""A text as the guard searches it: lower case, one form for every way to write a letter, nothing invisible.

Only for finding words, never shown: in Greek, Russian, Japanese or mathematics the same letters stand for themselves.
"""

import re
import string
from itertools import islice

import re2

from judge_server.guard.sanitize import INVISIBLE, visible
from judge_server.util.compatibility_form import compatibility_form

_CYRILLIC = dict(zip("авеіјкмнорсѕтухԁԛԝһӏґьєѵ", "abeijkmhopcstyxdqwhlrbev", strict=True))
_GREEK = dict(zip("αβεικνορτυχγηωϲϳ", "abeikvoptuxynwcj", strict=True))
_ARMENIAN = dict(zip("օոսհցքզ", "onuhgqq", strict=True))
_LATIN = dict(zip("ıȷɑɡɩʟɪɴʀɢʙʜʏᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜰꜱ", "ijagilinrgbhyacdejkmoptuvwzfs", strict=True))
_ENCLOSED = {chr(first + place): chr(ord("a") + place) for first in (0x1F150, 0x1F170, 0x1F1E6) for place in range(26)}
_LETTERS = str.maketrans(_CYRILLIC | _GREEK | _ARMENIAN | _LATIN | _ENCLOSED)
_OTHER = "".join({**_CYRILLIC, **_GREEK, **_ARMENIAN})
_ODD = "".join({**_LATIN, **_ENCLOSED}).replace("ı", "")
# a letter of another script beside a Latin one, or a letter that imitates one
_MIXED_LETTERS = f"[{_OTHER}][a-zA-Z]|[a-zA-Z][{_OTHER}]|[{_ODD}ı][{_ODD}a-zA-Z]"
_MIXED = re2.compile(_MIXED_LETTERS)
_ACCENTS = "\u0300-\u036f\u0489\u20d0-\u20f0"
_LOOSE_ACCENTS = re.compile(f"[{_ACCENTS}]+")
# Forms that stand for Latin letters, digits, or what templates are written with. Full-width stops and commas are not
# among them: every Chinese text has those.
_FORMS = (
    "\u00aa\u00b2\u00b3\u00b9\u00ba\u00bc-\u00be\u02b0-\u02e3\u1d2c-\u1d6a\u1d78-\u1dbf\u2070-\u209c\u2100-\u214f\u2150-\u218b"
    "\u2460-\u24ea\u3371-\u33df\ufb00-\ufb06\ufe47\ufe48\ufe5b-\ufe6b\uff02\uff03\uff07\uff0a\uff0f-\uff19\uff1c-\uff1e\uff20-\uff5e"
    "\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff"
)
_FORM = re2.compile(f"[{_FORMS}]")
_UNUSUAL = re2.compile(f"[{INVISIBLE}{_ACCENTS}{_FORMS}]|{_MIXED_LETTERS}")
_LONG_LIGATURES = re.compile("[\ufdf0-\ufdff]")  # one becomes up to eighteen characters

# Letters that a reader takes for Latin ones; those that serve as symbols (α, µ, Δ, κ) are not among them.
_LOOK_ALIKES = "авеіјкорсѕухԁԛԝһӏАВЕЅІЈКМНОРСТХΑΒΕΖΗΙΚΜΝΟΡΤΧΥο"
_SMALL_CAPITALS = "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢꜰꜱ"
_MADE_UP = re2.compile(
    "[\U0001d400-\U0001d6a3]{4}|[\uff41-\uff5a]{4}|[\u24b6-\u24e9]{4}|[\U0001f150-\U0001f169\U0001f170-\U0001f189]{4}|"
    f"[{_SMALL_CAPITALS}]{{4}}"
)
_MIXTURE = f"[{_LOOK_ALIKES}][A-Za-z]"
_IMITATING = re2.compile(_MIXTURE)
_ODD_WORDS = re2.compile(f"{_MADE_UP.pattern}|{_MIXTURE}")
_IMITATION = _LOOK_ALIKES + string.ascii_letters
_WORD = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 20_000

# letters set apart by single spaces, words by several
_SPACED = re2.compile("(?:[a-z] ){6}[a-z](?: |$)")
_GAP = re.compile(r"(?<=\b\w) (?=\w\b)")


def unspaced(text: str) -> str:
    """A normalized text with letters that were set apart by blanks joined again."""
    return _GAP.sub("", text) if _SPACED.search(text) else text


def normalize(text: str) -> str:
    """Compatibility forms resolved, letters of other scripts in Latin words and made-up alphabets read as what they
    look like, invisible characters and loose accents taken out, small letters."""
    plain = text.lower()
    if text.isascii() or not _UNUSUAL.search(plain):
        return plain
    plain = _LOOSE_ACCENTS.sub("", visible(plain))
    if _FORM.search(plain):
        plain = compatibility_form(_LONG_LIGATURES.sub(" ", plain)).lower()
    return plain.translate(_LETTERS) if _MIXED.search(plain) else plain


def looks_alike(text: str) -> bool:
    """Whether words are written with letters that only look like those of their script, or in a made-up alphabet."""
    if text.isascii() or not _ODD_WORDS.search(text):
        return False
    if _MADE_UP.search(text):
        return True
    words = (word.group() for word in islice(_WORD.finditer(text), _MOST_WORDS))
    return any(_IMITATING.search(word) and not word.strip(_IMITATION) for word in words if not word.isascii())
