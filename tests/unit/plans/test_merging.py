"""`extends`: maps by key, lists by id, everything else replaced; problems name the file that holds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary, bases_in, parse_plan
from shared.plans.merging import FindBase, read_written
from shared.plans.problems import PlanLibraryError
from tests.support.plans import PACKS, SOUND

SECOND = "{id: second, zh: 二, en: Two, roles: [head]}"
CHILD = "plan: child\nversion: 1\nextends: sample\n"


def bases(**texts: str) -> FindBase:
    return lambda name: (texts[name], f"{name}.yaml") if name in texts else None


def child(more: str = "", base: str = SOUND) -> CompiledPlan:
    return CompiledPlan.of(parse_plan(CHILD + more, "child.yaml", bases(sample=base)))


def refused(text: str, find: FindBase) -> list[str]:
    with pytest.raises(PlanLibraryError) as raised:
        parse_plan(text, "child.yaml", find)
    return [str(problem) for problem in raised.value.problems]


def test_a_child_without_differences_is_the_base_under_another_name() -> None:
    base = parse_plan(SOUND, "sample.yaml")
    assert child().plan == base.model_copy(update={"plan": "child"})


def test_the_merged_plan_is_what_is_hashed_and_kept() -> None:
    written_out = SOUND.replace("plan: sample", "plan: child")
    assert child().ref == CompiledPlan.of(parse_plan(written_out, "plan.yaml")).ref
    assert "extends" not in child().snapshot()


def test_an_entry_of_the_same_id_replaces_the_whole_entry_in_its_place() -> None:
    plan = child("criteria:\n  - {id: some-people, level: mild, when: 5 <= people < 10, label: {zh: 五, en: Five}}\n")
    criteria = plan.plan.criteria
    assert [criterion.id for criterion in criteria] == ["many-people", "some-people", "many-today", "again", "soon"]
    assert criteria[1].when == "5 <= people < 10"


def test_new_entries_follow_and_maps_merge_by_key() -> None:
    visited = "milestones:\n  - {id: visited, zh: 已走访, en: Visited}\n"
    plan = child(f"{visited}parameters:\n  wait: {{value: 5m}}\nnotify: {{mild: [a]}}\n")
    assert [milestone.id for milestone in plan.plan.milestones] == ["answered", "visited"]
    assert plan.plan.parameters["wait"].value == "5m"
    assert not plan.plan.parameters["wait"].assumed
    assert plan.plan.parameters["many"].value == 3
    assert plan.informed("mild") == ("a",)
    assert plan.informed("grave") == ("director",)


def test_without_drops_an_entry_or_a_whole_key() -> None:
    dropped = "without: [clocks.press, tiers.second, windows.by_person, criteria.again, notify]\n"
    plan = child(f"{dropped}notify: {{mild: [b]}}\ntiers:\n  - {SECOND}\n")
    assert [clock.id for clock in plan.clocks] == ["answer"]
    assert [tier.levels for tier in plan.tiers] == [frozenset(), frozenset()]
    assert "by_person" not in plan.windows
    assert plan.informed("grave") == ()


def test_what_is_dropped_and_given_again_goes_to_the_end() -> None:
    plan = child("without: [tiers.first]\ntiers:\n  - {id: first, zh: 一, en: One, roles: [clerk], repeat: 0}\n").plan
    assert [tier.id for tier in plan.tiers] == ["second", "first"]


def test_a_grandchild_has_all_three() -> None:
    middle = "plan: middle\nversion: 1\nextends: sample\nnotify: {mild: [b]}\n"
    text = "plan: child\nversion: 7\nextends: middle\ntitle: {zh: 孙, en: Grandchild}\n"
    plan = CompiledPlan.of(parse_plan(text, "child.yaml", bases(sample=SOUND, middle=middle)))
    assert (plan.name, plan.ref.version, plan.title.en) == ("child", 7, "Grandchild")
    assert (plan.informed("mild"), plan.informed("grave")) == (("b",), ("director",))


@pytest.mark.parametrize(
    ("text", "find", "expected"),
    [
        (CHILD, bases(), ["child.yaml:3:10: there is no plan 'sample' to extend [extends]"]),
        (CHILD, bases(sample=SOUND.replace("version: 1", "version: 1\nextends: child")), ["circle"]),
        (CHILD.replace("sample", "child"), bases(), ["circle"]),
        (
            CHILD + "without: [clocks.nothing]\n",
            bases(sample=SOUND),
            ["4:11: the base has no 'clocks.nothing' to drop"],
        ),
        (CHILD + "without: clocks\n", bases(sample=SOUND), ["a list such as"]),
        (SOUND + "without: [clocks]\n", bases(), ["'without' needs 'extends'"]),
        (CHILD.replace("sample", "[]"), bases(), ["the name of a plan"]),
        (CHILD, bases(sample="- 1\n"), ["'sample' is no plan"]),
        (CHILD, bases(sample="plan: [\n"), ["sample.yaml:2:1"]),
    ],
)
def test_what_cannot_be_put_together_is_refused(text: str, find: FindBase, expected: list[str]) -> None:
    problems = refused(text, find)
    assert len(problems) == len(expected)
    for problem, part in zip(problems, expected, strict=True):
        assert part in problem


def test_a_long_chain_of_bases_is_refused() -> None:
    texts = {f"p{n}": f"plan: p{n}\nversion: 1\nextends: p{n + 1}\n" for n in range(20)}
    assert "extend each other" in refused(CHILD.replace("sample", "p0"), bases(**texts))[0]


def test_a_problem_names_the_file_and_line_that_hold_it() -> None:
    base = SOUND.replace("roles: [clerk]", "roles: []")
    problems = refused(CHILD + "notify: {nowhere: [a]}\n", bases(sample=base))
    line = 1 + SOUND.splitlines().index(next(line for line in SOUND.splitlines() if "id: first" in line))
    assert any(problem.startswith("child.yaml:4:10: there is no level 'nowhere'") for problem in problems)
    assert any(problem.startswith(f"sample.yaml:{line}:") and "nobody to reach" in problem for problem in problems)


def test_an_id_that_stands_twice_in_the_child_is_found() -> None:
    twice = "{id: first, zh: 一, en: One, roles: [clerk], acknowledge_within: {parameter: wait}}"
    problems = refused(f"{CHILD}tiers:\n  - {twice}\n  - {twice}\n", bases(sample=SOUND))
    assert any("the id 'first' stands twice in tiers" in problem for problem in problems)


def test_an_abstract_base_takes_no_event_and_need_not_be_complete(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("plans")
    lines = SOUND.replace("plan: sample", "plan: base\nabstract: true")
    base = "\n".join(line for line in lines.splitlines() if not line.startswith(("title", "applies", "version")))

    def write(name: str, text: str) -> None:
        (root / name).mkdir()
        (root / name / "plan.yaml").write_text(text, "utf-8")

    write("base", base)
    own = "title: {zh: 子, en: Child}\napplies: {kinds: [complaint]}\n"
    write("child", f"plan: child\nversion: 1\nextends: base\n{own}")
    library = PlanLibrary.load(root)
    assert [plan.name for plan in library.plans] == ["child"]
    assert not library.get("child").plan.abstract


def test_a_misspelt_key_of_an_abstract_base_is_still_refused() -> None:
    assert "unknown key 'clokcs'" in refused("plan: base\nabstract: true\nclokcs: []\n", bases())[0]


def test_an_abstract_plan_is_no_plan() -> None:
    assert "only a base" in refused("plan: base\nabstract: true\n", bases())[0]


KEYS = st.sampled_from(["clocks", "tiers", "criteria", "windows", "notify", "levels", "facts", "parameters", "x"])
NAMES = st.sampled_from(["answer", "press", "first", "again", "today", "grave", "people", "x", ""])


@given(st.lists(st.tuples(KEYS, NAMES), max_size=6))
def test_whatever_is_dropped_what_comes_out_has_it_no_more(dropped: list[tuple[str, str]]) -> None:
    listed = ", ".join(f'"{key}.{name}"' if name else f'"{key}"' for key, name in dropped)
    try:
        plan = child(f"without: [{listed}]\n")
    except PlanLibraryError:
        return
    assert not {clock.id for clock in plan.clocks} & {name for key, name in dropped if key == "clocks"}


def test_bases_are_not_changed_by_reading_them() -> None:
    find = bases(sample=SOUND)
    first = read_written(CHILD + "notify: {mild: [a]}\n", "child.yaml", find).data
    second = read_written(CHILD, "child.yaml", find).data
    assert (first["notify"], second["notify"]) == ({"grave": ["director"], "mild": ["a"]}, {"grave": ["director"]})


@pytest.mark.parametrize("name", ["../sample", "/etc/passwd", "sample/../sample", ".", "", "SAMPLE"])
def test_a_base_is_looked_for_among_the_folders_of_plans_only(name: str) -> None:
    assert bases_in(PACKS)(name) is None


def test_a_base_is_found_by_its_folder() -> None:
    found = bases_in(PACKS)("telecom-service-quality")
    assert found is not None
    assert found[0].startswith("# yaml-language-server")
