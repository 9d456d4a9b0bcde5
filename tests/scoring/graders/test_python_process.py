"""Programs that mean harm, run for real: each ends in a typed fault, and nothing outside its process changes."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from judge_server.core.errors import BadConfiguration, GraderFailed
from judge_server.scoring.graders.python_process import PythonProcesses
from tests.yardstick import PATIENCE_SECONDS

SECRET = "judge-server-test-secret"


@pytest.fixture
def processes() -> PythonProcesses:
    return PythonProcesses(seconds=1, mebibytes=256, at_once=2)


async def fault_of(processes: PythonProcesses, source: str, **sample) -> GraderFailed:
    with pytest.raises(GraderFailed) as caught:
        await processes.run(source, sample, {})
    return caught.value


def grading(*lines: str) -> str:
    return "\n".join(["def grade(sample, item):", *(f"    {line}" for line in lines)])


async def test_a_program_reads_sample_and_item_and_returns_a_number(processes):
    source = "import re\n" + grading("return len(re.findall('a', sample['output_text'])) / item['most']")
    assert await processes.run(source, {"output_text": "banana"}, {"most": 4}) == 0.75


async def test_the_standard_library_is_at_hand(processes):
    source = grading("import difflib, json, math, statistics, calendar", "return math.sqrt(json.loads('4'))")
    assert await processes.run(source, {}, {}) == 2


async def test_true_counts_as_one(processes):
    assert await processes.run(grading("return sample['output_text'] == 'a'"), {"output_text": "a"}, {}) == 1.0


@pytest.mark.parametrize(
    "returned", ["'0.5'", "None", "[1]", "float('nan')", "float('inf')", "-float('inf')", "10**400", "1j"]
)
async def test_only_a_finite_number_is_a_score(processes, returned):
    fault = await fault_of(processes, grading(f"return {returned}"))
    assert fault.flag == "python_grader_runtime_error"


@pytest.mark.parametrize(
    "source",
    [
        "def grade(sample, item): return (",
        "grade = 1",
        "def other(sample, item): return 1",
        "raise ValueError('at once')",
        grading("return sample['missing']"),
        grading("raise SystemExit(0)"),
        grading("def deeper(): deeper()", "deeper()"),
        "class E(Exception):\n    def __str__(self): raise E\n" + grading("raise E"),
        "x = (" * 100_000,
    ],
)
async def test_a_program_that_raises_is_told_apart(processes, source):
    fault = await fault_of(processes, source)
    assert fault.flag in ("python_grader_runtime_error", "python_grader_server_error")
    assert len(fault.detail) < 3_000


async def test_the_fault_names_the_programs_own_line(processes):
    fault = await fault_of(processes, grading("pass", "return 1 / 0"))
    assert "ZeroDivisionError" in fault.detail
    assert "line 3, in grade" in fault.detail


async def test_an_endless_loop_is_ended(processes):
    async with asyncio.timeout(PATIENCE_SECONDS):
        fault = await fault_of(processes, grading("while True: pass"))
    assert fault.flag == "python_grader_server_error"


async def test_a_sleeper_is_ended():
    processes = PythonProcesses(seconds=1, mebibytes=256, at_once=1)
    fault = await fault_of(processes, "import time\n" + grading("time.sleep(1000)"))
    assert (fault.flag, fault.kind) == ("python_grader_server_error", "timeout")


async def test_a_memory_bomb_ends_in_its_own_process(processes):
    fault = await fault_of(processes, grading("kept = []", "while True: kept.append(bytearray(10**7))"))
    assert "MemoryError" in fault.detail or fault.kind in ("killed", "crashed")


@pytest.mark.parametrize(
    "bomb",
    [
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "__import__('subprocess').run(['/bin/true'])",
        "__import__('threading').Thread(target=print).start()",
        "__import__('multiprocessing').Process(target=print).start()",
    ],
)
async def test_no_process_and_no_thread_is_started(processes, bomb):
    """The bomb is bounded: were it to succeed, it would go off three times."""
    fault = await fault_of(processes, "import os\n" + grading("for _ in range(3):", f"    {bomb}", "return 1"))
    assert fault.flag == "python_grader_runtime_error"


async def test_no_network(processes):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        fault = await fault_of(
            processes, grading("import socket", f"socket.create_connection(('127.0.0.1', {port}))", "return 1")
        )
        assert "PermissionError" in fault.detail
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


async def test_no_file_is_written(processes, tmp_path):
    tmp_path.chmod(0o777)
    target = tmp_path / "written"
    for line in (
        f"open({str(target)!r}, 'w')",
        f"__import__('os').mkdir({str(target)!r})",
        f"__import__('os').symlink('/', {str(target)!r})",
        f"__import__('os').chmod({str(tmp_path)!r}, 0)",
    ):
        fault = await fault_of(processes, grading(line, "return 1"))
        assert "PermissionError" in fault.detail
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.stat().st_mode & 0o777 == 0o777


async def test_no_file_is_read_beyond_the_standard_library(processes, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    here = str(Path(__file__))
    for path in (str(secret), here, "/etc/passwd", f"/proc/{os.getpid()}/environ", "/proc/self/maps", "/dev/mem"):
        fault = await fault_of(processes, grading(f"open({path!r}, 'rb').read()", "return 1"))
        assert "Error" in fault.detail
        assert SECRET not in fault.detail


async def test_the_servers_environment_is_out_of_reach(processes):
    assert "PATH" in os.environ
    source = "import os\n" + grading(
        "return len([n for n in os.environ if n not in ('LC_CTYPE', '__CF_USER_TEXT_ENCODING')])"
    )
    assert await processes.run(source, {}, {}) == 0


async def test_the_server_cannot_be_signalled(processes):
    for call in ("os.kill(os.getppid(), 15)", "os.killpg(0, 9)", "os.setpriority(os.PRIO_PROCESS, 0, 5)"):
        fault = await fault_of(processes, "import os\n" + grading(call, "return 1"))
        assert "PermissionError" in fault.detail


async def test_limits_cannot_be_raised(processes):
    raising = "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))"
    fault = await fault_of(processes, "import resource\n" + grading(raising, "return 1"))
    assert "Error" in fault.detail


async def test_what_is_printed_goes_nowhere(processes):
    source = "import sys, os\n" + grading(
        "print('x' * 10**7)", "sys.stderr.write('x' * 10**6)", "os.write(1, b'{\"score\": 9}')", "return 1"
    )
    assert await processes.run(source, {}, {}) == 1


@pytest.mark.parametrize("lines", [["os.write(3, b'x' * 10**6)"], ["while True: os.write(3, b'x' * 10**4)"]])
async def test_a_program_that_floods_the_pipe_is_cut_off(processes, lines):
    fault = await fault_of(processes, "import os\n" + grading(*lines, "return 1"))
    assert fault.flag == "python_grader_server_error"


async def test_a_crash_is_a_fault(processes):
    fault = await fault_of(processes, "import ctypes\n" + grading("ctypes.string_at(0)"))
    assert fault.flag == "python_grader_server_error"


async def test_a_caller_who_leaves_takes_the_process_along(processes):
    running = asyncio.create_task(processes.run("import time\n" + grading("time.sleep(1000)"), {}, {}))
    await asyncio.sleep(0.5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await processes.run(grading("return 1"), {}, {}) == 1


async def test_programs_wait_for_room(processes):
    sources = [grading(f"return {number}") for number in range(6)]
    assert await asyncio.gather(*(processes.run(source, {}, {}) for source in sources)) == [0, 1, 2, 3, 4, 5]


async def test_a_program_is_checked_without_being_run(processes):
    await processes.check(grading("return 1 / 0"))
    with pytest.raises(GraderFailed, match="no function grade"):
        await processes.check("x = 1")


async def test_confinement_is_proven_by_trying_to_get_out(processes):
    await processes.prove()


async def test_where_a_program_cannot_run_at_all_the_setting_is_refused():
    with pytest.raises(BadConfiguration, match="python_graders"):
        await PythonProcesses(seconds=1, mebibytes=8, at_once=1).prove()
