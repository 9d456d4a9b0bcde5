"""Which tests stay together on one worker.

A file does, because its tests share servers. So do the files whose tests start the real engine: a second engine takes
20 seconds to start and a GiB of memory. (Marks of pytest-xdist 3.8, ``xdist_group``, change nothing with pytest 9.2.)
"""

from xdist.scheduler import LoadScopeScheduling

ENGINE = "engine"
ENGINE_FILES = frozenset(
    (
        "tests/distributed/test_engines_on_ray.py",
        "tests/end_to_end/test_engine.py",
        "tests/end_to_end/test_tuning.py",
        "tests/models/test_real_model.py",
        "tests/models/test_vllm_engine.py",
        "tests/project/test_gpu_benchmark.py",
    )
)

# Those that take more than 15 seconds, longest first.
LONGEST_FILES = (
    "tests/hostile/test_inputs.py",
    "tests/hostile/test_extremes.py",
    "tests/server/pages/test_in_a_browser.py",
    "tests/cli/test_attack.py",
    "tests/cli/test_init.py",
    "tests/server/dialects/test_faults.py",
    "tests/monitoring/test_biases.py",
    "tests/cli/test_keys.py",
    "tests/cli/test_serve.py",
    "tests/end_to_end/test_two_keys.py",
    "tests/cli/test_score.py",
    "tests/end_to_end/test_killing.py",
    "tests/project/test_dockerfile.py",
    "tests/end_to_end/test_fault_matrix.py",
    "tests/attack/test_proof.py",
)


def place(nodeid: str) -> int:
    """Where a test's unit stands in the order."""
    name = unit(nodeid)
    if name == ENGINE:
        return -1
    return LONGEST_FILES.index(name) if name in LONGEST_FILES else len(LONGEST_FILES)


def unit(nodeid: str) -> str:
    """The name of what a test belongs to: its file, or the engine."""
    file = nodeid.split("::", 1)[0]
    return ENGINE if file in ENGINE_FILES else file


class Units(LoadScopeScheduling):
    """Gives each worker whole units, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
