"""Pictures of every page at 390, 768 and 1440 pixels, light and dark: python -m benchmarks.page_pictures --out FOLDER
[--only NAME …] [--docs].

Fills a server as benchmarks/filled_server.py does and opens it in Chromium. --docs renews the few pictures that
docs/pages.md shows, in FOLDER, each at most 120 KB. Prints each page that is wider than its window, and what a script
or the console says; the exit status is then 1.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Literal

from benchmarks.filled_server import Filled, filled_server
from tests.server.pages.browser import WIDTHS, Visit, browser, visit

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SHOWN = {"run": 1000, "group": 900, "judgment-panel": 768, "draft": 1050, "label-item": 1050, "calibration": 900}
SHOWN_HEIGHT = 590
MOST_BYTES = 120_000


def tried(visitor: Visit) -> None:
    """The page that compares two judges on one response."""
    page = visitor.page
    visitor.open("/try")
    page.get_by_label("Rubric", exact=True).select_option("medical/emergency_referral")
    page.get_by_label("Prompt").fill("My father cannot lift his left arm since breakfast. What should I do?")
    page.get_by_label("Response", exact=True).fill("Call the emergency number now, and note when it began.")
    page.get_by_label("Judge", exact=True).select_option("qwen-direct")
    page.get_by_label("Another judge, to compare (optional)").select_option("qwen-reasoning")
    page.get_by_role("button", name="Judge", exact=True).click()
    page.get_by_role("region", name="Judgment 2").wait_for()


def taken(visitor: Visit, name: str, out: Path) -> list[str]:
    """Every width and scheme of the page that is open; what is wrong with it."""
    found = []
    for width in WIDTHS:
        visitor.page.set_viewport_size({"width": width, "height": 900})
        if visitor.overflow() > 0:
            found.append(f"{name}: {visitor.overflow()} pixels wider than {width}")
        for scheme in SCHEMES:
            visitor.page.emulate_media(color_scheme=scheme)
            visitor.page.screenshot(path=out / f"{name}-{width}-{scheme}.png", full_page=True)
    return found


def shown(visitor: Visit, filled: Filled, out: Path) -> list[str]:
    """The pictures of the documentation: the first screen of six pages."""
    found = []
    for name, width in SHOWN.items():
        visitor.page.set_viewport_size({"width": width, "height": SHOWN_HEIGHT})
        visitor.open(filled.pages[name])
        file = out / f"{name}.png"
        visitor.page.screenshot(path=file, scale="css")
        if file.stat().st_size > MOST_BYTES:
            found.append(f"{file}: {file.stat().st_size} bytes")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--judgments", type=int, default=2_000)
    parser.add_argument("--docs", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        filled_server(Path(folder), given.judgments) as filled,
        browser() as started,
        visit(started, str(filled.client.base_url).rstrip("/")) as visitor,
    ):
        if given.docs:
            found = shown(visitor, filled, given.out)
        else:
            found = []
            for name, path in filled.pages.items():
                if not given.only or name in given.only:
                    visitor.open(path)
                    found += taken(visitor, name, given.out)
            if not given.only or "tried" in given.only:
                tried(visitor)
                found += taken(visitor, "tried", given.out)
        found += visitor.faults
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
