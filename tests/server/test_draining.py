"""The end of a server: what nobody waits for holds it up no longer."""

import asyncio
from datetime import UTC, datetime, timedelta

from judge_server.core.judge import JudgeSpecification
from judge_server.models.protocol import Priority
from judge_server.server.app import create_app
from judge_server.server.serving import drain
from judge_server.settings.settings import Settings
from judge_server.store import Store
from tests.server.faults import only_for
from tests.store.values import judgment, rubric, submission
from tests.stub_judge import Reply, StubJudge
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS


async def test_a_server_that_stops_waits_for_no_audit(tmp_path):
    url = f"sqlite:///{tmp_path / 'judge.db'}"
    store = await Store.open(url)
    of, said = rubric(1), submission()
    await store.save(judgment(of, said, created_at=datetime.now(UTC) - timedelta(seconds=60)), said, of)
    await store.close()
    with StubJudge(only_for("Says thing", Reply(delay_seconds=HANG_SECONDS))) as judge:
        judges = {
            "first": JudgeSpecification(name="first", model="baseline"),
            "second": JudgeSpecification(name="second", model=judge.specification),
        }
        app = create_app(
            Settings(
                judges=judges, database_url=url, canary="off", log_level="error", drain_seconds=0,
                audit_judge="second", audit_share=1.0,
            )
        )  # fmt: skip
        async with app.router.lifespan_context(app):
            load = app.state.service.scorer.admission.classes[Priority.AUDIT]
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not load.under_way:  # noqa: ASYNC110 - it is nobody's event
                    await asyncio.sleep(0.01)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await drain(app, HANG_SECONDS, lambda: False)
            assert not load.under_way
