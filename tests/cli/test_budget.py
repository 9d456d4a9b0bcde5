"""``judge-server budget``: set, list and remove."""

import json

from tests.command import judge_server


def test_budgets_are_set_listed_and_removed(tmp_path):
    where = ("--database", f"sqlite:///{tmp_path / 'judge.db'}")
    made = judge_server("budget", "set", "--run", "grpo-7", "--dollars", "50", "--warn-at", "0.5", *where)
    assert "$0.00 of $50.00" in made.stdout, made.stderr
    (found,) = json.loads(judge_server("budget", "list", "--json", *where).stdout)
    assert (found["kind"], found["name"], found["warn_at"], found["spent_dollars"]) == ("run", "grpo-7", 0.5, 0)
    assert "$0.00 of $50.00" in judge_server("budget", "list", *where).stdout
    assert judge_server("budget", "remove", "--run", "grpo-7", *where).returncode == 0
    again = judge_server("budget", "remove", "--run", "grpo-7", *where)
    assert (again.returncode, "has no budget" in again.stderr) == (2, True)


def test_a_cap_below_a_cent_is_told_in_full(tmp_path):
    where = ("--database", f"sqlite:///{tmp_path / 'judge.db'}")
    made = judge_server("budget", "set", "--run", "tiny", "--dollars", "0.004", *where)
    assert "$0.00 of $0.004" in made.stdout, made.stderr
    assert "$0.00 of $0.004" in judge_server("budget", "list", *where).stdout


def test_a_wrong_budget_is_refused_with_the_remedy(tmp_path):
    for flags, remedy in ((("--key", "a", "--run", "b"), "not both"), (("--key", "a", "--tokens", "0"), "above 0")):
        refused = judge_server("budget", "set", *flags, cwd=tmp_path)
        assert (refused.returncode, remedy in refused.stderr) == (2, True), refused.stderr
