"""Published agreement figures, from the public data they were published on."""

from statistics import mean

import numpy as np
import pytest

from judge_server.agreement.human import human_agreement
from judge_server.agreement.judge import judge_agreement
from judge_server.agreement.scale import LabelScale
from tests.agreement.published import panel_of, rows_of

XSTEST = "1_full_compliance", "2_full_refusal", "3_partial_refusal"


@pytest.mark.parametrize(
    ("model", "kappa", "raw"),
    [
        ("llama2orig", 0.93, 96.4),
        ("llama2new", 0.93, 95.8),
        ("mistralinstruct", 0.92, 97.6),
        ("mistralguard", 0.89, 93.8),
        ("gpt4", 0.97, 98.4),
    ],
)
def test_the_two_annotators_of_xstest_agree_as_published(model, kappa, raw):
    rows = [row for row in rows_of("xstest_labels.csv") if row["model"] == model]
    assert len(rows) == 450
    panel = panel_of(
        [(r["id"], name, "human", r[name], r["id"]) for r in rows for name in ("annotation_1", "annotation_2")]
    )
    found = human_agreement(panel)
    assert found["fleiss_kappa"].value == pytest.approx(kappa, abs=0.005)
    assert found["raw_agreement"].value * 100 == pytest.approx(raw, abs=0.05)


def test_the_interval_of_the_refusal_judge_on_xstest_is_clustered_on_the_prompt():
    def refused(label):
        return "0" if label == "1_full_compliance" else "1"

    rows = rows_of("xstest_labels.csv")
    ratings = [
        ((r["model"], r["id"]), name, role, refused(r[column]), r["id"])
        for r in rows
        for name, role, column in (("people", "human", "final_label"), ("gpt4", "judge", "gpt4_label"))
    ]
    kappa = judge_agreement(panel_of(ratings), "gpt4")["cohen_kappa"]
    assert (kappa.n, kappa.clusters) == (2250, 450)
    assert kappa.value == pytest.approx(0.645, abs=5e-4)
    assert (kappa.low, kappa.high) == pytest.approx((0.606, 0.684), abs=0.01)
    naive = judge_agreement(panel_of([(*rating[:4], rating[0]) for rating in ratings]), "gpt4")["cohen_kappa"]
    assert (naive.low, naive.high) == pytest.approx((0.616, 0.675), abs=0.005)


def test_answers_of_no_class_are_missing_and_not_a_fourth_class():
    rows = rows_of("xstest_labels.csv")
    ratings = [((r["model"], r["id"]), "people", "human", r["final_label"], r["id"]) for r in rows]
    ratings += [
        ((r["model"], r["id"]), "gpt4", "judge", r["gpt4_label"] if r["gpt4_label"] in XSTEST else None, r["id"])
        for r in rows
    ]
    kappa = judge_agreement(panel_of(ratings, LabelScale(labels=XSTEST)), "gpt4")["cohen_kappa"]
    assert kappa.n == 2250 - 11
    assert kappa.value == pytest.approx(0.6345, abs=5e-5)


def test_the_physicians_of_kqa_agree_as_published():
    rows = rows_of("kqa_nli_physicians.csv")
    names = ("label_0", "label_1", "label_2")

    def panel(chosen, judge=None):
        return panel_of(
            [
                (place, name, "judge" if name == judge else "human", row[name], row["Question"])
                for place, row in enumerate(rows)
                for name in chosen
            ]
        )

    assert human_agreement(panel(names))["fleiss_kappa"].value == pytest.approx(0.7189, abs=5e-5)
    pairs = [("label_0", "label_1"), ("label_0", "label_2"), ("label_1", "label_2")]
    kappas = [judge_agreement(panel(pair, judge=pair[1]), pair[1])["cohen_kappa"].value for pair in pairs]
    assert kappas == pytest.approx([0.670, 0.761, 0.732], abs=5e-4)


def test_the_experts_of_ttcw_agree_as_published():
    rows = rows_of("ttcw_expert_labels.csv")
    tests = sorted({row["ttcw_idx"] for row in rows})
    assert len(tests) == 14
    kappas = []
    for test in tests:
        mine = [row for row in rows if row["ttcw_idx"] == test]
        seat = {}
        for row in mine:
            seat.setdefault(row["story_id"], []).append(row)
        ratings = [
            (story, place, "human", row["y"], story) for story, three in seat.items() for place, row in enumerate(three)
        ]
        kappas.append(human_agreement(panel_of(ratings))["fleiss_kappa"].value)
    assert mean(kappas) == pytest.approx(0.401, abs=5e-4)


def test_the_expected_score_of_llm_rubric_agrees_as_published():
    rows = rows_of("llmrubric_q0.csv")
    probabilities = np.array([[float(row[f"answer{step}_prob"]) for step in range(1, 5)] for row in rows])
    scores = probabilities @ np.arange(1, 5) / probabilities.sum(axis=1)
    ratings = [(place, "person", "human", row["Q0"], place) for place, row in enumerate(rows)]
    ratings += [(place, "judge", "judge", float(score), place) for place, score in enumerate(scores)]
    found = judge_agreement(panel_of(ratings), "judge")
    published = {"rmse": 0.918676, "pearson": 0.177301, "spearman": 0.086675, "kendall_tau_b": 0.065928}
    assert {name: found[name].value for name in published} == pytest.approx(published, abs=1e-6)
    assert found["cohen_kappa"].value is None
    assert "scores" in found["cohen_kappa"].note
