"""Fitted maps: rising, inside [0, 1], known by their content."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from judge_server.core.fitted_map import Curve, FittedMap, Isotonic, MapSet, Platt, Quality, logit
from judge_server.core.rubric import RubricReference

SHARE = st.floats(0, 1)
QUALITY = Quality(
    labels=90, items=60, clusters=30, folds=5, brier_before=0.3, brier_after=0.2, ece_before=0.2, ece_after=0.05
)


@st.composite
def isotonics(draw):
    raws = sorted(draw(st.sets(SHARE, min_size=1, max_size=8)))
    values = sorted(draw(st.lists(SHARE, min_size=len(raws), max_size=len(raws))))
    return Isotonic(kind="isotonic", knots=tuple(zip(raws, values, strict=True)))


platts = st.builds(Platt, kind=st.just("platt"), slope=st.floats(0.01, 50), intercept=st.floats(-50, 50))
curves = st.one_of(platts, isotonics())


def map_set(*curve, created=datetime(2026, 1, 1, tzinfo=UTC), **more) -> MapSet:
    fitted = [FittedMap(curve=one, pool="criterion", quality=QUALITY) for one in curve or [PLATT]]
    fields = {
        "judge": "main",
        "fingerprint": "sha256:f",
        "rubric": RubricReference(id="medical/test", version="1.0.0", digest="sha256:r"),
        "labels": "sha256:l",
        "maps": {f"c{place}": one for place, one in enumerate(fitted)},
        "created_at": created,
    }
    return MapSet(**(fields | more))


PLATT = Platt(kind="platt", slope=2.0, intercept=-1.0)


@given(curves, SHARE, SHARE)
def test_a_map_never_leaves_zero_to_one_and_never_turns_the_order_around(curve, first, second):
    low, high = sorted((first, second))
    assert 0 <= curve.apply(low) <= curve.apply(high) + 1e-12 <= 1 + 1e-12


@given(curves)
def test_a_map_survives_its_json(curve):
    text = map_set(curve).to_json()
    assert MapSet.of_json(text) == map_set(curve)
    assert MapSet.of_json(text).id == map_set(curve).id


def test_platt_is_a_line_on_the_log_odds():
    assert logit(PLATT.apply(0.7)) == pytest.approx(2 * logit(0.7) - 1)


@pytest.mark.parametrize("raw", [0.0, 1.0])
def test_certain_raw_values_are_mapped_to_finite_ones(raw):
    assert 0 < Platt(kind="platt", slope=0.1, intercept=0).apply(raw) < 1


def test_isotonic_is_straight_between_its_knots_and_level_outside():
    curve = Isotonic(kind="isotonic", knots=((0.2, 0.1), (0.6, 0.5)))
    assert [curve.apply(raw) for raw in (0.0, 0.2, 0.4, 0.6, 1.0)] == pytest.approx([0.1, 0.1, 0.3, 0.5, 0.5])


@pytest.mark.parametrize(
    "curve",
    [
        {"kind": "platt", "slope": -1, "intercept": 0},
        {"kind": "platt", "slope": 0, "intercept": 0},
        {"kind": "platt", "slope": float("nan"), "intercept": 0},
        {"kind": "isotonic", "knots": []},
        {"kind": "isotonic", "knots": [[0.5, 0.5], [0.5, 0.6]]},
        {"kind": "isotonic", "knots": [[0.1, 0.5], [0.5, 0.4]]},
        {"kind": "isotonic", "knots": [[0.1, 1.5]]},
        {"slope": 1, "intercept": 0},
    ],
    ids=str,
)
def test_a_curve_that_falls_or_leaves_zero_to_one_is_refused(curve):
    with pytest.raises(ValidationError):
        TypeAdapter(Curve).validate_python(curve)


def test_the_same_fit_at_another_time_has_the_same_id():
    assert map_set().id == map_set(created=datetime(2027, 1, 1, tzinfo=UTC)).id


def test_another_judge_rubric_label_set_or_curve_has_another_id():
    others = [
        map_set(fingerprint="sha256:g"),
        map_set(labels="sha256:m"),
        map_set(rubric=RubricReference(id="medical/test", version="1.0.0", digest="sha256:s")),
        map_set(Platt(kind="platt", slope=2.0, intercept=-1.1)),
    ]
    assert len({one.id for one in [map_set(), *others]}) == 5


def test_a_file_that_was_changed_after_the_fit_is_refused():
    with pytest.raises(ValueError, match="changed after it was fitted"):
        MapSet.of_json(map_set().to_json().replace('"slope": 2.0', '"slope": 3.0'))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"id": "sha256:x", "form": 2}'])
def test_anything_else_is_no_map(text):
    with pytest.raises(ValueError, match=r"no set of fitted maps|form|judge"):
        MapSet.of_json(text)
