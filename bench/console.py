"""The one console of rich: colours are ours, text from outside never is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from bench.streams import CleanStream
from results.text import plain_lines


class Screen(Console):
    """A console that escapes every piece of text before it is styled; strings are text, never markup.

    Text must be cleaned before it is laid out, or else a line with escapes is wider than was thought; here it is
    cleaned once more, for whoever forgot.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    @property
    def file(self) -> IO[str]:
        """Where segments go: the stream below a clean one, also where a live display stands in front of that.

        A live display puts a proxy in the place of the standard streams, and rich looks behind one proxy only.
        """
        found = super().file
        return cast("IO[str]", found.rich_proxied_file) if isinstance(found, CleanStream) else found

    @file.setter
    def file(self, new: IO[str]) -> None:
        Console.file.fset(self, new)  # type: ignore[attr-defined]

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of something that is to be shown; none has a hyperlink, which is an escape sequence (OSC 8)."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else _clean(segment)


def _clean(segment: Segment) -> Segment:
    style = segment.style
    if style is not None and style.link:
        style = style.update_link(None)
    return Segment(plain_lines(segment.text), style)


def text(content: str, style: str = "") -> Text:
    """Text as it is laid out, cleaned; it may have lines."""
    return Text(plain_lines(content), style=style)
