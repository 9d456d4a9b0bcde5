"""The documented examples of reverse proxies, run as they stand: only addresses and certificates are replaced."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.project.repository import ROOT
from tests.yardstick import PATIENCE_SECONDS

HOST = "judge.example.org"
NGINX = ROOT / "deploy" / "nginx" / "judge-server.conf"
CADDY = ROOT / "deploy" / "caddy" / "Caddyfile"


@dataclass(frozen=True)
class Certificate:
    """For ``HOST`` and 127.0.0.1, signed by itself."""

    chain: Path
    key: Path

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.chain))


def certificate(folder: Path) -> Certificate:
    made = Certificate(folder / "proxy.pem", folder / "proxy.key")
    names = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", made.key]
    subprocess.run(
        ["openssl", "req", "-x509", "-days", "2", *key, "-out", made.chain, *names], check=True, capture_output=True
    )
    return made


def nginx(folder: Path, server: str, port: int, told: Certificate) -> list[object]:
    """The command that runs the example of nginx in front of ``server`` (host and port)."""
    example = replaced(NGINX.read_text("utf-8"), {
        "server 127.0.0.1:8000;": f"server {server};",
        "listen 8443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "/etc/ssl/judge.example.org.pem": str(told.chain),
        "/etc/ssl/judge.example.org.key": str(told.key),
    })  # fmt: skip
    return nginx_with(example, folder)


def nginx_with(example: str, folder: Path) -> list[object]:
    """The command that runs nginx with these sites, by itself and in the foreground."""
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    around = f"pid {folder}/nginx.pid;\ndaemon off;\nmaster_process off;\nerror_log stderr;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{around}http {{\naccess_log off;\n{paths}{example}}}\n")
    return [program("nginx"), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]


def caddy(folder: Path, server: str, port: int, told: Certificate) -> list[object]:
    """The same for Caddy, which would fetch a certificate by itself."""
    example = replaced(CADDY.read_text("utf-8"), {
        "judge.example.org {": f"https://{HOST}:{port}, https://127.0.0.1:{port} {{\n\ttls {told.chain} {told.key}",
        "reverse_proxy 127.0.0.1:8000": f"reverse_proxy {server}",
    })  # fmt: skip
    return caddy_with(example, folder)


def caddy_with(example: str, folder: Path) -> list[object]:
    """The command that runs Caddy with these sites, by itself: no certificates fetched, nothing outside the folder."""
    quiet = f"{{\n\tadmin off\n\tauto_https off\n\tskip_install_trust\n\tstorage file_system {folder}/caddy\n}}\n"
    (folder / "Caddyfile").write_text(f"{quiet}{example}")
    return [program("caddy"), "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]


EXAMPLES: dict[str, Callable[[Path, str, int, Certificate], list[object]]] = {"nginx": nginx, "caddy": caddy}


def installed(name: str) -> bool:
    return shutil.which(name, path=_PATH) is not None


@contextmanager
def running(command: list[object], folder: Path, address: str, told: Certificate | None = None) -> Iterator[None]:
    """The proxy, from its first answer on. ``told``: None without TLS."""
    verify = True if told is None else told.context
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, env={"HOME": str(folder)})
    try:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert process.poll() is None, (folder / "proxy.log").read_text()
            assert time.monotonic() < give_up, (folder / "proxy.log").read_text()
            try:
                httpx.get(f"{address}/healthz", verify=verify, trust_env=False, timeout=PATIENCE_SECONDS)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                break
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


_PATH = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin"


def program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    assert found is not None, f"{name} is not installed"
    return found


def replaced(example: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert example.count(old) == 1, f"the example has no {old!r}"
        example = example.replace(old, new)
    return example
