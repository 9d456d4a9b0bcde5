"""Starts a judge-server with its embedded baseline, and verl's reward loop against it.

    .venv/bin/python examples/verl_reward_loop/run.py PYTHON_WITH_VERL

The server listens on a free port of the loopback and ends with this program.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Until the server is ready. Raises SystemExit if it ends before, or takes longer than a minute."""
    for _ in range(600):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):  # noqa: S310 - our own server on the loopback
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit("The server did not start.")


def main() -> int:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [Path(sys.executable).with_name("judge-server"), "serve", "--port", str(port), "--database", "sqlite://"]
    with subprocess.Popen(command, env={**os.environ, "JUDGE_SERVER_LOG_LEVEL": "error"}) as server:
        try:
            wait_for(url, server)
            return subprocess.run([sys.argv[1], HERE / "reward_loop.py", "--url", url], check=False).returncode
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main())
