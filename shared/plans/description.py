"""A plan as people read it: everything it says, as titled tables in both languages, parameters put in."""

from dataclasses import dataclass

from shared.plans.compiled import CompiledPlan
from shared.plans.description_people import telling
from shared.plans.description_rules import head, judging, timing
from shared.plans.description_voice import Row, Voice
from shared.plans.description_words import Said, words
from shared.plans.description_work import following, working


@dataclass(frozen=True, slots=True)
class Section:
    """One table. Sections without rows are left out of a description; a column nobody fills is left out too."""

    id: str
    title: Said
    columns: tuple[Said, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """The whole plan. `levels` are worst first; `head` are single statements about it."""

    name: str
    version: int
    sha256: str
    title: Said
    sources: tuple[str, ...]
    levels: tuple[Said, ...]
    head: tuple[tuple[Said, Said], ...]
    sections: tuple[Section, ...]


def describe(compiled: CompiledPlan) -> Description:
    """Everything the plan says."""
    plan = compiled.plan
    voice = Voice(plan)
    made = (
        _section(*table)
        for table in (
            *judging(voice),
            *timing(voice),
            *telling(voice),
            *working(voice),
            *following(voice),
        )
    )
    return Description(
        name=plan.plan,
        version=plan.version,
        sha256=compiled.ref.sha256,
        title=words(plan.title),
        sources=plan.sources,
        levels=tuple(voice.level(level.id) for level in reversed(plan.levels)),
        head=tuple((name, text) for name, text in head(voice) if text.zh),
        sections=tuple(section for section in made if section is not None),
    )


def _section(name: str, title: Said, columns: tuple[Said, ...], rows: list[Row]) -> Section | None:
    if not rows:
        return None
    kept = [index for index in range(len(columns)) if any(row[index].zh or row[index].en for row in rows)]
    return Section(
        name, title, tuple(columns[i] for i in kept), tuple(tuple(row[index] for index in kept) for row in rows)
    )
