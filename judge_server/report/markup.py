"""HTML and SVG built from elements: text is escaped where it enters, so that no label set can write the page."""

from collections.abc import Iterable
from html import escape

VOID = {"meta", "br", "line", "rect", "circle", "path", "polygon"}
HIDDEN = {code: f"⟨{code:04X}⟩" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}
HIDDEN |= dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(55296, 57344)), "�")


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def visible(text: str) -> str:
    """Control characters and marks that turn the reading direction, made visible."""
    return text.translate(HIDDEN)


def text(content: str) -> Markup:
    """Text as markup: escaped, unless it is markup already."""
    return content if isinstance(content, Markup) else Markup(escape(visible(content), quote=True))


def element(name: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """``class_`` is class, ``stroke_width`` is stroke-width; an attribute that is None is left out."""
    written = "".join(
        attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in VOID and not children:
        return Markup(f"<{name}{written}>" if name in {"meta", "br"} else f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{''.join(text(child) for child in children)}</{name}>")


def attribute(key: str, value: str | float | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    shown = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {name}="{text(shown)}"'


def joined(parts: Iterable[Markup]) -> Markup:
    return Markup("".join(parts))
