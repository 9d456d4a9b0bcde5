"""What routes share: the service, the terms of a request, bounds on its items, and strict JSON bodies."""

import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from io import BytesIO
from typing import Annotated, Any, Final

from fastapi import Depends, Header, HTTPException, Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from judge_server.core.caller import PriorityClass, current_caller
from judge_server.core.errors import BadInput, TooLarge
from judge_server.core.monitor import Alarm, MonitorFinding
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.server.problems import refused
from judge_server.util.apart import apart
from judge_server.util.deadline import GRACE_SECONDS, wait_ends_at
from judge_server.util.parsing import parse_json
from judge_server.wiring.service import Service

_AT_ONCE_BYTES = 65_536  # JSON of this size is parsed in a millisecond
_BLOCK_BYTES = 1_048_576


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _service(request: Request) -> Service:  # FastAPI runs what is not async in a thread
    return service_of(request)


ServiceHere = Annotated[Service, Depends(_service)]
DeadlineHeader = Annotated[
    float | None, Header(alias="Deadline-Seconds", gt=0, le=86_400, description="Longest time to wait, in seconds.")
]


def viewer(service: Service) -> str | None:
    """The caller whose judgments, jobs and runs alone may be shown; None if all may be."""
    caller = current_caller.get()
    return caller.name if service.settings.own_views and not caller.may("read_all") else None


async def hidden_runs(service: Service, findings: Iterable[MonitorFinding]) -> frozenset[str]:
    """Those runs that findings are about of which the caller may see nothing."""
    caller, runs = viewer(service), {one.run for one in findings if one.run is not None}
    if caller is None:
        return frozenset()
    return frozenset({run for run in runs if not await service.store.runs.judged_by(run, caller)})


async def shown_alarms(service: Service, *, raised: bool | None = None) -> list[Alarm]:
    """Without those about runs of which the caller may see nothing."""
    found = await service.store.alarms.alarms(raised=raised)
    hidden = await hidden_runs(service, (one.finding for one in found))
    return [one for one in found if one.finding.run not in hidden]


def terms(
    service: Service,
    deadline_seconds: float | None,
    header: float | None,
    priority: str | None,
    default: PriorityClass = "interactive",
) -> Terms:
    """Priority and deadline of a request. The body's deadline takes precedence over the header's, which is read for
    every route, and that over the server's default. Raises Forbidden for a more urgent class than the caller may
    use."""
    seconds = deadline_seconds or header or _left() or service.settings.default_deadline_seconds
    permitted = current_caller.get().allowance.priority(priority, default)
    within = Terms.within(seconds, Priority[permitted.upper()])
    wait_ends_at.set(None if within.deadline is None else within.deadline + GRACE_SECONDS)
    return within


def _left() -> float | None:
    """Seconds until the deadline that the middleware read; None without one."""
    ends = wait_ends_at.get()
    return None if ends is None else max(ends - GRACE_SECONDS - time.monotonic(), 0.001)


def require_submissions(service: Service, count: int, field: str) -> None:
    """Check a list of submissions against the server's limit and the caller's. Raises BadInput or TooLarge."""
    require_items(count, service.settings.max_batch_items, field)
    require_allowed(count, field)


def require_ever_admitted(count: int, field: str) -> None:
    """Raises TooLarge for more submissions than the caller may ever have under way."""
    limit = current_caller.get().allowance.submissions_under_way
    if limit is not None and count > limit:
        raise TooLarge(
            f"{field}: {count} submissions are more than the {limit} that the API key may have under way.",
            remedy="Use smaller groups, or a key that allows more.",
            max_items=limit,
        )


def require_allowed(count: int, field: str) -> None:
    """Raises TooLarge for more submissions than the caller may send in one request."""
    limit = current_caller.get().allowance.submissions_per_request
    if limit is not None and count > limit:
        raise TooLarge(
            f"{field}: {count} submissions are more than the {limit} that the API key may send in one request.",
            remedy="Split the request.",
            max_items=limit,
        )


def require_items(count: int, limit: int, field: str) -> None:
    """Raises BadInput for an empty or an over-long list."""
    if not count:
        raise BadInput(f"{field}: the list is empty.", remedy=f"Send at least one element in {field}.")
    if count > limit:
        raise BadInput(
            f"{field}: {count} elements are more than the {limit} of one request.",
            remedy="Split the request, or raise max_batch_items in the server's settings.",
            max_items=limit,
        )


