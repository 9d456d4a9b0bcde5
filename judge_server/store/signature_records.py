"""By what models are recognised: shared by all processes, and kept over restarts."""

from sqlalchemy import Connection, select

from judge_server.core.model_signature import ModelSignature
from judge_server.store.database import Run
from judge_server.store.measuring_schema import MODEL_SIGNATURE
from judge_server.store.payload import decode, encode
from judge_server.store.writing import insert_missing


class StoredSignatures:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def signatures(self, key: str) -> tuple[ModelSignature, ...]:
        """The models met under ``key``, in the order in which they were met."""
        column = MODEL_SIGNATURE.c
        question = select(column.payload).where(column.key == key).order_by(column.place)

        def work(connection: Connection) -> tuple[ModelSignature, ...]:
            return tuple(decode(ModelSignature, payload) for payload in connection.execute(question).scalars())

        return await self._read(work)

    async def add_signature(self, key: str, place: int, signature: ModelSignature) -> None:
        """Keep it, unless another one has this place already."""
        row = {"key": key, "place": place, "payload": encode(signature)}
        await self._write(lambda connection: insert_missing(connection, MODEL_SIGNATURE, [row]))
