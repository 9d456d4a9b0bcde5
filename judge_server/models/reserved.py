"""Break every control string in outside text, so that it cannot spell a control token of a judge's chat template.

A remote server renders the template itself, so a text that spells a control token would end its own message and begin
another. One space after the first character breaks the spelling for every tokenizer and leaves the text readable;
nothing else changes. A normalising tokenizer resolves compatibility forms and drops accents, invisible and control
characters, which can produce a control string; so the normalised form of a text is searched as well.
"""

import hashlib
import re
import unicodedata
from functools import cache
from itertools import chain
from typing import Any

import re2

_FILLERS = "\u115f\u1160\u3164\uffa0\ufffd"
_CONTROLS = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F)
_BLOCKS = chain(_CONTROLS, range(0x80, 0xD800), range(0xE000, 0x20000), range(0xE0000, 0xE1000))
_ASCII_CONTROL = re2.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@cache
def _forms() -> dict[str, str]:
    """Characters that normalisation changes to ASCII or removes, with their replacements."""
    found = {}
    for character in map(chr, _BLOCKS):
        kept = "".join(part for part in unicodedata.normalize("NFKD", character) if not _dropped(part))
        if kept.isascii():
            found[character] = kept
    return found


def _dropped(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Cf", "Cc") or character in _FILLERS


@cache
def _changing() -> Any:
    """RE2, because Python's engine tests a large character class range by range: 0.2 s for a megabyte."""
    return re2.compile("[" + "".join(_ranges(sorted(map(ord, _forms())))) + "]")


def _ranges(codes: list[int]) -> list[str]:
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return [f"{chr(first)}-{chr(last)}" for first, last in ranges]


def changes(text: str) -> bool:
    """Whether a normalising tokenizer may produce ASCII from ``text`` that is not in it."""
    if text.isascii() and not _ASCII_CONTROL.search(text):
        return False
    try:
        return _changing().search(text) is not None
    except UnicodeEncodeError:  # a lone surrogate, which RE2 does not read
        return changes(text.encode("utf-8", "replace").decode())


def plain_form(text: str) -> tuple[str, list[int]]:
    """The form, and for each of its characters the index in ``text`` that it comes from."""
    forms = _forms()
    pieces, places = [], []
    for place, character in enumerate(text):
        form = forms.get(character, character)
        pieces.append(form)
        places += [place] * len(form)
    return "".join(pieces), places


def plain_text(text: str) -> str:
    """The form alone, several times as fast."""
    return text.translate(_table())


@cache
def _table() -> dict[int, str]:
    return {ord(character): form for character, form in _forms().items()}


# Names between angle brackets: sentence boundaries, turns, thinking, tools, images, reserved slots.
ANGLE_NAMES = (
    "s|bos|eos|pad|unk|mask|cls|sep|sop|eop|eod|eot|[a-z]{2,16}_token|role|start_of_turn|end_of_turn|end_of_utterance|"
    "think|thinking|thought|seed:[a-z_:]+|mask:[0-9]+|image|img|video|audio|(?:start|end)_of_(?:image|audio)|"
    "(?:image|audio)_soft_token|image_placeholder|image_pad|img_context|vision_start|vision_end|tool|tools|tool_calls?|"
    "tool_responses?|tool_outputs?|tool_declare|minimax:tool_call|toolcall|function_calls?|function_response|observation|arg_key|"
    "arg_value|fim_[a-z]+|file_sep|repo_name|jupyter_[a-z_]+|endoftext|startoftext|beginoftext|unused_?[0-9]+|"
    "reserved_?[0-9]+|special_[0-9]+|extra_id_[0-9]+|0x[0-9a-f]{2}|ctrl[0-9]+|im_(?:start|end|patch)|"
    "patch_(?:start|end)|_(?:start|end|user|bot|system|assistant)|available_tools|code_interpreter|human|bot|ai|用户"
)

# Names between square brackets, in capitals as their templates write them.
SQUARE_NAMES = (
    "INST|SYSTEM_PROMPT|MODEL_SETTINGS|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|CALL_ID|THINK|IMG|"
    "IMG_BREAK|IMG_END|AUDIO|BEGIN_AUDIO|TRANSCRIBE|PREFIX|MIDDLE|SUFFIX|gMASK|sMASK|MASK|CLS|SEP|PAD|UNK|BOS|EOS|EOT|"
    "STREAMING_PAD|STREAMING_WORD|OUTPUT_AUDIO|multimodal|@BOS@|USER|BOT|UNUSED_TOKEN_[0-9]+|control_[0-9]+"
)

# Compatibility forms of <, > and | count too: DeepSeek's tokens use one, and a normaliser may fold the others.
LESS, MORE, BAR = r"<\uff1c\ufe64", r">\uff1e\ufe65", r"\|\uff5c"

INSIDE = rf"[^\s{LESS}{MORE}{BAR}_:\u2581]"

# The possible first characters come first in the pattern, so that the scan skips everything else quickly.
RESERVED = re.compile(
    rf"""
    [{LESS}/\[\]{MORE}{BAR}\u25c1] (?:
      (?<=[{LESS}]) (?= [{BAR}]                                               # <|im_start|>, <|turn>
                      | [^\s<>{BAR}]{{1,64}} [{BAR}] [{MORE}]                  # <turn|>
                      | <?/?SYS>>                                             # <<SYS>>, <</SYS>>
                      | /? (?=\w) (?i:{ANGLE_NAMES}) [{MORE}]              # <s>, </think>, <start_of_turn>
                      | /? {INSIDE}{{0,64}} [_:\u2581] [^\s{LESS}{MORE}]{{0,64}} [{MORE}]   # every <end_of_x>, <a:b>
                      | /? [A-Z][A-Z0-9-]{{1,31}} [{MORE}] )                # every name in capitals: <END>
    | (?<=\u25c1) (?= /? [^\s\u25c1\u25b7]{{1,64}} \u25b7 )                  # every ◁name▷
    | (?<=\[) (?= /? (?:{SQUARE_NAMES}) \]                          # [INST], [/INST], [gMASK]
                | /? [A-Z][A-Z0-9]{{0,31}} (?: [_-][A-Z0-9]{{1,31}} ){{1,4}} \]   # every [NAME_IN_CAPITALS]
                | / [A-Z][A-Z0-9]{{1,31}} \]                              # every [/NAME]
                | [{BAR}] [A-Za-z_]{{1,32}} [{BAR}] \]                        # [|user|]
                | e~\[ )                                                      # [e~[
    | (?<=\]) (?= ~!?b[\[\]] | ![a-z]~\[ | <\]                                 # ]~b], ]~!b[, ]!p~[, ]<]image[>[
                | [~!<] [!b]? [a-z]? ~? \Z )
    | (?<=[{MORE}]) (?= > [A-Z]+ << )                                      # >>ANSWER<<
    | (?<=[{BAR}]) (?= DSML [{BAR}] )                                      # ｜DSML｜, also in </｜DSML｜invoke
    | (?<=/) (?= nothink )                                             # /nothink, a token of its own
    | (?<=/) (?<! [\w/.]/ ) (?= (?:no_?)?think\b (?! [{MORE}] ) )             # /no_think, a switch in a user's message
    | (?<! [/\]{MORE}{BAR}] ) (?= [^\s{LESS}{MORE}\[\]]{{0,64}} \Z )    # an end that another text may complete
    )
    """,
    re.VERBOSE,
)

# Part of every cache key: verdicts from before a control string was added are not reused.
RESERVED_DIGEST = hashlib.sha256(RESERVED.pattern.encode()).hexdigest()


def break_reserved(text: str) -> str:
    """``text`` with every control string broken by one space after its first character. Includes control strings that
    only begin at the end of the text, and those that a normalising tokenizer would produce. Idempotent."""
    broken = RESERVED.sub(lambda opening: opening.group() + " ", text)
    return _break_forms(broken) if changes(broken) else broken


def _break_forms(text: str) -> str:
    if not RESERVED.search(plain_text(text)):
        return text
    form, places = plain_form(text)
    ends = sorted({places[opening.end() - 1] + 1 for opening in RESERVED.finditer(form)})
    return " ".join(text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True))
