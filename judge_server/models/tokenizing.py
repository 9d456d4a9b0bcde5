"""Tokenise the parts of a prompt so that outside text never yields a control token.

A tokenizer turns the literal text ``<|im_start|>`` into a control token wherever it occurs. So a prompt is not rendered
and then tokenised; its parts are tokenised and then joined. Our own text goes through the model's tokenizer. Outside
text goes through a copy that knows no control token, and the result is checked: if the vocabulary itself yields one,
the text is cut inside that token and tokenised in pieces.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from judge_server.util.lru import BoundedCache

LABEL_CHARACTERS = 32
MOST_LABEL_TOKENS = 128  # vLLM's limit of tokens with log-probabilities in one request


class PartTokenizer:
    """Tokenises the parts of a prompt. ``tokenizer`` is a Hugging Face tokenizer backed by a tokenizer.json."""

    def __init__(self, tokenizer: Any, *, cached_tokens: int = 2_000_000) -> None:
        from tokenizers import Tokenizer

        specification = json.loads(tokenizer.backend_tokenizer.to_str())
        self._backend = Tokenizer.from_str(json.dumps(specification))
        added: dict[int, Any] = dict(tokenizer.added_tokens_decoder)
        self.control_ids = frozenset(
            {token_id for token_id, token in added.items() if token.special or token.content.strip(" \t\r\n▁")}
            | set(tokenizer.all_special_ids)
        )
        self._control_ids_by_text = {token.content: token_id for token_id, token in added.items()}
        self._inner = Tokenizer.from_str(json.dumps(_without_extras(specification)))
        self._plain = Tokenizer.from_str(json.dumps(_without_extras(specification, forgotten=self.control_ids)))
        self._cache = BoundedCache[tuple[str, str], tuple[int, ...]](cached_tokens, len)
        self._texts: dict[int, str] = {}
        self._labels: dict[tuple[str, ...], tuple[int, ...]] = {}

    def opening(self, text: str) -> tuple[int, ...]:
        """Ids of trusted text at the start of a prompt, control tokens included."""
        return self._cache.get_or_make(("opening", text), lambda: _ids(self._backend, text))

    def trusted(self, text: str) -> tuple[int, ...]:
        """Ids of trusted text inside a prompt: as ``opening``, without the space that some tokenizers prepend."""
        return self._cache.get_or_make(("trusted", text), lambda: _ids(self._inner, text))

    def untrusted(self, text: str) -> tuple[int, ...]:
        """Ids of outside text, without any control token."""
        return self._cache.get_or_make(("untrusted", text), lambda: tuple(self._harmless(text)))

    def control_id(self, text: str) -> int | None:
        """The id of the control token written ``text``, or None."""
        return self._control_ids_by_text.get(text)

    def decode(self, token_id: int) -> str:
        """The text of one token alone."""
        if token_id not in self._texts:
            self._texts[token_id] = self.decode_all([token_id])
        return self._texts[token_id]

    def decode_all(self, ids: Sequence[int]) -> str:
        return str(self._backend.decode(ids, skip_special_tokens=False))

    def label_ids(self, words: tuple[str, ...]) -> tuple[int, ...]:
        """Every token whose text is one of ``words``, in any case and with white space around it, the plainest first. A
        word without such a token adds nothing."""
        if words not in self._labels:
            share = MOST_LABEL_TOKENS // len(words)
            found = (sorted(self._tokens_by_word.get(word.casefold(), ()), key=self._plainness(word)) for word in words)
            self._labels[words] = tuple(dict.fromkeys(token_id for tokens in found for token_id in tokens[:share]))
        return self._labels[words]

    def unsayable(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Those of ``words`` that take more than one token."""
        return tuple(word for word in words if word.casefold() not in self._tokens_by_word)

    @cached_property
    def _tokens_by_word(self) -> dict[str, list[int]]:
        ids = [token_id for token_id in range(self._backend.get_vocab_size()) if token_id not in self.control_ids]
        texts = self._backend.decode_batch([[token_id] for token_id in ids], skip_special_tokens=False)
        words: dict[str, list[int]] = {}
        for token_id, text in zip(ids, texts, strict=True):
            word = text.strip().casefold()
            if word and len(text) <= LABEL_CHARACTERS:
                words.setdefault(word, []).append(token_id)
        return words

    def _plainness(self, word: str) -> Callable[[int], tuple[bool, bool, int]]:
        def key(token_id: int) -> tuple[bool, bool, int]:
            text = self.decode(token_id)
            return text.strip() != word, text != word, token_id

        return key

    def _harmless(self, text: str) -> Iterator[int]:
        waiting = [text]
        while waiting:
            piece = waiting.pop()
            encoding = self._plain.encode(piece, add_special_tokens=False)
            if self.control_ids.isdisjoint(encoding.ids):
                yield from encoding.ids
            elif len(piece) == 1:
                waiting.append("�" if piece != "�" else "")
            else:
                waiting.extend(reversed(_cut(piece, encoding, self.control_ids)))


def _ids(backend: Any, text: str) -> tuple[int, ...]:
    return tuple(backend.encode(text, add_special_tokens=False).ids)


def _cut(text: str, encoding: Any, control_ids: frozenset[int]) -> list[str]:
    """``text`` in at least two pieces, cut in the middle of each control token."""
    spans = zip(encoding.ids, encoding.offsets, strict=True)
    middles = {(start + end) // 2 for token_id, (start, end) in spans if token_id in control_ids}
    places = sorted(place for place in middles if 0 < place < len(text)) or [len(text) // 2]
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def _without_extras(specification: dict[str, Any], forgotten: frozenset[int] = frozenset()) -> dict[str, Any]:
    """A tokenizer that adds nothing to a text (no template tokens, no leading space) and does not know the
    ``forgotten`` added tokens: those in the vocabulary are removed, the others keep their ids under random names."""
    vocabulary = _vocabulary(specification["model"])
    tokens = []
    for token in specification["added_tokens"]:
        if token["id"] not in forgotten:
            tokens.append(token)
        elif token["content"] not in vocabulary:
            tokens.append(token | {"content": secrets.token_hex(16), "special": True, "normalized": False})
    changed = specification | {"post_processor": None, "truncation": None, "padding": None, "added_tokens": tokens}
    for stage in ("normalizer", "pre_tokenizer"):
        changed[stage] = _without_leading_space(specification[stage])
    return changed


def _vocabulary(model: dict[str, Any]) -> set[str]:
    entries = model.get("vocab", {})
    return set(entries) if isinstance(entries, dict) else {piece for piece, _ in entries}


def _without_leading_space(stage: dict[str, Any] | None) -> dict[str, Any] | None:
    if stage is None:
        return None
    kind = stage["type"]
    if kind == "Sequence":
        name = "normalizers" if "normalizers" in stage else "pretokenizers"
        inner = [_without_leading_space(part) for part in stage[name] if part["type"] != "Prepend"]
        return stage | {name: inner}
    if kind == "Prepend":
        return None
    if kind == "Metaspace":
        return stage | {"prepend_scheme": "never"}
    if kind == "ByteLevel" and "add_prefix_space" in stage:
        return stage | {"add_prefix_space": False}
    return stage
