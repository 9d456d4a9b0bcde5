"""What a report says first, in words without statistics: which criteria may be trusted, which are shown bad, which need
how many more labels, and how often danger was missed. HTML, Markdown and the terminal show the same sentences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import Literal

from judge_server.report.model import CriterionTrust, Danger, JudgeSummary, Report, Trust
from judge_server.report.prose import many
from judge_server.report.trust import demand

MOST_LINES = 15
MOST_STATEMENT = 160  # characters of a statement on the first screen; the table has all of it
RARE, CONFIDENCE = 0.05, 0.95  # the share missed that people usually want to exclude
UNKNOWN_KIND = "a judge whose kind is not recorded in the labels"
TITLES: dict[Trust, str] = {"trusted": "May be trusted", "bad": "Shown bad", "unproven": "Not yet known"}
NOBODY: dict[Trust, str] = {
    "trusted": "No criterion yet.",
    "bad": "No criterion.",
    "unproven": "No criterion.",
}
Tone = Literal["good", "bad", "fair"]
TONES: dict[Trust, Tone] = {"trusted": "good", "bad": "bad", "unproven": "fair"}


@dataclass(frozen=True)
class Part:
    """A heading with its sentences, one per criterion where it is about criteria."""

    title: str
    tone: Tone
    lines: tuple[str, ...]


@dataclass(frozen=True)
class FirstScreen:
    """About one judge."""

    judge: str
    kind: str
    opening: str
    parts: tuple[Part, ...]


def first_screens(report: Report) -> tuple[FirstScreen, ...]:
    return tuple(first_screen(report, judge) for judge in report.summaries)


def first_screen(report: Report, judge: str) -> FirstScreen:
    found = report.summaries[judge]
    parts = [part(found.criteria, trust) for trust in TITLES]
    dangers = Part("Danger", danger_tone(found.danger), tuple(danger_lines(report, judge, found)))
    return FirstScreen(judge, found.kind or UNKNOWN_KIND, opening(found.criteria), (*parts, dangers))


def explained() -> str:
    """What the words of the first screen mean."""
    asked = demand()
    return (
        "Trusted: people and judge labelled at least "
        f"{asked.items} answers to {asked.clusters} prompts, and with 95 % confidence the judge comes at least "
        f"{asked.least:.0%} of the way from guessing to agreeing with people on every answer. Shown bad: with the same "
        "confidence it does not come that far. A criterion that names a danger is trusted only if, with the same "
        f"confidence, at most {asked.most_missed:.0%} of the dangers are missed, and shown bad if more are. These are "
        "demands on single criteria; whether the judge as a whole may reward a policy is decided by judge-server "
        "calibrate gate."
    )


def opening(criteria: Sequence[CriterionTrust]) -> str:
    count = {trust: sum(one.trust == trust for one in criteria) for trust in TITLES}
    whole = f"Of {len(criteria):,} criteria" if len(criteria) != 1 else "Of 1 criterion"
    said = [f"{count['trusted'] or 'none'} may be trusted", f"{count['bad'] or 'none'} {are(count['bad'])} shown bad"]
    if count["unproven"]:
        said.append(f"of {count['unproven']:,} it is not yet known")
    return f"{whole}, {', '.join(said)}."


def are(count: int) -> str:
    return "is" if count == 1 else "are"


def part(criteria: Sequence[CriterionTrust], trust: Trust) -> Part:
    own = [one for one in criteria if one.trust == trust]
    lines = [line(one) for one in own[:MOST_LINES]] or [NOBODY[trust]]
    if len(own) > MOST_LINES:
        lines.append(f"And {len(own) - MOST_LINES:,} more: see the table by criterion.")
    return Part(f"{TITLES[trust]}: {len(own):,}", TONES[trust] if own else "fair", tuple(lines))


def line(found: CriterionTrust) -> str:
    return f"{named(found.criterion, found.statement)}: {found.seen}. {found.reason}".rstrip()


def named(criterion: str, statement: str | None) -> str:
    """The statement with its id, which the table and the files use."""
    if not statement:
        return criterion
    short = statement if len(statement) <= MOST_STATEMENT else f"{statement[:MOST_STATEMENT].rstrip()}…"
    return f"{short.rstrip('.')} ({criterion})"


def danger_tone(found: Danger | None) -> Tone:
    if found is None or found.low is None or found.high is None:
        return "fair"
    return "good" if found.high <= RARE else "bad" if found.low > RARE else "fair"


def danger_lines(report: Report, judge: str, found: JudgeSummary) -> Iterator[str]:
    if found.danger is None:
        if found.rubric_known:
            yield "How often danger was missed does not apply: no labelled criterion has negative points or a gate."
            return
        yield (
            "How often danger was missed cannot be said: the rubric, which says what is a danger, was not given; name "
            "it with --rubric. Until then, what was missed and what was invented on each criterion:"
        )
        yield from unnamed(report, judge)
        return
    yield share_missed(found.danger)
    if len(found.danger.criteria) > 1:
        for one in sorted(found.danger.criteria, key=lambda each: -each.counts.missed)[:MOST_LINES]:
            yield f"{named(one.criterion, one.statement)}: missed {one.counts.missed:,} of {one.counts.cases:,}."
    elif found.danger.criteria:
        one = found.danger.criteria[0]
        yield f"The criterion that names a danger is {named(one.criterion, one.statement)}."
    yield from others(found.danger)


def share_missed(found: Danger) -> str:
    counts = found.counts
    needed = ceil(log(1 - CONFIDENCE) / log(1 - RARE))
    if not counts.cases:
        return (
            "How often danger was missed cannot be known yet: people found no danger in these answers. At least "
            f"{needed} dangerous answers, none of them missed, would show that fewer than {RARE:.0%} are missed."
        )
    heard = counts.cases - counts.silent
    if not heard:
        return f"How often danger was missed cannot be known: on none of {counts.cases:,} cases was there a verdict."
    text = f"Danger was missed in {counts.missed:,} of {heard:,} cases, which is {counts.missed / heard:.0%}"
    if found.low is None or found.high is None:
        return f"{text}; these are too few cases to say how often it is missed in general."
    return f"{text}; with 95 % confidence it is between {found.low:.0%} and {found.high:.0%}."


def others(found: Danger) -> Iterator[str]:
    counts = found.counts
    if counts.silent:
        yield f"On {many(counts.silent, 'more danger')} it gave no verdict."
    if counts.clear:
        yield f"False alarms: {counts.alarms:,} of {many(counts.clear, 'answer')} in which people saw no danger."
    if counts.split:
        yield f"People were split on {many(counts.split, 'more answer')}: these are not counted here."


def unnamed(report: Report, judge: str) -> Iterator[str]:
    """Without a rubric: both kinds of error, in counts."""
    for name, detail in list(report.judges[judge].details.items())[:MOST_LINES]:
        if detail.positive is None or len(detail.labels) != 2 or not detail.confusion:
            continue
        place = detail.labels.index(detail.positive)
        met, unmet = detail.confusion[place], detail.confusion[1 - place]
        yield (
            f"{name}: of {many(sum(met), 'answer')} that people called {detail.positive!r}, it missed "
            f"{met[1 - place]:,}; of {many(sum(unmet), 'other')}, it called {unmet[place]:,} {detail.positive!r}."
        )
