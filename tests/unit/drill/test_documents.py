"""Documents against packs: nothing is missing without a word."""

from services.drill.domain.coverage_page import coverage_page
from services.drill.domain.documents import DocumentList, PackSize, Standing, cover


def documents(*entries: dict[str, object]) -> DocumentList:
    return DocumentList.model_validate({"documents": [{"zh": "甲", "en": "A", **entry} for entry in entries]})


def pack(name: str, *sources: str) -> PackSize:
    return PackSize(name, 1, sources, 3, 2, 1, 0, 0, 2, 9, 1)


def test_a_document_without_pack_and_reason_is_missing() -> None:
    found = cover(documents({"id": "000-01"}, {"id": "000-02"}), [pack("mall", "000-01")])
    assert found.missing == ("000-02",)
    assert "**missing 缺失**" in coverage_page(found)


def test_a_repeated_document_is_covered_by_the_packs_of_the_one_it_repeats() -> None:
    found = cover(documents({"id": "000-01"}, {"id": "000-02", "same_as": "000-01"}), [pack("mall", "000-01")])
    assert not found.missing
    assert [one.standing for one in found.documents] == [Standing.PACK, Standing.SAME]
    assert found.documents[1].packs[0].name == "mall"


def test_a_reason_stands_on_the_page() -> None:
    found = cover(documents({"id": "000-01", "without_pack": {"zh": "只有目录", "en": "Headings only"}}), [])
    assert not found.missing
    assert "只有目录 Headings only" in coverage_page(found)


def test_contradictions_are_named() -> None:
    found = cover(
        documents(
            {"id": "000-01", "without_pack": {"zh": "无", "en": "none"}},
            {"id": "000-02", "same_as": "000-09"},
            {"id": "000-02"},
        ),
        [pack("mall", "000-01", "009-99")],
    )
    assert len(found.problems) == 4
    for part in ("009-99 is a source of mall", "000-01 has a reason", "000-02 is the same as 000-09", "listed 2 times"):
        assert any(part in problem for problem in found.problems), part


def test_equal_coverage_gives_an_equal_page() -> None:
    listed = documents({"id": "000-01"})
    assert coverage_page(cover(listed, [pack("mall", "000-01")])) == coverage_page(
        cover(listed, [pack("mall", "000-01")])
    )
