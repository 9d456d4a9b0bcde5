"""Which invisible characters a script or an emoji registers at a place: facts of the Unicode standard.

Sources: StandardizedVariants.txt, emoji-variation-sequences.txt and emoji-zwj-sequences.txt of the Unicode Character
Database, and the joining types of Arabic letters (ArabicShaping.txt). Variants of CJK compatibility ideographs follow
from their canonical decompositions.
"""

import unicodedata
from functools import cache
from typing import Literal

Kind = Literal["flag", "presentation", "variant", "joiner", "emoji", "mongolian"]

SUBDIVISION_FLAGS = frozenset(("gbeng", "gbsct", "gbwls"))
"""The flags of subdivisions that are recommended for general interchange: England, Scotland, Wales."""

_TEXT_BY_DEFAULT = (
    "23 2a 30-39 a9 ae 203c 2049 2122 2139 2194-2199 21a9-21aa 2328 23cf 23ed-23ef 23f1-23f2 23f8-23fa 24c2 "
    "25aa-25ab 25b6 25c0 25fb-25fc 2600-2604 260e 2611 2618 261d 2620 2622-2623 2626 262a 262e-262f 2638-263a "
    "2640 2642 265f-2660 2663 2665-2666 2668 267b 267e 2692 2694-2697 2699 269b-269c 26a0 26a7 26b0-26b1 26c8 "
    "26cf 26d1 26d3 26e9 26f0-26f1 26f4 26f7-26f9 2702 2708-2709 270c-270d 270f 2712 2714 2716 271d 2721 "
    "2733-2734 2744 2747 2763-2764 27a1 2934-2935 2b05-2b07 3030 303d 3297 3299 1f170-1f171 1f17e-1f17f 1f202 "
    "1f237 1f321 1f324-1f32c 1f336 1f37d 1f396-1f397 1f399-1f39b 1f39e-1f39f 1f3cb-1f3ce 1f3d4-1f3df 1f3f3 1f3f5 "
    "1f3f7 1f43f 1f441 1f4fd 1f549-1f54a 1f56f-1f570 1f573-1f579 1f587 1f58a-1f58d 1f590 1f5a5 1f5a8 1f5b1-1f5b2 "
    "1f5bc 1f5c2-1f5c4 1f5d1-1f5d3 1f5dc-1f5de 1f5e1 1f5e3 1f5e8 1f5ef 1f5f3 1f5fa 1f6cb 1f6cd-1f6cf 1f6e0-1f6e5 "
    "1f6e9 1f6f0 1f6f3"
)
_FIRST_VARIANT = (
    "30 1000 1002 1004 1010-1011 1015 1019-101a 101c-101d 1022 1031 1075 1078 107a 1080 2205 2229-222a 2268-2269 "
    "2272-2273 228a-228b 2293-2295 2297 229c 22da-22db 2a3c-2a3d 2a9d-2a9e 2aac-2aad 2acb-2acc 3001-3002 a856 "
    "a85c a85e-a860 a868 aa60-aa66 aa6b-aa6c aa6f aa7a ff01 ff0c ff0e ff10 ff1a-ff1b ff1f 10ac5-10ac6 10ad6-10ad7 "
    "10ae1"
)
_SECOND_VARIANT = "3001-3002 ff01 ff0c ff0e ff1a-ff1b ff1f"
_MONGOLIAN_VARIANTS = {
    "\u180b": "1820-1826 1828 182a 182c-182d 1830 1832-1833 1835-1836 1838 1844-1849 184d-184e 185d-185e 1860 1863 "
    "1868-1869 186f 1873-1874 1876 1880-1881 1887-1888 188a",
    "\u180c": "1820 1825-1826 1828 182c-182d 1830 1836 1847 185e 1868 1873-1874 1887",
    "\u180d": "1828 182c-182d 1873-1874 1887",
}
# letters of the Arabic script that do not join the next letter: after them a non-joiner shows nothing
_NOT_JOINING = (
    "621-625 627 629 62f-632 648 671-677 688-699 6c0 6c3-6cb 6cd 6cf 6d2-6d3 6d5 6dd 6ee-6ef 710 715-719 71e 728 "
    "72c 72f 759-75b 76b-76c 771 773-774 778-779 8aa-8ac 8ae 8b1-8b2 8b9"
)
_ARABIC = "620-65f 66e-6d3 6d5-6ef 6fa-6ff 700-74f 750-77f 860-86f 8a0-8ff"
_PEOPLE = (
    "261d 26f9 270a-270d 1f385 1f3c2-1f3c4 1f3c7 1f3ca-1f3cc 1f442-1f443 1f446-1f450 1f466-1f478 1f47c "
    "1f481-1f483 1f485-1f487 1f48f 1f491 1f4aa 1f574-1f575 1f57a 1f590 1f595-1f596 1f645-1f647 1f64b-1f64f 1f6a3 "
    "1f6b4-1f6b6 1f6c0 1f6cc 1f90c 1f90f 1f918-1f91f 1f926 1f930-1f939 1f93c-1f93e 1f977 1f9b5-1f9b9 1f9bb "
    "1f9cd-1f9cf 1f9d1-1f9df 1f9cc 1f46f 1fac3-1fac5 1faf0-1faf8 1f3fb-1f3ff"
)
_AFTER_PEOPLE = (
    "2640 2642 2695-2696 2708 2764 27a1 1f33e 1f373 1f37c 1f384 1f393 1f3a4 1f3a8 1f3eb 1f3ed 1f466-1f469 1f48b "
    "1f4bb 1f4bc 1f527 1f52c 1f680 1f692 1f91d 1f9af-1f9b3 1f9bc-1f9bd 1f9d1-1f9d2 1fa70 1f91d 1faef 1f430 1f432"
)
_EMOJI_PAIRS = frozenset(
    (
     "🏳🌈", "🏳⚧", "🏴☠", "👁🗨", "😮💨", "😵💫", "😶🌫", "❤🔥", "❤🩹",
     "❤👨", "❤👩", "❤🧑", "❤💋", "💋👨", "💋👩", "💋🧑", "🤝👨", "🤝👩",
     "🤝🧑", "🐕🦺", "🐈⬛", "🐦⬛", "🐻❄", "🐦🔥", "🍋🟩", "🍄🟫", "⛓💥",
     "🙂↔", "🙂↕", "🫱🫲", "♀➡", "♂➡", "🦯➡", "🦼➡", "🦽➡",
    )
)  # fmt: skip


