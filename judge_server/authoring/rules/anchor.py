"""Rules on examples and on the options of scales: what anchors a judge."""

from collections.abc import Iterable

from judge_server.authoring.finding import Severity
from judge_server.authoring.rule import Remark, binaries, choices, judged, rule
from judge_server.core.criterion import BinaryExample, ScaleExample
from judge_server.core.rubric import Rubric

_MOST_OPTIONS = 7
_FEWEST_ORDERED = 4


@rule("missing-examples", Severity.INFO)
def missing_examples(rubric: Rubric) -> Iterable[Remark]:
    """Examples show the judge where the line runs. A rubric without a single one is a warning."""
    criteria = list(judged(rubric))
    bare = [(path, criterion) for path, criterion in criteria if not criterion.examples]
    if len(criteria) > 2 and len(bare) == len(criteria):
        yield Remark(("criteria",), "no criterion has an example", "add one of each verdict", Severity.WARNING)
        return
    for path, criterion in bare:
        yield Remark(path, f"{criterion.id!r} has no example", "add one of each verdict")


@rule("one-sided-examples", Severity.INFO)
def one_sided_examples(rubric: Rubric) -> Iterable[Remark]:
    """Examples of one verdict only draw the judge towards it."""
    for path, criterion in binaries(rubric):
        if len({example.met for example in criterion.examples}) == 1:
            word = "met" if criterion.examples[0].met else "not met"
            yield Remark((*path, "examples"), f"every example is {word}", "add one of the other verdict")


@rule("examples-in-one-order", Severity.INFO)
def examples_in_one_order(rubric: Rubric) -> Iterable[Remark]:
    """Every criterion shows the same verdict first: judges learn the place instead of the line."""
    firsts = [
        (path, criterion.examples[0].met)
        for path, criterion in binaries(rubric)
        if len({example.met for example in criterion.examples}) == 2
    ]
    if len(firsts) >= _FEWEST_ORDERED and len({met for _, met in firsts}) == 1:
        word = "met" if firsts[0][1] else "not met"
        message = f"all {len(firsts)} criteria with examples of both verdicts begin with {word}"
        yield Remark((*firsts[0][0], "examples"), message, "begin about half of them with the other verdict")


@rule("contradictory-examples", Severity.ERROR)
def contradictory_examples(rubric: Rubric) -> Iterable[Remark]:
    """One response stands as an example of two verdicts."""
    for path, criterion in judged(rubric):
        examples: tuple[BinaryExample | ScaleExample, ...] = criterion.examples
        verdicts: dict[str, object] = {}
        for index, example in enumerate(examples):
            verdict = example.met if isinstance(example, BinaryExample) else example.option
            if verdicts.setdefault(example.response.strip(), verdict) != verdict:
                where = (*path, "examples", index)
                yield Remark(where, "this response is an example of another verdict too", "keep one of the two")


@rule("scale-without-anchors", Severity.WARNING)
def scale_without_anchors(rubric: Rubric) -> Iterable[Remark]:
    """The label alone leaves open what an option means; the description is what the judge goes by."""
    for path, scale in choices(rubric):
        bare = [option.label for option in scale.options if not option.description]
        if bare:
            message = f"options without a description: {', '.join(bare)}"
            yield Remark((*path, "options"), message, "describe each option by what can be seen in the text")


@rule("scale-short-of-one", Severity.WARNING)
def scale_short_of_one(rubric: Rubric) -> Iterable[Remark]:
    """The best option is worth less than 1, so that no response earns the criterion's full points (or the worst more
    than 0, which gives points away)."""
    for path, scale in choices(rubric):
        low, high = min(scale.values), max(scale.values)
        if low > 0 or high < 1:
            message = f"the options run from {low:g} to {high:g}, not from 0 to 1"
            yield Remark((*path, "options"), message, "let the worst be 0 and the best 1")


@rule("many-options", Severity.INFO)
def many_options(rubric: Rubric) -> Iterable[Remark]:
    """People as well as models tell apart some seven steps at most."""
    for path, scale in choices(rubric):
        if len(scale.options) > _MOST_OPTIONS:
            yield Remark((*path, "options"), f"{len(scale.options)} options", "merge those that experts mix up")


RULES = (
    missing_examples,
    one_sided_examples,
    examples_in_one_order,
    contradictory_examples,
    scale_without_anchors,
    scale_short_of_one,
    many_options,
)
