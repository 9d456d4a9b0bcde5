"""What docs/client.md and the package's README show is what happens."""

import contextlib
import io
import re

import pytest

from tests.client.conftest import environment
from tests.project.repository import ROOT
from tests.served import served, settings_of

EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```(?:\n\n```text\n(?P<shown>.*?)```)?", re.DOTALL)


@pytest.mark.parametrize("page", ["docs/client.md", "clients/README.md"])
def test_every_example_runs_and_prints_what_is_shown(page):
    names: dict[str, object] = {"__name__": "example"}
    examples = list(EXAMPLE.finditer((ROOT / page).read_text(encoding="utf-8")))
    assert examples
    with served(settings_of()) as client, environment(JUDGE_URL=str(client.base_url)):
        for example in examples:
            code = example["code"].replace("http://127.0.0.1:8000", str(client.base_url))
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, page, "exec"), names)
            if example["shown"] is not None:
                assert printed.getvalue() == example["shown"]


def test_every_variable_and_argument_is_documented():
    page = (ROOT / "docs/client.md").read_text(encoding="utf-8")
    from judge_client import Client, Rewarder

    read = (ROOT / "clients/judge_client/configuration.py").read_text(encoding="utf-8")
    assert {name for name in re.findall(r"JUDGE_[A-Z_]+", read) if f"`{name}`" not in page} == set()
    arguments = Rewarder.__init__.__annotations__.keys() - {"return", "unknown"}
    assert {name for name in arguments if f"`{name}`" not in page} == set()
    methods = {name for name in vars(Client) if not name.startswith("_")} - {"close"}
    assert {name for name in methods if f"`{name}`" not in page} == set()
