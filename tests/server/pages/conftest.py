"""What the tests of pages share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.server.pages.browser import browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started
