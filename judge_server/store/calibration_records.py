"""Calibrations, fitted maps and certificates: kept, looked up, listed."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import BigInteger, Connection, Table, and_, func, literal, select, tuple_

from judge_server.core.calibration import Calibration, Certificate
from judge_server.core.errors import StoreUnavailable
from judge_server.core.fitted_map import MapSet
from judge_server.store.database import Run
from judge_server.store.measuring_schema import CALIBRATION, CERTIFICATE, FITTED_MAP, MEASURED
from judge_server.store.page import Page, Position, check_limit
from judge_server.store.payload import SafeText, decode, encode, microseconds
from judge_server.store.writing import insert_missing

Model = TypeVar("Model", bound=BaseModel)


class CalibrationRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def put_calibration(self, calibration: Calibration) -> None:
        row = _row(calibration, calibration.judge.fingerprint, calibration.rubric.digest)
        rows = [row | {"rows_digest": calibration.rows}]
        await self._write(lambda connection: insert_missing(connection, CALIBRATION, rows))

    async def calibration(self, calibration_id: str) -> Calibration | None:
        return await self._read(lambda connection: _one(connection, CALIBRATION, Calibration, calibration_id))

    async def calibration_of_rows(self, rows_digest: str) -> Calibration | None:
        """The newest run that made these rows of a judge."""
        column = CALIBRATION.c
        question = (
            select(column.payload).where(column.rows_digest == rows_digest).order_by(column.created_us.desc()).limit(1)
        )

        def work(connection: Connection) -> Calibration | None:
            payload = connection.execute(question).scalar_one_or_none()
            return None if payload is None else _decoded(Calibration, payload)

        return await self._read(work)

    async def calibrations(self, *, limit: int = 100, cursor: str | None = None) -> Page[Calibration]:
        """Newest first. Raises BadInput for a limit outside 1 to 1000 or a cursor from another listing."""
        check_limit(limit)
        after = None if cursor is None else Position.of(cursor)
        return await self._read(lambda connection: _page(connection, limit, after))

    async def put_measured(self, calibration_id: str, report: str, labels: bytes) -> None:
        """Keep a run's report (JSON) and labels (compressed) beside its record."""
        row = {"calibration_id": calibration_id, "report": report, "content": labels}
        await self._write(lambda connection: insert_missing(connection, MEASURED, [row]))

    async def report_of(self, calibration_id: str) -> str | None:
        """The report's JSON; None if it was not kept."""
        question = select(MEASURED.c.report).where(MEASURED.c.calibration_id == calibration_id)
        return await self._read(lambda connection: connection.execute(question).scalar_one_or_none())

    async def measured(self, calibration_id: str) -> bytes | None:
        """The compressed labels of people and judge; None if they were not kept."""
        question = select(MEASURED.c.content).where(MEASURED.c.calibration_id == calibration_id)
        found = await self._read(lambda connection: connection.execute(question).scalar_one_or_none())
        return None if found is None else bytes(found)

    async def put_maps(self, maps: MapSet, *, active: bool = True) -> None:
        """Store the set and, if ``active``, make it the one in use for its judge and rubric."""
        row = _row(maps, maps.fingerprint, maps.rubric.digest) | {"active": False}

        def work(connection: Connection) -> None:
            insert_missing(connection, FITTED_MAP, [row])
            if active:
                connection.execute(_retirement(maps.fingerprint, maps.rubric.digest))
                connection.execute(FITTED_MAP.update().where(FITTED_MAP.c.id == maps.id).values(active=True))

        await self._write(work)

    async def retire_maps(self, fingerprint: str, rubric_digest: str) -> bool:
        """Use raw values for this judge under this rubric again; false if no maps were in use."""
        retirement = _retirement(fingerprint, rubric_digest)
        return bool(await self._write(lambda connection: connection.execute(retirement).rowcount))

    async def maps(self, map_set_id: str) -> MapSet | None:
        """Any stored set, in use or not: judgments refer to it."""
        return await self._read(lambda connection: _one(connection, FITTED_MAP, MapSet, map_set_id))

    async def active_maps(self) -> tuple[MapSet, ...]:
        question = select(FITTED_MAP.c.payload).where(FITTED_MAP.c.active)
        return await self._read(lambda connection: _all(connection, question, MapSet))

    async def put_certificate(self, certificate: Certificate) -> None:
        row = _row(certificate, certificate.fingerprint, certificate.rubric.digest)
        rows = [row | {"decision": certificate.decision.value}]
        await self._write(lambda connection: insert_missing(connection, CERTIFICATE, rows))

    async def certificate_of(self, calibration: Calibration) -> Certificate | None:
        """The newest that was issued on this run."""
        return (await self.certificates_of(calibration)).get(calibration.id)

    async def certificates_of(self, *calibrations: Calibration) -> dict[str, Certificate]:
        """By the id of a run: the newest that was issued on it."""
        column, runs = CERTIFICATE.c, {one.id for one in calibrations}
        own = column.fingerprint.in_({one.judge.fingerprint for one in calibrations})
        question = select(column.payload).where(own).order_by(column.created_us, column.id)
        every = await self._read(lambda connection: _all(connection, question, Certificate))
        return {one.calibration: one for one in every if one.calibration in runs}

    async def newest_certificates(self) -> tuple[Certificate, ...]:
        """One for each judge and rubric for which a gate has decided."""
        column = CERTIFICATE.c
        newest = func.row_number().over(
            partition_by=(column.fingerprint, column.rubric_digest),
            order_by=(column.created_us.desc(), column.id.desc()),
        )
        ranked = select(column.payload, newest.label("place")).subquery()
        question = select(ranked.c.payload).where(ranked.c.place == 1)
        return await self._read(lambda connection: _all(connection, question, Certificate))


