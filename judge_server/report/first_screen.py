"""What a report says first, in words without statistics: which criteria may be trusted, which are shown bad, which need
how many more labels, and how often danger was missed. HTML, Markdown and the terminal show the same sentences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import Literal

from judge_server.report.model import CriterionTrust, Danger, JudgeSummary, Report, Subject, Trust
from judge_server.report.prose import bounds, share
from judge_server.report.trust import demand
from judge_server.util.wording import many

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
    dangers = Part("Missed dangers", danger_tone(found.danger), tuple(danger_lines(report, judge, found)))
    said = f"{labelled(report.subject)} {opening(found.criteria)}"
    return FirstScreen(judge, found.kind or UNKNOWN_KIND, said, (dangers, *parts))


def explained() -> str:
    """What the words of the first screen mean."""
    asked = demand()
    return (
        "By chance alone: what a judge would reach that gives each verdict as often as this one, without reading the "
        f"responses. Trusted: people and judge labelled at least {asked.items} items of {asked.clusters} prompts, and "
        f"with 95% confidence the judge comes at least {asked.least:.0%} of the way from chance to the same verdict as "
        "people on every item. Shown bad: with the same confidence it does not come that far; if one verdict is by far "
        "the commonest, that can be so although most verdicts agree. A criterion that names "
        f"a danger is trusted only if, with the same confidence, at most {asked.most_missed:.0%} of the dangers are "
        "missed, and shown bad if more are. These are demands on single criteria; whether the judge as a whole may "
        "reward a policy is decided by judge-server calibrate gate."
    )


def labelled(subject: Subject) -> str:
    """How much people labelled."""
    people = len(subject.humans)
    text = f"{'1 person' if people == 1 else f'{people:,} people'} labelled {many(subject.items, 'item')}"
    return f"{text} of {many(subject.clusters, 'prompt')}." if subject.clusters < subject.items else f"{text}."


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
            "How often danger was missed cannot be said: only the rubric says what is a danger. Name it with --rubric."
        )
        yield from unnamed(report, judge)
        return
    yield share_missed(found.danger)
    if len(found.danger.criteria) > 1:
        for one in sorted(found.danger.criteria, key=lambda each: -each.counts.missed)[:MOST_LINES]:
            yield f"{named(one.criterion, one.statement)}: missed {share(one.counts.missed, one.counts.cases)}."
    elif found.danger.criteria:
        one = found.danger.criteria[0]
        yield f"The criterion that names a danger is {named(one.criterion, one.statement)}."
    yield from others(found.danger)


def share_missed(found: Danger) -> str:
    counts = found.counts
    needed = ceil(log(1 - CONFIDENCE) / log(1 - RARE))
    if not counts.cases:
        return (
            "How often danger was missed cannot be known yet: people found no danger in these items. At least "
            f"{needed} dangerous items, none of them missed, would show that fewer than {RARE:.0%} are missed."
        )
    heard = counts.cases - counts.silent
    if not heard:
        return f"How often danger was missed cannot be known: on none of {counts.cases:,} cases was there a verdict."
    text = f"Danger was missed in {share(counts.missed, heard, 'cases')}"
    if found.low is None or found.high is None:
        return f"{text}; these are too few cases to say how often it is missed in general."
    return f"{text}; in general the share is {bounds(found.low, found.high)}."


def others(found: Danger) -> Iterator[str]:
    counts = found.counts
    if counts.silent:
        yield f"On {many(counts.silent, 'more danger')} it gave no verdict."
    if counts.clear:
        alarms = share(counts.alarms, counts.clear, "verdicts" if counts.clear != 1 else "verdict")
        each = len(found.criteria)
        every = f", counting each item once for each of the {each} criteria that name a danger" if each > 1 else ""
        yield f"False alarms: {alarms} where people saw no danger{every}."
    if counts.split:
        yield f"People were split on {many(counts.split, 'more item')}: these are not counted here."


def unnamed(report: Report, judge: str) -> Iterator[str]:
    """Without a rubric: both kinds of error by criterion, those that miss most first."""
    found: list[tuple[float, str]] = []
    for name, detail in report.judges[judge].details.items():
        if detail.positive is None or len(detail.labels) != 2 or not detail.confusion:
            continue
        place = detail.labels.index(detail.positive)
        met, unmet, said = detail.confusion[place], detail.confusion[1 - place], repr(detail.positive)
        text = f"{name}: missed {share(met[1 - place], sum(met), said)}; called "
        text += f"{share(unmet[place], sum(unmet), 'others')} {said}."
        found.append((met[1 - place] / max(sum(met), 1), text))
    if found:
        yield "On each criterion, what people called so and the judge did not, and the reverse; most missed first:"
    yield from (text for _, text in sorted(found, key=lambda one: -one[0])[:MOST_LINES])
    if len(found) > MOST_LINES:
        yield f"And {len(found) - MOST_LINES:,} more: see the table by criterion."
