"""Rules on the rubric as a whole: its size, tree, tags, conditions and sources."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import combinations

from judge_server.authoring.finding import Path, Severity
from judge_server.authoring.rule import Remark, leaves_of, located, rule
from judge_server.core.criterion import Group
from judge_server.core.rubric import Rubric

_FEWEST = 3
_MOST = 40
_MISSPELT = 0.88
_MOST_COMPARED = 100


@rule("few-criteria", Severity.INFO)
def few_criteria(rubric: Rubric) -> Iterable[Remark]:
    """One or two criteria: a policy finds the one thing they miss."""
    if len(rubric.leaves) < _FEWEST:
        yield Remark(("criteria",), f"only {len(rubric.leaves)} criteria", "8 to 20 atomic criteria are usual")


@rule("many-criteria", Severity.WARNING)
def many_criteria(rubric: Rubric) -> Iterable[Remark]:
    """Each criterion is a judge call, and each of very many weighs next to nothing."""
    if len(rubric.leaves) > _MOST:
        yield Remark(("criteria",), f"{len(rubric.leaves)} criteria", "merge duplicates or split it into rubrics")


@rule("single-child-group", Severity.WARNING)
def single_child_group(rubric: Rubric) -> Iterable[Remark]:
    """A group of one criterion adds a level and no meaning."""
    for path, node in located(rubric):
        if isinstance(node, Group) and len(node.criteria) == 1:
            yield Remark((*path, "criteria"), f"the group {node.id!r} has one criterion", "put it in the group's place")


@rule("similar-names", Severity.WARNING)
def similar_names(rubric: Rubric) -> Iterable[Remark]:
    """Two tags or two facts that differ by a letter or two are usually one that is misspelt."""
    tags: dict[str, Path] = {}
    facts: dict[str, Path] = {}
    for path, node in located(rubric):
        for tag in node.tags:
            tags.setdefault(tag, (*path, "tags"))
        for fact in node.when:
            facts.setdefault(fact, (*path, "when"))
    for names in (tags, facts):
        for first, second in combinations(list(names)[:_MOST_COMPARED], 2):
            if _look_alike(first, second):
                message = f"{second!r} looks like {first!r}"
                yield Remark(names[second], message, "use one spelling, or names that differ more")


def _look_alike(first: str, second: str) -> bool:
    one, two = re.split(r"[.:/]", first), re.split(r"[.:/]", second)
    if (
        one[:-1] != two[:-1]
        or min(len(one[-1]), len(two[-1])) < 5
        or re.sub(r"\d", "", first) == re.sub(r"\d", "", second)
    ):
        return one == two and first != second
    return SequenceMatcher(None, one[-1].lower(), two[-1].lower()).ratio() >= _MISSPELT


@rule("untagged", Severity.INFO)
def untagged(rubric: Rubric) -> Iterable[Remark]:
    """Some criteria have tags and this one has none: it is missing from the reward's components."""
    bare = [(path, leaf) for path, leaf in leaves_of(rubric) if not leaf.tags]
    if len(bare) < len(rubric.leaves):
        for path, leaf in bare:
            yield Remark(path, f"{leaf.id!r} has no tag while others have", "tag it, like [axis:completeness]")


@rule("undocumented-fact", Severity.INFO)
def undocumented_fact(rubric: Rubric) -> Iterable[Remark]:
    """A condition reads a fact that is neither declared nor in the description: authors of submissions cannot know of
    it, and without the fact the criterion never applies."""
    if rubric.facts:
        return
    told: set[str] = set()
    for path, node in located(rubric):
        for fact in node.when:
            if fact.startswith("facts.") and fact.split(".")[-1] not in rubric.description and fact not in told:
                told.add(fact)
                yield Remark(
                    (*path, "when"),
                    f"the description does not tell of {fact}",
                    "declare it under facts, with its values",
                )


@rule("missing-description", Severity.INFO)
def missing_description(rubric: Rubric) -> Iterable[Remark]:
    """The description says when to use the rubric and what it does not cover."""
    if not rubric.description.strip():
        yield Remark((), "the rubric has no description", "say when to use it and what it does not cover")


@rule("unused-source", Severity.INFO)
def unused_source(rubric: Rubric) -> Iterable[Remark]:
    """A source that no criterion cites supports nothing that a reader can check."""
    cited = {name for leaf in rubric.leaves for name in leaf.sources}
    for index, source in enumerate(rubric.sources):
        if source.id not in cited:
            yield Remark(("sources", index), f"no criterion cites {source.id!r}", "cite it where it is used")


RULES = (
    few_criteria,
    many_criteria,
    single_child_group,
    similar_names,
    untagged,
    undocumented_fact,
    missing_description,
    unused_source,
)
