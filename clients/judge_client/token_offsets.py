"""Which characters of a text each token stands for, if the tokenizer does not say so itself.

A fast tokenizer of Hugging Face gives these offsets when it encodes (``return_offsets_mapping=True``). A trainer holds
the token ids that the policy sampled, and encoding their text again need not give the same ids. ``token_offsets`` finds
the offsets of the sampled ids by decoding them piece by piece.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import zip_longest

Offsets = list[tuple[int, int]]
Decode = Callable[[list[int]], str]


def token_offsets(
    token_ids: Sequence[int], decode: Decode, *, special: Collection[int] = (), text: str | None = None
) -> Offsets:
    """(start, end) of the characters of ``decode(token_ids)`` that each token has a part in.

    Tokens that share a character (byte-level BPE cuts an emoji into several) all have it. ``special``: ids that
    ``decode`` leaves out (``tokenizer.all_special_ids`` with ``skip_special_tokens=True``); they get an empty place.
    ``text``: what was judged; raises ValueError if the tokens say something else. Exact where ``decode`` only
    appends as tokens are added (``clean_up_tokenization_spaces=False``); else slow, and off by what it takes back.
    """
    hidden = frozenset(special)
    shown = [one for one in token_ids if one not in hidden]
    whole = decode(shown)
    if text is not None and text != whole:
        raise ValueError(
            f"the tokens say another text than was judged, from character {_common(text, whole, 0)} on: decode them "
            "in the same way (special tokens left out or kept), and send that text to the judge"
        )
    found = _walk(shown, decode, whole, windowed=True) or _walk(shown, decode, whole, windowed=False)
    places = iter(found)
    result: Offsets = []
    reached = 0
    for one in token_ids:
        place = (reached, reached) if one in hidden else next(places)
        reached = place[1]
        result.append(place)
    return result


def turns_at(token_ids: Sequence[int], end_of_turn: Collection[int]) -> list[tuple[int, int]]:
    """(first, last + 1) of the tokens of each turn, which ends with a token of ``end_of_turn`` (``<|im_end|>``); tokens
    after the last of them are a turn that was cut off."""
    turns: list[tuple[int, int]] = []
    begun = 0
    for place, one in enumerate(token_ids):
        if one in end_of_turn:
            turns.append((begun, place + 1))
            begun = place + 1
    return [*turns, (begun, len(token_ids))] if begun < len(token_ids) else turns


def _walk(token_ids: list[int], decode: Decode, whole: str, *, windowed: bool) -> Offsets:
    """Decode ever longer beginnings and see how much of ``whole`` each completes. Windowed, only the tokens since the
    last but one whole character are decoded, which is linear work instead of quadratic; nothing is returned where that
    does not add up."""
    found: Offsets = []
    anchor = read = 0  # what is decoded begins at anchor; everything up to read was whole
    known, done = "", 0  # decode(token_ids[anchor:read]), and the characters of whole that were complete then
    complete = 0
    for place in range(1, len(token_ids) + 1):
        said = decode(token_ids[anchor:place])
        if not said.startswith(known):
            return []
        fresh = said[len(known) :]
        reached = done + _common(fresh, whole, done)
        partial = len(fresh) > reached - done
        start, end = complete, min(reached + partial, len(whole))
        if start >= end and start and decode(token_ids[place - 1 : place]):
            start, end = start - 1, start  # the rest of a character whose bytes read as U+FFFD all the way
        found.append((start, max(start, end)))
        complete = max(complete, reached)
        if windowed and not partial and reached > done:
            anchor, read, done = read, place, reached
            known = decode(token_ids[anchor:read])
    return found if complete == len(whole) else []


def _common(some: str, whole: str, start: int) -> int:
    """How many characters of ``some`` stand in ``whole`` from ``start`` on."""
    for count, (one, other) in enumerate(zip_longest(some, whole[start : start + len(some)])):
        if one != other:
            return count
    return len(some)
