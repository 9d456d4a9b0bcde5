"""How many different texts a policy wrote: counted by a program, because no judge of single responses can see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from statistics import fmean

from judge_client.sample import Text


def diversity(texts: Sequence[Text], prompts: Sequence[Hashable]) -> dict[str, float]:
    """For a trainer's log. ``distinct_texts``: different texts ÷ texts of the whole batch;
    ``distinct_texts_per_prompt``: the mean of that over prompts with two or more texts. 1 if no two texts are equal,
    1/n if all n are. What cannot be known is absent. ``prompts``: what the texts of one prompt have in common."""
    by_prompt: dict[Hashable, list[Text]] = defaultdict(list)
    for text, prompt in zip(texts, prompts, strict=True):
        by_prompt[prompt].append(text)
    found = {"distinct_texts": distinct_share(texts)} if texts else {}
    shares = [distinct_share(several) for several in by_prompt.values() if len(several) > 1]
    return found | ({"distinct_texts_per_prompt": fmean(shares)} if shares else {})


def distinct_share(texts: Sequence[Text]) -> float:
    """Different texts ÷ texts; case and white space do not count. Raises ZeroDivisionError without any text."""
    return len({_read(text) for text in texts}) / len(texts)


def _read(text: Text) -> str:
    """What was written, without the names of roles."""
    if isinstance(text, str):
        return " ".join(text.casefold().split())
    return "\n".join(_read(_content(message)) for message in text)


def _content(message: Mapping[str, object]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else repr(content)
