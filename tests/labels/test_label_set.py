import numpy as np
import pytest

from judge_server.core.errors import BadInput
from judge_server.labels.label import CriterionScale, Item, Label
from judge_server.labels.label_set import LabelSet, Provenance
from judge_server.labels.splits import ReadingFile, read_test, split_by_prompt
from judge_server.labels.table_builder import table_of

SCALE = CriterionScale(criterion="c", kind="binary", classes=("no", "yes"), positive="yes")


def label(item: str, annotator: str = "ann", word: str | None = "yes", **more) -> Label:
    role = "judge" if annotator == "gpt" else "human"
    fields = {"item": item, "criterion": "c", "annotator": annotator, "role": role, "label": word, "cluster": item}
    return Label.model_validate(fields | more)


def label_set(*labels: Label, **more) -> LabelSet:
    fields = {"id": "s", "version": "1", "provenance": Provenance(source="tests"), "scales": (SCALE,)}
    return LabelSet(**fields | {"table": table_of(labels)} | more)


MANY = [label(f"item {number}", who) for number in range(200) for who in ("ann", "gpt")]
ODD = [
    label("a", "gpt", None, status="invalid", written="Sorry", rationale="r", row=3),
    label("b", "gpt", None, status="abstained", probabilities={"no": 0.4, "yes": 0.6}),
    label("a", "ann", "no", row=9, probability=0.25),
    label("c", "ann", "no", saw_judge=True),
]


def test_a_table_gives_back_the_labels_it_was_made_of():
    assert list(table_of(ODD)) == ODD


def test_the_digest_does_not_depend_on_the_order_of_the_rows_or_on_the_file():
    again = [one.model_copy(update={"row": 77}) for one in reversed(ODD)]
    assert label_set(*ODD).digest == label_set(*again, version="2").digest


@pytest.mark.parametrize(
    "changed",
    [
        {"label": "yes"}, {"probability": 0.26}, {"rationale": "why"}, {"cluster": "other"}, {"annotator": "bob"},
        {"label": None, "status": "abstained"}, {"label": None, "status": "invalid", "written": "no"},
        {"saw_judge": True},
    ],
)  # fmt: skip
def test_the_digest_tells_every_change_of_a_label(changed):
    other = ODD[2].model_copy(update=changed)
    assert label_set(*ODD[:2], other).digest != label_set(*ODD).digest


def test_the_digest_tells_changed_scales_splits_and_texts():
    base = label_set(*ODD)
    others = [
        label_set(*ODD, scales=()),
        label_set(*ODD, splits={"a": "test"}),
        label_set(*ODD, items={"a": Item(id="a", response="text")}),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 4


def test_names_that_no_row_uses_are_not_in_the_digest():
    whole = label_set(*ODD, label("z"))
    cut = label_set(table=whole.table.select(np.array([True, True, True, True, False])))
    assert cut.digest == label_set(*ODD).digest


def test_counts_keep_abstentions_and_invalid_labels_apart():
    counts = label_set(*ODD).counts
    assert (counts.labels, counts.abstained, counts.invalid, counts.humans, counts.judges) == (4, 1, 1, 1, 1)
    assert counts.saw_judge == 1


def test_prompts_are_dealt_by_their_hash_and_stay_where_they_are():
    split = split_by_prompt(label_set(*MANY), test_share=0.3, seed=1)
    assert 30 < split.counts.test_clusters < 90
    fewer = split_by_prompt(label_set(*MANY[:50]), test_share=0.3, seed=1)
    assert all(split.splits[cluster] == place for cluster, place in fewer.splits.items())
    assert split_by_prompt(label_set(*MANY), test_share=0.3, seed=2).splits != split.splits


@pytest.mark.parametrize("share", [0, 1, -1, 2, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(BadInput, match="test_share"):
        split_by_prompt(label_set(*MANY), test_share=share)


def test_dev_is_open_and_holds_no_prompt_of_test():
    split = split_by_prompt(label_set(*MANY))
    dev = split.split("dev")
    assert {split.splits[one.cluster] for one in dev.table} == {"dev"}
    assert len(dev.table) == 2 * (200 - split.counts.test_clusters)


def test_test_is_locked_without_the_record_of_this_reading():
    with pytest.raises(BadInput, match="locked"):
        split_by_prompt(label_set(*MANY)).split("test")


async def test_a_read_of_the_test_split_is_recorded_beside_the_file(tmp_path):
    split = split_by_prompt(label_set(*MANY))
    log = ReadingFile(tmp_path / "labels.csv")
    test = await read_test(split, log, reader="Ada", reason="final figures")
    assert {split.splits[one.cluster] for one in test.table} == {"test"}
    (reading,) = await log.readings(split.digest)
    assert (reading.reader, reading.reason, reading.digest) == ("Ada", "final figures", split.digest)
    assert split.split("test", reading).digest == test.digest
    other = split_by_prompt(label_set(*MANY), seed=9)
    with pytest.raises(BadInput, match="locked"):
        other.split("test", reading)


@pytest.mark.parametrize(("reader", "reason"), [("", "why"), ("Ada", " ")])
async def test_test_is_not_read_without_a_name_and_a_reason(tmp_path, reader, reason):
    with pytest.raises(BadInput, match="recorded"):
        await read_test(split_by_prompt(label_set(*MANY)), ReadingFile(tmp_path / "x"), reader=reader, reason=reason)


async def test_a_set_without_a_test_split_says_how_to_make_one(tmp_path):
    with pytest.raises(BadInput, match="no test split") as refused:
        await read_test(label_set(*MANY), ReadingFile(tmp_path / "x"), reader="Ada", reason="why")
    assert "--test-share" in refused.value.remedy


@pytest.mark.parametrize(
    "wrong",
    [
        {"classes": ("a", "a")},
        {"classes": ("a", "b"), "positive": "c"},
        {"kind": "continuous", "classes": ("a",)},
        {"kind": "nominal", "classes": ()},
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValueError, match="criterion 'c'"):
        CriterionScale.model_validate({"criterion": "c", "kind": "nominal", **wrong})
