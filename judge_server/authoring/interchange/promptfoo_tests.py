"""The tests of a promptfoo configuration, each with what the configuration gives to all of them.

Source: promptfoo's reference of configurations. ``defaultTest`` gives variables and assertions to every test; a
variable with a list of values makes a test for each; ``$ref`` names an assertion of ``assertionTemplates``; a
configuration with one prompt asks it in every test. What stands in other files (``file://``) is not read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from judge_server.authoring.interchange.tracked import TrackedFields, tracked, use_all
from judge_server.core.errors import BadInput

PROMPT = "prompt"
_MOST_TESTS = 1_000
_FILE = "file://"
_VARIABLE = re.compile(r"\{\{\s*(?:vars\.)?([\w.-]+)\s*\}\}")
_ELSEWHERE = "Write it into the configuration."


def tests_of(config: Any) -> list[Any]:
    """The tests of a configuration; the record itself if it is a test. Raises BadInput for tests that stand in another
    file, and for more than 1,000 combinations of values."""
    if not isinstance(config, Mapping) or "tests" not in config:
        return [config]
    config = tracked(dict(config)) if not isinstance(config, TrackedFields) else config
    tests, common = config.get("tests"), config.get("defaultTest") if "defaultTest" in config else {}
    if not isinstance(tests, list) or not all(isinstance(test, Mapping) for test in tests):
        raise BadInput("tests is no list of tests: tests in other files are not read.", remedy=_ELSEWHERE)
    if not tests:
        raise BadInput("the configuration has no tests.", remedy="A test is {vars, assert: [{type, value, weight}]}.")
    if not isinstance(common, Mapping):
        raise BadInput("defaultTest stands in another file, which is not read.", remedy=_ELSEWHERE)
    templates = config.get("assertionTemplates") if "assertionTemplates" in config else {}
    prompt = _only_prompt(config)
    return [made for test in tests for made in _expanded(test, common, templates or {}, prompt)]


def _expanded(test: TrackedFields, common: Mapping[str, Any], templates: Any, prompt: str | None) -> Iterator[Any]:
    asserts = [_assertion(one, templates) for part in (common, test) for one in _list(part, "assert")]
    own = test.get("vars") if "vars" in test else None
    default = common.get("vars") if "vars" in common else None
    use_all(default)  # each test has them, and is asked which of them it used
    values: dict[str, Any] = {**(default or {}), **(own or {})} if isinstance(own, Mapping | None) else {}
    if any(isinstance(found, str) for found in (own, default)):
        raise BadInput("vars stand in another file, which is not read.", remedy=_ELSEWHERE)
    if "options" not in test and "options" in common:
        common.get("options")
    choices = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    if prod(map(len, choices.values())) > _MOST_TESTS:
        raise BadInput(f"The values of a test's variables make more than {_MOST_TESTS:,} tests.")
    further = {} if prompt is None else {PROMPT: prompt}
    for chosen in product(*choices.values()):
        yield test.changed(**{"assert": asserts}, vars=dict(zip(choices, chosen, strict=True)), **further)


def _list(part: Mapping[str, Any], name: str) -> list[Any]:
    found = part.get(name) if name in part else None
    return found if isinstance(found, list) else []


def _assertion(one: Any, templates: Any) -> Any:
    if not isinstance(one, Mapping) or "$ref" not in one:
        return one
    name = str(one.get("$ref")).rsplit("/", 1)[-1]
    if not isinstance(templates, Mapping) or name not in templates:
        raise BadInput(f"assertionTemplates has no {name!r}.", remedy="Write the assertion into the test.")
    found: Any = templates.get(name)
    return found


def _only_prompt(config: Mapping[str, Any]) -> str | None:
    given = dict.get(dict(config), "prompts")
    found = given if isinstance(given, list) else [given]
    if len(found) != 1 or not isinstance(found[0], str) or found[0].startswith(_FILE):
        return None
    config.get("prompts")
    return found[0]


def filled(value: Any, variables: Mapping[str, Any], where: str) -> Any:
    """The value with the variables in its texts. Raises BadInput for a text in another file, and for a variable that
    has no value, or is used with more than its name."""
    if isinstance(value, list):
        return [filled(one, variables, where) for one in value]
    if not isinstance(value, str):
        return value
    if value.startswith(_FILE):
        raise BadInput(f"{where}: {value[:80]} stands in another file, which is not read.", remedy=_ELSEWHERE)
    missing: list[str] = []

    def shown(found: re.Match[str]) -> str:
        if found[1] not in variables:
            missing.append(found[1])
            return found[0]
        return _text(variables.get(found[1]), where)

    text = _VARIABLE.sub(shown, value).strip()
    if missing or _left_over(value):
        named = ", ".join(missing) or "more than names of variables"
        raise BadInput(f"{where}: {value[:80]!r} needs {named}.", remedy="Give the variable, or write the text out.")
    return text


def _left_over(template: str) -> bool:
    rest = _VARIABLE.sub("", template)
    return "{{" in rest or "{%" in rest


def _text(value: Any, where: str) -> str:
    if isinstance(value, str):
        if value.startswith(_FILE):
            raise BadInput(f"{where}: a variable stands in {value[:80]}, which is not read.", remedy=_ELSEWHERE)
        return value
    return json.dumps(value, ensure_ascii=False)
