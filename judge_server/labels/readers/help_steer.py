"""HelpSteer 2 and 3 (nvidia/HelpSteer2, nvidia/HelpSteer3): ratings of five attributes from 0 to 4, and preferences
from -3 (response 1 is much better) to 3 (response 2 is).

Ratings are people's: one aggregate, or one for each annotator where a row holds a list. Annotators are numbered within
a row, because the data do not say who they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import given
from judge_server.util.canonical import digest

ATTRIBUTES: Final = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
_PEOPLE: Final = "annotators (aggregate)"


def recognizes(record: Mapping[str, Any]) -> bool:
    ratings = {"prompt", "response", *ATTRIBUTES} <= set(record)
    return ratings or _strength(record) is not None


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each rating; where each person's preference is given, the aggregate is left out."""
    for row, record in rows:
        if _strength(record) is not None:
            yield from _preferences(row, record)
        elif {"prompt", "response"} <= set(record):
            yield from _ratings(row, record)
        else:
            findings.add(
                row, None, "the row has neither ratings nor a preference", "Use one file of HelpSteer as it is."
            )


def _ratings(row: int, record: Mapping[str, Any]) -> Iterator[Record]:
    base = _texts(record, str(given(record["response"], default="")))
    for name in ATTRIBUTES:
        found = record.get(name)
        if isinstance(found, list):
            for place, value in enumerate(found, 1):
                yield row, {**base, "criterion": name, "annotator": f"annotator-{place}", "label": value}
        elif found is not None:
            yield row, {**base, "criterion": name, "annotator": _PEOPLE, "label": found}


def _strength(record: Mapping[str, Any]) -> Any:
    first = record.get("preference_strength")
    return record.get("overall_preference") if first is None else first


def _preferences(row: int, record: Mapping[str, Any]) -> Iterator[Record]:
    one, two = (given(record.get(f"response_{place}"), record.get(f"response{place}"), default="") for place in (1, 2))
    base = {**_texts(record, f"Response 1:\n{one}\n\nResponse 2:\n{two}"), "criterion": "preference"}
    people = record.get("individual_preference")
    people = record.get("all_preferences_unprocessed") if people is None else people
    listed = [each for each in people if isinstance(each, Mapping)] if isinstance(people, list) else []
    for place, each in enumerate(listed, 1):
        score = each.get("score")
        label = each.get("strength") if score is None else score
        reason = each.get("reasoning")
        why = each.get("elaboration") if reason is None else reason
        said = {"annotator": f"annotator-{place}", "label": label, "rationale": "" if why is None else str(why)}
        yield row, {**base, **said}
    if not listed:
        why = record.get("preference_elaboration")
        said = {"annotator": _PEOPLE, "label": _strength(record), "rationale": "" if why is None else str(why)}
        yield row, {**base, **said}


def _texts(record: Mapping[str, Any], response: str) -> dict[str, Any]:
    asked = record.get("prompt")
    prompt = conversation_text(record.get("context") if asked is None else asked)
    tags = [str(record[name]) for name in ("domain", "split") if isinstance(record.get(name), str)]
    base = {"role": "human", "item": digest([prompt, response])[7:23], "prompt": prompt, "response": response}
    language = record.get("language")
    return {**base, "tags": tags, **({"language": language} if isinstance(language, str) else {})}
