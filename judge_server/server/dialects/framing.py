"""The marks that a trainer's decoding leaves at the two ends of a text.

Only the ends are touched: marks at the very beginning (start of text, padding) and at the very end (end of turn, end of
text, padding). Nothing that stands between them is hidden, whatever it spells, so a policy that writes such marks into
its response gains nothing.
"""

import re

LEADING = (
    "<s>",
    "<bos>",
    "<pad>",
    "<unk>",
    "<|begin_of_text|>",
    "<|endoftext|>",
    "<|startoftext|>",
    "<|finetune_right_pad_id|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|im_end|>",
    "<|pad|>",
    "[PAD]",
    "[gMASK]",
    "<sop>",
    "</s>",
    "<eos>",
    "<\uff5cbegin\u2581of\u2581sentence\uff5c>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "<\uff5c\u2581pad\u2581\uff5c>",
)
TRAILING = (
    "<|im_end|>",
    "<|im_start|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|finetune_right_pad_id|>",
    "<end_of_turn>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|user|>",
    "<|observation|>",
    "<|pad|>",
    "</s>",
    "<eos>",
    "<pad>",
    "[PAD]",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "<\uff5c\u2581pad\u2581\uff5c>",
)

# one match from the end on; Python has no search backwards, so text and marks are reversed
_BEGINNING = re.compile(rf"(?:\s|{'|'.join(map(re.escape, LEADING))})*+")
_ENDING = re.compile(rf"(?:\s*+(?:{'|'.join(re.escape(mark[::-1]) for mark in TRAILING)}))*+")


def content_start(text: str) -> int:
    """Where the content begins: after white space and leading marks. Linear in the length of what is skipped."""
    found = _BEGINNING.match(text)
    return found.end() if found else 0


def without_ending(text: str) -> str:
    """``text`` without the run of trailing marks at its very end; text that has none comes back as it is."""
    found = _ENDING.match(text[::-1])
    return text[: len(text) - found.end()] if found else text


def past_space(text: str, place: int) -> int:
    """The first place from ``place`` on that is no white space."""
    while place < len(text) and text[place].isspace():
        place += 1
    return place
