"""The pages of the documentation that the package holds."""

from pathlib import Path

import typer

import judge_server
from judge_server.cli.running import fail


def pages() -> dict[str, Path]:
    """Every page by its name, such as ``labels`` or ``trainers/trl``."""
    folder = _folder()
    return {page.relative_to(folder).with_suffix("").as_posix(): page for page in sorted(folder.rglob("*.md"))}


def list_pages() -> None:
    """Print each page's name and title."""
    found = pages()
    width = max(map(len, found))
    for name, page in found.items():
        title = page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        typer.echo(f"{name:<{width}}  {title}")


def print_page(name: str) -> None:
    """Print one page as Markdown."""
    found = pages()
    wanted = name.removeprefix("docs/").removesuffix(".md")
    if wanted not in found:
        fail(f"there is no page {name!r}: see the list of judge-server docs.")
    typer.echo(found[wanted].read_text(encoding="utf-8"), nl=False)


def _folder() -> Path:
    """``judge_server/bundled/docs`` inside a wheel, the repository's ``docs/`` beside an editable install."""
    package = Path(judge_server.__file__).resolve().parent
    found = [folder for folder in (package / "bundled" / "docs", package.parent / "docs") if folder.is_dir()]
    if not found:
        fail(f"the pages are missing beside {package}: install the package again.")
    return found[0]
