"""Policies: one demand a rule, faults told by field, the default one usable as it stands."""

import tomllib

import pytest

from judge_server.calibration.policy import Policy, default_policy_text, read_policy
from judge_server.core.errors import BadConfiguration

RULE = '[[rules]]\nmetric = "cohen_kappa"\n'


def policy_of(text: str, tmp_path) -> Policy:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return read_policy(path)


def test_the_default_policy_demands_agreement_nearness_to_people_and_few_false_positives():
    policy = read_policy()
    demands = [rule.demand for rule in policy.rules]
    assert demands == [
        "headline: lower end at least 0.4",
        "headline: at most 0.2 below the human ceiling",
        "false_positive_rate: upper end at most 0.15",
        "headline: lower end at least 0.4",
        "headline: lower end at least 0.4",
        "headline: lower end at least 0.4",
    ]
    assert [(rule.over, rule.bar) for rule in policy.rules[3:]] == [
        ("each criterion", "not shown bad"),
        ("important criteria", "shown good"),
        ("each tag", "not shown bad"),
    ]
    assert policy == Policy.model_validate(tomllib.loads(default_policy_text()))


def test_the_examples_in_the_default_policy_can_be_used():
    lines = default_policy_text().splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("# [[rules]]"))
    examples = "\n".join(line.removeprefix("#").strip() for line in lines[start:])
    policy = Policy.model_validate(tomllib.loads(f"{default_policy_text()}\n{examples}"))
    assert len(policy.rules) == 8


def test_another_demand_is_another_policy():
    plain = {"name": "a", "rules": [{"metric": "cohen_kappa", "min_low": 0.4}]}
    stricter = {"name": "a", "rules": [{"metric": "cohen_kappa", "min_low": 0.5}]}
    assert Policy.model_validate(plain).digest != Policy.model_validate(stricter).digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'name = "a"\n{RULE}', "rules.0: give one of min_low, max_high and max_gap, not none"),
        (f'name = "a"\n{RULE}min_low = 0.1\nmax_high = 0.2', "not min_low and max_high"),
        (f'name = "a"\n{RULE}minimum = 0.1', "rules.0.minimum is not known"),
        (f'name = "a"\n{RULE}min_low = 40', r"rules\.0\.min_low: .*less than or equal to 1"),
        (f'name = "a"\n{RULE}min_low = "0.4"', r"rules\.0\.min_low: .*valid number"),
        ('name = "a"\nrules = []', "rules: .*at least 1"),
        ('name = "a', "not TOML"),
        (f'name = "a"\n{RULE}min_low = 0.4\nover = "each criterion"\ncriteria = ["a"]', "criteria names some"),
    ],
)
def test_a_policy_that_cannot_be_used_is_told_by_its_field(text, said, tmp_path):
    with pytest.raises(BadConfiguration, match=said) as refused:
        policy_of(text, tmp_path)
    assert "policy.toml" in refused.value.detail
    assert "--print-policy" in refused.value.remedy


def test_a_policy_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadConfiguration, match=r"none\.toml cannot be read: No such file"):
        read_policy(tmp_path / "none.toml")


def test_intervals_are_given_from_what_can_fail_a_judge():
    rules = [{"metric": "cohen_kappa", "min_low": 0.4}, {"metric": "accuracy", "min_low": 0.4, "min_items": 40}]
    resampling = Policy.model_validate({"name": "a", "min_clusters": 25, "rules": rules}).resampling()
    assert (resampling.min_items, resampling.min_clusters) == (30, 8)


def test_a_rule_may_be_content_with_less():
    rules = [{"metric": "accuracy", "min_low": 0.4, "min_items": 20, "min_clusters": 5}]
    resampling = Policy.model_validate({"name": "a", "rules": rules}).resampling()
    assert (resampling.min_items, resampling.min_clusters) == (20, 5)
