"""The corpora of texts that say nothing, by name, as (kind, question, text)."""

from collections.abc import Iterable, Iterator

from tests.attack.evaluation import (
    eighth_degenerate,
    eleventh_degenerate,
    fifth_degenerate,
    fourth_degenerate,
    ninth_degenerate,
    second_degenerate,
    seventh_degenerate,
    sixth_degenerate,
    tenth_degenerate,
    third_degenerate,
    twelfth_degenerate,
)
from tests.attack.evaluation.held_out_degenerate import degenerate_texts
from tests.attack.evaluation.written_texts import CORPORA, empty_texts

Text = tuple[str, str, str]


def all_corpora() -> dict[str, Iterable[Text]]:
    """Those of one hand, and those that others wrote."""
    return {**learnt_from(), **held_out(), **{name: empty_texts(name) for name in CORPORA}}


def learnt_from() -> dict[str, Iterable[Text]]:
    """Those that were read once they had been measured, and from which weights are learnt."""
    return {
        "first": degenerate_texts(),
        "second": (text for half in (True, False) for text in second_degenerate.degenerate_texts(tuning=half)),
        "third": third_degenerate.degenerate_texts(),
        "fourth": fourth_degenerate.degenerate_texts(),
        "fifth": fifth_degenerate.degenerate_texts(),
        "seventh": _by_kind(seventh_degenerate.kinds()),
        "eighth": _by_kind(eighth_degenerate.kinds()),
        "twelfth": twelfth_degenerate.kinds(),
    }


def held_out() -> dict[str, Iterable[Text]]:
    """Those of which no rule and no weight was learnt."""
    return {
        "sixth, prose alone, held out": sixth_degenerate.degenerate_texts(),
        "ninth, prose held out": ninth_degenerate.kinds(),
        "tenth, held out": tenth_degenerate.kinds(),
        "eleventh, held out": _by_kind(eleventh_degenerate.kinds()),
    }


def _by_kind(texts: Iterable[Text]) -> Iterator[Text]:
    return ((kind.split(":")[0], question, text) for kind, question, text in texts)
