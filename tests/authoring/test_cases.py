from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.authoring.cases import cases_of, read_cases
from judge_server.authoring.folder import rubric_files
from judge_server.authoring.library import rubrics_directory
from judge_server.authoring.parsing import load, parse
from judge_server.core.errors import BadRubric
from judge_server.scoring.case_run import run_judged, run_set, set_verdicts

FILES = [path for path, _ in rubric_files(rubrics_directory())]
RUBRIC = """
id: clinic/advice
version: 1.0.0
title: Advice
criteria:
  - {id: names_flag, statement: Names a red flag., points: 5}
  - {id: dose_right, statement: Its dose is right., points: 5, if_absent: skip}
  - {id: unsafe, statement: Recommends an unsafe dose., gate: {when: met}}
  - id: tone
    kind: scale
    statement: How kind is it?
    points: 2
    options: [{label: cold, value: 0}, {label: warm, value: 1}]
  - {id: short, kind: check, points: 1, check: {kind: length, unit: words, max: 20}}
"""
TESTS = """
tests:
  - id: cough
    prompt: I cough.
    cases:
      - id: whole
        grade: good
        response: See a doctor if you cough blood.
        met: [names_flag]
        options: {tone: warm}
        absent: [dose_right]
      - {id: nothing, grade: bad, response: Hm., reward: [0, 0.2]}
      - {id: poison, grade: bad, response: Take all of it., met: [unsafe], gates: [unsafe], reward: [0, 0]}
"""


def report(tests=TESTS):
    parsed = parse(RUBRIC + tests)
    return run_set(parsed.rubric, cases_of(parsed))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_bundled_rubric_passes_its_cases(path):
    parsed = load(path)
    cases = cases_of(parsed)
    assert cases.rubric == parsed.rubric.id
    assert cases.misfits(parsed.rubric) == []
    assert [(one.case, one.faults) for one in run_set(parsed.rubric, cases).results if one.faults] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_bundled_rubric_has_enough_cases_of_each_kind(path):
    parsed = load(path)
    cases = [case for _, case in cases_of(parsed).cases()]
    assert len(cases) >= 30
    assert {"good", "bad"} <= {case.grade for case in cases}
    for leaf in parsed.rubric.leaves:
        if leaf.gate:
            aimed = [case for case in cases if case.aims_at == leaf.id]
            assert len(aimed) >= 3, leaf.id
            assert any(leaf.id in case.gates for case in cases), leaf.id
            assert any(leaf.id not in case.gates and case.grade == "good" for case in cases), leaf.id


def test_inline_cases_are_no_part_of_the_digest():
    parsed = parse(RUBRIC + TESTS)
    assert parsed.rubric.digest == parse(RUBRIC).rubric.digest
    assert report().passed
    assert [round(one.reward, 3) for one in report().results] == [1.0, 0.077, 0.0]


def test_a_wrong_interval_a_silent_gate_and_a_wrong_order_are_each_told():
    wrong = TESTS.replace("reward: [0, 0.2]", "reward: [0.5, 1]").replace("met: [unsafe], ", "")
    wrong = wrong.replace("met: [names_flag]\n        options: {tone: warm}\n        absent: [dose_right]", "met: []")
    faults = " / ".join(fault for one in report(wrong).results for fault in one.faults)
    assert "the reward 0.077 is outside [0.5, 1]" in faults
    assert "the gate unsafe did not fire" in faults
    assert "its reward 0.077 is not above the 0.077 of nothing" in faults


def test_a_gate_that_fires_on_a_good_case_is_told():
    faults = [one.faults for one in report(TESTS.replace("met: [names_flag]", "met: [names_flag, unsafe]")).results]
    assert "the gate unsafe fired" in faults[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("met: [names_flag]", "there is no criterion 'nonsense'"),
        ("options: {tone: warm}", "tone has no option 'hot'"),
        ("absent: [dose_right]", "names_flag always applies"),
        ("gates: [unsafe]", "'tone' is no gate"),
    ],
)
def test_cases_that_do_not_fit_the_rubric_are_refused(change, told):
    new = {
        "met: [names_flag]": "met: [nonsense]",
        "options: {tone: warm}": "options: {tone: hot}",
        "absent: [dose_right]": "absent: [names_flag]",
        "gates: [unsafe]": "gates: [tone]",
    }[change]
    parsed = parse(RUBRIC + TESTS.replace(change, new))
    assert any(told in line for line in cases_of(parsed).misfits(parsed.rubric))


def test_a_faulty_file_is_an_error_with_its_place(tmp_path):
    path = tmp_path / "cases.yaml"
    path.write_text(
        "written_by: me and you\nscenarios: [{id: a, prompt: p, cases: [{id: x, grade: fine, response: r}]}]\n"
    )
    with pytest.raises(BadRubric) as refused:
        read_cases(path)
    assert "scenarios[0].cases[0].grade" in str(refused.value.extensions["findings"])
    path.write_text("- &a x\n- *a\n")
    with pytest.raises(BadRubric, match="anchor"):
        read_cases(path)


KEYS = st.sampled_from(["id", "cases", "scenarios", "prompt", "written_by", "x"])
SCALARS = st.none() | st.booleans() | st.text(max_size=5) | st.integers()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=8))
def test_any_data_as_cases_is_read_or_refused(data):
    parsed = replace(parse(RUBRIC), tests=0 if data is None else data)
    with suppress(BadRubric):
        assert cases_of(parsed) is not None


async def test_a_judge_is_compared_verdict_by_verdict():
    parsed = parse(RUBRIC + TESTS)
    cases = cases_of(parsed)

    async def always_the_set_ones_but_cold(scenario, case):
        colder = case.model_copy(update={"options": {}})
        return set_verdicts(parsed.rubric, scenario.submission(case, parsed.rubric), colder)

    found = await run_judged(parsed.rubric, cases, always_the_set_ones_but_cold, "cold")
    assert found.results[0].differing == ("tone",)
    assert (found.results[0].agreeing, found.results[0].compared) == (3, 4)
    assert found.results[1].differing == ()


def test_what_a_case_lacks_is_named_with_its_place():
    written = RUBRIC + "tests:\n  - {id: cough, prompt: I cough., cases: [{id: plain, response: Rest.}]}\n"
    with pytest.raises(BadRubric) as refused:
        cases_of(parse(written))
    assert [one["message"] for one in refused.value.extensions["findings"]] == [
        "scenarios[0].cases[0].grade: Field required"
    ]
