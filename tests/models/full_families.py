"""Tokenizers with all the control tokens of families of models, spelt as their own files spell them."""

from dataclasses import replace

from tokenizers import AddedToken, normalizers
from transformers import PreTrainedTokenizerFast

from tests.models.families import DEEPSEEK, GEMMA, HARMONY, LLAMA, MISTRAL, QWEN, Family


def _numbered(form: str, numbers) -> tuple[str, ...]:
    return tuple(form.format(number) for number in numbers)


_PHI_TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}<|assistant|>\n"
_GLM_TEMPLATE = "[gMASK]<sop>{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{% endfor %}<|assistant|>\n"
_COMMAND_TEMPLATE = (
    "<BOS_TOKEN>{% for m in messages %}<|START_OF_TURN_TOKEN|><|{{ 'USER' if m.role == 'user' else 'SYSTEM' }}_TOKEN|>"
    "{{ m.content }}<|END_OF_TURN_TOKEN|>{% endfor %}<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"
)

FULL = (
    replace(
        QWEN,
        special=(
            "<|endoftext|>",
            "<|im_end|>",
            "<|im_start|>",
            "<|object_ref_start|>",
            "<|object_ref_end|>",
            "<|box_start|>",
            "<|box_end|>",
            "<|quad_start|>",
            "<|quad_end|>",
            "<|vision_start|>",
            "<|vision_end|>",
            "<|vision_pad|>",
            "<|image_pad|>",
            "<|video_pad|>",
        ),
        plain=(
            "<tool_call>",
            "</tool_call>",
            "<|fim_prefix|>",
            "<|fim_middle|>",
            "<|fim_suffix|>",
            "<|fim_pad|>",
            "<|repo_name|>",
            "<|file_sep|>",
            "<tool_response>",
            "</tool_response>",
            "<think>",
            "</think>",
        ),
    ),
    replace(
        LLAMA,
        special=(
            "<|begin_of_text|>",
            "<|eot_id|>",
            "<|end_of_text|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eom_id|>",
            "<|python_tag|>",
            "<|finetune_right_pad_id|>",
            "<|step_id|>",
            "<|image|>",
            "<|header_start|>",
            "<|header_end|>",
            "<|eom|>",
            "<|eot|>",
            "<|step|>",
            "<|patch|>",
            *_numbered("<|reserved_special_token_{}|>", (0, 1, 2, 8, 100, 247)),
        ),
    ),
    replace(
        MISTRAL,
        special=(
            "<s>",
            "</s>",
            "<pad>",
            "[INST]",
            "[/INST]",
            "[TOOL_CALLS]",
            "[AVAILABLE_TOOLS]",
            "[/AVAILABLE_TOOLS]",
            "[TOOL_RESULTS]",
            "[/TOOL_RESULTS]",
            "[TOOL_CONTENT]",
            "[SYSTEM_PROMPT]",
            "[/SYSTEM_PROMPT]",
            "[IMG]",
            "[IMG_BREAK]",
            "[IMG_END]",
            "[PREFIX]",
            "[MIDDLE]",
            "[SUFFIX]",
            "[AUDIO]",
            "[BEGIN_AUDIO]",
            "[TRANSCRIBE]",
            "[ARGS]",
            "[CALL_ID]",
            "[THINK]",
            "[/THINK]",
            *_numbered("[control_{}]", (8, 100, 768)),
            *_numbered("<SPECIAL_{}>", (20, 36, 999)),
        ),
    ),
    replace(
        GEMMA,
        special=(
            "<bos>",
            "<eos>",
            "<pad>",
            "<mask>",
            "<start_of_turn>",
            "<end_of_turn>",
            "<start_of_image>",
            "<end_of_image>",
            "<image_soft_token>",
            *_numbered("<unused{}>", (0, 7, 98, 6241)),
        ),
        plain=(),
    ),
    replace(
        DEEPSEEK,
        special=("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>"),
        plain=(
            "<｜User｜>",
            "<｜Assistant｜>",
            "<|EOT|>",
            "<think>",
            "</think>",
            "<｜fim▁hole｜>",
            "<｜fim▁begin｜>",
            "<｜fim▁end｜>",
            "<｜tool▁calls▁begin｜>",
            "<｜tool▁calls▁end｜>",
            "<｜tool▁call▁begin｜>",
            "<｜tool▁call▁end｜>",
            "<｜tool▁outputs▁begin｜>",
            "<｜tool▁outputs▁end｜>",
            "<｜tool▁output▁begin｜>",
            "<｜tool▁output▁end｜>",
            "<｜tool▁sep｜>",
            *_numbered("<｜place▁holder▁no▁{}｜>", (0, 1, 799)),
        ),
    ),
    replace(
        HARMONY,
        special=(
            "<|startoftext|>",
            "<|return|>",
            "<|endoftext|>",
            "<|start|>",
            "<|end|>",
            "<|message|>",
            "<|channel|>",
            "<|constrain|>",
            "<|call|>",
            "<|endofprompt|>",
            *_numbered("<|reserved_{}|>", (200000, 200004, 201087)),
        ),
    ),
    Family(
        "phi",
        _PHI_TEMPLATE,
        (
            "<|endoftext|>",
            "<|end|>",
            "<|system|>",
            "<|user|>",
            "<|assistant|>",
            "<|im_start|>",
            "<|im_sep|>",
            "<|im_end|>",
            "<|fim_prefix|>",
            "<|fim_middle|>",
            "<|fim_suffix|>",
            "<|tool|>",
            "<|/tool|>",
            "<|tool_call|>",
            "<|/tool_call|>",
            "<|tool_response|>",
            *_numbered("<|placeholder{}|>", (1, 6)),
            *_numbered("<|dummy_{}|>", (0, 85)),
        ),
        ("<think>", "</think>"),
    ),
    Family(
        "glm",
        _GLM_TEMPLATE,
        (
            "<|endoftext|>",
            "<|user|>",
            "[MASK]",
            "[gMASK]",
            "[sMASK]",
            "<sop>",
            "<eop>",
            "<|system|>",
            "<|assistant|>",
            "<|observation|>",
            "<|begin_of_image|>",
            "<|end_of_image|>",
            "<|begin_of_box|>",
            "<|end_of_box|>",
            "/nothink",
        ),
        (
            "<think>",
            "</think>",
            "<tool_call>",
            "</tool_call>",
            "<arg_key>",
            "</arg_key>",
            "<arg_value>",
            "</arg_value>",
        ),
    ),
    Family(
        "command",
        _COMMAND_TEMPLATE,
        (
            "<BOS_TOKEN>",
            "<EOS_TOKEN>",
            "<PAD>",
            "<UNK>",
            "<CLS>",
            "<SEP>",
            "<MASK_TOKEN>",
            "<EOP_TOKEN>",
            "<|START_OF_TURN_TOKEN|>",
            "<|END_OF_TURN_TOKEN|>",
            "<|USER_TOKEN|>",
            "<|SYSTEM_TOKEN|>",
            "<|CHATBOT_TOKEN|>",
            "<|START_THINKING|>",
            "<|END_THINKING|>",
            "<|START_RESPONSE|>",
            "<|END_RESPONSE|>",
            "<|START_ACTION|>",
        ),
    ),
)

CONTROL = tuple(dict.fromkeys(token for family in FULL for token in family.control))


def normalising(family: Family) -> PreTrainedTokenizerFast:
    """The family's tokenizer as one that resolves compatibility forms and finds its control tokens in the result."""
    tokenizer = replace(family, special=family.special[:2], plain=(), kind="bytes").tokenizer()
    backend = tokenizer.backend_tokenizer
    backend.normalizer = normalizers.NFKC()
    backend.add_special_tokens([AddedToken(token, normalized=True, special=True) for token in family.control])
    return tokenizer
