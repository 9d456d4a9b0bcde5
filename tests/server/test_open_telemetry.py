"""Traces, as a collector receives them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from judge_server.core.judge import JudgeSpecification
from judge_server.settings.settings import Settings
from tests.served import judged_by, served, settings_of
from tests.stub_judge import faithful
from tests.submissions import PROMPT, RESPONSE, submission

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """An OTLP endpoint on the loopback, and the bodies that it received."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", bodies
        server.shutdown()


def spans_of(bodies: list[bytes]) -> list[Span]:
    return [
        span
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def attributes(span: Span) -> dict[str, object]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_a_request_its_submissions_and_their_calls_are_one_trace_which_continues_the_callers():
    with collector() as (endpoint, bodies):
        with judged_by(faithful(), otlp_endpoint=endpoint) as (client, _):
            items = [submission(), submission(response="Wait until tomorrow.")]
            client.post("/v1/score/batch", json={"items": items}, headers={"traceparent": CALLER})
        spans = spans_of(bodies)
    (request,) = [span for span in spans if span.name == "POST /v1/score/batch"]
    scores = [span for span in spans if span.name == "score"]
    calls = [span for span in spans if span.name.startswith("chat ") and span.trace_id == request.trace_id]
    assert request.trace_id.hex() == CALLER.split("-")[1]
    assert request.parent_span_id.hex() == CALLER.split("-")[2]
    assert {span.parent_span_id for span in scores} == {request.span_id}
    assert sorted(span.parent_span_id for span in calls) == sorted(2 * [span.span_id for span in scores])
    assert attributes(request)["http.response.status_code"] == 200
    assert all(attributes(span)["judge_server.status"] == "ok" for span in scores)
    assert all(request.start_time_unix_nano <= call.start_time_unix_nano for call in calls)
    assert all(call.end_time_unix_nano <= request.end_time_unix_nano + 50_000_000 for call in calls)


def test_a_trace_names_what_failed_and_holds_no_text_of_a_submission():
    with collector() as (endpoint, bodies):
        with judged_by(faithful(), otlp_endpoint=endpoint) as (client, judge):
            judge.stop()
            client.post("/v1/score", json=submission())
        spans = spans_of(bodies)
    failed = {span.name.split()[0] for span in spans if span.status.code == Status.STATUS_CODE_ERROR}
    assert failed == {"POST", "score", "chat"}
    text = b"".join(bodies)
    assert PROMPT.encode() not in text
    assert RESPONSE.encode() not in text


def test_a_share_of_the_traces_is_kept_and_a_callers_decision_is_followed():
    unwanted = CALLER[:-1] + "0"
    with collector() as (endpoint, bodies):
        with served(settings_of(otlp_endpoint=endpoint, trace_share=0.0)) as client:
            client.get("/v1/judges")
            client.get("/v1/rubrics", headers={"traceparent": CALLER})
            client.get("/v1/judges", headers={"traceparent": unwanted})
        assert [span.name for span in spans_of(bodies)] == ["GET /v1/rubrics"]


def test_probes_make_no_spans_whoever_traces_them():
    with collector() as (endpoint, bodies):
        with served(settings_of(otlp_endpoint=endpoint, public_metrics=True, root_path="/judge")) as client:
            for path in ("/healthz", "/readyz", "/metrics"):
                assert client.get(path, headers={"traceparent": CALLER}).status_code == 200
                assert client.get(f"/judge{path}").status_code == 200
            client.get("/v1/judges")
        assert [span.name for span in spans_of(bodies)] == ["GET /v1/judges"]


def test_a_collector_that_is_away_neither_harms_answers_nor_holds_the_end_up():
    judges = {"default": JudgeSpecification(name="default", model="baseline")}
    settings = Settings(judges=judges, database_url="sqlite://", log_level="error", otlp_endpoint="http://127.0.0.1:9")
    with served(settings) as client:
        assert client.post("/v1/score", json=submission()).json()["reward"] is not None
        asked = time.monotonic()
    assert time.monotonic() - asked < 60  # an exporter left to itself tries for longer
