"""What was measured of judges is read again and again."""

import asyncio

from judge_server.scoring.calibration_state import CalibrationState


class Odd:
    """Records of which a reading fails in a way that nobody foresaw."""

    def __init__(self):
        self.reads = 0

    async def active_maps(self):
        self.reads += 1
        if self.reads == 1:
            raise ValueError("written by another version")
        return ()

    async def newest_certificates(self):
        return ()


async def test_one_odd_reading_is_not_the_last():
    records = Odd()
    task = asyncio.create_task(CalibrationState().keep_fresh(records, 0.001))
    async with asyncio.timeout(5):
        while records.reads < 3:
            assert not task.done()
            await asyncio.sleep(0.001)
    task.cancel()
