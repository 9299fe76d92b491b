"""What strangers wrote is shown on a terminal as text: it is read as no markup and steers nothing."""

import io

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from shared.runtime.terminal import Terminal


def _shown(*what: object) -> str:
    out = io.StringIO()
    Terminal(file=out, width=200, force_terminal=False).print(*what)
    return out.getvalue()


@pytest.mark.parametrize("text", ["[/nope]", "[red]words[/red]", "[link=http://example.org]here[/link]", ":fire:"])
def test_markup_is_text(text: str) -> None:
    table = Table("title", box=None)
    table.add_row(text)
    assert text in _shown(text)
    assert text in _shown(table)


@pytest.mark.parametrize(
    "text", ["\x1b[31mred", "\x1b]0;title\x07", "back\x08space", "over\rwritten", "\x9b31m", "a\u202egnp.exe", "\x00"]
)
def test_what_would_steer_the_terminal_is_shown_instead(text: str) -> None:
    table = Table("title", box=None)
    table.add_row(Text(text))
    for shown in (_shown(text), _shown(Text(text, style="bold")), _shown(table)):
        assert not set(shown) & {"\x1b", "\x07", "\x08", "\r", "\x9b", "\u202e", "\x00"}


def test_lines_and_styles_stay() -> None:
    out = io.StringIO()
    Terminal(file=out, width=80, force_terminal=True, color_system="standard").print("one\n二", style="red")
    assert out.getvalue() == "\x1b[31mone\x1b[0m\n\x1b[31m二\x1b[0m\n"


def test_a_live_display_moves_its_cursor_and_its_text_does_not() -> None:
    out = io.StringIO()
    terminal = Terminal(file=out, width=40, force_terminal=True, color_system=None)
    with Live(Text("first"), console=terminal, auto_refresh=False) as live:
        live.update(Text("second\x1b[2J"), refresh=True)
    assert "\x1b[2J" not in out.getvalue()
    assert "\x1b[2K" in out.getvalue()
