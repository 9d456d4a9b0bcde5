"""A line for each exchange that an operator wants to read."""

import logging
import time
from collections.abc import Callable
from typing import Literal

from judge_server.server.telemetry.exchange import Exchange

_log = logging.getLogger("judge_server.access")
_LINES_A_SECOND = 20
AccessLogging = Literal["off", "errors", "all"]


class AccessLog:
    """``errors``: statuses from 400 on, at most 20 a second; the next line says how many were left out."""

    def __init__(self, what: AccessLogging, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lowest = {"off": 1_000, "errors": 400, "all": 0}[what]
        self._bounded = what == "errors"
        self._second = -1
        self._told = 0
        self._untold = 0

    def answered(self, exchange: Exchange) -> None:
        """Tell of one exchange."""
        if exchange.status < self._lowest or (self._bounded and self._is_too_much()):
            return
        fields: dict[str, str | int | float] = {
            "method": exchange.method,
            "route": exchange.route,
            "status": exchange.status,
            "seconds": round(exchange.seconds, 6),
            "request_id": exchange.request_id,
        }
        line = "%(method)s %(route)s %(status)d in %(seconds).3f s"
        if exchange.caller is not None:
            fields["caller"] = exchange.caller
            line += " for %(caller)s"
        if self._untold:
            fields["left_out"], self._untold = self._untold, 0
            line += " (%(left_out)d lines left out)"
        _log.log(logging.WARNING if exchange.status >= 500 else logging.INFO, line, fields, extra=fields)

    def _is_too_much(self) -> bool:
        now = int(self._clock())
        if now != self._second:
            self._second, self._told = now, 0
        self._told += 1
        if self._told <= _LINES_A_SECOND:
            return False
        self._untold += 1
        return True
