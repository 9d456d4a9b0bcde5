"""Addresses that come and go: names looked up in DNS, and servers that may vanish."""

import asyncio
import threading
from itertools import count, cycle

import pytest

from judge_server.core.errors import BadConfiguration, ModelUnavailable
from judge_server.models.fleet import FIRST_FILLED, Fleet
from judge_server.models.membership import Membership
from judge_server.models.openai_fault import CallOutcome
from judge_server.models.registry import open_model
from tests.models.openai_model import is_probe, request, started
from tests.models.test_fleet import Clock
from tests.stub_judge import Reply, StubJudge, faithful


class Names:
    """A DNS whose answers the test sets."""

    def __init__(self, *addresses: str):
        self.addresses = addresses
        self.away = False

    async def resolve(self, name: str) -> tuple[str, ...]:
        if self.away:
            raise OSError("no name server answers")
        return self.addresses


def following(names: Names, *written: str) -> tuple[Fleet, Membership]:
    fleet = Fleet([])
    wanted = {one: "spot" in one for one in written or ("dns+http://pods:8000/v1",)}
    return fleet, Membership(fleet, wanted, 3_600, names.resolve)


def urls(fleet: Fleet) -> list[str]:
    return [address.url for address in fleet.addresses]


async def test_a_name_stands_for_all_its_addresses_and_follows_them():
    names = Names("10.0.0.1", "10.0.0.2")
    fleet, membership = following(names)
    await membership.start()
    assert urls(fleet) == ["http://10.0.0.1:8000/v1", "http://10.0.0.2:8000/v1"]
    kept = fleet.addresses[1]
    names.addresses = ("10.0.0.2", "10.0.0.3")
    await membership.look_up()
    assert urls(fleet) == ["http://10.0.0.2:8000/v1", "http://10.0.0.3:8000/v1"]
    assert fleet.addresses[0] is kept, "what is known of an address that stays is kept"
    await membership.close()


async def test_an_address_that_joins_later_has_to_be_recognised():
    names = Names("10.0.0.1")
    fleet, membership = following(names)
    await membership.start()
    assert fleet.interruptions == 0
    names.addresses = ("10.0.0.1", "10.0.0.2")
    await membership.look_up()
    assert (fleet.interruptions, fleet.severed) == (1, 1)
    assert [address.interrupted for address in fleet.addresses] == [False, True]
    await membership.close()


async def test_a_lookup_that_fails_or_finds_nothing_changes_nothing():
    names = Names("10.0.0.1")
    fleet, membership = following(names)
    await membership.start()
    names.away = True
    await membership.look_up()
    assert urls(fleet) == ["http://10.0.0.1:8000/v1"]
    names.away, names.addresses = False, ()
    await membership.look_up()
    assert urls(fleet) == ["http://10.0.0.1:8000/v1"]
    await membership.close()


@pytest.mark.parametrize("away", [True, False])
async def test_a_name_without_any_address_does_not_start(away):
    names = Names()
    names.away = away
    _, membership = following(names)
    with pytest.raises(ModelUnavailable, match="DNS has no address for dns"):
        await membership.start()


async def test_written_addresses_and_those_of_the_sixth_version_stand_beside_looked_up_ones():
    fleet, membership = following(Names("fd00::7"), "http://fixed:8000/v1", "dns+http://spot:9000/v1")
    await membership.start()
    assert {one.url: one.preemptible for one in fleet.addresses} == {
        "http://fixed:8000/v1": False,
        "http://[fd00::7]:9000/v1": True,
    }
    await membership.close()


def test_a_preemptible_address_is_called_when_the_lasting_ones_are_busy():
    fleet = Fleet(["http://spot", "http://lasting"], Clock(), ["http://spot"])
    first = [fleet.take("conversation") for _ in range(FIRST_FILLED)]
    assert {address.url for address in first} == {"http://lasting"}
    assert fleet.take().url == "http://spot"


