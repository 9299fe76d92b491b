"""A plan's flow as an SVG picture: for each level who is paged one after the other, and what runs against time.

Levels that share tiers and clocks share a lane. Colours are classes (`sev-0` to `sev-4`, `box`, `faint`), so that the
page around the picture decides them, by day and by night.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from shared.plans.compiled import CompiledPlan
from shared.plans.description_voice import Voice
from shared.plans.description_words import Said
from shared.plans.model import ClockSpec, Level, TierSpec

_LEVEL_WIDTH: Final = 190
_TIER_WIDTH: Final = 200
_ARROW: Final = 74
_LINE: Final = 17
_PAD: Final = 14
_CLOCK_WIDTH: Final = 350
_WIDE: Final = 13.0
_NARROW: Final = 7.6
_FIRST_WIDE: Final = 0x2E80
_GRAVEST: Final = 4

Tongue = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class _Lane:
    levels: tuple[Level, ...]
    tiers: tuple[TierSpec, ...]
    clocks: tuple[ClockSpec, ...]


def flow_picture(compiled: CompiledPlan, language: Tongue) -> str:
    """An `<svg>` element, empty text for a plan without levels. Equal plans give equal text."""
    lanes = _lanes(compiled)
    if not lanes:
        return ""
    drawer = _Drawer(Voice(compiled.plan), language, len(compiled.plan.levels))
    body: list[str] = []
    y, width = 0, 0
    for lane in lanes:
        drawn, size = drawer.lane(lane, y)
        body.extend(drawn)
        y += size[1] + _PAD
        width = max(width, size[0])
    label = {"zh": "流程图", "en": "Flow"}[language]
    return (
        f'<svg class="flow" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {width} {y}" width="{width}" height="{y}" font-size="13">' + "".join(body) + "</svg>"
    )


def _lanes(compiled: CompiledPlan) -> list[_Lane]:
    """Worst first; neighbours with the same tiers and clocks are one."""
    plan = compiled.plan
    found: list[_Lane] = []
    for level in reversed(plan.levels):
        tiers = tuple(tier for tier in plan.tiers if not tier.levels or level.id in tier.levels)
        clocks = tuple(clock for clock in plan.clocks if not clock.levels or level.id in clock.levels)
        if found and (found[-1].tiers, found[-1].clocks) == (tiers, clocks):
            found[-1] = _Lane((*found[-1].levels, level), tiers, clocks)
        else:
            found.append(_Lane((level,), tiers, clocks))
    return found


class _Drawer:
    def __init__(self, voice: Voice, language: Tongue, highest: int) -> None:
        self._voice = voice
        self._language = language
        self._highest = highest

    def lane(self, lane: _Lane, top: int) -> tuple[list[str], tuple[int, int]]:
        """The elements, and width and height."""
        level_rows = [self._level(level, top + index * 40) for index, level in enumerate(lane.levels)]
        ladder, right = self._ladder(lane, top)
        clocks, clock_height = self._clocks(lane, top + 66)
        height = max(40 * len(lane.levels), 62 + clock_height)
        line = f'<line class="faint" x1="0" y1="{top + height + 7}" x2="100%" y2="{top + height + 7}"/>'
        width = max(right, _LEVEL_WIDTH + _ARROW + 2 * _CLOCK_WIDTH)
        return [*level_rows, *ladder, *clocks, line], (width, height)

    def _level(self, level: Level, y: int) -> str:
        said = self._voice.level(level.id)
        severity = min(_GRAVEST, -(-_GRAVEST * (said.rank or 0) // self._highest))
        return self._box(f"sev-{severity}", 0, y, _LEVEL_WIDTH, said, lines=1)

    def _ladder(self, lane: _Lane, y: int) -> tuple[list[str], int]:
        found: list[str] = []
        x = _LEVEL_WIDTH
        waited = Said("", "")
        for tier in lane.tiers:
            found.append(self._arrow(x, y, waited))
            x += _ARROW
            roles = self._voice.roles(tier.roles)
            label = Said(f"{tier.zh}\n{roles.zh}", f"{tier.en}\n{roles.en}")
            found.append(self._box("box", x, y, _TIER_WIDTH, label, lines=2))
            waited = self._voice.bare(tier.acknowledge_within)
            x += _TIER_WIDTH
        return found, x

    def _clocks(self, lane: _Lane, y: int) -> tuple[list[str], int]:
        found = []
        for index, clock in enumerate(lane.clocks):
            left = _LEVEL_WIDTH + _ARROW + (index % 2) * _CLOCK_WIDTH
            line = y + 12 + (index // 2) * _LINE
            limit = clock.limit if isinstance(clock.limit, str) or hasattr(clock.limit, "parameter") else None
            length = self._pick(self._voice.bare(limit)) if limit is not None else "…"
            text = _cut(f"{self._pick(Said(clock.label.zh, clock.label.en))} ≤ {length}", _CLOCK_WIDTH - 30)
            found.append(
                f'<circle class="clock" cx="{left + 6}" cy="{line - 4}" r="4.5"/>'
                f'<text class="dim" x="{left + 17}" y="{line}">{escape(text)}</text>'
            )
        return found, (len(lane.clocks) + 1) // 2 * _LINE + 4

    def _arrow(self, x: int, y: int, label: Said) -> str:
        middle, end = y + 24, x + _ARROW - 4
        text = _cut(self._pick(label), _ARROW - 6)
        return (
            f'<path class="arrow" d="M{x + 4} {middle}H{end - 6}m0 -4l6 4l-6 4"/>'
            f'<text class="dim" text-anchor="middle" font-size="11" x="{x + _ARROW / 2:g}" y="{middle - 7}">'
            f"{escape(text)}</text>"
        )

    def _box(self, kind: str, x: int, y: int, width: int, label: Said, *, lines: int) -> str:
        height = 32 if lines == 1 else 48
        first = y + (21 if lines == 1 else 20)
        texts = "".join(
            f'<text class="{"dim" if number else "name"}" x="{x + 10}" y="{first + number * _LINE}">'
            f"{escape(_cut(line, width - 18))}</text>"
            for number, line in enumerate(self._pick(label).split("\n")[:lines])
        )
        return (
            f'<g class="{kind}"><title>{escape(self._pick(label))}</title>'
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="7"/>{texts}</g>'
        )

    def _pick(self, said: Said) -> str:
        return said.zh if self._language == "zh" else said.en


def _cut(text: str, width: float) -> str:
    """What fits, with an ellipsis where something is left out; the whole text is in the table below."""
    used = 0.0
    for index, size in enumerate(_sizes(text)):
        used += size
        if used > width:
            return text[: max(1, index - 1)] + "…"
    return text


def _sizes(text: str) -> Iterator[float]:
    return (_WIDE if ord(letter) >= _FIRST_WIDE else _NARROW for letter in text)
