"""Settings from defaults, file, environment and flags, the later ones winning."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from judge_server.cli.options import JudgeFlags, StoreFlags, settings_from
from judge_server.core.errors import BadConfiguration
from judge_server.settings.loading import load_settings
from judge_server.settings.settings import DEFAULT_DATABASE, Settings

FILE = """\
port = 9001
rubrics = ["clinic", "house"]
default_judge = "panel"

[judges.fast]
model = "openai:qwen@http://10.0.0.5:8000/v1,http://10.0.0.6:8000/v1"
engine = {max_in_flight = 64}

[judges.careful]
model = "litellm:anthropic/claude"
mode = "reason"
votes = 3

[judges.panel]
panel = ["fast", "careful"]
combine = "min"
"""


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """These variables for the length of the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "server.toml"
    path.write_text(FILE)
    return path


def test_defaults_suit_a_first_try():
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.judges == {}
    assert settings.chosen_judge == "default"
    assert settings.database_url is None
    assert settings.with_database().database_url == DEFAULT_DATABASE


def test_a_file_names_judges_panels_and_fleets(file):
    settings = load_settings(file)
    assert settings.port == 9001
    assert settings.rubrics == (Path("clinic"), Path("house"))
    assert settings.chosen_judge == "panel"
    assert settings.judges["fast"].engine == {"max_in_flight": 64}
    assert settings.judges["careful"].votes == 3
    assert settings.judges["panel"].panel == ("fast", "careful")
    assert {name: judge.name for name, judge in settings.judges.items()} == {name: name for name in settings.judges}


def test_the_environment_wins_over_the_file_and_flags_over_the_environment(file):
    with environment(JUDGE_SERVER_PORT="9002", JUDGE_SERVER_DRAIN_SECONDS="3"):
        assert load_settings(file).port == 9002
        assert load_settings(file).drain_seconds == 3.0
        assert settings_from(StoreFlags(config=file), port=9003).port == 9003
        assert load_settings(file).chosen_judge == "panel"


def test_the_environment_can_name_the_file(file):
    with environment(JUDGE_SERVER_CONFIG=str(file)):
        assert load_settings().port == 9001


def test_the_database_has_a_variable_of_its_own_which_gives_way_to_the_projects():
    with environment(DATABASE_URL="sqlite:///shared.db"):
        assert load_settings().database_url == "sqlite:///shared.db"
        with environment(JUDGE_SERVER_DATABASE_URL="sqlite:///ours.db"):
            assert load_settings().database_url == "sqlite:///ours.db"
        assert settings_from(StoreFlags(database="sqlite://")).database_url == "sqlite://"


def test_a_file_can_name_the_database(tmp_path):
    path = tmp_path / "server.toml"
    path.write_text('database_url = "sqlite:///named.db"\n')
    assert load_settings(path).database_url == "sqlite:///named.db"
    with environment(DATABASE_URL="sqlite:///shared.db"):
        assert load_settings(path).database_url == "sqlite:///shared.db"


