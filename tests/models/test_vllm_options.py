from pathlib import Path

import pytest

from judge_server.core.errors import BadConfiguration, ModelUnavailable
from judge_server.models.checkpoint import checkpoint_digest
from judge_server.models.protocol import Labels, Prompt, Request
from judge_server.models.registry import open_model, read_options
from judge_server.models.vllm_options import VllmOptions


def test_an_unknown_option_names_the_known_ones_and_the_nearest():
    with pytest.raises(BadConfiguration, match=r"no option 'tensor_paralel_size'.*tensor_parallel_size'\?.*dtype"):
        read_options(VllmOptions, "vllm", {"tensor_paralel_size": 2})


def test_a_value_that_cannot_be_used_names_its_option():
    with pytest.raises(BadConfiguration, match="vllm model cannot be used: max_model_len"):
        read_options(VllmOptions, "vllm", {"max_model_len": 0})


def test_an_adapter_must_be_on_the_list():
    with pytest.raises(BadConfiguration, match="lora 'other' is not one of loras: mine"):
        read_options(VllmOptions, "vllm", {"loras": {"mine": "/adapters/mine"}, "lora": "other"})


def test_options_from_a_command_line_are_read_as_their_types():
    assert read_options(VllmOptions, "vllm", {"max_model_len": "4096", "enforce_eager": "true"}).max_model_len == 4_096


def test_a_missing_checkpoint_directory_is_found_before_anything_loads():
    with pytest.raises(BadConfiguration, match="no checkpoint directory /nowhere"):
        open_model("vllm:/nowhere")


def test_a_model_must_be_named():
    with pytest.raises(BadConfiguration, match="names no model"):
        open_model("vllm:")


async def test_a_model_that_is_not_started_is_unavailable(tmp_path):
    pytest.importorskip("vllm")
    model = open_model(f"vllm:{tmp_path}")
    assert not await model.healthy()
    with pytest.raises(ModelUnavailable, match="not running"):
        await model.complete(Request(Prompt(()), Labels(("Yes", "No"))))
    await model.close()


def write_checkpoint(directory: Path, weights: bytes) -> str:
    directory.mkdir(exist_ok=True)
    (directory / "config.json").write_text("{}")
    (directory / "model.safetensors").write_bytes(weights)
    return checkpoint_digest(directory)


def test_retrained_weights_of_the_same_size_are_another_revision(tmp_path):
    zeros, ones = bytes(3_000_000), b"\1" * 3_000_000
    first = write_checkpoint(tmp_path / "a", zeros)
    assert write_checkpoint(tmp_path / "b", zeros) == first
    assert write_checkpoint(tmp_path / "b", ones) != first
    assert first.startswith("sha256:")


def test_a_changed_chat_template_is_another_revision(tmp_path):
    first = write_checkpoint(tmp_path, b"weights")
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    assert checkpoint_digest(tmp_path) != first
