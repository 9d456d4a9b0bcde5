"""A minute of each fault under load: the right alert fires and only that one, metrics and readiness tell the truth,
and nothing is lost or false."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from judge_server.store.store import Store
from tests.end_to_end.prometheus import Prometheus, watching
from tests.postgres import Cluster
from tests.served import served, settings_of, until
from tests.stub_judge import Behaviour, Reply, StubJudge, faithful
from tests.submissions import rubric, submission
from tests.yardstick import PATIENCE_SECONDS

pytestmark = pytest.mark.postgres
SECONDS = 60.0
SMALL_MEGABYTES = 160
P_MET = 0.9
ABOUT_EIGHT = 8.0


class Switch:
    """A judge whose behaviour can be changed while it serves."""

    def __init__(self) -> None:
        self.now: Behaviour = faithful(P_MET)

    def __call__(self, body: dict[str, Any]) -> Reply:
        return self.now(body)


@dataclass
class Load:
    """About eight requests a second from four threads; ``rewards`` and ``refused`` as they were answered."""

    address: str
    rewards: list[tuple[str, float]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self, name: str) -> None:
        number = 0
        with httpx.Client(base_url=self.address, timeout=PATIENCE_SECONDS) as client:
            while not self._over.is_set():
                number += 1
                item = submission(response=f"Answer {name} {number}.", rubric=rubric(1), deadline_seconds=4)
                self._take(client.post("/v1/score", json=item))
                time.sleep(4 / ABOUT_EIGHT)

    def _take(self, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            self.refused.append(answer.status_code)
            if answer.status_code not in (429, 502, 503, 504):
                self.false.append(answer.text[:300])
            return
        judgment = answer.json()
        if judgment["reward"] is not None and abs(judgment["reward"] - P_MET) > 1e-6:
            self.false.append(str(judgment["reward"]))
        self.rewards.append((judgment["id"], judgment["reward"]))

    @contextmanager
    def under_way(self) -> Iterator["Load"]:
        threads = [threading.Thread(target=self.run, args=(str(number),), daemon=True) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join(PATIENCE_SECONDS)


@dataclass
class Watched:
    """What was seen during a fault."""

    fired: set[str] = field(default_factory=set)
    unready: list[str] = field(default_factory=list)
    slowest_scrape: float = 0.0

    def look(self, prometheus: Prometheus, client: httpx.Client) -> None:
        began = time.monotonic()
        assert client.get("/metrics").status_code == 200
        self.slowest_scrape = max(self.slowest_scrape, time.monotonic() - began)
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        if ready.status_code == 503:
            self.unready.append(ready.json()["type"].rsplit(":", 1)[-1])
        self.fired |= prometheus.firing()


def _stored(client: httpx.Client, ids: list[str]) -> int:
    return sum(client.get(f"/v1/judgments/{one}").status_code == 200 for one in ids)


def _for_a_minute() -> Callable[[Watched], bool]:
    end = time.monotonic() + SECONDS
    return lambda _: time.monotonic() >= end


def _until_an_alert_fires() -> Callable[[Watched], bool]:
    end = time.monotonic() + PATIENCE_SECONDS
    return lambda seen: bool(seen.fired) or time.monotonic() >= end


def _through(
    settings: Any,
    tmp_path: Any,
    fault: Callable[[ExitStack], None],
    ending: Callable[[], Callable[[Watched], bool]] = _for_a_minute,
) -> tuple[Watched, Load]:
    """Ten quiet seconds, the fault until it is ``ending``, and the recovery."""
    seen = Watched()
    with served(settings) as client, watching(str(client.base_url.netloc, "ascii"), tmp_path) as prometheus:
        load = Load(str(client.base_url))
        with load.under_way():
            time.sleep(10)
            assert prometheus.firing() == set(), "nothing fires before the fault"
            with ExitStack() as faults:
                fault(faults)
                over = ending()
                while not over(seen):
                    seen.look(prometheus, client)
                    time.sleep(1)
            until(lambda: client.get("/readyz").status_code == 200)
            answered = len(load.rewards)
            until(lambda: len(load.rewards) > answered + 8)
        assert load.false == []
        assert _stored(client, [one for one, _ in load.rewards]) == len(load.rewards), "each answered judgment is kept"
    return seen, load


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Its lines are printed when all faults are over."""
    lines: list[str] = []
    yield lines
    terminal = request.config.pluginmanager.getplugin("terminalreporter")
    head = "| fault, 60 s | alerts that fired | /readyz | slowest /metrics | rewards | refused | lost | false |"
    for line in ("", head, "|---|---|---|---|---|---|---|---|", *lines):
        terminal.write_line(line)