def test_judges_and_directories_can_be_given_in_the_environment():
    judges = '{"default": {"model": "baseline", "mode": "reason"}}'
    with environment(JUDGE_SERVER_JUDGES=judges, JUDGE_SERVER_RUBRICS=f"one{os.pathsep}two"):
        settings = load_settings()
    assert settings.judges["default"].mode == "reason"
    assert settings.rubrics == (Path("one"), Path("two"))
    with environment(JUDGE_SERVER_RUBRICS='["one"]'):
        assert load_settings().rubrics == (Path("one"),)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 1", "prot is not known (did you mean port?)"),
        ("port = 70000", "port: "),
        ('port = "many"', "port: "),
        ("[judges.fast]\nmodle = 'baseline'", "judges.fast.modle is not known (did you mean model?)"),
        (
            "[judges.fast]\napi_key = 'sk'",
            "judges.fast.api_key is not known (did you mean engine.api_key_env,",
        ),
        ("[judges.fast]\nmodell = 'baseline'", "judges.fast.modell is not known (did you mean model?)"),
        ("[judges.fast]\nmode = 'direct'", "judges.fast: give a model, a panel"),
        ("[judges.fast]\nmodel = 'baseline'\nvotes = 0", "judges.fast.votes"),
        ("[judges.fast]\nmodel = 'baseline'\nmode = 'fast'", "judges.fast.mode"),
        ("[judges.both]\npanel = ['one']", "judges.both: a panel needs at least two"),
        ("[judges.'no name']\nmodel = 'baseline'", "judges.no name.name"),
        ("judges = 3", "judges: "),
        ("log_level = 'loud'", "log_level"),
        ("default_deadline_seconds = inf", "default_deadline_seconds"),
        ("port = ", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_names_file_field_and_fault(tmp_path, text, named):
    path = tmp_path / "server.toml"
    path.write_text(text)
    with pytest.raises(BadConfiguration) as refused:
        load_settings(path)
    assert named in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JUDGE_SERVER_PORT", "tcp://10.0.0.1:8000"),  # what Kubernetes sets for a service of this name
        ("JUDGE_SERVER_JUDGES", "{no json"),
        ("JUDGE_SERVER_MAX_BATCH_ITEMS", "0"),
        ("JUDGE_SERVER_RUBRICS", "[no json"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(name, value):
    with environment(**{name: value}), pytest.raises(BadConfiguration) as refused:
        load_settings()
    assert name.removeprefix("JUDGE_SERVER_").lower() in str(refused.value).lower()


def test_a_secret_in_a_setting_is_not_repeated(tmp_path):
    path = tmp_path / "server.toml"
    path.write_text('database_url = ["postgresql://u:secret-word@h/x"]\n')
    with pytest.raises(BadConfiguration) as refused:
        load_settings(path)
    assert "secret-word" not in str(refused.value)


def test_flags_of_a_judge_change_the_configured_default(tmp_path):
    path = tmp_path / "server.toml"
    path.write_text('[judges.only]\nmodel = "openai:a@http://h:1/v1"\nvotes = 3\nmode = "reason"\n')
    changed = settings_from(JudgeFlags(votes=5), StoreFlags(config=path))
    assert changed.chosen_judge == "only"
    assert changed.judges["only"].votes == 5
    assert changed.judges["only"].mode == "reason"
    replaced = settings_from(JudgeFlags(model="baseline"), StoreFlags(config=path))
    assert replaced.chosen_judge == "default"
    assert replaced.judges["default"].votes == 1
    assert "only" in replaced.judges


def test_flags_of_a_judge_without_any_judge_speak_of_the_baseline():
    judge = settings_from(JudgeFlags(mode="reason", engine=["a=1", "b=text", "c={}"])).judges["default"]
    assert (judge.model, judge.mode) == ("baseline", "reason")
    assert judge.engine == {"a": 1, "b": "text", "c": {}}


def test_flags_cannot_change_a_panel(file):
    with pytest.raises(BadConfiguration, match="made of other judges"):
        settings_from(JudgeFlags(votes=2), StoreFlags(config=file))


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1


def test_api_keys_can_stand_in_the_environment_and_no_digest_is_shown():
    given = '{"trainer": {"id": "0123456789ab", "sha256": "' + "a" * 64 + '", "scopes": ["score"]}}'
    with environment(JUDGE_SERVER_API_KEYS=given):
        (key,) = load_settings().api_keys.values()
    assert (key.name, key.scopes) == ("trainer", {"score"})
    assert "aaaa" not in repr(Settings(api_keys={"trainer": key}))


@pytest.mark.parametrize(
    ("host", "authentication", "demanded"),
    [
        ("127.0.0.1", "auto", False),
        ("127.8.8.8", "auto", False),
        ("::1", "auto", False),
        ("localhost", "auto", False),
        ("0.0.0.0", "auto", True),
        ("::", "auto", True),
        ("10.0.0.7", "auto", True),
        ("judge.internal", "auto", True),
        ("127.0.0.1.evil.example", "auto", True),
        ("127.0.0.1", "required", True),
        ("0.0.0.0", "off", False),
    ],
)
def test_keys_are_demanded_wherever_others_can_reach_the_server(host, authentication, demanded):
    assert Settings(host=host, authentication=authentication).demands_keys is demanded


def test_a_misspelt_limit_of_a_key_is_named_with_what_was_meant():
    given = '{"trainer": {"allowance": {"burts": 1}}}'
    with environment(JUDGE_SERVER_API_KEYS=given), pytest.raises(BadConfiguration, match="did you mean burst"):
        load_settings()


def test_a_flag_that_is_no_setting_is_a_mistake_of_the_command():
    with pytest.raises(TypeError, match="not settings: database"):
        settings_from(StoreFlags(), database="sqlite://")
