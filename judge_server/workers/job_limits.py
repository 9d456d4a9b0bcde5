"""How much a worker does at once, and how long it holds on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """``items_at_once`` over all jobs of this process, ``jobs_at_once`` that share them. ``lease_seconds``: after that
    long without a sign of life a job is taken up by another worker. ``attempts`` at an item whose judge, store or
    deadline failed; ``first_wait_seconds`` before the second, and twice as long before each that follows.
    ``retention_seconds``: how long an ended job's results can be fetched."""

    items_at_once: int = 64
    jobs_at_once: int = 8
    lease_seconds: float = 15.0
    attempts: int = 4
    first_wait_seconds: float = 5.0
    retention_seconds: float = 7 * 86_400.0
