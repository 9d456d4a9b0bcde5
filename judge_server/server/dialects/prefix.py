"""The response behind its prompt, where a trainer sends both as one text and the prompt once more.

Decoding may add or lose marks at the beginning and change white space; nothing else may differ. Where something else
does (a prompt that was cut on its left, another template), that is an error and not a guess.
"""

from judge_server.server.dialects.fault import UnsplitText
from judge_server.server.dialects.framing import content_start


def response_after(prompt: str, query: str) -> str:
    """What ``query`` says after ``prompt``. Raises UnsplitText where the prompt is empty or no prefix of it."""
    wanted = prompt[content_start(prompt) :]
    if not wanted.strip():
        raise UnsplitText("The prompt is empty.", remedy="Send the prompt as the policy was given it.")
    for given, told in ((prompt, query), (wanted, query[content_start(query) :])):
        if told.startswith(given):
            return told[len(given) :]
    end = _end_of("".join(wanted.split()), query, content_start(query))
    if end is None:
        raise UnsplitText(
            "The query does not begin with its prompt.",
            remedy="Let the trainer cut no prompts (raise its longest prompt), and send both with the same template.",
        )
    return query[end:]


def _end_of(letters: str, text: str, place: int) -> int | None:
    """Where ``text`` from ``place`` on has said all of ``letters``, white space aside; None where it says others."""
    said = 0
    while said < len(letters):
        if place == len(text):
            return None
        if not text[place].isspace():
            if text[place] != letters[said]:
                return None
            said += 1
        place += 1
    return place
