"""The written documents an installation's packs were made from: the model of `documents.yaml`, and what covers each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.values import Text
from shared.plans.words import PlanModel, Words

DocumentId = Annotated[str, Field(pattern=r"^[0-9]{3}-[0-9]{2}$")]


class WrittenDocument(PlanModel):
    """One document: what it is, and what becomes of it where no pack is made from it."""

    id: DocumentId
    zh: Text
    en: Text
    same_as: Annotated[DocumentId | None, Field(description="Says the same as this one")] = None
    without_pack: Annotated[Words | None, Field(description="Why nothing of it can run")] = None


class DocumentList(PlanModel):
    """All documents, in order of their ids."""

    documents: Annotated[tuple[WrittenDocument, ...], Field(min_length=1, max_length=2000)]


@dataclass(frozen=True, slots=True)
class PackSize:
    """What a pack holds, counted; `checks` are the rows of its tables and its scenarios."""

    name: str
    version: int
    sources: tuple[str, ...]
    criteria: int
    clocks: int
    tiers: int
    duties: int
    lists: int
    cases: int
    checks: int
    drills: int


class Standing(StrEnum):
    """What becomes of a document."""

    PACK = "pack"
    SAME = "same"
    REASON = "reason"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Covered:
    """A document with the packs made from it, its own or those of the one it repeats."""

    document: WrittenDocument
    standing: Standing
    packs: tuple[PackSize, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """All documents in order. `problems` are contradictions between the list and the packs, each one sentence."""

    documents: tuple[Covered, ...]
    problems: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of documents that have neither a pack nor a reason."""
        return tuple(one.document.id for one in self.documents if one.standing is Standing.MISSING)


def cover(documents: DocumentList, packs: Iterable[PackSize]) -> Coverage:
    """Document by document: the packs that name it among their sources, else what the list says."""
    made: dict[str, list[PackSize]] = {}
    for pack in packs:
        for source in pack.sources:
            made.setdefault(source, []).append(pack)
    covered = tuple(_covered(document, made) for document in documents.documents)
    return Coverage(covered, tuple(_problems(documents, made)))


def _covered(document: WrittenDocument, made: Mapping[str, list[PackSize]]) -> Covered:
    if document.id in made:
        return Covered(document, Standing.PACK, tuple(made[document.id]))
    if document.same_as in made:
        return Covered(document, Standing.SAME, tuple(made[document.same_as or ""]))
    return Covered(document, Standing.REASON if document.without_pack else Standing.MISSING, ())


def _problems(documents: DocumentList, made: Mapping[str, list[PackSize]]) -> Iterator[str]:
    known = Counter(document.id for document in documents.documents)
    for name, times in known.items():
        if times > 1:
            yield f"{name} is listed {times} times"
    for source, packs in sorted(made.items()):
        if source not in known:
            yield f"{source} is a source of {packs[0].name} but is not listed: give it an entry in documents.yaml"
    for document in documents.documents:
        if document.same_as is not None and (document.same_as not in known or document.same_as == document.id):
            yield f"{document.id} is the same as {document.same_as}, which is no other document of the list"
        if document.without_pack is not None and document.id in made:
            yield f"{document.id} has a reason to be without a pack, but {made[document.id][0].name} names it"