def _told(kind: str, seen: Watched, load: Load) -> str:
    fired, unready = ", ".join(sorted(seen.fired)) or "none", ", ".join(sorted(set(seen.unready))) or "200"
    rewards = sum(reward is not None for _, reward in load.rewards)
    return f"| {kind} | {fired} | {unready} | {seen.slowest_scrape:.1f} s | {rewards} | {len(load.refused)} | 0 | 0 |"


@contextmanager
def _small_disk() -> Iterator[Path]:
    """Raises PermissionError, saying why."""
    with TemporaryDirectory() as folder:
        mounting = ["mount", "-t", "tmpfs", "-o", f"mode=755,size={SMALL_MEGABYTES}m", "tmpfs", folder]
        if subprocess.run(mounting, check=False).returncode != 0:
            raise PermissionError("This test mounts a small disk in memory: run it as root.")
        Path(folder).chmod(0o755)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def _full(disk: Path) -> Callable[[ExitStack], None]:
    def fault(stack: ExitStack) -> None:
        filler = disk / "filler"
        stack.callback(filler.unlink)
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    return fault


@pytest.fixture
def database(postgres: Cluster) -> str:
    return postgres.new_database()


def _settings(judge: StubJudge, url: str) -> Any:
    return settings_of(judge.specification, database=url, cache_entries=0)


def _locked(url: str) -> Callable[[ExitStack], None]:
    def fault(stack: ExitStack) -> None:
        other = stack.enter_context(psycopg.connect(url))
        other.execute("LOCK TABLE judgment IN ACCESS EXCLUSIVE MODE")

    return fault


def _stopped(cluster: Cluster) -> Callable[[ExitStack], None]:
    def fault(stack: ExitStack) -> None:
        cluster.stop()
        stack.callback(cluster.start)

    return fault


def _slow(url: str, seconds: float) -> Callable[[ExitStack], None]:
    """Every transaction that holds judgments waits so long in a trigger, however many statements write them."""

    def fault(stack: ExitStack) -> None:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "IF coalesce(current_setting('slow.waited', true), '') = '' THEN "
                f"PERFORM pg_sleep({seconds}); PERFORM set_config('slow.waited', 'yes', true); END IF; "
                "RETURN NULL; END $$"
            )
            other.execute("CREATE TRIGGER slow AFTER INSERT ON judgment FOR EACH STATEMENT EXECUTE FUNCTION slow()")
        stack.callback(_mend, url)

    return fault


