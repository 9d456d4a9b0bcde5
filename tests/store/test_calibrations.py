"""Calibrations, fitted maps and certificates outlive the process; one set of maps is in use at a time."""

from datetime import timedelta

import pytest

from judge_server.core.calibration import RULES, Calibration, Certificate, CertificateFinding, Decision, LabelsReference
from judge_server.core.errors import BadInput
from judge_server.core.fitted_map import FittedMap, Isotonic, MapSet, Platt, Quality
from judge_server.core.judgment import JudgeReference
from judge_server.store import Store
from tests.store.values import START, rubric

QUALITY = Quality(
    labels=90, items=60, clusters=30, folds=5, brier_before=0.3, brier_after=0.2, ece_before=0.2, ece_after=0.05
)
ISOTONIC = Isotonic(kind="isotonic", knots=((0.1, 0.2), (0.7, 0.9)))


def calibration(number: int = 0, **more) -> Calibration:
    fields = {
        "id": f"cal_{number}",
        "judge": JudgeReference(name="main", model="baseline", mode="direct", fingerprint="sha256:f"),
        "rubric": rubric().reference,
        "labels": LabelsReference(id="kqa", version="1", digest="sha256:l"),
        "split": "dev",
        "items": 3,
        "rows": f"sha256:rows-{number}",
        "statuses": {"ok": 3},
        "summary": {"overall": {"accuracy": {"value": 0.9}}},
        "created_at": START + timedelta(seconds=number),
    }
    return Calibration.model_validate(fields | more)


def maps(slope: float = 1.5, fingerprint: str = "sha256:f") -> MapSet:
    curves = {"c0": Platt(kind="platt", slope=slope, intercept=0.0), "c1": ISOTONIC}
    return MapSet(
        rules=RULES,
        judge="main",
        fingerprint=fingerprint,
        rubric=rubric().reference,
        labels="sha256:l",
        maps={name: FittedMap(curve=curve, pool="criterion", quality=QUALITY) for name, curve in curves.items()},
        created_at=START,
    )


def certificate(number: int, decision: Decision, fingerprint: str = "sha256:f") -> Certificate:
    return Certificate(
        rules=RULES,
        id=f"crt_{number}",
        decision=decision,
        judge="main",
        fingerprint=fingerprint,
        rubric=rubric().reference,
        policy="sha256:p",
        labels="sha256:l",
        findings=(CertificateFinding(decision=decision, demand="κ ≥ 0.4", value=0.5, reason="κ is 0.5."),),
        created_at=START + timedelta(seconds=number),
    )


async def test_a_calibration_is_found_by_its_id_and_by_the_rows_of_its_judge(store):
    made = calibration()
    await store.calibrations.put_calibration(made)
    assert await store.calibrations.calibration("cal_0") == made
    assert await store.calibrations.calibration_of_rows("sha256:rows-0") == made
    assert await store.calibrations.calibration("cal_1") is None
    assert await store.calibrations.calibration_of_rows("sha256:other") is None


async def test_of_two_runs_with_the_same_rows_the_newest_is_found(store):
    for number in (1, 2, 0):
        await store.calibrations.put_calibration(calibration(number, rows="sha256:same"))
    assert (await store.calibrations.calibration_of_rows("sha256:same")).id == "cal_2"


async def test_calibrations_are_listed_newest_first_page_by_page(store):
    for number in range(5):
        await store.calibrations.put_calibration(calibration(number))
    first = await store.calibrations.calibrations(limit=3)
    rest = await store.calibrations.calibrations(limit=3, cursor=first.next_cursor)
    assert [one.id for one in (*first.items, *rest.items)] == ["cal_4", "cal_3", "cal_2", "cal_1", "cal_0"]
    assert rest.next_cursor is None
    with pytest.raises(BadInput, match="limit"):
        await store.calibrations.calibrations(limit=0)


async def test_a_new_set_of_maps_takes_the_place_of_the_old_one_which_stays_readable(store):
    old, new, other = maps(), maps(2.0), maps(fingerprint="sha256:g")
    for one in (old, other, new):
        await store.calibrations.put_maps(one)
    assert {one.id for one in await store.calibrations.active_maps()} == {new.id, other.id}
    assert await store.calibrations.maps(old.id) == old
    await store.calibrations.put_maps(old)
    assert {one.id for one in await store.calibrations.active_maps()} == {old.id, other.id}


async def test_maps_can_be_kept_without_using_them_and_retired(store):
    await store.calibrations.put_maps(maps(), active=False)
    assert await store.calibrations.active_maps() == ()
    await store.calibrations.put_maps(maps())
    assert await store.calibrations.retire_maps("sha256:f", rubric().digest)
    assert not await store.calibrations.retire_maps("sha256:f", rubric().digest)
    assert await store.calibrations.active_maps() == ()


async def test_the_newest_certificate_of_a_judge_and_rubric_counts(store):
    passed, failed = certificate(1, Decision.PASS), certificate(2, Decision.FAIL)
    elsewhere = certificate(0, Decision.PASS, "sha256:g")
    for one in (failed, passed, elsewhere):
        await store.calibrations.put_certificate(one)
    newest = await store.calibrations.newest_certificates()
    assert sorted(newest, key=lambda one: one.id) == sorted([failed, elsewhere], key=lambda one: one.id)


async def test_what_was_kept_is_there_after_opening_again(url):
    first = await Store.open(url)
    await first.calibrations.put_maps(maps())
    await first.calibrations.put_certificate(certificate(1, Decision.PASS))
    await first.close()
    again = await Store.open(url)
    assert [one.id for one in await again.calibrations.active_maps()] == [maps().id]
    assert len(await again.calibrations.newest_certificates()) == 1
    await again.close()
