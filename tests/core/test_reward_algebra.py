"""Laws that hold for every rubric: bounds, monotony, and that no order matters."""

import random
from math import isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.core.criterion import Group
from judge_server.core.reward import reward
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict
from tests.core.build import rubric, verdicts
from tests.core.strategies import KINDS, POINTS, VALUES, decided, named, outcomes, rubrics, trees

EVERY_KIND = (*KINDS, "expression")


@settings(max_examples=200)
@given(st.data(), st.integers(0, 20_000))
def test_a_reward_stays_within_the_declared_bounds(data, characters):
    judged = data.draw(rubrics(kinds=EVERY_KIND, points=POINTS, gates=True))
    outcome = reward(judged, verdicts(**data.draw(outcomes(judged))), characters)
    if outcome.reward is None:
        return
    assert isfinite(outcome.reward)
    aggregate = judged.aggregate
    fired = [gate.reward for gate in outcome.gates]
    if aggregate.floor is not None:
        assert outcome.reward >= min([aggregate.floor, *fired])
    if aggregate.ceiling is not None:
        assert outcome.reward <= aggregate.ceiling
    if aggregate.clip and not aggregate.scale and not fired:
        assert aggregate.clip[0] <= outcome.reward <= aggregate.clip[1]


@settings(max_examples=100)
@given(st.data(), st.floats(0, 1e6, allow_subnormal=False).filter(lambda size: size == 0 or size > 1e-6))
def test_no_points_however_uneven_make_a_number_that_is_not_finite(data, size):
    sizes = [1e9, -1e9, 1e-9, -1e-9, size, -size, 0.0]
    judged = data.draw(rubrics(kinds=EVERY_KIND, points=st.sampled_from(sizes)))
    outcome = reward(judged, verdicts(**data.draw(decided(judged))))
    assert all(isfinite(value) for value in (outcome.reward, *outcome.components.values()) if value is not None)


def directions(criteria, outer=1):
    """+1 for a leaf that raises the reward when it is met, -1 for one that lowers it."""
    for criterion in criteria:
        sign = outer * (1 if criterion.points > 0 else -1)
        if isinstance(criterion, Group):
            yield from directions(criterion.criteria, sign)
        else:
            yield criterion.id, sign


def with_natural_gates(criteria, source, outer=1):
    """Gates put on some leaves, in the direction in which the leaf is bad."""
    for criterion in criteria:
        sign = outer * (1 if criterion["points"] > 0 else -1)
        if "criteria" in criterion:
            with_natural_gates(criterion["criteria"], source, sign)
        elif source.random() < 0.3:
            criterion["gate"] = {"when": "unmet" if sign > 0 else "met", "reward": source.choice([-1.0, 0.0, 0.4])}


@settings(max_examples=150)
@given(st.data(), st.booleans(), st.randoms(use_true_random=False))
def test_more_of_what_is_good_never_lowers_the_reward_and_more_of_what_is_bad_never_raises_it(data, gated, source):
    tree = named(data.draw(trees()))
    if gated:
        with_natural_gates(tree["criteria"], source)
    judged = rubric(*tree["criteria"], aggregate=tree["aggregate"])
    values = data.draw(decided(judged))
    name, sign = data.draw(st.sampled_from(list(directions(judged.criteria))))
    more = data.draw(st.floats(values[name], 1))
    before, after = reward(judged, verdicts(**values)).reward, reward(judged, verdicts(**values | {name: more})).reward
    if before is None or after is None:
        assert before == after or gated  # a veto gives a number where the arithmetic has none
    else:
        assert after >= before if sign > 0 else after <= before


def shuffled(criteria, source):
    mixed = [
        criterion | ({"criteria": shuffled(criterion["criteria"], source)} if "criteria" in criterion else {})
        for criterion in criteria
    ]
    source.shuffle(mixed)
    return mixed


@settings(max_examples=100)
@given(st.data(), st.randoms(use_true_random=False))
def test_the_order_of_criteria_and_verdicts_changes_nothing_not_even_the_last_digit(data, source):
    judged = data.draw(rubrics(kinds=EVERY_KIND, points=POINTS, gates=True))
    found = verdicts(**data.draw(outcomes(judged)))
    written = judged.model_dump(mode="json")
    other = Rubric.model_validate(written | {"criteria": shuffled(written["criteria"], source)})
    first, second = reward(judged, found), reward(other, source.sample(found, len(found)))
    assert first.reward == second.reward
    assert first.coverage == second.coverage
    assert first.components == second.components
    assert (first.status, first.error and first.error.type) == (second.status, second.error and second.error.type)
    assert set(first.gates) == set(second.gates)


@settings(max_examples=100)
@given(st.data(), st.randoms(use_true_random=False))
def test_the_order_of_verdicts_changes_nothing_at_all(data, source):
    judged = data.draw(rubrics(kinds=EVERY_KIND, points=POINTS, gates=True))
    found = verdicts(**data.draw(outcomes(judged)))
    assert reward(judged, found) == reward(judged, source.sample(found, len(found)))


@settings(max_examples=100)
@given(st.data())
def test_a_replay_from_stored_json_gives_the_same_outcome(data):
    judged = data.draw(rubrics(kinds=EVERY_KIND, points=POINTS, gates=True))
    found = verdicts(**data.draw(outcomes(judged)))
    stored = [Verdict.model_validate_json(verdict.model_dump_json()) for verdict in found]
    again = Rubric.model_validate_json(judged.canonical())
    assert reward(again, stored, 100) == reward(judged, found, 100)


@settings(max_examples=200)
@given(st.data())
def test_a_criterion_that_does_not_apply_might_as_well_not_be_there(data):
    judged = data.draw(rubrics(depth=0))
    found = data.draw(decided(judged)) | {"c0": "n/a"}
    rest = judged.model_dump(mode="json")
    rest["criteria"] = [criterion for criterion in rest["criteria"] if criterion["id"] != "c0"]
    outcome = reward(judged, verdicts(**found))
    if not rest["criteria"]:
        assert outcome.reward is None
        return
    expected = reward(Rubric.model_validate(rest), verdicts(**{name: found[name] for name in found if name != "c0"}))
    assert (outcome.reward, outcome.components, outcome.coverage) == (
        expected.reward,
        expected.components,
        expected.coverage,
    )


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(-10, 10), VALUES), min_size=1, max_size=30))
def test_sums_do_not_depend_on_the_order_of_the_addends(items):
    criteria = [{"id": f"c{place}", "points": points} for place, (points, _) in enumerate(items)]
    found = verdicts(**{f"c{place}": value for place, (_, value) in enumerate(items)})
    scores = set()
    for seed in range(4):
        mixed = random.Random(seed).sample(criteria, len(criteria))
        scores.add(reward(rubric(*mixed), found).reward)
    assert len(scores) == 1
