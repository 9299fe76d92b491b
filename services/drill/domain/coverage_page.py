"""The coverage of documents as a page in Markdown."""

from collections.abc import Iterator
from typing import Final

from services.drill.domain.documents import Coverage, Covered, PackSize, Standing

_HEAD: Final = """\
# Coverage · 覆盖情况

Which pack realises which written document. Written by `fenghuo plans coverage --write` from `documents.yaml` and the
packs' `sources`; not edited by hand. 文件与预案包的对应关系，由命令生成，请勿手改。

"""
_COLUMNS: Final = (
    "Document 文件",
    "Pack 预案包",
    "Criteria 判据",
    "Clocks 时限",
    "Duties 职责",
    "Lists 清单",
    "Cases 用例",
    "Checks 检查",
)


def coverage_page(coverage: Coverage) -> str:
    """Equal coverage gives equal text."""
    return _HEAD + "\n".join(_lines(coverage)) + "\n"


def _lines(coverage: Coverage) -> Iterator[str]:
    standing = [one.standing for one in coverage.documents]
    done = standing.count(Standing.PACK) + standing.count(Standing.SAME)
    yield (
        f"{len(standing)} documents: {done} realised by packs, {standing.count(Standing.REASON)} without a pack for a "
        f"reason, {standing.count(Standing.MISSING)} missing."
    )
    yield ""
    yield "| " + " | ".join(_COLUMNS) + " |"
    yield "| --- | --- |" + " ---: |" * (len(_COLUMNS) - 2)
    for one in coverage.documents:
        for index, pack in enumerate(one.packs):
            yield f"| {_title(one) if index == 0 else ''} | {_pack(pack)} |"
        if not one.packs and one.standing is Standing.MISSING:
            yield f"| {_title(one)} | **missing 缺失** | | | | | | |"
    reasons = [one for one in coverage.documents if one.standing is Standing.REASON]
    if reasons:
        yield from ("", "## Without a pack · 没有预案包", "", "| Document 文件 | Reason 原因 |", "| --- | --- |")
        for one in reasons:
            reason = one.document.without_pack
            yield f"| {_title(one)} | {reason.zh} {reason.en} |" if reason else ""


def _title(one: Covered) -> str:
    document = one.document
    same = f" (= {document.same_as})" if document.same_as else ""
    return f"{document.id} {document.zh} · {document.en}{same}"


def _pack(pack: PackSize) -> str:
    counted = (pack.criteria, pack.clocks, pack.duties, pack.lists, pack.cases, pack.checks)
    return f"[{pack.name}]({pack.name}/README.md) | " + " | ".join(str(number) for number in counted)
