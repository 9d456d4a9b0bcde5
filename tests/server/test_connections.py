"""Connections by who holds them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from judge_server.server.connections import Connections
from tests.yardstick import PATIENCE_SECONDS


@dataclass(eq=False)
class Socket:
    holder: str
    idle_since: float | None = 0.0
    given_up: bool = False
    parts: list[str] = field(default_factory=list)

    def give_up(self) -> None:
        self.given_up = True

    def pass_to(self, caller: str) -> bool:
        return True

    def read_on(self) -> None:
        self.parts.append(self.holder)


@pytest.fixture
def connections() -> Iterator[Connections]:
    loop = asyncio.new_event_loop()
    made = Connections(loop)
    made.most = 10
    yield made
    loop.close()


def test_a_new_one_takes_the_place_of_the_oldest_idle_one_of_whoever_has_most(connections):
    other, many = Socket("other"), [Socket("many") for _ in range(9)]
    for one in (other, *many):
        assert connections.enter(one)
    many[0].idle_since = None
    assert connections.enter(Socket("other"))
    assert [one.given_up for one in many] == [False, True, *[False] * 7]
    assert not other.given_up
    assert (connections.open, connections.holds("many"), connections.holds("other")) == (10, 8, 2)


def test_one_that_is_used_again_waits_longest_no_more(connections):
    first, *others = [Socket("many") for _ in range(10)]
    for one in (first, *others):
        connections.enter(one)
    first.idle_since = 1.0
    connections.enter(Socket("new"))
    assert not first.given_up
    assert others[0].given_up


def test_there_is_no_room_if_requests_are_under_way_on_all(connections):
    for _ in range(10):
        connections.enter(Socket("many", idle_since=None))
    assert not connections.enter(Socket("new"))
    assert connections.open == 10


def test_a_caller_never_gets_all(connections):
    connections.most = 100
    taken = 0
    for _ in range(100):
        one = Socket("address ::1", idle_since=None)
        assert connections.enter(one)
        taken += connections.pass_to(one, "greedy")
        if one.holder != "greedy":
            connections.leave(one)
    assert taken == 80
    other = Socket("address ::1")
    assert connections.enter(other)
    assert connections.pass_to(other, "modest")
    assert connections.open == 81


def test_counts_are_gone_with_the_last_connection(connections):
    one = Socket("address ::1")
    connections.enter(one)
    connections.pass_to(one, "caller")
    connections.leave(one)
    assert connections.open == 0
    assert connections.holds("caller") == connections.holds("address ::1") == 0
    assert connections.enter(Socket("next"))


async def test_bodies_that_nobody_wants_are_read_by_holder_in_turn():
    connections = Connections.of(asyncio.get_running_loop())
    order: list[str] = []
    many = [Socket("many", parts=order) for _ in range(5)]
    for one in many:
        connections.rest(one)
    connections.rest(Socket("few", parts=order))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(order) < 6:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)
    assert order.index("few") <= 1
