"""Characters that look exactly like others, and marks that show nothing where they stand: facts of Unicode.

A text written now with the one and now with the other carries bits that nobody sees. Contextual forms of Arabic
letters, ligatures and digraphs, radicals and hyphens that do not break are compatibility forms (UnicodeData.txt) and
are shown as what they stand for; Thai and Lao am has one spelling. A mark that joins, stacks or fills (Invisible
Stacker, Number Joiner and the like of IndicSyllabicCategory.txt; format controls of hieroglyphs and shorthand) shows
something only after a letter of its own script.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

import re2

_LIGATURES = "132-133 13f-140 149 1c4-1cc 1f1-1f3 fb00-fb06 fb13-fb17"
_RADICALS = "2e9f 2ef3 2f00-2fd5"
_ARABIC_FORMS = "fb50-fdf1 fe80-fefc"  # without the marks that stand alone, and the words and phrases in one sign
_AM = re.compile("\u0e4d([\u0e48-\u0e4b]*)\u0e32|\u0ecd([\u0ec8-\u0ecb]*)\u0eb2")

# each mark, and the letters and marks after which it shows something
_OWN: Final = {
    "\u1039": "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f",  # Myanmar
    "\u17d2": "\u1780-\u17ff",  # Khmer
    "\u1a60": "\u1a20-\u1aaf",  # Tai Tham
    "\u2d7f": "\u2d30-\u2d7f",  # Tifinagh
    "\uaaf6": "\uaae0-\uaaff\uabc0-\uabff",  # Meetei Mayek
    "\U00010a3f": "\U00010a00-\U00010a5f",  # Kharoshthi
    "\U0001107f": "\U00011000-\U0001107f",  # Brahmi
    "\U00011133": "\U00011100-\U0001114f",  # Chakma
    "\U000113d0": "\U00011380-\U000113ff",  # Tulu-Tigalari
    "\U0001193e": "\U00011900-\U0001195f",  # Dives Akuru
    "\U00011a47": "\U00011a00-\U00011a4f",  # Zanabazar Square
    "\U00011a99": "\U00011a50-\U00011aaf",  # Soyombo
    "\U00011d45": "\U00011d00-\U00011d5f",  # Masaram Gondi
    "\U00011d97": "\U00011d60-\U00011daf",  # Gunjala Gondi
    "\U00011f42": "\U00011f00-\U00011f5f",  # Kawi
    "\U00013430-\U00013455": "\U00013000-\U0001345f\U00013460-\U000143ff",  # hieroglyphs
    "\U00016fe4": "\U00016fe4\U00018b00-\U00018cff",  # Khitan
    "\U0001bc9d": "\U0001bc00-\U0001bc9f",  # Duployan
    "\U0001da9b-\U0001daaf": "\U0001d800-\U0001daaf",  # SignWriting
}


def _forms() -> Iterator[tuple[str, str]]:
    for part in f"{_LIGATURES} {_RADICALS} {_ARABIC_FORMS}".split():
        first, _, last = part.partition("-")
        for character in map(chr, range(int(first, 16), int(last or first, 16) + 1)):
            shown = unicodedata.normalize("NFKC", character)
            if shown != character and " " not in shown:
                yield character, shown


# the hyphen of its own, the one that does not break, and the one of the keyboard; Tibetan's mark that does not break
_SHOWN: Final = {"\u2010": "-", "\u2011": "-", "\u0f0c": "\u0f0b"} | dict(_forms())
_TABLE: Final = str.maketrans(_SHOWN)
ODD: Final = re2.compile(f"[{''.join((*_SHOWN, *_OWN))}\u0e4d\u0ecd]")
"""In each text that a function of this file may change."""
_STRAY: Final = re.compile("|".join(f"(?<![{own}])[{mark}]+" for mark, own in _OWN.items()))


def in_usual_forms(text: str) -> str:
    """The text with one character, or sequence, for each that looks the same."""
    text = text.translate(_TABLE)
    return _AM.sub(lambda found: f"{found[1]}\u0e33" if found[1] is not None else f"{found[2]}\u0eb3", text)


def without_stray_marks(text: str) -> tuple[str, bool]:
    """The text without marks that show nothing where they stand, and whether there were any."""
    shown = _STRAY.sub("", text)
    return shown, shown != text
