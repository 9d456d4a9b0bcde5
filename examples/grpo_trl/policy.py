"""A policy of half a million parameters: random weights, then some seconds of school, so that it writes words."""

import random
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

sys.path.append(str(Path(__file__).parents[2]))
from examples.tiny_checkpoint import TEXT, train_tokenizer

QUESTIONS = (
    "I have had a fever for three days. What shall I do?",
    "My stomach hurts after every meal.",
    "I cough at night and can not sleep.",
    "My child has a rash on the arm.",
)
LONGEST = 64


def sentences() -> list[str]:
    """Those of the text that the tokenizer was trained on."""
    found = [" ".join(one.split()) + "." for one in TEXT.replace(":", ".").split(".")]
    return [one for one in found if 3 <= len(one.split()) <= 20]


def build(directory: Path, *, lessons: int, seed: int) -> Path:
    """Writes model and tokenizer. ``lessons``: steps of next-token training on questions, each answered by a sentence
    that has nothing to do with it."""
    tokenizer = train_tokenizer()
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=256,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=4,
            head_dim=32,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            dtype="float32",
        )
    )
    _teach(model, tokenizer, lessons, random.Random(seed))  # noqa: S311 - sample texts, no secrets
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def _teach(model: Any, tokenizer: Any, lessons: int, draw: random.Random) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    said = sentences()
    for _ in range(lessons):
        dialogues = [_dialogue(draw.choice(QUESTIONS), draw.choice(said)) for _ in range(16)]
        texts = [tokenizer.apply_chat_template(one, tokenize=False) for one in dialogues]
        batch = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=LONGEST)
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def _dialogue(question: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