def _mend(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("DROP FUNCTION slow CASCADE")


def _without_connections(cluster: Cluster, url: str) -> Callable[[ExitStack], None]:
    """The server's connections end, and the role may open no other."""

    def fault(stack: ExitStack) -> None:
        name = urlsplit(url).path.removeprefix("/")
        cluster.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        stack.callback(cluster.run, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        cluster.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    return fault


@pytest.mark.longest
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["stopped", "locked", "without connections", "slow", "very slow"])
def test_a_minute_of_a_database_fault(postgres, database, tmp_path, table, kind):
    faults = {
        "stopped": _stopped(postgres),
        "locked": _locked(database),
        "without connections": _without_connections(postgres, database),
        "slow": _slow(database, 1.2),
        "very slow": _slow(database, 6),
    }
    with StubJudge(Switch()) as judge:
        seen, load = _through(_settings(judge, database), tmp_path, faults[kind])
    table.append(_told(f"PostgreSQL {kind}", seen, load))
    expected = "JudgeServerStoreSlow" if kind == "slow" else "JudgeServerStoreUnavailable"
    assert seen.fired == {expected}
    assert set(seen.unready) == (set() if kind == "slow" else {"store_unavailable"})  # at times, if it is very slow
    assert seen.slowest_scrape < 3


@pytest.mark.longest
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["PostgreSQL full", "disk full"])
def test_a_minute_of_a_full_disk(postgres, tmp_path, table, kind):
    with _small_disk() as disk, ExitStack() as stack, StubJudge(Switch()) as judge:
        url = f"sqlite:///{disk}/judge.db"
        if kind == "PostgreSQL full":
            url = stack.enter_context(_in_tablespace(postgres, disk))
        seen, load = _through(_settings(judge, url), tmp_path, _full(disk))
    table.append(_told(kind, seen, load))
    assert seen.fired == {"JudgeServerStoreUnavailable" if kind == "PostgreSQL full" else "JudgeServerDiskFull"}
    assert set(seen.unready) == {"store_unavailable"}
    assert seen.slowest_scrape < 3


@contextmanager
def _in_tablespace(cluster: Cluster, disk: Path) -> Iterator[str]:
    url, place = cluster.new_database(), disk / "tables"
    name = urlsplit(url).path.removeprefix("/")
    place.mkdir()
    owner = Path(cluster.folder).stat()
    shutil.chown(place, owner.st_uid, owner.st_gid)
    cluster.run(f"CREATE TABLESPACE small LOCATION '{place}'")
    cluster.run(f"ALTER DATABASE {name} SET TABLESPACE small")
    try:
        yield url
    finally:
        cluster.run(f"DROP DATABASE {name} WITH (FORCE)")
        cluster.run("DROP TABLESPACE small")


@pytest.mark.longest
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["401", "404", "slow", "gone"])
def test_a_minute_of_a_judge_fault(database, tmp_path, table, kind):
    switch = Switch()
    faults: dict[str, Behaviour] = {
        "401": lambda _: Reply(401),
        "404": lambda _: Reply(404),
        "slow": lambda body: Reply(delay_seconds=6, body=faithful(P_MET)(body).body),
        "gone": lambda _: Reply(reset=True),
    }

    def fault(stack: ExitStack) -> None:
        switch.now = faults[kind]
        stack.callback(setattr, switch, "now", faithful(P_MET))

    with StubJudge(switch) as judge:
        seen, load = _through(_settings(judge, database), tmp_path, fault)
    table.append(_told(f"judge {kind}", seen, load))
    assert seen.fired == ({"JudgeServerJudgeSlow"} if kind == "slow" else {"JudgeServerJudgeUnavailable"})
    assert set(seen.unready) <= {"judge_refused", "judge_unavailable"}
    assert seen.slowest_scrape < 3


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["PostgreSQL stopped", "judge 401"])
def test_a_fault_fires_its_alert_and_no_other(postgres, database, tmp_path, kind):
    """A sample of the minutes, which ends as soon as an alert fires."""
    switch = Switch()

    def refused(stack: ExitStack) -> None:
        switch.now = lambda _: Reply(401)
        stack.callback(setattr, switch, "now", faithful(P_MET))

    fault = _stopped(postgres) if kind == "PostgreSQL stopped" else refused
    with StubJudge(switch) as judge:
        seen, _ = _through(_settings(judge, database), tmp_path, fault, _until_an_alert_fires)
    part = "Store" if kind == "PostgreSQL stopped" else "Judge"
    assert seen.fired == {f"JudgeServer{part}Unavailable"}
    assert set(seen.unready) == ({"store_unavailable"} if part == "Store" else {"judge_refused"})


async def test_a_store_names_its_database_without_user_or_password(database):
    store = await Store.open(database)
    assert "judge_" in store.name
    assert "secret-word" not in store.name
    await store.close()
