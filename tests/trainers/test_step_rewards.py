"""Process rewards in TRL's own trainer and verl's own advantage estimators: what docs/step-rewards.md says of them."""

import itertools
import json
import re

import pytest

from judge_server.authoring.parsing import parse
from tests.served import judged_by
from tests.stub_judge import labels, text
from tests.trainers.environment import ROOT, Environment

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(600)]

PAGE = (ROOT / "docs" / "step-rewards.md").read_text(encoding="utf-8")
NOTE = """
print("ADVANTAGES", [row.tolist() for row in seen], flush=True)
"""
WATCH = """
seen, compute = [], trainer._compute_loss

def watched(model, inputs):
    seen.append(inputs["advantages"])
    return compute(model, inputs)

trainer._compute_loss = watched
trainer.train()
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def varied():
    number = itertools.count()
    return lambda body: labels(Yes=(yes := 0.1 + 0.07 * (next(number) % 12)), No=1 - yes)


def quoting():
    """Met by every other response, and quotes its first words."""
    number = itertools.count()

    def behave(body):
        said = re.search(r"\[BEGIN RESPONSE \w+\]\n(.*?)\n\[END", body["messages"][-1]["content"], re.DOTALL)
        quoted = " ".join(re.findall(r"\w+", said[1])[:2]) if said else ""
        return text(json.dumps({"reason": f"It says «{quoted}».", "verdict": ("Yes", "No")[next(number) % 2]}))

    return behave


EVIDENCE = (
    ("scored.judgment.step_rewards", "evidence_steps(scored.judgment).steps"),
    ("Sample(prompt, completion)", "Sample(prompt, completion, explain=True)"),
    ("import torch\n", "import torch\nfrom judge_client.evidence_steps import evidence_steps\n"),
)


@pytest.mark.parametrize(
    ("rubric_block", "changes", "judge"), [(0, (), varied), (1, EVIDENCE, quoting)], ids=["steps", "evidence"]
)
def test_the_trainer_of_the_page_learns_from_every_token_s_own_advantage(
    rubric_block, changes, judge, tiny_checkpoint, tmp_path
):
    trl = Environment("trl")
    trl.install()
    rubric = parse(blocks("yaml")[rubric_block]).rubric.model_dump(mode="json", exclude_defaults=True)
    (example,) = [block for block in blocks("python") if "StepGRPOTrainer" in block]
    for old, new in (
        ("Qwen/Qwen3-0.6B", str(tiny_checkpoint)),
        ('StepReward("clinic/reasoning")', f"StepReward({rubric!r})"),
        ('report_to="none",', 'report_to="none", use_cpu=True, bf16=False, learning_rate=1e-3,'),
        ("trainer.train()\n", WATCH + NOTE),
        *changes,
    ):
        assert old in example, old
        example = example.replace(old, new)
    program = tmp_path / "train.py"
    program.write_text(example)
    with judged_by(judge()) as (client, _):
        environment = {"JUDGE_URL": str(client.base_url)}
        done = trl.run(program, environment=environment, cwd=tmp_path)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("ADVANTAGES ")]
    batches = json.loads(line.removeprefix("ADVANTAGES "))
    assert len(batches) == 2
    rows = [row for batch in batches for row in batch]
    assert len(rows) == 16
    assert any(any(row) for row in rows)
    assert all(len(row) == len(batch[0]) > 1 for batch in batches for row in batch)


ESTIMATORS = """
import numpy, torch
from judge_client.token_rewards import token_rewards
from verl.trainer.ppo import core_algos

WORDS = [(0, 5), (5, 10), (10, 11), (11, 16)]
step = lambda index, value, *span: {"index": index, "value": value, "span": span}
responses = [
    token_rewards([step(0, 0.5, 0, 10), step(1, -1.0, 11, 16)], WORDS),
    token_rewards([step(0, 1.0, 0, 5)], WORDS[:2]),
]
reward_tensor = torch.zeros(2, 4)
for i, found in enumerate(responses):
    LINE
mask = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0]])
discount = type("Config", (dict,), {"gamma": 1.0})()
same = numpy.array(["prompt", "prompt"])
_, gae = core_algos.compute_gae_advantage_return(reward_tensor, torch.zeros(2, 4), mask, gamma=1.0, lam=1.0)
_, plus_plus = core_algos.compute_reinforce_plus_plus_outcome_advantage(reward_tensor, mask, config=discount)
grpo, _ = core_algos.compute_grpo_outcome_advantage(reward_tensor, mask, index=same)
expected = torch.tensor([[-0.5, -0.5, -1.0, -1.0], [1.0, 0.0, 0.0, 0.0]])
assert torch.equal(gae, expected), gae
assert torch.equal(plus_plus, expected), plus_plus
assert grpo[0].unique().numel() == 1, grpo
"""


def test_the_line_of_the_page_reaches_the_estimators_of_verl_as_it_says(tmp_path):
    verl = Environment("verl")
    verl.install()
    (line,) = [block.strip() for block in blocks("python") if "reward_tensor" in block]
    program = tmp_path / "estimators.py"
    program.write_text(ESTIMATORS.replace("LINE", line))
    verl.run(program, cwd=tmp_path)


EVIDENCE_STEPS = """
import torch
from judge_client.evidence_steps import evidence_steps
from judge_client.judgment import Judgment, QuotedStep, Verdict
from judge_client.token_rewards import token_rewards
from verl.trainer.ppo import core_algos

offsets = [(0, 5), (5, 12), (12, 14), (14, 32)]
remedy = Verdict("remedy", "ok", "judge", 3.0, value=1.0, evidence=(QuotedStep(0, (0, 12), 1.0),))
danger = Verdict("danger", "ok", "judge", -2.0, value=0.5, evidence=(QuotedStep(1, (14, 32), 1.0),))
kind = Verdict("kind", "ok", "judge", 1.0, value=0.4)
judgment = Judgment(id="jdg_1", reward=0.6, status="ok", coverage=1.0, verdicts=(remedy, danger, kind))
reward_tensor, i = torch.zeros(1, 4), 0
FOUND
reward_tensor[i, 3] += evidence_steps(judgment).rest
LINE
_, returns = core_algos.compute_gae_advantage_return(reward_tensor, torch.zeros(1, 4), torch.ones(1, 4), 1.0, 1.0)
expected = torch.tensor([[0.6, 0.6, -0.15, -0.15]])
assert torch.allclose(returns, expected), returns
"""


def test_evidence_reaches_an_estimator_of_verl_by_the_lines_of_the_page(tmp_path):
    """By hand: remedy adds 3 · 1 / 4 on the first step's last token, danger −2 · .5 / 4 on the second's, and the rest
    of the reward, .6 − .75 + .25 = .1, is on the last."""
    verl = Environment("verl")
    verl.install()
    (line,) = [block.strip() for block in blocks("python") if "reward_tensor" in block]
    (found,) = re.findall(r"^\| verl \| `(found = .*?)`", PAGE, re.MULTILINE)
    program = tmp_path / "evidence.py"
    program.write_text(EVIDENCE_STEPS.replace("LINE", line).replace("FOUND", found))
    verl.run(program, cwd=tmp_path)
