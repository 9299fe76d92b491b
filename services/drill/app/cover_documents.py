"""Which pack realises which written document."""

from pathlib import Path
from typing import Final

from services.drill.domain.documents import Coverage, DocumentList, PackSize, cover
from shared.plans.cases import load_cases
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError
from shared.plans.reading import read_model
from shared.plans.yaml_text import read_text

DOCUMENTS: Final = "documents.yaml"


def cover_documents(root: Path) -> Coverage:
    """The list of documents of a plans folder against its packs.

    Raises PlanLibraryError with everything that keeps the list, a plan or a case file from being read.
    """
    path = root / DOCUMENTS
    documents, _, problems = read_model(DocumentList, read_text(path), str(path))
    if documents is None:
        raise PlanLibraryError(problems)
    return cover(documents, [_size(root, plan) for plan in PlanLibrary.load(root).plans])


def _size(root: Path, compiled: CompiledPlan) -> PackSize:
    plan, pack = compiled.plan, load_cases(root / compiled.name)
    return PackSize(
        name=plan.plan,
        version=plan.version,
        sources=plan.sources,
        criteria=len(plan.criteria),
        clocks=len(plan.clocks),
        tiers=len(plan.tiers),
        duties=len(plan.duties),
        lists=len(plan.checklist) + len(plan.record),
        cases=len(pack.cases) + len(pack.bounds),
        checks=len(pack.cases) + sum(len(table.rows) for table in pack.bounds),
        drills=len(plan.drills),
    )
