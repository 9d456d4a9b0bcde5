"""What one step of a training asks of its judge."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from judge_server.core.model import Frozen

INSTRUCTIONS = "instructions"


class TrainingStep(Frozen):
    """The judging of one training step. Lengths are in tokens of the judge's tokenizer.

    ``rollouts``: responses; ``group``: how many of them answer the same prompt. ``instruction_tokens``: what begins
    every prompt of the judge; ``criterion_tokens``: what ends it, criterion and question. ``answer_tokens``: generated
    for one verdict, 1 in direct mode. ``votes``: how often each question is asked.
    """

    rollouts: int = Field(ge=1, le=10_000_000)
    criteria: int = Field(ge=1, le=10_000)
    response_tokens: int = Field(ge=1, le=1_000_000)
    prompt_tokens: int = Field(default=500, ge=1, le=1_000_000)
    group: int = Field(default=8, ge=1, le=100_000)
    instruction_tokens: int = Field(default=500, ge=1, le=100_000)
    criterion_tokens: int = Field(default=100, ge=1, le=100_000)
    answer_tokens: int = Field(default=1, ge=1, le=100_000)
    votes: int = Field(default=1, ge=1, le=1_000)

    @property
    def verdicts(self) -> int:
        """Calls of the judge: one for each vote on each criterion of each rollout."""
        return self.rollouts * self.calls_each

    @property
    def calls_each(self) -> int:
        """Calls for one rollout."""
        return self.criteria * self.votes

    @property
    def groups(self) -> int:
        return -(-self.rollouts // self.group)

    @property
    def length(self) -> int:
        """Tokens of one call's prompt."""
        return self.instruction_tokens + self.prompt_tokens + self.response_tokens + self.criterion_tokens

    @property
    def sent_tokens(self) -> int:
        return self.verdicts * self.length

    @property
    def different_tokens(self) -> int:
        """Prompt tokens if nothing that begins alike is computed twice: the tokens of the trie of all prompts. No
        engine computes fewer; blocks make it some more."""
        own = self.response_tokens + self.criteria * self.criterion_tokens
        return self.instruction_tokens + self.groups * self.prompt_tokens + self.rollouts * own

    def part(self, rollouts: int) -> "TrainingStep":
        """The same with fewer rollouts."""
        return self.model_copy(update={"rollouts": rollouts})


@dataclass(frozen=True, slots=True)
class Call:
    """One prompt of the judge as the parts that it shares with others: ``parts`` names each part, ``ends`` says at
    which token it ends. Calls with equal leading names begin alike."""

    parts: tuple[str, ...]
    ends: tuple[int, ...]
    answer_tokens: int

    @property
    def length(self) -> int:
        return self.ends[-1]


def calls_of(workload: TrainingStep, rollout: int) -> Iterator[Call]:
    """The calls that judge one rollout, in the order in which they are sent."""
    prompt = workload.instruction_tokens + workload.prompt_tokens
    response = prompt + workload.response_tokens
    ends = (workload.instruction_tokens, prompt, response, response + workload.criterion_tokens)
    for criterion in range(workload.criteria):
        parts = (
            INSTRUCTIONS,
            f"prompt {rollout // workload.group}",
            f"response {rollout}",
            f"criterion {rollout}.{criterion}",
        )
        for _ in range(workload.votes):
            yield Call(parts, ends, workload.answer_tokens)
