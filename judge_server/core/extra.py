"""Optional packages: which extra of judge-server brings them, and how it is installed.

Pages and messages name no package index: the name ``judge-server`` is registered on none.
"""

from importlib.util import find_spec
from typing import Literal

from judge_server.core.errors import MissingDependency

Extra = Literal["calibration", "checks", "gepa", "litellm", "postgres", "ray", "telemetry", "tune", "vllm"]


def installing(extra: Extra) -> str:
    """What to do about a package that is not installed."""
    return (
        f"Install judge-server with its extra '{extra}': pip install '.[{extra}]' in a checkout, or the wheel's file "
        f"name with [{extra}] behind it."
    )


def absent(*modules: str) -> tuple[str, ...]:
    """Those of ``modules`` that are not installed. None of them is imported."""
    return tuple(module for module in modules if find_spec(module) is None)


def require(extra: Extra, what: str, *modules: str) -> None:
    """Raises MissingDependency that names the extra, if one of the modules is not installed. ``what`` needs them: a
    noun."""
    if missing := absent(*modules):
        verb = "is" if len(missing) == 1 else "are"
        raise MissingDependency(
            f"{what} needs {' and '.join(missing)}, which {verb} not installed.", remedy=installing(extra)
        )
