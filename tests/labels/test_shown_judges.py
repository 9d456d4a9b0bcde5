"""The texts of a label set are shown to no judge but those that it names; the limit travels with the set."""

from dataclasses import replace

import pytest

from judge_server.calibration.run import CalibrationTask
from judge_server.core.errors import JudgeNotAllowed
from judge_server.labels.archive import keep, packed, unpacked
from judge_server.labels.readers import read_labels
from judge_server.labels.writing import write_labels
from judge_server.store import Store
from tests.calibration.test_run import YES, human, items, label_set, rubric, started
from tests.scripted_model import ScriptedModel, yes


def _limited(*judges: str):
    made = label_set([human("a", YES)], items=items("a"))
    return replace(made, provenance=made.provenance.model_copy(update={"judges": judges}))


async def test_a_calibration_with_another_judge_is_refused_before_a_call():
    speaker = await started(ScriptedModel(yes(0.9)))
    asked = {"split": "dev", "rubric": rubric(), "judge": speaker, "maps": None}
    labels = _limited("local")
    with pytest.raises(JudgeNotAllowed, match=r"label set .* to local only, not to 'main'") as refused:
        CalibrationTask.of(labels, labels.split("dev"), **asked)
    assert refused.value.extensions["judges"] == ["local"]
    for allowed in (_limited("local", "main"), _limited()):
        assert CalibrationTask.of(allowed, allowed.split("dev"), **asked).judge.name == "main"


async def test_the_limit_is_kept_in_files_and_in_the_store(tmp_path):
    labels = _limited("local")
    write_labels(labels, tmp_path / "kept.csv")
    assert read_labels(tmp_path / "kept.csv").provenance.judges == ("local",)
    store = await Store.open("sqlite://")
    stored = await keep(labels, store.labels)
    assert unpacked(stored, packed(labels)).provenance.judges == ("local",)
    assert stored.description["provenance"]["judges"] == ("local",)
    await store.close()
