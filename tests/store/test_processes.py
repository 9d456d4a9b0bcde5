"""Several processes on one database, and one that is killed."""

import asyncio
import os
import signal
import subprocess
import sys

from judge_server.store import Store
from tests.project.repository import ROOT

SAVE = """
import asyncio, sys
from judge_server.store import Store
from tests.store.values import judgment, rubric, submission

async def main(url, name, count, after):
    store = await Store.open(url)
    asked = rubric(3)
    judged = submission()
    made = [judgment(asked, judged, id=f"{name} {number}") for number in range(count)]
    verdicts = [{f"key {number % 50}": {"value": 1}, f"{name} {number}": {"value": 0}} for number in range(count)]
    await asyncio.gather(
        *(store.save(one, judged, asked) for one in made), *(store.remember(entries) for entries in verdicts)
    )
    print("saved", flush=True)
    if after == "wait":
        sys.stdin.read()
    await store.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
"""


def start(url: str, name: str, count: int, after: str = "close") -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SAVE, url, name, str(count), after]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def test_what_save_returned_from_is_there_after_the_process_is_killed(url):
    with start(url, "killed", 25, "wait") as process:
        assert process.stdout.readline() == "saved\n"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    store = await Store.open(url)
    assert (await store.counts())["judgments"] == 25
    assert await store.judgment("killed 24") is not None
    assert await store.submission("killed 0") is not None
    assert await store.recall(["key 7"]) == {"key 7": {"value": 1}}
    await store.close()


async def test_processes_that_write_at_once_lose_nothing(url):
    """They also open the empty database at once, and remember the same verdicts."""
    processes = [start(url, f"writer {number}", 300) for number in range(3)]
    outputs = await asyncio.gather(*(asyncio.to_thread(process.communicate) for process in processes))
    assert [(process.returncode, output) for process, (output, _) in zip(processes, outputs, strict=True)] == [
        (0, "saved\n")
    ] * 3
    store = await Store.open(url)
    counts = await store.counts()
    assert counts["judgments"] == 900
    assert counts["verdicts"] == 950
    await store.close()


async def test_one_reads_what_another_has_just_saved(store, url):
    other = await Store.open(url)
    await store.remember({"a": {"value": 1}})
    assert await other.recall(["a"]) == {"a": {"value": 1}}
    await other.remember({"b": {"value": 0}})
    assert await store.recall(["a", "b"]) == {"a": {"value": 1}, "b": {"value": 0}}
    await other.close()