async def parsed(content: bytes, parse: Callable[[bytes], Any] = parse_json) -> Any:
    """The value of a JSON text, read in another process if it is long. Raises ValueError."""
    if len(content) < _AT_ONCE_BYTES:
        return parse(content)
    return await apart(current_caller.get().name, parse, content)


def _validated(blocks: Sequence[bytes], expected: Any, parse: Callable[[bytes], Any]) -> Any:
    """What ``expected`` makes of a long JSON text; FastAPI takes it as it is. A text that it refuses may have an error
    for each value, which would hold the event loop. Raises ValueError or BadInput."""
    value = parse(b"".join(blocks))
    try:
        return TypeAdapter(expected).validate_python(value)
    except ValidationError as fault:
        errors = fault.errors(include_url=False)
        raise refused([{**error, "loc": ("body", *error["loc"])} for error in errors[:1_000]], value) from None


class _StrictRequest(Request):
    """``validated``: the JSON is already what the route expects."""

    parse: Callable[[bytes], Any] = staticmethod(parse_json)
    validated = False

    async def blocks(self) -> Sequence[bytes]:
        """The whole body. Chunks are joined as they arrive, because a list of tiny ones would take many times their
        size, but to no more than a megabyte: a large block moves when it grows, which would hold the event loop."""
        if not hasattr(self, "_blocks"):
            self._blocks: list[bytes] = []
            content = BytesIO()
            async for chunk in self.stream():
                content.write(chunk)
                if content.tell() >= _BLOCK_BYTES:
                    self._blocks.append(content.getvalue())  # without a copy
                    content = BytesIO()
            self._blocks.append(content.getvalue())
        return self._blocks

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            self._body = b"".join(await self.blocks())  # without a copy if there is one
            self._blocks = [self._body]
        return self._body

    async def check(self, expected: Any) -> None:
        """Read a long JSON body of the type ``expected``. Raises BadInput, and HTTPException with 400."""
        blocks = await self.blocks()
        if sum(map(len, blocks)) >= _AT_ONCE_BYTES and "json" in self.headers.get("content-type", ""):
            with _as_bad_request():
                self._json = await apart(current_caller.get().name, _validated, blocks, expected, self.parse)
                self.validated = True

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            with _as_bad_request():
                self._json = await parsed(await self.body(), self.parse)
        return self._json


@contextmanager
def _as_bad_request() -> Iterator[None]:
    try:
        yield
    except ValueError as fault:
        raise HTTPException(400, f"The body cannot be read: {fault}.") from None


class StrictRoute(APIRoute):
    """A route that accepts standard JSON in UTF-8 only: 400 for NaN, Infinity, other encodings and deep nesting.

    A route of body, service and deadline whose request is the usual one is called directly: FastAPI's reading of
    content type, parameters and dependencies takes longer than that of the body. It reads every other request, and all
    that are refused. ``parse``: reads the body."""

    parse: Callable[[bytes], Any] = staticmethod(parse_json)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        expected = None if self.body_field is None else self.body_field.field_info.annotation
        told = signature(self.endpoint)
        direct = told.parameters.keys() == _DIRECT and told.return_annotation is Response
        validate = TypeAdapter[Any](expected).validate_python if direct and expected is not None else None

        async def strictly(request: Request) -> Response:
            strict = _StrictRequest(request.scope, request.receive)
            strict.parse = self.parse
            if self.body_field is not None:
                await strict.check(expected)  # FastAPI would answer 400 to any error here
            if validate is not None and _usual(request.scope["headers"]) and any(await strict.blocks()):
                try:
                    body = await strict.json() if strict.validated else validate(await strict.json())
                except ValidationError:
                    pass
                else:
                    answer: Response = await self.endpoint(request=strict, body=body, service=service_of(strict))
                    return answer
            return await handle(strict)

        return strictly


_DIRECT: Final = {"request", "body", "service", "deadline"}


def _usual(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """JSON and no deadline."""
    found = dict(headers)
    return found.get(b"content-type") == b"application/json" and b"deadline-seconds" not in found
