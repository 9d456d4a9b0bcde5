"""What the package needs, and what it never touches."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from judge_server import __version__
from tests.project.repository import ROOT
from tests.wheels import UV, built, python_with
from tests.yardstick import slowness

PACKAGE = ROOT / "clients" / "judge_client"
OURS = sorted(path for path in PACKAGE.rglob("*.py") if "adapters" not in path.relative_to(PACKAGE).parts)
# what httpx itself needs, on every Python that we name
NEEDED = {"anyio", "certifi", "exceptiongroup", "h11", "httpcore", "httpx", "idna", "sniffio", "typing-extensions"}
# what Windows does not have: modules, and names in modules
HIDDEN = ("fcntl", "grp", "pwd", "resource", "termios", "uvloop", "zoneinfo._zoneinfo")
ABSENT = {
    "os": (
        "fork",
        "forkpty",
        "getuid",
        "geteuid",
        "getpgid",
        "killpg",
        "register_at_fork",
        "sched_getaffinity",
        "uname",
    ),
    "signal": ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "setitimer"),
    "time": ("tzset",),
}
ON_WINDOWS = """
import importlib, sys
for name in HIDDEN:
    sys.modules[name] = None
for module, names in ABSENT.items():
    for name in names:
        delattr(importlib.import_module(module), name)
import pkgutil
import judge_client.adapters
tried = set()
for adapter in pkgutil.iter_modules(judge_client.adapters.__path__, "judge_client.adapters."):
    try:
        importlib.import_module(adapter.name)
        tried.add(adapter.name.rpartition(".")[2])
    except ModuleNotFoundError as error:  # its trainer is not installed
        assert error.name not in HIDDEN, error
assert {"columns", "trl", "verl"} <= tried, tried
rewarder = judge_client.Rewarder("a/b", url="http://127.0.0.1:9", on_failure="drop", attempts=1)
try:
    rewarder.score([judge_client.Sample("p", "\N{SNOWMAN}")])
except judge_client.JudgeFailed as error:
    print(error.slug, judge_client.__version__)
"""
TRY = """
import sys, time
began = time.process_time()
import judge_client
seconds = time.process_time() - began
try:
    import judge_server
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("the server is importable here")
rewarder = judge_client.Rewarder("a/b", url="http://127.0.0.1:9", on_failure="drop", attempts=1)
try:
    rewarder.score([judge_client.Sample("p", "r")])
except judge_client.JudgeFailed as error:
    print(error.slug, seconds)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return built(ROOT / "clients", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """Of an environment that holds the client and what it needs, nothing else."""
    return python_with(wheel, tmp_path_factory.mktemp("empty") / "venv")


def test_it_installs_with_httpx_alone_and_without_the_server(python):
    listed = subprocess.run(
        [UV, "pip", "list", "--quiet", "--format", "freeze", "--python", python],
        capture_output=True,
        text=True,
        check=True,
    )
    installed = {line.split("==")[0].split(" @")[0] for line in listed.stdout.splitlines()}
    assert installed - NEEDED == {"judge-client"}


def test_it_works_there_and_is_imported_in_a_moment(python):
    runs = [
        subprocess.run(
            [python, "-I", "-W", "error", "-c", TRY], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]
    assert {failure for failure, _ in runs} == {"server_unreachable"}
    assert min(float(seconds) for _, seconds in runs) < 0.6 * slowness()


def test_it_works_without_what_windows_lacks(python):
    """Stands for a run on Windows, which there is none of here. A file without a named encoding would be an error."""
    program = ON_WINDOWS.replace("HIDDEN", repr(HIDDEN)).replace("ABSENT", repr(ABSENT))
    command = [python, "-I", "-X", "warn_default_encoding", "-W", "error", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout.split() == ["server_unreachable", __version__], ended.stderr


def test_client_and_server_have_one_version_and_one_license(wheel):
    assert wheel.name.startswith(f"judge_client-{__version__}-")
    assert (ROOT / "clients/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]


def test_the_wheel_is_typed_and_carries_the_package_alone(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert "judge_client/py.typed" in names
    assert {name for name in names if not name.startswith("judge_client")} == set()


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_outside_the_adapters_only_the_pool_knows_more_than_the_standard_library(path):
    foreign = imported(path) - sys.stdlib_module_names - {"judge_client", "typing_extensions"}
    assert foreign == ({"httpx"} if path.stem == "pool" else set())


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_of_the_server_is_imported(path):
    assert "judge_server" not in imported(path)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_the_oldest_python_that_is_named_can_read_it(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))
