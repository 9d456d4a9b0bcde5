"""What holds for every test: no settings from the outside, no model hub, no example judged by the clock."""

import gc
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer

from judge_server.util.memory import settle
from tests import distribution
from tests.numerics import Numerics, perturb
from tests.postgres import Cluster, cluster

_STATE = tempfile.TemporaryDirectory(prefix="judge-server-tests-")  # of this process: parallel workers share no file

for name in [name for name in os.environ if name.startswith("JUDGE_SERVER_") or name == "DATABASE_URL"]:
    del os.environ[name]

# Hundreds of processes are started here: without kept bytecode each would compile all of its imports anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Every run has another order of sets, and all workers of one run the same: they must collect the same tests.
os.environ.setdefault("PYTHONHASHSEED", str(random.SystemRandom().randrange(2**32)))

os.environ.update(
    HF_HUB_OFFLINE="1",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    TOKENIZERS_PARALLELISM="false",
    VLLM_NO_USAGE_STATS="1",
    XDG_STATE_HOME=_STATE.name,
)

hypothesis.settings.register_profile("project", deadline=None, derandomize="CI" in os.environ, print_blob=True)
hypothesis.settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine-dtype", default="float32", choices=["float32", "bfloat16"], help="what vLLM computes in")
    parser.addoption("--perturb-weights", type=float, default=0.0, help="move the tiny checkpoint's weights by so much")


def pytest_report_header() -> str:
    return f"PYTHONHASHSEED={os.environ['PYTHONHASHSEED']} orders the sets of workers and commands"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a third of the tests' time is waiting."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return len(usable) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take the longest come first, so that none is left for one worker at the end. Raises UsageError for
    a test of the engine in another file."""
    for item in items:
        if item.get_closest_marker("engine") and distribution.unit(item.nodeid) != distribution.ENGINE:
            raise pytest.UsageError(f"{item.nodeid} starts an engine: name its file in tests/distribution.py")
    items.sort(key=lambda item: distribution.place(item.nodeid))


def pytest_collection_finish() -> None:
    """What is imported and collected stays to the end: the garbage collector need not search it again and again, and
    works as rarely as in a server."""
    settle()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> distribution.Units:
    return distribution.Units(config, log)


@pytest.fixture(scope="session")
def numerics(request) -> Numerics:
    return Numerics(request.config.getoption("engine_dtype"), request.config.getoption("perturb_weights"))


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory, numerics) -> Path:
    """A checkpoint that knows nothing and that the real engine loads: it proves the path, not the judging."""
    from examples.tiny_checkpoint import build

    checkpoint = build(tmp_path_factory.mktemp("checkpoint") / "tiny")
    if numerics.perturbation:
        perturb(checkpoint, numerics.perturbation)
    return checkpoint


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One cluster for all tests of a process. Take a database of its own for each test."""
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request, tmp_path) -> str:
    """An empty database: every test that takes it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'judge.db'}"
    return request.getfixturevalue("postgres").empty_database()


@pytest.fixture
def quiet_collector():
    """For tests that hold a bound on time: what thousands of other tests left in memory is not searched meanwhile."""
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, 2**31 - 1)
    yield
    gc.set_threshold(young, middle, old)
