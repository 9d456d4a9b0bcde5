"""Which policies a trainer can bear, and what the others are told."""

import pytest

from judge_server.core.errors import BadInput
from judge_server.server.dialects import azure, classify, llamafactory, nemo_gym, openrlhf, roll, slime
from judge_server.server.dialects.failure_policy import DROP, RAISE, FailurePolicy

ALL = {
    module.PROFILE.dialect: module.PROFILE
    for module in (azure, classify, llamafactory, nemo_gym, openrlhf, roll, slime)
}
BORNE = {
    "openrlhf": {},
    "llamafactory": {},
    "roll": {},
    "slime": {"raise": RAISE},
    "classify": {"raise": RAISE},
    "azure": {"raise": RAISE, "drop": RAISE},
    "nemo-gym": {"raise": RAISE, "drop": DROP},
}
DEFAULTS = {"slime": RAISE, "classify": RAISE, "azure": RAISE, "nemo-gym": DROP}


@pytest.mark.parametrize("dialect", sorted(ALL))
@pytest.mark.parametrize("asked", ["raise", "drop"])
def test_each_trainer_gets_only_policies_that_it_can_handle(dialect, asked):
    if asked in BORNE[dialect]:
        assert ALL[dialect].policy(asked) == BORNE[dialect][asked]
        return
    with pytest.raises(BadInput, match=f"cannot handle '{asked}'") as caught:
        ALL[dialect].policy(asked)
    assert "?on_error=NUMBER" in caught.value.remedy


@pytest.mark.parametrize("dialect", sorted(ALL))
def test_no_trainer_has_a_number_that_nobody_chose(dialect):
    if dialect in DEFAULTS:
        assert ALL[dialect].policy(None) == DEFAULTS[dialect]
        return
    with pytest.raises(BadInput, match="does not say what") as caught:
        ALL[dialect].policy(None)
    assert "?on_error=NUMBER" in caught.value.remedy


@pytest.mark.parametrize("dialect", sorted(ALL))
@pytest.mark.parametrize(("asked", "number"), [("0", 0.0), ("-1", -1.0), ("0.25", 0.25), ("1e3", 1000.0)])
def test_every_trainer_bears_a_number(dialect, asked, number):
    assert ALL[dialect].policy(asked) == FailurePolicy("number", number)


@pytest.mark.parametrize("asked", ["", "nan", "inf", "-inf", "1e10", "zero", "RAISE", "neutral", "0,5", "x" * 1000])
def test_what_is_no_policy_is_refused(asked):
    with pytest.raises(BadInput, match="neither raise, nor drop, nor a finite number") as caught:
        ALL["slime"].policy(asked)
    assert len(caught.value.detail) < 200