def _row(value: Any, fingerprint: str, rubric_digest: str) -> dict[str, Any]:
    return {
        "id": value.id,
        "created_us": microseconds(value.created_at),
        "fingerprint": fingerprint,
        "rubric_digest": rubric_digest,
        "payload": encode(value),
    }


def _retirement(fingerprint: str, rubric_digest: str) -> Any:
    column = FITTED_MAP.c
    own = and_(column.fingerprint == fingerprint, column.rubric_digest == rubric_digest, column.active)
    return FITTED_MAP.update().where(own).values(active=False)


def _one(connection: Connection, table: Table, kind: type[Model], row_id: str) -> Model | None:
    payload = connection.execute(select(table.c.payload).where(table.c.id == row_id)).scalar_one_or_none()
    return None if payload is None else _decoded(kind, payload)


def _all(connection: Connection, question: Any, kind: type[Model]) -> tuple[Model, ...]:
    return tuple(_decoded(kind, payload) for payload in connection.execute(question).scalars())


def _page(connection: Connection, limit: int, after: Position | None) -> Page[Calibration]:
    column = CALIBRATION.c
    question = select(column.created_us, column.id, column.payload)
    if after is not None:
        position = tuple_(literal(after.created_us, BigInteger), literal(after.id, SafeText))
        question = question.where(tuple_(column.created_us, column.id) < position)
    rows = connection.execute(question.order_by(column.created_us.desc(), column.id.desc()).limit(limit + 1)).all()
    items = tuple(_decoded(Calibration, row.payload) for row in rows[:limit])
    more = len(rows) > limit
    return Page(items, Position(rows[limit - 1].created_us, rows[limit - 1].id).cursor() if more else None)


def _decoded(kind: type[Model], payload: str) -> Model:
    try:
        return decode(kind, payload)
    except (ValidationError, ValueError) as fault:
        raise StoreUnavailable(
            f"A {kind.__name__} is in the database but cannot be read: {fault}",
            remedy="It was written by another judge-server or by hand: read it with the version that wrote it.",
        ) from fault