def test_a_lost_call_takes_a_preemptible_address_out_at_once_and_a_lasting_one_only_after_several():
    clock = Clock()
    fleet = Fleet(["http://spot", "http://lasting"], clock, ["http://spot"])
    spot, lasting = fleet.addresses
    for address in (spot, lasting):
        address.take(clock.now)
        fleet.give_back(address, CallOutcome.FAILED, lost=True)
    assert spot.open_until > clock.now
    assert lasting.open_until <= clock.now


async def test_a_real_name_is_looked_up_and_judged_with():
    with StubJudge() as judge:
        port = judge.address.rpartition(":")[2]
        async with started(f"dns+http://localhost:{port}") as model:
            assert (await model.complete(request())).text == "Yes"
            assert model.capacity >= 64


@pytest.mark.timeout(180)
async def test_a_preemptible_server_that_keeps_vanishing_loses_no_question_and_answers_none_falsely():
    turns, lock = cycle([True] * 25 + [False] * 10), threading.Lock()

    def flickering(body):
        with lock:
            there = is_probe(body) or next(turns)
        return faithful()(body) if there else Reply(reset=True)

    with StubJudge(flickering) as spot, StubJudge() as lasting:
        async with started(spot, lasting, preemptible=[spot.address]) as model:
            before = spot.calls
            answers = await asyncio.gather(*(model.complete(request(f"{number}")) for number in range(400)))
            assert [answer.text for answer in answers] == ["Yes"] * 400
            assert spot.calls > before, "it took part"


@pytest.mark.timeout(180)
async def test_a_fleet_of_preemptible_servers_alone_waits_until_one_is_back():
    turns, lock = cycle([True] * 8 + [False]), threading.Lock()

    def flickering(body):
        with lock:
            there = is_probe(body) or next(turns)
        return faithful()(body) if there else Reply(reset=True)

    with StubJudge(flickering) as spot:
        async with started(spot, preemptible=True, transport_attempts=1) as model:
            answers = [await model.complete(request(f"{number}")) for number in range(30)]
            assert [answer.text for answer in answers] == ["Yes"] * 30


@pytest.mark.parametrize("preemptible", [True, False])
@pytest.mark.parametrize(
    "garbage", [b"", b"<html>bye</html>", b'{"choices": [{"message": {"con', b"{}", b"null", b"OK"]
)
async def test_a_server_that_answers_garbage_with_200_spoils_no_question(garbage, preemptible):
    """As one that ends does, or the proxy in front of it; it answers faster than the others, so it would get most."""
    served = count()

    def dying(body):
        return faithful()(body) if is_probe(body) or next(served) < 5 else Reply(body=garbage)

    with StubJudge(dying) as spot, StubJudge() as lasting:
        options = {"preemptible": [spot.address]} if preemptible else {}
        async with started(spot, lasting, **options) as model:
            answers = await asyncio.gather(*(model.complete(request(f"{number}")) for number in range(200)))
            assert [answer.text for answer in answers] == ["Yes"] * 200
            before = spot.calls
            for number in range(20):
                assert (await model.complete(request(f"later {number}"))).text == "Yes"
            assert spot.calls - before < 10, "its circuit is open"


async def test_a_preemptible_server_alone_that_ends_with_garbage_is_waited_for():
    turns = cycle([True] * 4 + [False])

    def flickering(body):
        return faithful()(body) if is_probe(body) or next(turns) else Reply(body=b"<html>bye</html>")

    with StubJudge(flickering) as spot:
        async with started(spot, preemptible=True, transport_attempts=1) as model:
            answers = [await model.complete(request(f"{number}")) for number in range(12)]
            assert [answer.text for answer in answers] == ["Yes"] * 12


@pytest.mark.parametrize(
    ("written", "options", "words"),
    [
        ("dns+https://pods:8000/v1", {}, "certificates are made for names"),
        ("http://one:8000/v1", {"preemptible": ["http://two:8000/v1"]}, "none of the model's addresses"),
        ("dns+ftp://pods/v1", {}, "names no model at an address"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_remedy(written, options, words):
    with pytest.raises(BadConfiguration, match=words) as refused:
        open_model(f"openai:stub@{written}", options)
    assert refused.value.remedy
