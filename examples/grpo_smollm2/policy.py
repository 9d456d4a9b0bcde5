"""The prompts of the example, and what the policy is trained with."""

from peft import LoraConfig
from trl import GRPOConfig

COMPLAINTS = (
    "I have had a headache since yesterday",
    "my child has a fever",
    "my stomach hurts after meals",
    "I cough at night",
    "I have a rash on my arm",
    "my back hurts when I stand up",
    "I feel dizzy in the morning",
    "I can not sleep",
    "my knee is swollen",
    "I have a sore throat",
    "my eyes itch",
    "I feel sick after breakfast",
    "my ear hurts",
    "I have burnt my hand",
    "my heart beats fast",
    "I am tired all day",
)
GENERATIONS = 8
TOKENS = 28


def prompts() -> list[dict[str, object]]:
    """Rows of a data set, each a conversation of one message."""
    texts = [f"Hello, {complaint}. Ask me one short question about it." for complaint in COMPLAINTS]
    return [{"prompt": [{"role": "user", "content": text}]} for text in texts]


def lora() -> LoraConfig:
    return LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")


def configuration(folder: str, *, steps: int, seed: int) -> GRPOConfig:
    """One prompt with its eight completions a step. bfloat16 and gradient checkpointing, which TRL turns on by default,
    make a step several times slower on a CPU. TRL writes the completions of each step, with their judgments' ids, to
    ``folder``/completions."""
    return GRPOConfig(
        output_dir=folder,
        max_steps=steps,
        per_device_train_batch_size=GENERATIONS,
        num_generations=GENERATIONS,
        max_completion_length=TOKENS,
        learning_rate=6e-4,
        lr_scheduler_type="constant",
        beta=0.0,
        logging_steps=1,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to="none",
        save_strategy="no",
        log_completions=True,
        num_completions_to_print=0,
        disable_tqdm=True,
        seed=seed,
    )
