"""Chromium for the tests of pages: Debian's, driven by Playwright, with axe-core to look for barriers."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as TookTooLongError

WIDTHS = (390, 768, 1440)
REFLOW = 320  # what is left of 1280 pixels at a zoom of 400 %
_SHOWN: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", WIDTHS[-1]), ("dark", WIDTHS[0]))
_SERIOUS = ("serious", "critical")
_PATIENCE_MS = 60_000
_WATCH_FOCUS = """() => {
  const every = 'a[href], button, select, textarea, input:not([type=hidden]), summary, [tabindex="0"]';
  window.wanted = [...document.querySelectorAll(every)].filter(one => one.checkVisibility() && !one.disabled);
  window.reached = new Set([document.activeElement]);
  document.addEventListener('focusin', event => window.reached.add(event.target));
  return window.wanted.length;
}"""
_MISSED = """() => {
  const groups = new Set([...window.reached].filter(one => one.type === 'radio').map(one => one.name));
  const met = one => window.reached.has(one) || (one.type === 'radio' && groups.has(one.name));
  return window.wanted.filter(one => !met(one)).map(one => one.outerHTML.slice(0, 160));
}"""
expect.set_options(timeout=_PATIENCE_MS)


def executable() -> str:
    """Where the browser is. Raises RuntimeError, with what to install, if there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise RuntimeError("The tests of the pages need Chromium (Debian: apt-get install chromium).")


@contextmanager
def browser() -> Iterator[Browser]:
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable(), args=arguments, timeout=120_000)
        yield started
        started.close()


@dataclass
class Visit:
    """A page of one visitor. ``faults``: what it must not do, in words: errors of scripts and of the console, requests
    to another host, dialogs."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str, status: int = 200) -> None:
        answer = self.page.goto(f"{self.address}{path}")
        assert answer is not None
        assert answer.status == status, (path, answer.status)

    def barriers(self) -> list[str]:
        """Serious and critical findings of axe-core, each with the elements that it names."""
        self.page.evaluate(_axe())
        found = self.page.evaluate("async () => (await axe.run()).violations")
        return [
            f"{one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in _SERIOUS
        ]

    def not_reached_by_tab(self) -> list[str]:
        """What can be clicked or filled in, but gets no focus while somebody goes through the page by Tab."""
        count: int = self.page.evaluate(_WATCH_FOCUS)
        for _ in range(count + 3):  # a page may begin in its middle
            self.page.keyboard.press("Tab")
        missed: list[str] = self.page.evaluate(_MISSED)
        return missed

    def flaws(self) -> list[str]:
        """What is wrong with the opened page: barriers, in light and wide, in dark and narrow; if it is wider than the
        window at one of the widths or enlarged to 400 %; and ``faults``, but for the status of a refusal."""
        found = []
        for scheme, width in _SHOWN:
            self.page.emulate_media(color_scheme=scheme)
            self.page.set_viewport_size({"width": width, "height": 900})
            found += [f"{scheme}: {one}" for one in self.barriers()]
        for width in (*WIDTHS, REFLOW):
            self.page.set_viewport_size({"width": width, "height": 900})
            found += [f"{self.overflow()} pixels wider than {width}"] if self.overflow() > 0 else []
        return found + [one for one in self.faults if "responded with a status of 4" not in one]

    def overflow(self) -> int:
        """By how many pixels the page stays wider than the window: its curves follow a new width a moment later."""
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        with suppress(TookTooLongError):
            self.page.wait_for_function(f"{wider} <= 0", timeout=10_000)
        width: int = self.page.evaluate(wider)
        return width


@contextmanager
def visit(
    started: Browser, address: str, *, dark: bool = False, script: bool = True, width: int = 1280
) -> Iterator[Visit]:
    """A visitor of the server at ``address``; without ``script`` its pages run none."""
    context = started.new_context(
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        viewport={"width": width, "height": 900},
        bypass_csp=False,
    )
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    found = Visit(page, address)
    host = urlsplit(address).netloc
    page.on("pageerror", lambda fault: found.faults.append(f"script: {fault}"))
    page.on("console", lambda said: found.faults.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("request", lambda one: found.faults.append(f"host: {one.url}") if _elsewhere(one.url, host) else None)
    page.on("dialog", lambda dialog: (found.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield found
    context.close()


def _elsewhere(url: str, host: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme != "data" and parts.netloc != host


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
