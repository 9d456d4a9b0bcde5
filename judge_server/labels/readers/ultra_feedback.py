"""UltraFeedback (openbmb/UltraFeedback): completions of several models, rated by GPT-4 on four aspects from 1 to 5 and
overall from 1 to 10.

The ratings are a judge's. ``N/A`` abstains. The mean of the aspects (``fine-grained_score``) is not read, because it is
no rating of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import given
from judge_server.util.canonical import digest

_JUDGE: Final = "gpt-4"
_REASONS: Final = ("Rationale For Rating", "Rationale")


def recognizes(record: Mapping[str, Any]) -> bool:
    completions = record.get("completions")
    return (
        "instruction" in record
        and isinstance(completions, list)
        and any(isinstance(one, Mapping) and "annotations" in one for one in completions)
    )


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each rating of each completion."""
    for row, record in rows:
        completions = record.get("completions")
        if not isinstance(completions, list):
            findings.add(row, "completions", "the row has no completions", "Use a file of UltraFeedback as it is.")
            continue
        prompt = str(given(record.get("instruction"), default=""))
        source = record.get("source")
        for place, one in enumerate(completions, 1):
            if isinstance(one, Mapping) and isinstance(one.get("response"), str):
                tags = [source] if isinstance(source, str) else []
                yield from _ratings(row, {**_base(prompt, place, one), "tags": tags}, one)
            else:
                advice = "Use a file of UltraFeedback as it is."
                findings.add(row, "completions", f"completion {place} has no response", advice)


def _base(prompt: str, place: int, completion: Mapping[str, Any]) -> dict[str, Any]:
    model = completion.get("model")
    name = str(place) if model is None else str(model)
    base = {"item": f"{digest(prompt)[7:23]}/{name}", "annotator": _JUDGE, "role": "judge", "prompt": prompt}
    return {**base, "response": completion["response"], **({} if model is None else {"writer": str(model)})}


def _ratings(row: int, base: Mapping[str, Any], completion: Mapping[str, Any]) -> Iterator[Record]:
    aspects = completion.get("annotations")
    for name, found in aspects.items() if isinstance(aspects, Mapping) else ():
        if isinstance(found, Mapping) and "Rating" in found:
            reasons = (str(found[key]) for key in _REASONS if found.get(key) is not None)
            said = {"criterion": str(name), "label": found["Rating"], "rationale": next(reasons, "")}
            yield row, {**base, **said}
    if completion.get("overall_score") is not None:
        critique = completion.get("critique")
        said = {"label": completion["overall_score"], "rationale": "" if critique is None else str(critique)}
        yield row, {**base, **said, "criterion": "overall_score"}
