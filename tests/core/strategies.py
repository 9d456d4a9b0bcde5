"""Random rubrics, and random outcomes for their criteria."""

from hypothesis import strategies as st

from tests.core.build import rubric

VALUES = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
POINTS = st.one_of(st.integers(-10, 10), st.floats(-10, 10).map(lambda points: round(points, 3)))
WEIGHTS = POINTS.filter(lambda points: points != 0)
KINDS = ("points", "weighted_mean", "all", "any")
FORMULAS = ("{0} - 2*{1}", "min({0}, {1})", "{0} / {1}", "log({0})", "exp(9*{0})^{1}", "abs({0} - {1})", "gamma*{0}")


def ranges(low, high):
    return st.tuples(st.integers(low, high), st.integers(1, 5)).map(lambda drawn: [drawn[0], drawn[0] + drawn[1]])


@st.composite
def aggregates(draw, kinds=KINDS):
    aggregate = {"kind": draw(st.sampled_from(kinds))}
    if draw(st.booleans()):
        aggregate["clip"] = draw(st.one_of(st.just([0, 1]), ranges(-2, 2)))
    if draw(st.booleans()):
        aggregate["scale"] = draw(st.one_of(st.just([-1, 1]), st.just([-0.1, 0.2]), ranges(-3, 3)))
    if draw(st.integers(0, 3)) == 0:
        aggregate["length_adjustment"] = {"penalty": draw(st.sampled_from([0, 0.0299, 0.5]))}
    return aggregate


@st.composite
def trees(draw, kinds=KINDS, points=WEIGHTS, depth=2, gates=False):
    """A dict with ``aggregate`` and ``criteria``: the inside of a rubric or of a group."""
    aggregate = draw(aggregates(kinds))
    criteria = []
    for _ in range(draw(st.integers(1, 4))):
        worth = draw(points)
        criterion = {"points": abs(worth) if aggregate["kind"] == "weighted_mean" else worth}
        if depth and draw(st.integers(0, 3)) == 0:
            criterion |= {"kind": "group"} | draw(trees(kinds, points, depth - 1, gates))
        else:
            criterion["tags"] = draw(st.lists(st.sampled_from(["axis:a", "axis:b"]), unique=True, max_size=2))
            if gates and draw(st.integers(0, 2)) == 0:
                criterion["gate"] = {
                    "when": draw(st.sampled_from(["met", "unmet"])),
                    "reward": draw(st.sampled_from([-1.0, 0.0, 0.2, 0.5])),
                }
        criteria.append(criterion)
    if aggregate["kind"] == "expression":
        aggregate |= {"expression": draw(st.sampled_from(FORMULAS)), "parameters": {"gamma": 0.3}}
    return {"aggregate": aggregate, "criteria": criteria}


def named(tree, prefix="c"):
    """The tree with ids that tell the place, and formulas that read the first and the last of their criteria."""
    criteria = []
    for number, criterion in enumerate(tree["criteria"]):
        name = f"{prefix}{number}"
        inner = named(criterion, f"{name}_") if "criteria" in criterion else {}
        criteria.append(criterion | {"id": name} | inner)
    aggregate = dict(tree["aggregate"])
    if "expression" in aggregate:
        aggregate["expression"] = aggregate["expression"].format(criteria[0]["id"], criteria[-1]["id"])
    return {"aggregate": aggregate, "criteria": criteria}


MISSING = st.sampled_from(
    [
        {"policy": "null"},
        {"policy": "skip", "min_coverage": 0.5},
        {"policy": "skip", "min_coverage": 0.01},
        {"policy": "worst", "min_coverage": 0.5},
        {"policy": "worst", "min_coverage": 0.01},
    ]
)


@st.composite
def rubrics(draw, kinds=KINDS, points=WEIGHTS, depth=2, gates=False, missing=MISSING):
    tree = named(draw(trees(kinds, points, depth, gates)))
    return rubric(*tree["criteria"], aggregate=tree["aggregate"], missing=draw(missing))


@st.composite
def decided(draw, of):
    """A value for every leaf of the rubric."""
    return {leaf.id: draw(VALUES) for leaf in of.leaves}


@st.composite
def outcomes(draw, of):
    """For every leaf a value, "missing", "n/a", or None for no verdict at all."""
    kinds = st.one_of(VALUES, VALUES, st.sampled_from(["missing", "n/a", None]))
    return {leaf.id: draw(kinds) for leaf in of.leaves}
