"""What is found out before anything is loaded."""

import logging
import socket
import threading
from queue import Queue

import httpx
import pytest

from judge_server.server import serving
from judge_server.server.serving import page_address, port_is_free, server_of
from tests.served import settings_of
from tests.yardstick import PATIENCE_SECONDS


def test_a_taken_port_is_found_before_the_application_is_built(caplog):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with caplog.at_level(logging.ERROR):
            assert not port_is_free("127.0.0.1", port)
        assert f"cannot listen on 127.0.0.1 port {port}" in caplog.text
    assert port_is_free("127.0.0.1", port)
    assert port_is_free("127.0.0.1", 0)


def test_a_host_that_is_none_of_this_machine_is_named(caplog):
    with caplog.at_level(logging.ERROR):
        assert not port_is_free("192.0.2.1", 8000)
    assert "192.0.2.1" in caplog.text


def test_the_pages_are_opened_once_the_server_listens():
    opened = Queue()
    server = server_of(settings_of(port=0, root_path="/judge"), opening=opened.put)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    address = opened.get(timeout=PATIENCE_SECONDS)
    assert httpx.get(address, timeout=PATIENCE_SECONDS).status_code == 200
    assert address.endswith("/judge/")
    server.should_exit = True
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "http://127.0.0.1:1/"), ("::", "http://[::1]:1/"), ("::1", "http://[::1]:1/")],
)
def test_a_browser_is_sent_to_an_address_of_this_machine(host, address):
    assert page_address(host, 1, "") == address


@pytest.mark.parametrize("started", [True, False])
def test_a_thread_of_the_store_that_ends_in_time_ends_no_server_before_its_reason_is_said(started, monkeypatch):
    ended = []
    monkeypatch.setattr(serving.os, "_exit", ended.append)
    last_steps = threading.Thread(target=threading.Event().wait, args=(0.1,), name="store-release", daemon=True)
    last_steps.start()
    serving._leave_waiting_threads(started=started)
    assert not ended
    assert not last_steps.is_alive()


@pytest.mark.parametrize(("started", "status"), [(True, 0), (False, 2)])
def test_a_thread_that_waits_for_the_database_is_left_with_the_status_that_the_command_would_have(
    started, status, monkeypatch, caplog
):
    ended, answered = [], threading.Event()
    monkeypatch.setattr(serving.os, "_exit", ended.append)
    monkeypatch.setattr(serving, "_LAST_STEPS_SECONDS", 0.01)
    monkeypatch.setattr(serving.logging, "shutdown", lambda: None)
    threading.Thread(target=answered.wait, name="store-writer_0", daemon=True).start()
    with caplog.at_level(logging.WARNING):
        serving._leave_waiting_threads(started=started)
    answered.set()
    assert ended == [status]
    assert "without waiting for it" in caplog.text
