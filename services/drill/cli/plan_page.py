"""A plan as one HTML page that needs nothing else: both languages, by day and by night, fit to print."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from shared.plans.compiled import CompiledPlan
from shared.plans.description import Description, Section, describe
from shared.plans.description_words import Said
from shared.plans.flow_picture import flow_picture

_STYLE: Final = (Path(__file__).parent / "plan_page.css").read_text(encoding="utf-8")
_GRAVEST: Final = 4


def plan_page(compiled: CompiledPlan) -> str:
    """A whole HTML document. Equal plans give equal text."""
    plan = describe(compiled)
    return "".join(_document(compiled, plan))


def _document(compiled: CompiledPlan, plan: Description) -> Iterator[str]:
    yield (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(plan.title.zh)} · {escape(plan.title.en)}</title><style>{_STYLE}</style></head><body>"
        '<input type="radio" name="tongue" id="zh" checked aria-label="中文"><label for="zh">中文</label>'
        '<input type="radio" name="tongue" id="en" aria-label="English"><label for="en">English</label><main>'
    )
    yield f"<h1>{_both(plan.title)}</h1>"
    yield f'<p class="dim">{escape(plan.name)} v{plan.version} · <code>sha256 {plan.sha256}</code></p>'
    yield '<p class="levels">' + "".join(_level(level, len(plan.levels)) for level in plan.levels) + "</p>"
    yield "<dl>" + "".join(f"<dt>{_both(name)}</dt><dd>{_both(text)}</dd>" for name, text in plan.head) + "</dl>"
    for language in ("zh", "en"):
        picture = flow_picture(compiled, "zh" if language == "zh" else "en")
        if picture:
            yield f'<div class="{language} picture">{picture}</div>'
    for section in plan.sections:
        yield from _section(section, len(plan.levels))
    yield "</main></body></html>\n"


def _section(section: Section, levels: int) -> Iterator[str]:
    yield f'<section id="{section.id}"><h2>{_both(section.title)}</h2><div class="scroll"><table><thead><tr>'
    yield from (f"<th>{_both(column)}</th>" for column in section.columns)
    yield "</tr></thead><tbody>"
    for row in section.rows:
        yield "<tr>" + "".join(f"<td>{_cell(cell, levels)}</td>" for cell in row) + "</tr>"
    yield "</tbody></table></div></section>"


def _cell(cell: Said, levels: int) -> str:
    if cell.rank is not None:
        return _level(cell, levels)
    return f"<code>{escape(cell.zh)}</code>" if cell.code and cell.zh else _both(cell)


def _level(level: Said, highest: int) -> str:
    severity = min(_GRAVEST, -(-_GRAVEST * (level.rank or 0) // highest))
    return f'<span class="level sev-{severity}">{_both(level)}</span>'


def _both(said: Said) -> str:
    if said.zh == said.en:
        return escape(said.zh)
    return f'<span class="zh" lang="zh">{escape(said.zh)}</span><span class="en" lang="en">{escape(said.en)}</span>'
