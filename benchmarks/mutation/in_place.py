"""Tries faults in a process that has collected the tests once: each in a fork, by the tests that run its line.

A first pass measures each test and which lines of the module it runs. A fault then needs no import: the code of the
functions that it changes is exchanged in the fork, and the tests run from the shortest on until one fails.
"""

import ast
import functools
import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from benchmarks.mutation.fault import Fault

SPARE_SECONDS = 10.0  # of processor time, for what is fast, as a fault may make a loop endless
SLOWER = 10.0  # times as long as without a fault a test may take
MEMORY = 8 << 30
MOST_FINDERS = 8
FIRST, UNKNOWN = 10, 200  # exit statuses: which test failed, or that it is not known
Cache = type(functools.cache(len))
Report = Callable[[Fault, str, Sequence[str]], None]  # its outcome, and the tests that run its line


class InPlace:
    """A pytest plugin. ``report`` is told of each fault whether it is "found", "survives" (and which tests run
    its line), or "untried", because no function that an import left behind holds it."""

    def __init__(self, module: str, chosen: Sequence[Fault], report: Report) -> None:
        self.module, self.chosen, self.report = module, chosen, report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        quick_examples()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        file = Path(sys.modules[self.module].__file__ or "")
        source = file.read_text("utf-8")
        original = compile(ast.parse(source), str(file), "exec")
        seconds, running = _first_pass(session.items, file)
        live, caches = _live_functions(str(file)), _caches()
        finders: list[pytest.Item] = []  # the last first: the next fault is probably found by the same test
        for fault in self.chosen:
            lines = {fault.line, *range(fault.lines[0], fault.lines[1] + 1)}
            names = set[str]().union(*(running.get(line, ()) for line in lines))
            order = sorted(session.items, key=lambda item: (item not in finders[:MOST_FINDERS], seconds[item]))
            items = [item for item in order if item.nodeid in names]
            changed = list(_exchanged(original, compile(fault.tree(source), str(file), "exec"), live))
            if not changed:
                self.report(fault, "untried", ())
                continue
            limit = SPARE_SECONDS + SLOWER * sum(seconds[item] for item in items)
            found, finder = _found(changed, caches, items, limit)
            if finder is not None:
                finders = [finder, *(item for item in finders if item is not finder)]
            self.report(fault, *(("found", ()) if found else ("survives", [item.nodeid for item in items])))
        return True


def quick_examples() -> None:
    """Property tests try the same examples each time, and a failing example need not become a short one."""
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    checks = list(hypothesis.HealthCheck)  # how long an example takes on a busy machine shows no fault
    kept = {"deadline": None, "derandomize": True, "database": None}
    hypothesis.settings.register_profile("mutation", phases=phases, suppress_health_check=checks, **kept)
    hypothesis.settings.load_profile("mutation")


def bound(seconds: float) -> None:
    """Limits this process's processor time and memory, not its patience: a busy machine makes no fault look found."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _first_pass(items: Sequence[pytest.Item], file: Path) -> tuple[dict[pytest.Item, float], dict[int, list[str]]]:
    """The processor time of each test, and the tests by the line of the file that they run. Exits if one fails."""
    watch = coverage.Coverage(data_file=None, include=[str(file)], config_file=False)
    seconds: dict[pytest.Item, float] = {}
    watch.start()
    for item in items:
        watch.switch_context(item.nodeid)
        started = time.process_time()
        if not _passes(item):
            pytest.exit(f"{item.nodeid} fails without a fault", returncode=2)
        seconds[item] = time.process_time() - started
    watch.stop()
    return seconds, watch.get_data().contexts_by_lineno(str(file))


def _passes(item: pytest.Item) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def _live_functions(file: str) -> dict[CodeType, list[FunctionType]]:
    """The functions of a file by their code."""
    gc.unfreeze()
    found: dict[CodeType, list[FunctionType]] = {}
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename == file:
            found.setdefault(one.__code__, []).append(one)
    return found


def _caches() -> list[Cache]:
    """What the package remembers, which a fault may change."""
    return [one for one in gc.get_objects() if isinstance(one, Cache) and one.__module__.startswith("judge_server.")]


def _exchanged(
    old: CodeType, new: CodeType, live: dict[CodeType, list[FunctionType]]
) -> Iterator[tuple[FunctionType, CodeType]]:
    """Each live function that the fault changes, with its new code."""
    for before, after in zip(old.co_consts, new.co_consts, strict=False):
        if isinstance(before, CodeType) and isinstance(after, CodeType) and before != after:
            yield from ((function, after) for function in live.get(before, ()))
            yield from _exchanged(before, after, live)


def _found(
    changed: Sequence[tuple[FunctionType, CodeType]],
    caches: Sequence[Cache],
    items: Sequence[pytest.Item],
    seconds: float,
) -> tuple[bool, pytest.Item | None]:
    """Whether a test fails in a fork with the changed functions, and which, if that is known."""
    child = os.fork()
    if child == 0:
        try:
            bound(seconds)
            for function, code in changed:
                function.__code__ = code
            for cache in caches:
                cache.cache_clear()
            failing = next((place for place, item in enumerate(items) if not _passes(item)), None)
            os._exit(0 if failing is None else FIRST + min(failing, UNKNOWN))
        finally:
            os._exit(1)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return ended != 0, items[ended - FIRST] if FIRST <= ended < FIRST + min(UNKNOWN, len(items)) else None
