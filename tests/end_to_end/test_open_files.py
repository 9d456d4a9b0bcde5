"""More connections than the process may have open files."""

import asyncio
import subprocess
from collections import Counter

import aiohttp
import httpx
import pytest

from tests.command import PROGRAM, Server
from tests.submissions import submission
from tests.yardstick import PATIENCE_SECONDS


async def _ask_at_once(address: str, connections: int) -> Counter[int]:
    statuses: Counter[int] = Counter()
    connector = aiohttp.TCPConnector(limit=0, force_close=True)

    async def ask(session: aiohttp.ClientSession, number: int) -> None:
        body = submission(response=f"Answer {number}: call for help now.")
        try:
            async with session.post("/v1/score", json=body) as answer:
                await answer.read()
                statuses[answer.status] += 1
        except aiohttp.ClientError:
            statuses[0] += 1  # refused before the request was read

    async with aiohttp.ClientSession(address, connector=connector) as session:
        await asyncio.gather(*(ask(session, number) for number in range(connections)))
    return statuses


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("files", "connections"), [(128, 200), pytest.param(1_024, 1_300, marks=pytest.mark.long)])
def test_connections_beyond_the_limit_are_refused_and_the_server_recovers(tmp_path, files, connections):
    command = [
        *("sh", "-c", f'ulimit -n {files}; exec "$0" "$@"'),
        *(PROGRAM, "serve", "--port", "0", "--model", "baseline", "--database", f"sqlite:///{tmp_path / 'judge.db'}"),
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    server = Server(process)
    try:
        server.wait_until_it_listens(PATIENCE_SECONDS)
        statuses = asyncio.run(_ask_at_once(server.address, connections))
        assert set(statuses) <= {0, 200, 429, 503}, statuses
        assert statuses[200] >= 10, statuses
        for _ in range(3):
            assert httpx.post(f"{server.address}/v1/score", json=submission(), timeout=60).status_code == 200
    finally:
        server.stop()
    log = "".join(server.log)
    assert f"open files: at most {files}" in log
    assert "Traceback" not in log
