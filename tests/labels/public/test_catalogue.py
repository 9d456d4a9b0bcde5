import json

import numpy as np
import pytest

from judge_server.core.errors import BadInput
from judge_server.labels.public.catalogue import SETS, import_public
from tests.labels.public.files import published, written


def test_every_set_says_where_it_comes_from():
    for public in SETS.values():
        assert public.manifest.source.startswith("https://")
        assert public.manifest.licence
        assert all(len(checksum) == 64 for checksum in public.manifest.checksums)


def test_xstest_keeps_both_annotators_both_judges_and_the_eleven_invalid_labels():
    found = import_public("xstest", published("xstest_labels.csv"))
    counts = found.counts
    assert (counts.labels, counts.items, counts.clusters) == (9_000, 2_250, 450)
    assert (counts.humans, counts.judges, counts.invalid, counts.abstained) == (2, 2, 11, 0)
    assert found.provenance.nature == "expert"
    assert found.items["gpt4/v2-1"].writer == "gpt4"
    invalid = [label for label in found.table if label.status == "invalid"]
    assert {label.annotator for label in invalid} == {"gpt4"}


def test_kqa_keeps_three_physicians_on_fifty_questions():
    found = import_public("kqa", published("kqa_nli_physicians.csv"))
    assert (found.counts.labels, found.counts.items, found.counts.clusters) == (1_197, 399, 50)
    assert found.scales[0].classes == ("Contradiction", "Neutral", "Entailment")
    assert all(item.reference and item.response for item in found.items.values())


def test_ttcw_keeps_the_experts_and_the_seven_published_judges():
    found = import_public("ttcw", published("ttcw_expert_labels.csv", "ttcw_labels.csv"))
    counts = found.counts
    assert (counts.labels, counts.items, counts.criteria, counts.clusters) == (2_016 + 7 * 672, 48, 14, 12)
    assert (counts.humans, counts.judges, counts.abstained) == (11, 7, 14)


def test_llm_rubric_keeps_the_judges_four_probabilities():
    found = import_public("llm-rubric", published("llmrubric_q0.csv"))
    table = found.table
    own = table.annotators.codes == table.annotators.index("gpt-3.5-turbo-16k")
    people = np.array([role == "human" for role in table.roles])[table.annotators.codes]
    judged = dict(zip(table.items.codes[own].tolist(), table.expected_scores()[own], strict=True))
    said = dict(zip(table.items.codes[people].tolist(), table.expected_scores()[people], strict=True))
    error = np.sqrt(np.mean([(judged[item] - said[item]) ** 2 for item in said]))
    assert error == pytest.approx(0.918676, abs=1e-6), "the published figure for the expected score"


def test_the_repositorys_own_tables_of_xstest_are_joined(tmp_path):
    head = "id,type,prompt,completion,annotation_1,annotation_2,agreement,final_label"
    row = "v2-1,homonyms,Q,A,1_full_compliance,2_full_refusal,False,1_full_compliance"
    paths = [
        written(tmp_path, "xstest_v2_completions_gpt4_gpteval.csv", f"{head},gpt4_label", f"{row},1_full_compliance"),
        written(tmp_path, "xstest_v2_completions_gpt4_streval.csv", f"{head},strmatch_label", f"{row},2_full_refusal"),
    ]
    found = import_public("xstest", paths, unverified=True)
    assert [(label.item, label.annotator) for label in found.table] == [
        ("gpt4/v2-1", name) for name in ("annotation_1", "annotation_2", "gpt4", "strmatch")
    ]
    assert found.items["gpt4/v2-1"].response == "A"
    assert "checksum" in found.provenance.note


def test_the_two_tables_of_llm_rubric_are_joined(tmp_path):
    people = written(tmp_path, "human.tsv", "text_id\tannotator_id\tQ0\tQ1", "t\t7\t3\t", "u\t8\t1\t2")
    judged = "t\tQ0\t3\t0.1\t0.2\t0.3\t0.4"
    machine = written(tmp_path, "machine.tsv", "text_id\tcriterion\tsample_llm\t" + "\t".join(
        f"answer{number}_prob" for number in range(1, 5)), judged)  # fmt: skip
    found = import_public("llm-rubric", [people, machine], unverified=True)
    assert (found.counts.criteria, found.counts.humans, found.counts.judges) == (2, 2, 2)


def test_the_meta_evaluation_is_read(tmp_path):
    row = {"prompt": "Q", "completion": "A", "rubric": "R", "category": "c", "binary_labels": [True, False]}
    path = written(tmp_path, "meta.jsonl", json.dumps(row))
    found = import_public("healthbench-meta", [path], unverified=True)
    assert found.counts.humans == 2
    with pytest.raises(BadInput, match="binary_labels"):
        import_public("healthbench-meta", [written(tmp_path, "x.jsonl", '{"a": 1}')], unverified=True)


def test_a_file_with_another_checksum_is_refused_with_what_was_expected(tmp_path):
    path = written(tmp_path, "xstest_labels.csv", "model,id,type,annotation_1,annotation_2", "m,1,t,x,y")
    with pytest.raises(BadInput, match=r"checksum of xstest_labels\.csv is .*8ed647f7") as refused:
        import_public("xstest", [path])
    assert "--unverified" in refused.value.remedy


@pytest.mark.parametrize("name", sorted(SETS))
def test_another_table_is_refused_with_its_missing_columns(tmp_path, name):
    with pytest.raises(BadInput) as refused:
        import_public(name, [written(tmp_path, "other.csv", "a,b", "1,2")], unverified=True)
    assert refused.value.remedy


def test_a_story_that_is_none_of_ttcw_is_named(tmp_path):
    path = written(tmp_path, "x.csv", "story_id,ttcw_idx,category,expert_idx,y", "0_GPT4,15,x,1,1")
    with pytest.raises(BadInput, match="row 2"):
        import_public("ttcw", [path], unverified=True)
