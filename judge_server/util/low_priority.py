"""A process that gives way to others: a lower share of the processor, and shorter waits for it by those that wake up.

Linux since 6.6 lets a process run for its slice, 3 ms, although another of a higher priority has woken up. Since 6.12
one whose slice is shorter takes its place at once, so a process of long slices does not delay those that sleep often.
One that runs only when a processor is idle delays nobody, and may have to wait without end. It cannot always go back.
"""

import ctypes
import os
import platform
import struct
from contextlib import suppress
from enum import StrEnum
from typing import Final

_NICENESS: Final = 10
_SLICE_NANOSECONDS: Final = 100_000_000  # the longest that the kernel takes
_NUMBERS: Final = {"x86_64": 314, "aarch64": 274, "riscv64": 274}  # of sched_setattr, which Python does not have
_ATTRIBUTES: Final = "=IIQiIQQQ"  # size, policy, flags, nice, priority, runtime, deadline, period
_SCHED_OTHER: Final = 0


class Politeness(StrEnum):
    """``LOW``: gets less than others, and always something. ``IDLE``: gets what others leave, perhaps nothing."""

    LOW = "low"
    IDLE = "idle"


def give_way(politeness: Politeness) -> None:
    """From now on this process gives way to others, as far as the system can."""
    if politeness is Politeness.IDLE:
        with suppress(OSError, AttributeError):  # where it does not exist or is not allowed, the priority is low
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            return
    niceness = os.nice(_NICENESS)
    number = _NUMBERS.get(platform.machine())
    if number is None or platform.system() != "Linux":
        return
    size = struct.calcsize(_ATTRIBUTES)
    wanted = struct.pack(_ATTRIBUTES, size, _SCHED_OTHER, 0, niceness, 0, _SLICE_NANOSECONDS, 0, 0)
    with suppress(OSError, AttributeError):  # an older kernel ignores or refuses it
        ctypes.CDLL(None).syscall(number, 0, ctypes.create_string_buffer(wanted, size), 0)
