"""What is found out before anything is loaded."""

import logging
import socket

from judge_server.server.serving import port_is_free


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
