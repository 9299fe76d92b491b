import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.values import CaseKind
from shared.plans.compiled import CompiledPlan
from shared.plans.identity import sha256_of
from shared.plans.library import PlanLibrary, UnknownPlanError, parse_plan, plan_from_snapshot
from shared.plans.problems import PlanLibraryError
from tests.support.plans import PACKS, SOUND, compiled

WritePacks = Callable[..., Path]


@pytest.fixture
def write_packs(tmp_path: Path) -> WritePacks:
    def write(**texts: str) -> Path:
        for name, text in texts.items():
            folder = tmp_path / name
            folder.mkdir()
            (folder / "plan.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def named(name: str, applies: str = "{kinds: [complaint]}") -> str:
    return SOUND.replace("plan: sample", f"plan: {name}").replace(
        "{kinds: [complaint, incident], default: true}", applies
    )


def routed(library: PlanLibrary, **event: Any) -> list[str]:
    values: dict[str, Any] = {
        "org": "acme",
        "kind": CaseKind.COMPLAINT,
        "topic": None,
        "category": None,
        "channel": None,
        "requested": (),
    }
    return [plan.name for plan in library.route(**(values | event))]


@pytest.fixture
def library() -> PlanLibrary:
    applies = {
        "catch": "{kinds: [complaint, incident], categories: [other], not_categories: [weather], default: true}",
        "press": "{kinds: [complaint], channels: [press]}",
        "crowd": "{kinds: [incident], topics: ['crowd-*']}",
        "theirs": "{kinds: [complaint], organisations: [beta]}",
    }
    return PlanLibrary(compiled(named(name, text)) for name, text in applies.items())


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({}, ["catch"]),
        ({"category": "other"}, ["catch"]),
        ({"category": "weather"}, []),
        ({"channel": "press"}, ["press"]),
        ({"channel": "press", "category": "other"}, ["catch", "press"]),
        ({"kind": CaseKind.INCIDENT, "channel": "press"}, ["catch"]),
        ({"kind": CaseKind.INCIDENT, "topic": "crowd-west"}, ["crowd"]),
        ({"kind": CaseKind.INCIDENT, "topic": "west-crowd-"}, ["catch"]),
        ({"kind": CaseKind.WARNING}, []),
        ({"org": "beta"}, ["theirs"]),
        ({"org": "beta", "category": "other"}, ["catch", "theirs"]),
        ({"requested": ("crowd", "press", "crowd")}, ["crowd", "press"]),
        ({"requested": ("crowd",), "category": "other"}, ["crowd"]),
    ],
)
def test_events_find_their_plans(library: PlanLibrary, event: dict[str, Any], expected: list[str]) -> None:
    assert routed(library, **event) == expected


@pytest.mark.parametrize("name", ["nowhere", "theirs"])
def test_a_requested_plan_must_exist_for_the_organisation(library: PlanLibrary, name: str) -> None:
    with pytest.raises(UnknownPlanError, match=f"there is no plan '{name}'"):
        routed(library, requested=(name,))


def test_an_unknown_name_is_a_key_error(library: PlanLibrary) -> None:
    with pytest.raises(KeyError):
        library.get("nowhere")
    assert library.get("crowd").name == "crowd"


def test_identity_pins_the_text_and_the_effective_parameters(write_packs: WritePacks) -> None:
    root = write_packs(sample=SOUND)
    plain = PlanLibrary.load(root).get("sample")
    same = PlanLibrary.load(root, {"sample": {"wait": "15m"}}).get("sample")
    short = PlanLibrary.load(root, {"sample": {"wait": "20s"}}).get("sample")
    assert plain.ref == same.ref
    assert plain.ref.sha256 == sha256_of(plain.snapshot())
    assert (short.ref.name, short.ref.version) == ("sample", 1)
    assert short.ref.sha256 != plain.ref.sha256
    assert short.tiers[0].acknowledge_within == timedelta(seconds=20)


def test_layout_and_comments_do_not_change_the_identity() -> None:
    spaced = SOUND.replace("facts:", "# what is reported\nfacts:").replace("hurt: bool", "hurt: {bool: {}}")
    assert compiled(spaced).ref == compiled().ref
    assert compiled(SOUND.replace("[director]", "[board]")).ref != compiled().ref