def characters(ranges: str) -> frozenset[str]:
    """The characters of ranges such as ``30-39 ae``, in hexadecimal."""
    found: set[str] = set()
    for one in ranges.split():
        first, _, last = one.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(found)


TEXT_BY_DEFAULT = characters(_TEXT_BY_DEFAULT)
"""Emoji that are shown as text unless a selector asks for the picture. After all others a selector shows nothing."""
ARABIC = characters(_ARABIC)
_KEYCAPS = frozenset("#*0123456789")
_VARIANTS = {"\ufe00": characters(_FIRST_VARIANT), "\ufe01": characters(_SECOND_VARIANT)}
_MONGOLIAN = {selector: characters(letters) for selector, letters in _MONGOLIAN_VARIANTS.items()}
_DUAL_JOINING = ARABIC - characters(_NOT_JOINING)
_PERSON, _AFTER_A_PERSON = characters(_PEOPLE), characters(_AFTER_PEOPLE)
VIRAMAS = frozenset(
    chr(code) for code in (*range(0x900, 0x1C00), *range(0xA800, 0xAC00), *range(0x11000, 0x11FFF))
    if unicodedata.combining(chr(code)) == 9
)  # fmt: skip


@cache
def _compatibility_variants() -> dict[str, int]:
    """How many compatibility ideographs stand for an ideograph: as many selectors are registered for it."""
    count: dict[str, int] = {}
    for code in (*range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20)):
        unified = unicodedata.decomposition(chr(code))
        if unified and " " not in unified:
            base = unicodedata.normalize("NFD", chr(code))
            count[base] = count.get(base, 0) + 1
    return count


def registered(character: str, before: str, after: str) -> Kind | None:
    """What ``character`` is for between ``before`` and ``after`` (visible characters, or empty), or None if nothing."""
    if character in "\ufe0e\ufe0f":
        wanted = before in TEXT_BY_DEFAULT and (before not in _KEYCAPS or after == "\u20e3")
        return "presentation" if wanted else None
    if "\ufe00" <= character <= "\ufe0d":
        known = before in _VARIANTS.get(character, ()) or ord(character) - 0xFE00 < _compatibility_variants().get(
            before, 0
        )
        return "variant" if known else None
    if character in _MONGOLIAN:
        return "mongolian" if before in _MONGOLIAN[character] else None
    if character == "\u180e":
        return "mongolian" if "\u1820" <= before <= "\u18aa" and after in ("\u1820", "\u1821") else None
    if character in "\u200c\u200d":
        return _joiner(character, before, after)
    return None


def _joiner(character: str, before: str, after: str) -> Kind | None:
    if before in VIRAMAS or (after in VIRAMAS and before in ("\u09b0", "\u0930")):
        return "joiner"
    if character == "\u200c":
        return "joiner" if before in _DUAL_JOINING and after in ARABIC else None
    if (before in _DUAL_JOINING) != (after in _DUAL_JOINING) and not (before in ARABIC and after in ARABIC):
        return "joiner"  # an isolated letter in its joined form
    joined = f"{before}{after}" in _EMOJI_PAIRS or (before in _PERSON and after in _AFTER_A_PERSON)
    return "emoji" if joined else None
