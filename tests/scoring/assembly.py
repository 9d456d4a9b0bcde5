"""A scorer put together from real parts over scripted models."""

from collections.abc import Mapping

from judge_server.core.errors import UnknownRubric
from judge_server.core.judge import JudgeSpecification
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.judging.answer import JudgeRegistry
from judge_server.judging.prompt import PromptWriter
from judge_server.judging.single import SingleJudge
from judge_server.scheduling.admission import Admission
from judge_server.scheduling.observers import Observers
from judge_server.scheduling.scheduler import ScheduledModel
from judge_server.scoring.cached_judge import CachedJudge, VerdictCache
from judge_server.scoring.scorer import Scorer

SECRET = b"s" * 32
RESPONSE = "Drink water, rest, and see a doctor if it lasts."


class Shelf:
    """Rubrics by name."""

    def __init__(self, *rubrics: Rubric) -> None:
        self.rubrics = {rubric.name: rubric for rubric in rubrics}

    reviewed_only = False

    async def get_for_judging(self, name: str) -> Rubric:
        if name not in self.rubrics:
            raise UnknownRubric(f"rubric: {name!r} is not known.")
        return self.rubrics[name]

    def admitted(self, rubric: Rubric) -> str | None:
        return None


def judge(model, name: str = "main", **more) -> SingleJudge:
    specification = JudgeSpecification.model_validate({"name": name, "model": "scripted:one"} | more)
    return SingleJudge(specification, ScheduledModel(model), PromptWriter(SECRET))


def scorer(
    *judges,
    store=None,
    rubrics=(),
    limit=10_000,
    most_steps=256,
    archive=None,
    cache=None,
    observers=(),
    calibration_state=None,
    cached_judge=None,
    registry=None,
) -> Scorer:
    """Judges by their names (or as ``registry`` has them), the first being the default; a store remembers verdicts
    and judgments."""
    named: Mapping = {judge.specification.name: judge for judge in judges}
    return Scorer(
        rubrics=Shelf(*rubrics),
        judge_registry=registry or JudgeRegistry(named, next(iter(named), None)),
        cached_judge=cached_judge or CachedJudge(VerdictCache(store) if cache is None else cache),
        admission=Admission(limit, most_steps),
        archive=archive or store,
        observers=Observers(judgments=observers),
        calibration_state=calibration_state,
    )


def rubric(*criteria, count: int = 3, **more) -> Rubric:
    plain = [{"id": f"c{n}", "statement": f"Says thing {n:02}.", "points": 1} for n in range(count)]
    fields = {"id": "medical/test", "version": "1.0.0", "title": "A rubric", "criteria": list(criteria) or plain}
    return Rubric.model_validate(fields | more)


def submission(response=RESPONSE, **more) -> Submission:
    return Submission.model_validate({"rubric": rubric(), "prompt": "My head aches.", "response": response} | more)
