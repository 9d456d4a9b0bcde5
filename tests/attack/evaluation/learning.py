"""``python -m tests.attack.evaluation.learning``: learn the weights of ``guard/impression.py`` and write them.

With ``--without CORPUS`` nothing is written: the texts of that corpus are left out, and what the weights find in them
is told. A quarter of the real sentences is always left out. The sentences are those of the programs on this machine,
so that weights learnt elsewhere differ a little.
"""

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from itertools import chain
from pathlib import Path
from unittest.mock import patch

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

import judge_server.guard
from judge_server.attack.genuine import RIGHT_ANSWER, genuine_answers
from judge_server.core.submission import Submission
from judge_server.guard import guard, impression
from judge_server.guard.content import without_shell
from judge_server.guard.discourse import word_lists
from judge_server.guard.disguise import turned_readings, undisguised
from judge_server.guard.marks import other_readings
from judge_server.guard.sanitize import visible
from tests.attack.evaluation import advice, corpora
from tests.attack.evaluation.real_languages import QUESTION, english_sentences, translated_sentences
from tests.attack.evaluation.short_answers import SENTENCES
from tests.attack.evaluation.written_texts import CORPORA, HELD_OUT, Corpus, empty_texts, genuine_texts

_WEAK_PENALTY = 100.0
_FRAMES = "blanks and frames"
# what a text of each source counts
_WRITTEN, _GENERATED, _LISTED, _ANSWERED, _SENTENCES, _SHORT_SENTENCES, _BUNDLED = 1.0, 0.3, 1.0, 4.0, 0.8, 0.2, 2.0
_ENGLISH = 1.0
_SHORTEST = 8
_LONG = 25
_SHORT_QUESTION = "What is it, and what do you do?"
_Weighted = Iterable[tuple[str, float]]


def main() -> None:
    """Learn, then write the weights or tell what they find in the corpus that was left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without", choices=CORPORA)
    without = parser.parse_args().without
    translated = chain(translated_sentences(), translated_sentences(shortest=_SHORTEST))
    sentences = list(dict.fromkeys(one for _, one in translated))
    weights = _learnt(list(_empty(without)), list(_full(without, sentences)))
    if without is None:
        Path(judge_server.guard.__path__[0], impression.FILE).write_bytes(weights.tobytes())
    with patch.object(impression, "weights_of_buckets", weights.tolist):  # nothing was weighed before
        _tell(sentences, without)


def _empty(without: Corpus | None) -> _Weighted:
    for name in _learnt_from(without):
        yield from ((text, _WRITTEN) for kind, _, text in empty_texts(name) if kind != _FRAMES)
    for texts in corpora.learnt_from().values():
        yield from ((text, _GENERATED) for _, _, text in texts if any(map(str.isalpha, text)))
    overheard = tomllib.loads(Path(__file__).with_name("overheard.toml").read_text("utf-8"))
    for listed in (*word_lists("remarks.toml").values(), *overheard.values()):
        lines = (line for kind in ("remarks", "whole", "lines") for line in listed.get(kind, "").split("\n"))
        yield from ((line, _LISTED) for line in lines if line)


def _full(without: Corpus | None, sentences: Iterable[str]) -> _Weighted:
    for name in _learnt_from(without):
        yield from ((text, _ANSWERED) for _, text, _ in genuine_texts(name))
    yield from ((one, _SENTENCES if len(one) >= _LONG else _SHORT_SENTENCES) for one in sentences if not _left_out(one))
    yield from ((one, _ENGLISH) for one in english_sentences() if not _left_out(one))
    yield from ((one.answer, _BUNDLED) for one in genuine_answers())
    plain = Path(__file__).with_name("plain_answers.txt").read_text("utf-8").splitlines()
    yield from ((one, _ANSWERED) for one in chain(plain, advice.LEARNT, *SENTENCES.values()))


def _learnt_from(without: Corpus | None) -> list[Corpus]:
    return [name for name in CORPORA if name not in (*HELD_OUT, without)]


def _left_out(sentence: str) -> bool:
    return sha256(sentence.encode()).digest()[0] % 4 == 0


def _learnt(empty: list[tuple[str, float]], full: list[tuple[str, float]]) -> np.ndarray:
    """A weight for each bucket, in steps: int8."""
    texts = [(_said(text), weight) for text, weight in (*empty, *full)]
    model = LogisticRegression(C=_WEAK_PENALTY, max_iter=300, solver="liblinear", fit_intercept=False)
    model.fit(
        _matrix(text for text, _ in texts),
        np.arange(len(texts)) < len(empty),
        sample_weight=[weight for _, weight in texts],
    )
    return np.clip(np.rint(model.coef_[0] / impression.STEP), -128, 127).astype(np.int8)


def _said(text: str) -> str:
    """A text as the guard weighs it: decoded, and without its dress."""
    plain = visible(text).strip()
    readings = [*turned_readings(plain), *other_readings(plain), plain]
    return undisguised(without_shell(readings[0]))


def _matrix(texts: Iterable[str]) -> csr_matrix:
    """A row for each text, a column for each bucket."""
    values: list[float] = []
    columns: list[int] = []
    starts = [0]
    for text in texts:
        pieces, properties = impression.features(text)
        values += [max(len(pieces), 1) ** -0.5] * len(pieces) + [impression.OF_A_PROPERTY] * len(properties)
        columns += [*pieces, *properties]
        starts.append(len(columns))
    return csr_matrix((values, columns, starts), shape=(len(starts) - 1, impression.BUCKETS))


def _tell(sentences: Iterable[str], without: Corpus | None) -> None:
    seen: dict[str, list[tuple[str, guard.Inspection]]] = {
        "real sentences that were left out": [
            ("", _look(QUESTION, one)) for one in sentences if _left_out(one) and len(one) >= _LONG
        ],
        "short answers": [("", _look(_SHORT_QUESTION, one)) for one in chain.from_iterable(SENTENCES.values())],
        "short advice (left out)": [("", _look(_SHORT_QUESTION, one)) for one in advice.UNSEEN],
    }
    for name, texts in corpora.held_out().items():
        seen[f"empty: {name}"] = [(kind, _look(question, text)) for kind, question, text in texts]
    for corpus in CORPORA:
        mark = "" if corpus in _learnt_from(without) else " (left out)"
        seen[f"genuine: {corpus}{mark}"] = [("", _look(asked, text)) for asked, text, _ in genuine_texts(corpus)]
        seen[f"empty: {corpus}{mark}"] = [(kind, _look(asked, text)) for kind, asked, text in empty_texts(corpus)]
    for name, found in seen.items():
        total = len(found)
        refused = sum(one.refused is not None for _, one in found)
        thin = sum(_is_thin(one) for _, one in found)
        paid = Counter(kind for kind, one in found if one.refused is None and not _is_thin(one))
        kinds = f", neither {paid.total() / total:.2%}: {dict(paid)}" if name.startswith("empty") else ""
        sys.stdout.write(f"{name}: {total}, refused {refused / total:.2%}, thin {thin / total:.2%}{kinds}\n")


def _look(question: str, text: str) -> guard.Inspection:
    return guard.inspect(Submission(prompt=question, response=text), RIGHT_ANSWER)


def _is_thin(seen: guard.Inspection) -> bool:
    return seen.refused is None and guard.THIN in seen.flags


if __name__ == "__main__":
    main()
