"""Chat templates as their families write them: what a trainer's tokenizer would decode to."""

from collections.abc import Callable
from dataclasses import dataclass

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Frame:
    """``prompt(messages)`` ends where the policy begins to write; ``ending`` is what it writes last."""

    prompt: Callable[[Messages], str]
    ending: str
    padding: str = ""
    system: bool = True

    def whole(self, messages: Messages, response: str) -> str:
        return self.prompt(messages) + response + self.ending + self.padding


def _each(start: str, turn: str, answer: str, names: dict[str, str] | None = None) -> Callable[[Messages], str]:
    """``turn`` with {role} and {content} for every message, then ``answer``."""

    def prompt(messages: Messages) -> str:
        told = (
            turn.format(role=(names or {}).get(one["role"], one["role"]), content=one["content"]) for one in messages
        )
        return start + "".join(told) + answer

    return prompt


def _llama2(messages: Messages) -> str:
    system = "".join(f"<<SYS>>\n{one['content']}\n<</SYS>>\n\n" for one in messages if one["role"] == "system")
    text = ""
    for one in messages:
        if one["role"] == "user":
            text += f"<s>[INST] {system}{one['content']} [/INST]"
            system = ""
        elif one["role"] == "assistant":
            text += f" {one['content']} </s>"
    return text + " "


def _mistral(messages: Messages) -> str:
    text = "<s>"
    for one in messages:
        shape = {"system": "[SYSTEM_PROMPT]{}[/SYSTEM_PROMPT]", "user": "[INST]{}[/INST]", "assistant": "{}</s>"}
        text += shape[one["role"]].format(one["content"])
    return text


def _deepseek(messages: Messages) -> str:
    shape = {"system": "{}", "user": "<｜User｜>{}", "assistant": "<｜Assistant｜>{}<｜end▁of▁sentence｜>"}
    told = (shape[one["role"]].format(one["content"]) for one in messages)
    return "<｜begin▁of▁sentence｜>" + "".join(told) + "<｜Assistant｜>"


FRAMES = {
    "chatml": Frame(
        _each("", "<|im_start|>{role}\n{content}<|im_end|>\n", "<|im_start|>assistant\n"),
        "<|im_end|>",
        "\n<|endoftext|><|endoftext|>",
    ),
    "phi-4": Frame(
        _each("", "<|im_start|>{role}<|im_sep|>{content}<|im_end|>", "<|im_start|>assistant<|im_sep|>"), "<|im_end|>"
    ),
    "phi-3": Frame(_each("", "<|{role}|>\n{content}<|end|>\n", "<|assistant|>\n"), "<|end|>", "<|endoftext|>"),
    "zephyr": Frame(_each("", "<|{role}|>\n{content}</s>\n", "<|assistant|>\n"), "</s>"),
    "llama-3": Frame(
        _each(
            "<|begin_of_text|>",
            "<|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        "<|eot_id|>",
        "<|finetune_right_pad_id|>",
    ),
    "gemma": Frame(
        _each(
            "<bos>",
            "<start_of_turn>{role}\n{content}<end_of_turn>\n",
            "<start_of_turn>model\n",
            {"assistant": "model"},
        ),
        "<end_of_turn>",
        "<pad><pad>",
        system=False,
    ),
    "glm": Frame(_each("[gMASK]<sop>", "<|{role}|>\n{content}", "<|assistant|>\n"), "<|user|>", "<|endoftext|>"),
    "deepseek": Frame(_deepseek, "<｜end▁of▁sentence｜>"),
    "llama-2": Frame(_llama2, "</s>"),
    "mistral": Frame(_mistral, "</s>"),
    "harmony": Frame(_each("", "<|start|>{role}<|message|>{content}<|end|>", "<|start|>assistant"), "<|return|>"),
}
