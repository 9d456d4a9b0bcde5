"""Tries a fault in a fork that has imported nothing of the package: what runs on import is changed too."""

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence

import pytest

from benchmarks.mutation.in_place import bound, quick_examples

BROKEN = 70  # exit status of a child that raised
SECONDS = 240  # of processor time
TOOLS = ("hypothesis", "numpy", "pydantic", "pytest", "scipy.stats", "statsmodels.api")


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module out of a tree."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self.module = module
        self.tree = tree

    def find_spec(self, name, path, target=None):
        if name != self.module:
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path)
        return importlib.util.spec_from_loader(name, self, origin=found.origin)

    def exec_module(self, module) -> None:
        exec(compile(self.tree, self.module, "exec"), module.__dict__)


class QuickExamples:
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        quick_examples()


def import_tools() -> None:
    """Once, and not in each forked process."""
    for name in TOOLS:
        importlib.import_module(name)


def survives(module: str, tree: ast.Module, tests: Sequence[str]) -> bool:
    """Whether every test passes with the tree in place of the module."""
    return in_fork(lambda: _run(module, tree, tests)) == 0


def in_fork(work) -> int:
    """The exit status of a forked process that does the work, in silence."""
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        try:
            os._exit(int(work()))
        except BaseException:  # noqa: BLE001 - a child ends here, whatever happened
            traceback.print_exc()
            os._exit(BROKEN)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run(module: str, tree: ast.Module, tests: Sequence[str]) -> int:
    os.dup2(1, 2)
    bound(SECONDS)
    sys.meta_path.insert(0, Mutated(module, tree))
    options = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore", "-W", "error::RuntimeWarning"]
    return int(pytest.main([*options, *tests], plugins=[QuickExamples()]))
