"""What a calibration leaves behind for people: its report, its labels, a certificate, a comparison with another one."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from judge_server.core.calibration import Calibration, Certificate
from judge_server.core.errors import MissingDependency, NotFound
from judge_server.core.extra import installing
from judge_server.core.rubric import Rubric
from judge_server.labels.archive import collected_set, packed, unpacked
from judge_server.labels.label import Item
from judge_server.labels.label_set import LabelSet
from judge_server.store.label_records import StoredSet
from judge_server.store.store import Store
from judge_server.wiring.service import Service

if TYPE_CHECKING:  # these need the calibration extra, and a server without it serves
    from judge_server.calibration.comparison import JudgeComparison
    from judge_server.report.model import Report

_DISAGREEMENTS = 30
_NO_TEXTS: Final[dict[str, Any]] = {"prompt": None, "response": None, "reference": None, "facts": {}}


async def loaded(*modules: str) -> None:
    """Import what measures judges, by a thread: it takes about a second, in which others wait for rewards. Raises
    MissingDependency if its libraries are not installed."""
    try:
        for module in modules:
            await asyncio.to_thread(import_module, module)
    except ImportError as missing:
        raise MissingDependency(
            f"Calibrating needs {missing.name}, which is not installed.",
            remedy=installing("calibration"),
        ) from missing


async def keep_result(store: Store, record: Calibration, labels: LabelSet, rubric: Rubric) -> None:
    """Compute the report of a run and keep it with the labels; of a locked test split without its texts."""
    text, content = await asyncio.to_thread(_reported, record, labels, rubric)
    await store.calibrations.put_measured(record.id, text, content)


async def report_of(store: Store, calibration_id: str) -> "Report | None":
    """None for a run whose report was not kept, by an earlier version."""
    await loaded("judge_server.report.model")
    from judge_server.report.model import Report

    text = await store.calibrations.report_of(calibration_id)
    return None if text is None else await asyncio.to_thread(Report.model_validate_json, text)


async def labels_of(store: Store, record: Calibration) -> LabelSet:
    """People's labels and the judge's, without texts. Raises NotFound if they were not kept."""
    content = await store.calibrations.measured(record.id)
    if content is None:
        raise NotFound(
            f"The labels of the calibration {record.id} are not kept.",
            remedy="An earlier version made this run: measure the judge again, from cached verdicts.",
        )
    named = StoredSet(
        id=record.labels.id,
        version=record.labels.version,
        digest=record.labels.digest,
        created_at=record.created_at,
        description={},
    )
    return await asyncio.to_thread(unpacked, named, content)


async def texts_of(store: Store, record: Calibration) -> Mapping[str, Item]:
    """The labelled items with their texts, by id, as the measured set has them; empty if the store does not have it, as
    after a run of the command line on a file."""
    found = await store.labels.find_set(record.labels.digest)
    if found is not None:
        return (await asyncio.to_thread(unpacked, *found)).items
    collected = await store.labels.collected(record.labels.id)
    return (await asyncio.to_thread(collected_set, record.labels.id, collected)).items if collected else {}


async def certified(service: Service, record: Calibration, labels: LabelSet, rubric: Rubric) -> Certificate:
    """Let the gate decide about the judge of a run, and store the certificate."""
    await loaded("judge_server.calibration.gate", "judge_server.calibration.readings")
    from judge_server.calibration.gate import certificate, gate, held_to_all
    from judge_server.calibration.policy import read_policy
    from judge_server.calibration.readings import unfitted

    policy = read_policy(service.settings.gate_policy)
    applied = await service.store.calibrations.maps(record.judge.calibration) if record.judge.calibration else None
    own = unfitted(labels, applied)
    decided = await asyncio.to_thread(gate, own, record.judge.name, policy, rubric)
    made = certificate(
        held_to_all(decided, record.unmeasured),
        fingerprint=record.judge.fingerprint,
        rubric=record.rubric,
        calibration=record.id,
        maps=record.judge.calibration,
    )
    await service.store.calibrations.put_certificate(made)
    return made


async def compared(store: Store, old: Calibration, new: Calibration) -> "JudgeComparison":
    """The paired test of two runs on the items that both judged. Raises NotFound and BadInput."""
    await loaded("judge_server.calibration.comparison")
    from judge_server.agreement.judge import Measurement
    from judge_server.calibration.comparison import compare

    before, after = await labels_of(store, old), await labels_of(store, new)
    return await asyncio.to_thread(compare, before, old.judge.name, after, new.judge.name, Measurement())


def _reported(record: Calibration, labels: LabelSet, rubric: Rubric) -> tuple[str, bytes]:
    from judge_server.report.compute import ReportContent, compute

    shown = _DISAGREEMENTS if record.split == "dev" else 0
    found = compute(labels, ReportContent(judges=(record.judge.name,), disagreements=shown, rubric=rubric))
    found = found.model_copy(update={"subject": found.subject.model_copy(update={"split": record.split})})
    bare = {name: item.model_copy(update=_NO_TEXTS) for name, item in labels.items.items()}
    return found.model_dump_json(), packed(replace(labels, items=bare))
