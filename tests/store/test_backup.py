"""Backup and restore as the page of the store says them: every judgment that was answered before is there after."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from judge_server.store import Store
from tests.project.repository import ROOT
from tests.store.values import judgment, rubric, submission

PAGE = (ROOT / "docs" / "store.md").read_text("utf-8")


def _commands(what: str) -> str:
    found = re.search(rf"```sh {what}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None, f"the page has no commands for {what}"
    return found[1]


def _carry_out(what: str, folder: Path, url: str, programs: Path) -> None:
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-euc", _commands(what)], cwd=folder, env=os.environ | {"DATABASE_URL": url, "PATH": path},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


async def _write(store: Store, count: int) -> list[str]:
    ids = []
    for number in range(count):
        asked, of = submission(f"Rain falls on hill {number}.", run="grpo-7"), rubric(3)
        made = judgment(of, asked)
        await store.save(made, asked, of)
        ids.append(made.id)
    return ids


async def _backed_up(url: str, folder: Path, kind: str, programs: Path) -> tuple[list[str], bytes]:
    """The ids that were answered before the backup began, and the database's secret."""
    store = await Store.open(url)
    before = await _write(store, 20)
    writing = asyncio.create_task(_write(store, 10_000))
    await asyncio.sleep(0)
    await asyncio.to_thread(_carry_out, f"backup {kind}", folder, url, programs)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    secret = await store.secret()
    await store.close()
    return before, secret


async def _require_all(url: str, ids: list[str], secret: bytes) -> None:
    store = await Store.open(url, migrate=False)
    try:
        for one in ids:
            assert await store.judgment(one) is not None
            assert (await store.submission(one)).response.startswith("Rain falls")
        assert await store.secret() == secret
        await _write(store, 1)
    finally:
        await store.close()


async def test_sqlite_is_backed_up_while_it_is_written_and_restored(tmp_path):
    url = f"sqlite:///{tmp_path / 'judge-server.db'}"
    ids, secret = await _backed_up(url, tmp_path, "sqlite", tmp_path)
    (tmp_path / "judge-server.db").write_bytes(b"the disk of the old one failed")
    await asyncio.to_thread(_carry_out, "restore sqlite", tmp_path, url, tmp_path)
    await _require_all(url, ids, secret)


@pytest.mark.postgres
async def test_postgresql_is_backed_up_while_it_is_written_and_restored(tmp_path, postgres):
    ids, secret = await _backed_up(postgres.new_database(), tmp_path, "postgresql", postgres.programs)
    restored = postgres.new_database()
    await asyncio.to_thread(_carry_out, "restore postgresql", tmp_path, restored, postgres.programs)
    await _require_all(restored, ids, secret)
