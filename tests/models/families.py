"""Small tokenizers in the manner of six model families, with the control tokens and templates those families use."""

import json
from dataclasses import dataclass

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

CORPUS = [
    "You grade one response. Is the criterion met? Answer with exactly one word: Yes or No.\n\n",
    "[BEGIN RESPONSE 0a] [END RESPONSE 0a] system user model",
    "The patient should drink water, rest, and call a doctor at once. <table> [note] | end of turn, start of text.",
] * 4


@dataclass(frozen=True)
class Family:
    """``special`` and ``plain`` are the added tokens, the latter not flagged as special. ``kind`` "bytes" knows them
    only as added tokens; "pieces" and "unigram" have them in the vocabulary too, as SentencePiece models do."""

    name: str
    template: str
    special: tuple[str, ...]
    plain: tuple[str, ...] = ()
    kind: str = "bytes"

    @property
    def control(self) -> tuple[str, ...]:
        return self.special + self.plain

    def tokenizer(self) -> PreTrainedTokenizerFast:
        backend = {"bytes": _byte_bpe, "pieces": _piece_bpe, "unigram": _unigram}[self.kind](self.control)
        backend.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in self.special])
        backend.add_tokens([AddedToken(token, normalized=False) for token in self.plain])
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=backend,
            bos_token=self.special[0],
            eos_token=self.special[1],
            clean_up_tokenization_spaces=False,
        )
        tokenizer.chat_template = self.template
        return tokenizer


def _byte_bpe(control: tuple[str, ...]) -> Tokenizer:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    )
    return backend


def _piece_bpe(control: tuple[str, ...]) -> Tokenizer:
    """Byte pairs over characters with a space put before the text; the control tokens can be merged together."""
    texts = [*CORPUS, *control * 50]
    backend = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    backend.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=900, special_tokens=["<unk>", *bytes_], show_progress=False)
    )
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), backend.normalizer])
    # training leaves the bytes as added tokens; a model of this kind has them in its vocabulary only
    specification = json.loads(backend.to_str())
    specification["added_tokens"] = [t for t in specification["added_tokens"] if t["content"] == "<unk>"]
    return Tokenizer.from_str(json.dumps(specification))


def _unigram(control: tuple[str, ...]) -> Tokenizer:
    """Whole pieces by probability: the control tokens are pieces, and likely ones."""
    characters = sorted(set("".join(CORPUS)) | set("".join(control)) | {"▁"})
    pieces = [("<unk>", 0.0), *((token, -1.0) for token in control), *((character, -5.0) for character in characters)]
    backend = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    backend.decoder = decoders.Metaspace()
    return backend


_CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
)
_LLAMA = (
    "{{ bos_token }}<|start_header_id|>system<|end_header_id|>\n\nToday: {{ strftime_now('%d %b %Y') }}\n"
    "{% for m in messages %}{% if m.role == 'system' %}{{ m.content.strip() }}{% endif %}{% endfor %}<|eot_id|>"
    "{% for m in messages %}{% if m.role != 'system' %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{{ m.content | trim }}<|eot_id|>{% endif %}{% endfor %}<|start_header_id|>assistant<|end_header_id|>{{ '\\n\\n' }}"
)
_MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% endif %}"
    "{% endfor %}"
)
_GEMMA = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
    "<start_of_turn>model\n"
)
_HARMONY = (
    "<|start|>system<|message|>Date: {{ strftime_now('%Y-%m-%d') }}<|end|>"
    "{% for m in messages %}<|start|>{{ 'developer' if m.role == 'system' else m.role }}<|message|>{{ m.content }}"
    "<|end|>{% endfor %}<|start|>assistant"
)
_DEEPSEEK = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}{% else %}<｜User｜>"
    "{{ m.content }}{% endif %}{% endfor %}<｜Assistant｜><think>{{ '\\n' }}"
)

QWEN = Family("qwen", _CHATML, ("<|endoftext|>", "<|im_end|>", "<|im_start|>"), ("<think>", "</think>", "<tool_call>"))
LLAMA = Family(
    "llama", _LLAMA, ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|python_tag|>")
)
MISTRAL = Family("mistral", _MISTRAL, ("<s>", "</s>", "[INST]", "[/INST]", "[TOOL_CALLS]"), kind="pieces")
GEMMA = Family("gemma", _GEMMA, ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"), ("<table>",), kind="unigram")
HARMONY = Family(
    "harmony",
    _HARMONY,
    ("<|startoftext|>", "<|return|>", "<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|call|>"),
)
DEEPSEEK = Family(
    "deepseek",
    _DEEPSEEK,
    ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
    ("<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"),
)
FAMILIES = (QWEN, LLAMA, MISTRAL, GEMMA, HARMONY, DEEPSEEK)
