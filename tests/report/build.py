"""Label sets for tests: small ones by hand, published ones from files."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale, Item, Label, Role
from judge_server.labels.label_set import LabelSet, Provenance
from judge_server.labels.table_builder import table_of

DATA = Path(__file__).parents[3] / "shared" / "data"
NAMES = {"h": "human", "j": "judge"}


def label(item: str, annotator: str, role: Role, said: str | None, criterion: str = "c", **fields) -> Label:
    return Label(
        item=item,
        criterion=criterion,
        annotator=annotator,
        role=role,
        label=said,
        cluster=fields.pop("cluster", item),
        status=fields.pop("status", "ok" if said is not None else "abstained"),
        **fields,
    )


def label_set(
    labels: Iterable[Label], items: Mapping[str, Item] | None = None, scales: tuple[CriterionScale, ...] = ()
) -> LabelSet:
    return LabelSet("tiny", "1", Provenance(source="made up"), scales, table_of(labels), items or {})


def rubric_of(**statements: str) -> Rubric:
    """A rubric with these statements by id."""
    criteria = [{"id": name, "statement": statement} for name, statement in statements.items()]
    return Rubric.model_validate({"id": "test/made", "version": "1.0.0", "title": "Made up", "criteria": criteria})


def panel_of(rows: Mapping[str, Iterable[str | None]], criterion: str = "c", per_cluster: int = 1) -> Iterator[Label]:
    """``rows``: labels of ``h1``, ``h2``, ``j``… item by item; None is an abstention, ``"-"`` a missing rating."""
    for annotator, said in rows.items():
        for place, each in enumerate(said):
            if each != "-":
                cluster = f"p{place // per_cluster}"
                yield label(f"i{place}", annotator, NAMES[annotator[0]], each, criterion, cluster=cluster)


def read(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ttcw() -> LabelSet:
    rows = read("ttcw_expert_labels.csv")
    tests = {row["ttcw_idx"]: row["category"] for row in rows}
    labels = [label(row["story_id"], f"expert {row['expert_idx']}", "human", row["y"], row["category"]) for row in rows]
    for row in read("ttcw_labels.csv"):
        story, test = row["id"].removeprefix("story_").rsplit("_test", 1)
        labels += [
            label(story, name.removeprefix("judge_"), "judge", str(int(float(said))), tests[test])
            for name, said in row.items()
            if name.startswith("judge_") and said
        ]
    return label_set(labels)


def kqa() -> LabelSet:
    labels = [
        label(f"claim {place}", f"physician {person}", "human", row[f"label_{person}"], cluster=row["Question"][:300])
        for place, row in enumerate(read("kqa_nli_physicians.csv"))
        for person in range(3)
        if all(row[f"label_{each}"] for each in range(3))
    ]
    return label_set(labels)


def llm_rubric() -> LabelSet:
    labels = []
    for row in read("llmrubric_q0.csv"):
        shares = {str(step): float(row[f"answer{step}_prob"]) for step in range(1, 5)}
        labels.append(label(row["text_id"], f"user {row['annotator_id']}", "human", str(int(float(row["Q0"])))))
        said = str(int(float(row["sample_llm"])))
        labels.append(label(row["text_id"], "llm", "judge", said, probabilities=shares))
    return label_set(labels)


def xstest_csv(path: Path) -> Path:
    """Refusals of the final annotation and of GPT-4 in the long format, clustered on the prompt."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item", "criterion", "annotator", "role", "label", "cluster"])
        for row in read("xstest_labels.csv"):
            item = f"{row['model']}/{row['id']}"
            for name, role, said in (("final", "human", row["final_label"]), ("gpt4", "judge", row["gpt4_label"])):
                writer.writerow([item, "refusal", name, role, int(said != "1_full_compliance"), row["id"]])
    return path
