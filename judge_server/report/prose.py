"""The sentences of the report, shared by all documents."""

from collections.abc import Iterator

from judge_server.report.model import Report
from judge_server.util.wording import many, percent

HOW_TO_READ = (
    "κ is agreement beyond chance: 0 for guessing, 1 for perfect agreement. Brackets hold 95 % intervals "
    "that count prompts. Over several criteria it is the mean of theirs. "
    "People is the agreement among the people, the ceiling for a judge. A dash means no "
    "value; the reasons are below."
)
FOREST = (
    "Dots: the judge against each person. Diamonds: the people against each other. Lines: intervals, clustered "
    "by prompt. "
    "A judge whose line ends left of the diamond's falls short of the people."
)
RELIABILITY = (
    "On the dashed line the probabilities are accurate; below it, the judge is overconfident. Bars show "
    "the number of items of each dot."
)
MATRIX = (
    "Rows: the people's majority. Columns: the judge. Shade: share of the row. Items without a majority are left out."
)
SLICES = (
    "Ratings between 0 (worst) and 1 (best). A judge's dot right of the diamond is more generous than "
    "people on these items."
)
PEOPLE = "Each person against the majority of the others, on the items that they share."
DISAGREEMENTS = (
    "Ranked by how far the judge is from the people, then by how much the people agree among "
    "themselves. Read these before changing the rubric."
)
HIDDEN = {code: f"⟨{code:04X}⟩" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}
HIDDEN |= dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(55296, 57344)), "�")
CHECKS = (
    "Programs answer these criteria, not a judge: each line compares a program with the people's majority. No figure "
    "of a judge counts them."
)
MISSING = (
    "The judge gave no label on some items that people labelled. Each line shows its agreement with people as measured "
    "on the others, and what it would be if every missing label were wrong, or right."
)
BANDS = (
    "By what the judge itself gave an item: a policy in training moves to items that the judge rates highly, so the "
    "last line matters most. Within a band labels vary less, which lowers κ: compare accuracies."
)
UNPAIRED = "The two reports are not paired here; calibrate compare tests two versions on the same items."


def visible(text: str) -> str:
    """Make control and direction-changing characters visible."""
    return text.translate(HIDDEN)


def title(report: Report) -> str:
    judges = report.subject.judges
    who = judges[0] if len(judges) == 1 else f"{len(judges)} judges" if judges else "People"
    return (
        f"{who} measured against people on {report.subject.id}"
        if judges
        else f"People among themselves on {report.subject.id}"
    )


def facts(report: Report) -> str:
    subject = report.subject
    parts = [
        many(subject.labels, "label"),
        many(subject.items, "item"),
        many(subject.clusters, "prompt"),
        many(len(subject.criteria), "criterion", "criteria"),
        many(len(subject.humans), "person", "people"),
        many(len(subject.judges), "judge"),
    ]
    if subject.split != "all":
        parts.append(f"{subject.split} split")
    return " · ".join(parts)


def share(count: float, whole: float, noun: str = "") -> str:
    """A count with its percentage: ``3 of 20 cases (15%)``."""
    named = f"{whole:,.0f} {noun}".rstrip()
    return f"{count:,.0f} of {named} ({percent(count / whole)})" if whole else f"{count:,.0f} of {named}"


def bounds(low: float, high: float) -> str:
    return f"between {percent(low)} and {percent(high)} (95% confidence)"


def method(report: Report) -> Iterator[str]:
    how = report.method
    yield (
        f"Intervals hold {how.confidence:.0%} and count prompts, because ratings of one prompt are not independent: "
        "score intervals with an effective number of ratings for shares and coefficients, their combination for "
        f"differences, a jackknife over prompts for correlations, {how.replicates:,} resamples (seed {how.seed}) for "
        "the alternative-annotator test. With "
        f"fewer than {how.min_clusters} prompts or {how.min_items} items no interval is given: that is not enough "
        "evidence."
    )
    yield (
        "Plain names compare the judge with the people's majority (ties left out) or, for numbers, their mean. "
        "'With each person' counts every pair "
        "of a judge's and a person's rating once; it is comparable with the people's own agreement, "
        "and the difference between the two is "
        "taken on the same items."
    )
    yield (
        f"Abstentions and invalid answers are counted, never turned into a label. The alternative-annotator "
        f"test grants people ε = {how.epsilon:g}; "
        "a winning rate of at least .5 means that the judge may replace one of them. If a coin or the commonest answer "
        "reaches .5 as well, people agree too little with each other, and there is no result."
    )


def provenance(report: Report) -> str:
    subject = report.subject
    source = subject.provenance
    parts = [f"Label set {subject.id} {subject.version}", f"source: {source.source}"]
    parts += [
        f"{name}: {value}"
        for name, value in (("commit", source.commit), ("licence", source.licence), ("nature", source.nature))
        if value
    ]
    return " · ".join([*parts, subject.digest])
