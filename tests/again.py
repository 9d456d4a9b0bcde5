"""Runs the tests that failed beside others once more, alone: ``pytest ... || python -m tests.again $?``.

A test that passes now depended on time, order or chance: it is named, and is a fault to mend, but no reason to refuse a
change. More than ``MOST`` failures, a run that did not reach its end, or a test that fails again stay failures.
"""

import json
import subprocess
import sys
from pathlib import Path

MOST = 3
_TESTS_FAILED = 1  # pytest's status of a run that reached its end


def failed(root: Path) -> list[str]:
    """The ids that pytest's cache below ``root`` names as failed last."""
    kept = root / ".pytest_cache" / "v" / "cache" / "lastfailed"
    return sorted(json.loads(kept.read_text(encoding="utf-8"))) if kept.exists() else []


def say(what: str, names: list[str]) -> None:
    sys.stdout.write("\n  ".join([f"\n{what}", *names]) + "\n")
    sys.stdout.flush()


def main(status: int, root: Path) -> int:
    """0 if at most ``MOST`` tests had failed and all of them pass alone, else the first or the second run's status."""
    names = failed(root)
    if status != _TESTS_FAILED or not 0 < len(names) <= MOST:
        return status
    say(f"{len(names)} failed beside others. Once more, alone:", names)
    again = subprocess.run([sys.executable, "-m", "pytest", *names], cwd=root, check=False).returncode
    if again == 0:
        say("UNSTABLE, a fault of the test or of what it tests:", names)
    return again


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path.cwd()))
