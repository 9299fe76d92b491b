from pathlib import Path

import pytest

from shared.plans.problems import PlanLibraryError
from shared.plans.yaml_text import MAX_BYTES, read_text, read_yaml


def refused(text: str) -> str:
    with pytest.raises(PlanLibraryError) as raised:
        read_yaml(text, "f.yaml")
    return str(raised.value)


def test_texts_stay_texts() -> None:
    data, _ = read_yaml(
        "on: no\nyes: off\nwhen: 2026-03-02T09:00:00+08:00\nday: 2026-03-02\nclock: 09:30\n"
        "quoted: '3'\nx: 0x10\nb: 1_000",
        "f.yaml",
    )
    assert data == {
        "on": "no",
        "yes": "off",
        "when": "2026-03-02T09:00:00+08:00",
        "day": "2026-03-02",
        "clock": "09:30",
        "quoted": "3",
        "x": "0x10",
        "b": "1_000",
    }


def test_plain_numbers_and_words_are_values() -> None:
    data, _ = read_yaml("a: 3\nb: -0.5\nc: true\nd: null\ne: ~\nf:\ng: [false, {h: 1}]", "f.yaml")
    assert data == {"a": 3, "b": -0.5, "c": True, "d": None, "e": None, "f": None, "g": [False, {"h": 1}]}


def test_every_value_knows_its_place() -> None:
    _, places = read_yaml("a: x\nb:\n  - {c: 'who', d: [1, 2]}\ne: >\n  long\n", "f.yaml")
    assert places.at(("b", 0, "d", 1)) == (3, 23)
    assert places.at(("b", 0, "c"), offset=2) == (3, 12)
    assert places.at(("a",), offset=0) == (1, 4)
    assert places.at(("e",), offset=3) == (4, 4)
    assert places.at(("b", 0, "nowhere", 7)) == (3, 5)
    assert places.at(()) == (1, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: the key 'a' stands twice"),
        ("x:\n  a: 1\n  a: 2", "f.yaml:3:3: the key 'a' stands twice [x.a]"),
        ("[1, 2]: x", "a key must be a text"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "merge keys are not part"),
        ("a: [", "f.yaml:"),
        ("a: b: c", "f.yaml:1:"),
        ("\t- x", "f.yaml:1:"),
        ("a: *nowhere", "f.yaml:1:4"),
        ("", "the file is empty"),
        ("# nothing", "the file is empty"),
        ("a: 1\n---\nb: 2", "f.yaml:"),
        ("a: '\x07'", "f.yaml:1:5: the character U+0007 cannot stand in a plan"),
        ("a: " + "x" * MAX_BYTES, "larger than 256 KiB"),
        ("[" * 5000, "f.yaml:1:25: nested deeper than 24"),
        ("{a: " * 40 + "1" + "}" * 40, "nested deeper than 24"),
    ],
)
def test_what_is_refused_says_where(text: str, words: str) -> None:
    assert words in refused(text)


def test_an_alias_may_be_used_but_not_as_a_bomb() -> None:
    assert read_yaml("a: &x [1]\nb: *x", "f.yaml")[0] == {"a": [1], "b": [1]}
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 8)}]\n" for level in range(1, 10)
    )
    assert "aliases counted each time" in refused(bomb)


def test_an_alias_to_itself_ends() -> None:
    assert "f.yaml:1:4: nested deeper than 24" in refused("a: &x [*x]")


def test_tags_change_nothing() -> None:
    assert read_yaml("a: !!python/object/apply:os.system ['true']\nb: !!int '3'", "f.yaml")[0] == {
        "a": ["true"],
        "b": "3",
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"plan: x\nzh: \xd1\xf9", "f.yaml:2:5: this is not UTF-8 (byte 0xd1): save the file as UTF-8"),
        ("plan: x".encode("utf-16"), "f.yaml:1:1: this is not UTF-8 (UTF-16)"),
    ],
)
def test_a_file_that_is_not_utf_8_says_where(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(data)
    with pytest.raises(PlanLibraryError) as raised:
        read_text(path)
    assert words in str(raised.value)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes("\ufeffplan: x".encode())
    assert read_text(path) == "plan: x"
