"""What must begin anew in a forked child: locks that another thread held, and sockets that the parent goes on using."""

from __future__ import annotations

import os
import weakref
from abc import ABC, abstractmethod

_LIVING: weakref.WeakSet[ForkAware] = weakref.WeakSet()


class ForkAware(ABC):
    """Objects of this kind are told when they wake up in a child."""

    def __init__(self) -> None:
        _LIVING.add(self)

    @abstractmethod
    def after_fork(self) -> None:
        """Runs in the child, before anything else does."""


def _tell_everyone() -> None:
    for one in list(_LIVING):
        one.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell_everyone)