@pytest.mark.parametrize("name", ["telecom-service-quality", "bancassurance-incident", "crowd-flow-forecast"])
def test_a_snapshot_revives_exactly(name: str) -> None:
    plan = PlanLibrary.load(PACKS).get(name)
    revived = plan_from_snapshot(plan.snapshot())
    assert revived.ref == plan.ref
    assert revived.plan == plan.plan
    assert revived.snapshot() == plan.snapshot()
    assert plan_from_snapshot(revived.snapshot()).ref == plan.ref


def test_a_snapshot_of_another_spelling_keeps_its_own_hash() -> None:
    text = json.dumps(json.loads(compiled().snapshot()), indent=1)
    revived: CompiledPlan = plan_from_snapshot(text)
    assert revived.ref.sha256 == sha256_of(text)
    assert revived.snapshot() == text


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"plan": "x"}', "\x00", '{"plan": 1e999}'])
def test_a_broken_snapshot_is_refused(text: str) -> None:
    with pytest.raises(PlanLibraryError):
        plan_from_snapshot(text)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"waits": "1m"}, "has no parameter 'waits'"),
        ({"wait": 15}, "'wait' of plan 'sample' must be a str"),
        ({"many": True}, "'many' of plan 'sample' must be a int"),
        ({"wait": "soon"}, "with these parameters of plan 'sample': 'soon' is not a length of time"),
        ({"many": 20}, "with these parameters of plan 'sample'"),
    ],
)
def test_parameters_are_checked_like_the_plan(write_packs: WritePacks, values: Mapping[str, Any], words: str) -> None:
    with pytest.raises(PlanLibraryError, match=words):
        PlanLibrary.load(write_packs(sample=SOUND), {"sample": values})


def test_all_problems_of_all_packs_come_at_once(write_packs: WritePacks) -> None:
    root = write_packs(
        sample=SOUND.replace("people >= 10", "peopel >= 10").replace(
            "level: mild, when: today", "level: mid, when: today"
        ),
        other=SOUND,
        third="plan: [",
    )
    (root / "empty").mkdir()
    (root / "binary").mkdir()
    (root / "binary" / "plan.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanLibraryError) as raised:
        PlanLibrary.load(root, {"ghost": {}})
    found = [str(problem).replace(str(root), "") for problem in raised.value.problems]
    assert len(found) == 7, found
    for words in (
        "/sample/plan.yaml:23:43: 'peopel'",
        "no level 'mid'",
        "folder 'other'",
        "/third/plan.yaml:",
        "no plan.yaml",
    ):
        assert any(words in text for text in found), (words, found)
    assert any("this is not UTF-8" in text for text in found)
    assert any("there is no plan 'ghost'" in text for text in found)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(PlanLibraryError, match="no such folder"):
        PlanLibrary.load(tmp_path / "nowhere")


def test_a_parsed_plan_is_linted() -> None:
    with pytest.raises(PlanLibraryError, match=r"plan\.yaml:23:43"):
        parse_plan(SOUND.replace("people >= 10", "peopel >= 10"), "plan.yaml")


def library_of(root: Path, **texts: str) -> PlanLibrary:
    for name, text in texts.items():
        (root / name).mkdir()
        (root / name / "plan.yaml").write_text(text.replace("plan: sample", f"plan: {name}"), "utf-8")
    return PlanLibrary.load(root)


OPENS = "opens:\n  - {id: other, plan: second, when: hurt, carry: [media], words: {zh: 另, en: Other}}\n"


def test_a_plan_may_open_another_that_is_there_and_knows_the_facts(tmp_path: Path) -> None:
    library = library_of(tmp_path, first=SOUND + OPENS, second=SOUND)
    assert [opening.plan for opening in library.get("first").openings] == ["second"]


def test_opening_a_plan_that_is_not_there_is_refused_with_its_place(tmp_path: Path) -> None:
    abstract = SOUND.replace("plan: sample", "plan: second\nabstract: true")
    with pytest.raises(PlanLibraryError, match=r"first/plan\.yaml:44:23: there is no plan 'second' to open"):
        library_of(tmp_path, first=SOUND + OPENS, second=abstract)


def test_facts_are_carried_only_to_a_plan_that_has_them_of_the_same_type(tmp_path: Path) -> None:
    other = SOUND.replace("media: {enum: [city, province]}", "media: text")
    with pytest.raises(PlanLibraryError, match=r"first/plan\.yaml:44:51: plan 'second' has no fact 'media'"):
        library_of(tmp_path, first=SOUND + OPENS, second=other)
