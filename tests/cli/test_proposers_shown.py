"""A rubric's ``judges`` say where its texts may go: a proposer that is not among them is shown nothing."""

import json

import pytest

from tests.cli.judged_labels import RUBRIC, STATEMENT, run, write
from tests.stub_judge import StubJudge, labels

PAIR = {"prompt": "My head aches.", "good": "It recommends drinking plenty of water.", "bad": "Sleep."}


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, 60)
    (tmp_path / "water.yaml").write_text(RUBRIC + "judges: [inside]\n", encoding="utf-8")
    (tmp_path / "pairs.jsonl").write_text(json.dumps(PAIR) + "\n", encoding="utf-8")
    return tmp_path


def configured(folder, inside, outside):
    models = {"inside": inside.specification, "outside": outside.specification}
    text = "".join(f'[judges.{name}]\nmodel = "{model}"\n' for name, model in models.items())
    (folder / "judges.toml").write_text(f'default_judge = "inside"\n{text}', encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ("calibrate", "improve", "labels.csv", "--rubric", "water.yaml", "--out", "better", "--proposer", "outside"),
        ("rubric", "propose", "water.yaml", "--from", "pairs.jsonl", "--out", "out", "--judge", "outside"),
        ("rubric", "audit", "water.yaml", "--ask", 2, "--proposer", "outside"),
        ("monitor", "preference", "night", "--judge", "outside", "--sample", 30),
        ("rubric", "propose", "water.yaml", "--run", "night", "--out", "out", "--judge", "outside"),
    ],
    ids=["improve", "propose", "audit", "preference", "propose from a run"],
)
def test_a_proposer_outside_the_rubrics_judges_sees_no_text(folder, words):
    rows = [
        {
            "prompt": f"My head aches, case {number % 4}.",
            "response": f"Drink, {number}.",
            "run": "night",
            "step": number // 4,
        }
        for number in range(24)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    inside = StubJudge(lambda _: labels(Yes=0.9, No=0.1))
    with inside as allowed, StubJudge() as other:
        configured(folder, allowed, other)
        config = ("--config", "judges.toml", "--database", "sqlite:///j.db")
        run(folder, "score", "rows.jsonl", "--rubric", "water.yaml", "-o", "out.jsonl", *config)
        told = run(folder, *words, *config, status=2)
        shown = json.dumps([body["messages"] for body in other.bodies])
    assert "lets its texts be shown to inside only, not to 'outside'" in " ".join(told.stderr.split())
    assert "case " not in shown
    assert STATEMENT not in shown


EVAL = ("eval", "rows.jsonl", "--rubric", "water.yaml", "--responses", "rows.jsonl", "--judge", "outside")


@pytest.mark.parametrize(
    ("words", "fence"),
    [
        (("rubric", "draft", "a/new", "--from", "rows.jsonl", "--judge", "outside"), "file"),
        (("rubric", "propose", "water.yaml", "--from", "pairs.jsonl", "--out", "out", "--judge", "outside"), "file"),
        (EVAL, "file"),
        (EVAL, "rubric"),
    ],
    ids=["draft", "propose", "eval", "eval under a rubric"],
)
def test_texts_of_a_rubric_or_a_file_that_names_its_judges_go_to_no_other(folder, words, fence):
    row = {"prompt": "My head aches, case 1.", "response": "Drink."}
    (folder / "rows.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    if fence == "file":
        (folder / "water.yaml").write_text(RUBRIC, encoding="utf-8")
        about = json.dumps({"provenance": {"source": "the ward", "judges": ["inside"]}})
        for name in ("rows", "pairs"):
            (folder / f"{name}.jsonl.about.json").write_text(about, encoding="utf-8")
    with StubJudge(lambda _: labels(Yes=0.9, No=0.1)) as allowed, StubJudge() as other:
        configured(folder, allowed, other)
        told = run(folder, *words, "--config", "judges.toml", status=2)
        shown = json.dumps([body["messages"] for body in other.bodies])
    assert "lets its texts be shown to inside only, not to 'outside'" in " ".join(told.stderr.split())
    assert "My head aches" not in shown


def test_an_audit_asks_the_judge_that_the_rubric_names_in_the_opposite_order_too(folder):
    rows = [{"prompt": f"My head aches, case {number % 4}.", "response": f"Drink, {number}."} for number in range(8)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with StubJudge(lambda _: labels(Yes=0.9, No=0.1)) as allowed, StubJudge() as other:
        configured(folder, allowed, other)
        config = ("--config", "judges.toml", "--database", "sqlite:///j.db")
        run(folder, "score", "rows.jsonl", "--rubric", "water.yaml", "-o", "out.jsonl", *config)
        told = run(folder, "rubric", "audit", "water.yaml", "--ask", 3, "--json", *config)
    assert "was not asked again" not in told.stderr
    (found,) = json.loads(told.stdout)["criteria"]
    assert found["repeated"]["n"] == found["reordered"]["n"] == 3, found
