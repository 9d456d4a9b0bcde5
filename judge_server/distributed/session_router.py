"""Where Serve sends a request: one that names a session to the session's replica, any other to the less loaded of two.

Ray's consistent hashing keeps sessions in place while replicas join and leave, and falls back to the next replica if
the first has all the requests that it takes at a time. It spreads requests without a session by chance; this class
looks at the loads instead.
"""

from random import sample

from ray.serve.experimental.consistent_hash_router import ConsistentHashRouter
from ray.serve.request_router import PendingRequest, RunningReplica


class SessionRouter(ConsistentHashRouter):  # type: ignore[misc]  # ray is not followed
    """For ``RequestRouterConfig(request_router_class=…)``."""

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        if pending_request is None or pending_request.metadata.session_id or not candidate_replicas:
            ranked: list[list[RunningReplica]] = await super().choose_replicas(candidate_replicas, pending_request)
            return ranked
        pending_request.routing_context.should_backoff = True
        return [sample(candidate_replicas, min(2, len(candidate_replicas)))]
