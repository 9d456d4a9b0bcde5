"""A judgment: verdicts, reward, and everything needed to check or reproduce it."""

from collections.abc import Iterable
from typing import Final, Literal

from pydantic import AwareDatetime, Field

from judge_server.core.coordinates import Coordinates
from judge_server.core.fact import FoundFact
from judge_server.core.model import Frozen
from judge_server.core.outcome import GateFired, JudgmentStatus, StepReward
from judge_server.core.price import Price
from judge_server.core.rubric import RubricReference
from judge_server.core.verdict import Failure, Verdict


class Usage(Frozen):
    """Tokens of the calls made for this judgment (cached verdicts cost none). ``dollars``: their cost, 0 if no price of
    the model is known."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    dollars: float = Field(default=0.0, ge=0)

    @staticmethod
    def total(usages: "Iterable[Usage]") -> "Usage":
        """The sum of all."""
        found = [usage for usage in usages if usage is not NO_USAGE]
        if len(found) < 2:
            return found[0] if found else NO_USAGE
        return Usage(
            prompt_tokens=sum([one.prompt_tokens for one in found]),
            cached_tokens=sum([one.cached_tokens for one in found]),
            completion_tokens=sum([one.completion_tokens for one in found]),
            calls=sum([one.calls for one in found]),
            dollars=sum([one.dollars for one in found]),
        )

    def charged(self, price: Price) -> "Usage":
        """The same with its cost."""
        return self.model_copy(update={"dollars": price.of(self)})

    def __add__(self, other: "Usage") -> "Usage":
        return Usage.total((self, other))


NO_USAGE: Final = Usage()
"""Of what cost no call."""


class Timing(Frozen):
    """``model_seconds``: the longest time of the judge for one verdict, including queueing."""

    total_seconds: float = 0.0
    model_seconds: float = 0.0


class JudgeReference(Frozen):
    """The judge of a judgment. ``calibration``: the id of the applied fitted maps; ``notice``: a warning about the
    numbers (the embedded baseline says here what it is)."""

    name: str
    model: str
    mode: Literal["direct", "reason", "panel", "cascade", "none"]
    fingerprint: str
    calibration: str | None = None
    notice: str | None = None

    @property
    def kind(self) -> str:
        """What kind of judge it is, in words for people who do not run it."""
        provider = self.model.partition(":")[0]
        if self.mode == "panel":
            return f"a panel of several judges ({self.model})"
        if self.mode == "cascade":
            return f"a cascade: a second judge decides what the first leaves uncertain ({self.model})"
        if provider == "decide":
            return f"the decision model {self.model}, which answers every criterion with a probability"
        if provider == "baseline":
            return "the embedded baseline, which counts shared words and understands nothing"
        if provider == "recorded":
            return "answers that were recorded before, replayed"
        asked = {
            "direct": "asked for a bare yes or no, and read by its probabilities (direct mode)",
            "reason": "which reasons before each verdict (reason mode)",
        }
        return f"the model {self.model}, {asked.get(self.mode, f'asked in mode {self.mode}')}"


NO_JUDGE: Final = JudgeReference(name="none", model="none", mode="none", fingerprint="none")
"""The reference in a judgment for which no judge was asked."""


class Judgment(Frozen):
    """The result of one submission. ``reward`` is None exactly when the rubric's missing-verdict policy cannot be
    satisfied; ``error`` then says why. ``notices``: warnings about the reward. ``guard``: version and vetoes of the
    guard, which decide which responses no judge is asked about. ``facts``: those that a judge may be asked for, with
    their source."""

    id: str
    reward: float | None
    status: JudgmentStatus
    coverage: float = Field(ge=0, le=1)
    judged_coverage: float | None = Field(default=None, ge=0, le=1)
    components: dict[str, float | None] = Field(default_factory=dict)
    step_rewards: tuple[StepReward, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    facts: tuple[FoundFact, ...] = ()
    gates: tuple[GateFired, ...] = ()
    flags: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    rubric: RubricReference | None = None
    judge: JudgeReference | None = None
    guard: str | None = None
    submission: Coordinates = Coordinates()
    submission_digest: str | None = None
    response_characters: int = 0
    usage: Usage = Usage()
    timing: Timing = Timing()
    error: Failure | None = None
    created_at: AwareDatetime
