"""Sandbox for graders' programs: no files except Python's library, no writes, network, processes or signals.

It uses two Linux kernel mechanisms. Neither needs privileges, and neither can be undone, even by root:

- Landlock refuses all access to files except reading below the given directories.
- A seccomp filter refuses every system call that is not on the list below: sockets, fork, exec, kill, ptrace, rlimits.

Only the standard library is imported here, because the confined interpreter has nothing else.
"""

import ctypes
import os
import platform
import resource
import struct
from collections.abc import Sequence

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# fmt: off
# by name: read write close fstat lseek mmap mprotect munmap brk mremap madvise; its own signals; sleep, clocks,
# futex; openat getdents stat readlink access getcwd (Landlock restricts paths); ids; getrandom; exit
_ALLOWED = {
    "x86_64": (
        0, 1, 3, 5, 8, 9, 10, 11, 12, 25, 28, 17, 19, 13, 14, 15, 131, 24, 35, 228, 229, 230, 96, 98, 100, 202, 204,
        257, 217, 262, 332, 4, 6, 21, 269, 439, 89, 267, 79, 39, 186, 102, 104, 107, 108, 110, 63, 99, 318, 334, 60,
        231,
    ),
    "aarch64": (
        63, 64, 57, 80, 62, 222, 226, 215, 214, 216, 233, 67, 65, 134, 135, 139, 132, 124, 101, 113, 114, 115, 169,
        165, 153, 98, 123, 56, 61, 79, 291, 48, 439, 78, 17, 172, 178, 174, 176, 175, 177, 173, 160, 179, 278, 293,
        93, 94,
    ),
}
# fmt: on
_SET_DEATH_SIGNAL, _SET_SECCOMP, _SET_NO_NEW_PRIVILEGES, _SIGKILL = 1, 22, 38, 9
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE_AND_DIRECTORY = 0b1100
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # refused calls answer EPERM


class CannotConfine(Exception):
    """This kernel or machine lacks Landlock or seccomp."""


def confine(readable: Sequence[str], mebibytes: int, seconds: int) -> None:
    """Confine this process permanently; it must be single-threaded. Raises CannotConfine."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise CannotConfine(f"no list of system calls for the architecture {machine}")
    libc = ctypes.CDLL(None, use_errno=True)
    _call(libc.prctl(_SET_DEATH_SIGNAL, _SIGKILL, 0, 0, 0), "prctl")
    _limit(mebibytes, seconds)
    _call(libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no_new_privs")
    _lock_paths(libc, readable)
    _lock_calls(libc, _ARCHITECTURES[machine], _ALLOWED[machine])


def _limit(mebibytes: int, seconds: int) -> None:
    limits = {
        resource.RLIMIT_AS: mebibytes << 20,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 64,
    }
    for name, most in limits.items():
        resource.setrlimit(name, (most, most))


def _lock_paths(libc: ctypes.CDLL, readable: Sequence[str]) -> None:
    version = _call(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1), "Landlock")
    # every access right of this ABI version is refused unless a rule allows it; later versions have more
    files = (1 << (13, 14, 15, 15, 16)[min(version, 5) - 1]) - 1
    network, scopes = (0b11 if version >= 4 else 0), (0b11 if version >= 6 else 0)
    wanted = struct.pack("QQQ", files, network, scopes)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = _call(libc.syscall(_CREATE_RULESET, wanted, ctypes.c_size_t(len(wanted)), 0), "Landlock")
    for path in readable:
        directory = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", _READ_FILE_AND_DIRECTORY, directory)
        _call(libc.syscall(_ADD_RULE, rules, 1, rule, 0), "Landlock")
        os.close(directory)
    _call(libc.syscall(_RESTRICT_SELF, rules, 0), "Landlock")
    os.close(rules)


def _lock_calls(libc: ctypes.CDLL, architecture: int, allowed: Sequence[int]) -> None:
    """A filter that allows the listed system call numbers only."""
    steps = [
        (_LOAD, 0, 0, 4),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        *((_JUMP_IF_EQUAL, len(allowed) - place, 0, number) for place, number in enumerate(allowed)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    _call(libc.prctl(_SET_SECCOMP, 2, header, 0, 0), "seccomp")


def _call(result: int, what: str) -> int:
    if result < 0:
        raise CannotConfine(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result
