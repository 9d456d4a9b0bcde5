"""The arrangements in ``deploy`` carried out step by step without containers: their commands, settings and proxy, with
PostgreSQL and a judge over HTTP. Only addresses and certificates are replaced."""

import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from tests.command import PROGRAM, Server, judge_server
from tests.end_to_end.proxies import HOST, Certificate, caddy_with, certificate, installed, replaced, running
from tests.project.repository import ROOT
from tests.stub_judge import StubJudge
from tests.submissions import submission
from tests.yardstick import PATIENCE_SECONDS

COMPOSE = ROOT / "deploy" / "compose"
UNIT = ROOT / "deploy" / "systemd" / "judge-server.service"


@contextmanager
def _running(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[Server]:
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    server = Server(process)
    try:
        server.wait_until_it_listens(PATIENCE_SECONDS)
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.postgres
def test_compose_judges_over_its_proxy_with_its_settings_and_shows_metrics_inside_only(postgres, tmp_path):
    missing = [name for name in ("caddy", "openssl") if not installed(name)]
    assert missing == [], "the proxy of compose is run: apt-get install caddy openssl"
    service = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))["services"]["judge-server"]
    with StubJudge() as judge:
        settings = replaced((COMPOSE / "judge-server.toml").read_text("utf-8"), {
            "http://vllm:8000/v1": judge.specification.partition("@")[2],
            "openai:judge@": judge.specification.partition("@")[0] + "@",
            '"/srv/rubrics"': f'"{ROOT / "rubrics"}"',
            "172.16.0.0/12": "127.0.0.0/8",
        })  # fmt: skip
        (tmp_path / "judge-server.toml").write_text(settings)
        environment = {
            "DATABASE_URL": postgres.empty_database(),
            "JUDGE_SERVER_CONFIG": str(tmp_path / "judge-server.toml"),
            "JUDGE_SERVER_TRUSTED_HOSTS": service["environment"]["JUDGE_SERVER_TRUSTED_HOSTS"].replace(
                "${JUDGE_HOST:?set it in .env}", HOST
            ),
        }
        key = judge_server("keys", "create", "trainer", "--scope", "score", cwd=tmp_path, **environment).stdout.strip()
        with _running([str(PROGRAM), "serve", "--port", "0"], tmp_path, environment) as server:
            assert httpx.get(f"{server.address}/metrics", timeout=PATIENCE_SECONDS).status_code == 200
            told, port = certificate(tmp_path), _free_port()
            address = f"https://127.0.0.1:{port}"
            command = _proxy(tmp_path, server.address.removeprefix("http://"), port, told)
            with (
                running(command, tmp_path, address, told),
                httpx.Client(
                    base_url=address,
                    verify=told.context,
                    headers={"Host": HOST},
                    trust_env=False,
                    timeout=PATIENCE_SECONDS,
                ) as client,
            ):
                assert client.get("/metrics").status_code == 404
                assert client.post("/v1/score", json=submission()).status_code == 401
                judged = client.post("/v1/score", json=submission(), headers={"Authorization": f"Bearer {key}"})
                assert judged.json()["reward"] is not None


def _proxy(folder: Path, server: str, port: int, told: Certificate) -> list[object]:
    example = replaced((COMPOSE / "Caddyfile").read_text("utf-8"), {
        "{$JUDGE_HOST} {": f"https://{HOST}:{port}, https://127.0.0.1:{port} {{\n\ttls {told.chain} {told.key}",
        "reverse_proxy judge-server:8000": f"reverse_proxy {server}",
    })  # fmt: skip
    return caddy_with(example, folder)


def test_the_unit_starts_the_server_in_its_folder_and_a_signal_ends_it(tmp_path):
    lines = [line for line in UNIT.read_text("utf-8").splitlines() if "=" in line and not line.startswith("#")]
    unit = dict(line.split("=", 1) for line in lines)
    command = shlex.split(unit["ExecStart"])
    command = [str(PROGRAM), *command[1:]]
    command[command.index("--port") + 1] = "0"
    environment = dict(part.split("=", 1) for part in shlex.split(unit["Environment"]))
    (tmp_path / "judge-server.toml").write_text('log_format = "json"\n')
    environment["JUDGE_SERVER_CONFIG"] = str(tmp_path / "judge-server.toml")
    with _running(command, tmp_path, environment) as server:
        assert httpx.get(f"{server.address}/healthz", timeout=PATIENCE_SECONDS).status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE_SECONDS) == 0
    assert (tmp_path / "judge-server.db").exists(), "the database is in the unit's state directory"
