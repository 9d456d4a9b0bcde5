"""Rubric formats of other projects: one file a format, with functions to and from a Rubric."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from judge_server.authoring.interchange import (
    checklist,
    flask_skills,
    geval,
    healthbench,
    ifeval,
    inspect_scorer,
    mlflow_judge,
    open_instruct,
    openai_export,
    openai_grader,
    openevals,
    paperbench,
    prbench,
    profbench,
    promptfoo,
    promptfoo_tests,
    rows,
    rubrics_as_rewards,
    score_rubric,
    verifiers,
)
from judge_server.authoring.interchange.row import no_submission, submission_of
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric


@dataclass(frozen=True)
class Format:
    """``read`` converts a record to a rubric, ``write`` a rubric to a record; ``losses`` lists what ``write`` drops.
    ``fits`` says whether a record looks like the format, ``submission`` what it holds beside the rubric, and ``split``
    gives the records in it that have a rubric each. ``takes``: what ``read`` can be told beside the record:
    ``pitfalls`` (whether what is worded as bad is) and ``values`` (what words are worth)."""

    about: str
    read: Callable[..., Rubric]
    fits: Callable[[Any], bool]
    write: Callable[[Rubric], Any] | None = None
    losses: Callable[[Rubric], list[str]] | None = None
    submission: Callable[[Any], dict[str, Any]] = submission_of
    split: Callable[[Any], list[Any]] = lambda record: [record]
    takes: frozenset[str] = frozenset()


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda record: isinstance(record, Mapping) and any(name in record for name in names)


def _entries_have(*names: str) -> Callable[[Any], bool]:
    def fits(record: Any) -> bool:
        found = rows.entries_of(record)
        return bool(found) and all(isinstance(one, Mapping) and all(name in one for name in names) for one in found)

    return fits


def _is_metric(record: Any) -> bool:
    return _has("evaluation_steps")(record) or (_has("criteria")(record) and _has("evaluation_params")(record))


def _is_healthbench(record: Any) -> bool:
    return _has("rubrics")(record) and _entries_have("criterion", "points")(record)


def _is_rar(record: Any) -> bool:
    text = record.get("rubric") if isinstance(record, Mapping) else None
    if isinstance(text, str) and rubrics_as_rewards.lines_of(text):
        return True
    return _entries_have("title", "description", "weight")(record) or _entries_have("description", "category")(record)


_PITFALLS = frozenset({"pitfalls"})
FORMATS: Mapping[str, Format] = {
    "ifeval": Format(
        "IFEval rows: instruction_id_list with kwargs, as checks", ifeval.read, _has("instruction_id_list")
    ),
    "promptfoo": Format(
        "promptfoo tests or configurations: llm-rubric, g-eval, contains, weight, not-, vars",
        promptfoo.read,
        _has("assert", "tests"),
        promptfoo.write,
        promptfoo.losses,
        submission=promptfoo.submission_of,
        split=promptfoo_tests.tests_of,
    ),
    "openai-grader": Format(
        "OpenAI graders: label_model, score_model, string_check, text_similarity, multi",
        openai_grader.read,
        openai_grader.fits,
        openai_export.write,
        openai_export.losses,
        submission=openai_grader.submission_of,
        split=openai_grader.split,
        takes=_PITFALLS,
    ),
    "mlflow": Format(
        "MLflow judges and Guidelines: instructions with {{ outputs }}",
        mlflow_judge.read,
        mlflow_judge.fits,
        submission=no_submission,
        takes=_PITFALLS | {"values"},
    ),
    "openevals": Format(
        "OpenEvals judges: prompt with {outputs}, choices, continuous",
        openevals.read,
        openevals.fits,
        submission=no_submission,
        takes=_PITFALLS,
    ),
    "inspect": Format(
        "inspect_ai model-graded scorers, and evaluation logs as JSON with their samples",
        inspect_scorer.read,
        inspect_scorer.fits,
        submission=inspect_scorer.submission_of,
        split=inspect_scorer.split,
    ),
    "verifiers": Format(
        "verifiers rubric files and environments' configurations: name, text, weight, choices",
        verifiers.read,
        verifiers.fits,
        submission=no_submission,
        split=verifiers.split,
    ),
    "flask": Format(
        "FLASK skills, and rows that name some: Skill, Criteria, Scoring", flask_skills.read, flask_skills.fits
    ),
    "profbench": Format(
        "ProfBench rows: rubrics of criterion_description with a weight in words", profbench.read, profbench.fits
    ),
    "geval": Format(
        "DeepEval G-Eval metrics: criteria, evaluation_steps, rubric", geval.read, _is_metric, submission=no_submission
    ),
    "score-rubric": Format(
        "Prometheus and BiGGen Bench: one scale of 1 to 5 with described levels",
        score_rubric.read,
        lambda record: score_rubric.levels_of(record) is not None,
    ),
    "checklist": Format(
        "WildBench and InFoBench: a list of questions",
        checklist.read,
        _has("checklist", "decomposed_questions", "checklists"),
        submission=checklist.submission_of,
    ),
    "paperbench": Format(
        "PaperBench trees: requirements, weight, sub_tasks",
        paperbench.read,
        paperbench.fits,
        paperbench.write,
        paperbench.losses,
        submission=no_submission,
    ),
    "prbench": Format(
        "PRBench rows: rubric of title and annotations with a weight class",
        prbench.read,
        prbench.fits,
        submission=prbench.submission_of,
    ),
    "healthbench": Format(
        "HealthBench rows: prompt, rubrics of criterion, points, tags",
        healthbench.read,
        _is_healthbench,
        healthbench.write,
        healthbench.losses,
    ),
    "rubrics-as-rewards": Format(
        "Rubrics as Rewards lists: title, description, weight or category",
        rubrics_as_rewards.read,
        _is_rar,
        rubrics_as_rewards.write,
        rubrics_as_rewards.losses,
        takes=_PITFALLS,
    ),
    "open-instruct": Format(
        "open-instruct rows: ground_truth with rubrics, also as JSON text",
        open_instruct.read,
        lambda record: _has("ground_truth")(record) and open_instruct.holds_rubrics(record),
        submission=open_instruct.submission_of,
    ),
    "rows": Format(
        "rows with a list of criteria: verl, RuscaRL, RubricHub, ResearchRubrics, AutoRubric, OpenRubrics",
        rows.read,
        rows.fits,
        rows.write,
        rows.losses,
    ),
}


def _contents(record: Any) -> str:
    if isinstance(record, Mapping):
        return ", ".join(sorted(map(str, record))[:20])
    if isinstance(record, list) and record and isinstance(record[0], Mapping):
        return f"a list of objects with {_contents(record[0])}"
    return f"a {type(record).__name__}"


def format_of(record: Any, where: str) -> str:
    """The first format that a record fits. Raises BadInput if there is none."""
    name = next((name for name, form in FORMATS.items() if form.fits(record)), None)
    if name is None:
        raise BadInput(
            f"{where} has no format that is known here; it holds {_contents(record)}.",
            remedy="rubric import --list-formats shows the formats; name one instead of auto to see what it misses.",
        )
    return name
