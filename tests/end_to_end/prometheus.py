"""A real Prometheus with this project's rules, scraping one server every second."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.project.repository import ROOT
from tests.served import until
from tests.yardstick import PATIENCE_SECONDS

MISSING = "This test needs the program prometheus on PATH: Debian and Ubuntu `apt-get install prometheus`."


class Prometheus:
    """``address``: of its API."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an expression now."""
        answer = httpx.get(f"{self.address}/api/v1/query", params={"query": expression}, timeout=PATIENCE_SECONDS)
        return answer.json()["data"]["result"]

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        alerts = httpx.get(f"{self.address}/api/v1/alerts", timeout=PATIENCE_SECONDS).json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


@contextmanager
def watching(target: str, folder: Path) -> Iterator[Prometheus]:
    """``target``: host and port of a server. Raises FileNotFoundError, saying what to install."""
    program = shutil.which("prometheus")
    if program is None:
        raise FileNotFoundError(MISSING)
    jobs = [{"job_name": "judge-server", "static_configs": [{"targets": [target]}]}]
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"},
        "rule_files": [str(ROOT / "deploy" / "prometheus" / "alerts.yml")],
        "scrape_configs": jobs,
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    port = _free_port()
    command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        found = Prometheus(f"http://127.0.0.1:{port}")
        until(lambda: _answers(found))
        yield found
    finally:
        process.terminate()
        process.wait()


def _answers(found: Prometheus) -> bool:
    try:
        return bool(found.ask("judge_server_build_info"))
    except (httpx.HTTPError, KeyError, ValueError):
        time.sleep(0.2)
        return False


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
