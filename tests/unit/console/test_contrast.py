"""Words can be read: every pair of colours that the shipped style sheet puts together, in light and in dark.

Source: WCAG 2.2, success criteria 1.4.3 (text: 4.5 to 1) and 1.4.11 (what must be seen to use a page: 3 to 1).
"""

import re
from pathlib import Path
from typing import Final

import pytest

CSS: Final = (Path(__file__).parents[3] / "services/console/web/static/console.css").read_text()
THEMES: Final = {
    "light": re.search(r":root \{(.*?)\}", CSS, re.DOTALL),
    "dark": re.search(r':root\[data-theme="dark"\] \{(.*?)\}', CSS, re.DOTALL),
    "dark by the system": re.search(r':root:not\(\[data-theme="light"\]\) \{(.*?)\}', CSS, re.DOTALL),
}
SURFACES: Final = ("paper", "card", "hover")
TEXTS: Final = [
    *((ink, paper) for ink in ("ink", "dim", "link") for paper in SURFACES),
    *((ink, paper) for ink in ("good", "bad", "sev3") for paper in ("paper", "card")),
    *((f"sev{band}", ground) for band in range(5) for ground in (f"tint{band}", "card", "paper")),
    *((ink, ground) for ink in ("ink", "dim") for ground in ("good-tint", "bad-tint")),
    ("good", "good-tint"),
    ("bad", "bad-tint"),
    ("sev3", "tint3"),
    ("bad", "hover"),
]
SEEN: Final = [
    *((mark, paper) for mark in ("focus", "edge") for paper in SURFACES),
    *((bar, "track") for bar in ("sev1", "sev3", "bad", "good")),
    *((f"sev{band}", "card") for band in range(5)),
    ("brand", "card"),
]


def colours(theme: str) -> dict[str, str]:
    found = THEMES[theme]
    assert found is not None
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6})\b", found[1]))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000", "#ffffff") == 21
    assert round(contrast("#777777", "#fff"), 2) == 4.48


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("pairs", "least"), [(TEXTS, 4.5), (SEEN, 3.0)], ids=["text", "signs"])
def test_every_pair_of_colours_can_be_told_apart(theme: str, pairs: list[tuple[str, str]], least: float) -> None:
    known = colours(theme)
    weak = {
        f"{ink} on {ground}": round(contrast(known[ink], known[ground]), 2)
        for ink, ground in pairs
        if contrast(known[ink], known[ground]) < least
    }
    assert weak == {}


def test_a_button_that_is_asked_for_first_can_be_read() -> None:
    grounds = re.findall(r"button\.primary[^{]*\{ background: (#[0-9a-f]{6})", CSS)
    assert len(grounds) == 2, "at rest and under the pointer"
    assert all(contrast("#fff", ground) >= 4.5 for ground in grounds)


def test_both_ways_into_the_dark_are_the_same() -> None:
    assert colours("dark") == colours("dark by the system")
