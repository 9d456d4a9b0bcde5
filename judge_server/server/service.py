"""What routes ask for: the service, and the terms of a request."""

from typing import Annotated

from fastapi import Depends, Header, Request

from judge_server.core.caller import PriorityClass, current_caller
from judge_server.core.errors import BadInput, TooLarge
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.wiring.service import Service


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceHere = Annotated[Service, Depends(service_of)]
DeadlineHeader = Annotated[
    float | None, Header(alias="Deadline-Seconds", gt=0, le=86_400, description="Longest time to wait, in seconds.")
]


def terms(
    service: Service,
    deadline_seconds: float | None,
    header: float | None,
    priority: str | None,
    default: PriorityClass = "interactive",
) -> Terms:
    """The body's deadline goes before the header's, and that before the server's default. Raises Forbidden for a more
    urgent class than the caller may ask for."""
    seconds = deadline_seconds or header or service.settings.default_deadline_seconds
    permitted = current_caller.get().allowance.priority(priority, default)
    return Terms.within(seconds, Priority[permitted.upper()])


def require_submissions(service: Service, count: int, field: str) -> None:
    """``require_items`` for what will be judged, also by what the caller may send. Raises TooLarge."""
    require_items(count, service.settings.max_batch_items, field)
    require_allowed(count, field)


def require_allowed(count: int, field: str) -> None:
    """Raises TooLarge for more submissions in one request than the caller may send."""
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
