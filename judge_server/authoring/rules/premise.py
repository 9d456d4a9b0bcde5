"""Rules on what a statement presupposes: lists, universals, premises, and things that no text shows."""

import re
from collections.abc import Iterable

from judge_server.authoring.finding import Severity
from judge_server.authoring.rule import Remark, binaries, judged, rule
from judge_server.core.rubric import Rubric

_WORD = r"[\w'’-]+"
_LIST = re.compile(
    r"\b(?:such as|for example|for instance|e\.g\.|including|among them)(?!\w)"
    rf"|\b{_WORD}(?: {_WORD}){{0,2}}, (?!and |or |but |which |that |not |unless |if |because )"
    rf"(?:an? |the )?{_WORD}(?: {_WORD}){{0,2}}"
    rf"(?:, |,? (?:or|and) )(?:an? |the )?{_WORD}",
    re.IGNORECASE,
)
_UNIVERSAL = re.compile(
    r"(?:^|\bthat )(?:every|each|all(?! of them)|any)\b|\b(?:at all times|without exception|always)\b", re.IGNORECASE
)
_PREMISE = re.compile(
    r"\b(?:acknowledges|addresses|responds to|respects|takes up|corrects|answers|meets) (?:the|their|his|her|any) "
    r"(?:\w+ )?(?:worry|worries|concern|concerns|fear|fears|objection|objections|complaint|complaints|wish|wishes|"
    r"preference|preferences|mistake|mistakes|error|errors|misconception|request for \w+)\b",
    re.IGNORECASE,
)
_PRESENCE = re.compile(
    r"\b(?:says|states|gives|names|mentions|lists|provides|cites)\b[^.]*?\b(?P<what>dose|dosage|amount|number|figure|date|"
    r"deadline|time limit|how long|how much|how often|price|cost|rate|percentage|statute|section|citation)\b",
    re.IGNORECASE,
)
_CORRECT = re.compile(
    r"\b(?:correct(?:ly)?|right|accurate(?:ly)?|agrees? with|consistent with|within|matches|safe|lies within|"
    r"the one (?:in|of) the reference)\b",
    re.IGNORECASE,
)
_INVISIBLE_MIND = re.compile(
    r"\b(?:sincere(?:ly)?|genuine(?:ly)?|truly|in good faith|intends?|intention(?:s|ally)?|deliberate(?:ly)?|"
    r"really (?:cares?|wants?|understands?|tries)|tries to|cares about|believes|wants to|means well|"
    r"understands (?:the|their|his|her))\b",
    re.IGNORECASE,
)


@rule("list-without-role", Severity.WARNING)
def list_without_role(rubric: Rubric) -> Iterable[Remark]:
    """A list in a statement ("names a sign such as A, B or C") leaves open whether one item is enough. Judges guess,
    and a rule that demands all of several things turns examples into demands."""
    for path, criterion in binaries(rubric):
        found = _LIST.search(criterion.statement)
        if found and not (criterion.any_of or criterion.all_of):
            message = f"a list in the statement ({found.group().strip()!r}) leaves open whether one item is enough"
            yield Remark((*path, "statement"), message, "put the items under any_of or all_of")


@rule("unguarded-universal", Severity.WARNING)
def unguarded_universal(rubric: Rubric) -> Iterable[Remark]:
    """A universal ("every dose is right") is true of a response without any, and judges call it met or not met. An
    empty answer then earns the points, or a good one loses them."""
    for path, criterion in binaries(rubric):
        if criterion.if_absent is None and (found := _UNIVERSAL.search(criterion.statement)):
            message = f"a universal ({found.group().strip()!r}) without a word on what holds if there is none"
            yield Remark((*path, "statement"), message, "add if_absent: skip (or met, or unmet)")


@rule("unmet-premise", Severity.WARNING)
def unmet_premise(rubric: Rubric) -> Iterable[Remark]:
    """The statement presupposes something ("acknowledges the worry") that a conversation may lack: good answers lose
    the points where there is nothing to acknowledge."""
    for path, criterion in binaries(rubric):
        guarded = criterion.if_absent is not None or criterion.when or criterion.points < 0
        if not guarded and (found := _PREMISE.search(criterion.statement)):
            message = f"{found.group()!r} presupposes something that not every conversation has"
            yield Remark((*path, "statement"), message, "add if_absent: skip, or a condition under when")


@rule("presence-without-correctness", Severity.WARNING)
def presence_without_correctness(rubric: Rubric) -> Iterable[Remark]:
    """Points for saying a dose, a date or a number, and no criterion that it is right: any value earns them."""
    corrected = " ".join(leaf.statement.lower() for leaf in rubric.leaves if _CORRECT.search(leaf.statement))
    for path, criterion in binaries(rubric):
        found = _PRESENCE.search(criterion.statement) if criterion.points > 0 else None
        if found is None or _CORRECT.search(criterion.statement) or criterion.reference != "none":
            continue
        what = found.group("what").lower()
        if what not in corrected:
            message = f"points for a {what}, and nothing asks whether it is right"
            yield Remark((*path, "statement"), message, "say what makes it right, or hold it against the reference")


@rule("invisible-mind", Severity.WARNING)
def invisible_mind(rubric: Rubric) -> Iterable[Remark]:
    """Intent, sincerity and understanding stand in no text. Judges guess them, and a policy learns the words that sound
    like them."""
    for path, criterion in judged(rubric):
        if found := _INVISIBLE_MIND.search(criterion.statement):
            message = f"no text shows {found.group().strip()!r}"
            yield Remark((*path, "statement"), message, "say what can be read in the response")


RULES = (list_without_role, unguarded_universal, unmet_premise, presence_without_correctness, invisible_mind)
