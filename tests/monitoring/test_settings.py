"""Where the lines are can be set, and what is secret is shown by nobody."""

import pytest

from judge_server.core.errors import BadConfiguration
from judge_server.settings.loading import load_settings


@pytest.fixture
def loaded(tmp_path):
    def load(text):
        path = tmp_path / "server.toml"
        path.write_text(text)
        return load_settings(path)

    return load


def test_every_line_has_a_default_and_can_be_moved(loaded):
    limits = loaded("[monitor]\nwindow = 500\nflags_rise = 0.1\n").monitor
    assert (limits.window, limits.flags_rise, limits.false_alarms) == (500, 0.1, 0.00015)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[monitor]\nwindows = 500\n", "did you mean window"),
        ("[monitor]\nsaturated = 1.5\n", "monitor.saturated"),
        ("audit_share = 0.0\n", "audit_share"),
        ('alarm_webhook_url = "file:///etc/passwd"\n', "alarm_webhook_url"),
        ('alarm_webhook_secret = "short"\n', "alarm_webhook_secret"),
    ],
)
def test_what_cannot_be_is_refused_by_name(loaded, text, said):
    with pytest.raises(BadConfiguration, match=said) as refused:
        loaded(text)
    assert "short" not in str(refused.value).replace("at least", "")


def test_the_webhooks_secret_is_not_shown(loaded):
    settings = loaded('alarm_webhook_secret = "a secret of the operator"\n')
    assert "operator" not in repr(settings) + str(settings.model_dump())
