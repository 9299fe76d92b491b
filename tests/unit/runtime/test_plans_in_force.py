"""Plans are exchanged at work, whole or not at all."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from shared.plans.library import PlanLibrary
from shared.runtime.plans_in_force import PlansInForce
from tests.support.plans import SOUND


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sample").mkdir()
    _write(tmp_path, SOUND)
    return tmp_path


@pytest.fixture
def plans(root: Path) -> PlansInForce:
    return PlansInForce(root, {}, PlanLibrary.load(root))


def _write(root: Path, text: str) -> None:
    (root / "sample" / "plan.yaml").write_text(text, encoding="utf-8")


def _broken() -> float | None:
    return REGISTRY.get_sample_value("fenghuo_plans_broken")


async def test_nothing_happens_while_nothing_changes(plans: PlansInForce) -> None:
    library = plans.library
    assert not await plans.refresh()
    assert plans.library is library
    assert await plans.probe() is None


async def test_a_new_version_is_in_force_without_a_restart(plans: PlansInForce, root: Path) -> None:
    taken: list[PlanLibrary] = []
    _write(root, SOUND.replace("version: 1", "version: 2"))
    assert await plans.refresh(taken.append)
    assert [plan.ref.version for plan in plans.library.plans] == [2]
    assert taken == [plans.library]


async def test_a_bad_plan_is_refused_and_the_old_one_stays_until_it_is_repaired(
    plans: PlansInForce, root: Path
) -> None:
    taken: list[PlanLibrary] = []
    _write(root, SOUND.replace("people >= 10", "peeple >= 10"))
    assert not await plans.refresh(taken.append)
    assert [plan.ref.version for plan in plans.library.plans] == [1]
    assert not taken
    assert "peeple" in str(await plans.probe())
    assert _broken() == 1
    _write(root, SOUND)
    await plans.refresh(taken.append)
    assert await plans.probe() is None
    assert _broken() == 0


async def test_what_a_service_cannot_work_with_is_refused_and_tried_again(plans: PlansInForce, root: Path) -> None:
    _write(root, SOUND.replace("version: 1", "version: 2"))

    def lacks_a_calendar(_: PlanLibrary) -> None:
        raise ValueError("there is no calendar 'moon'")

    assert not await plans.refresh(lacks_a_calendar)
    assert "moon" in str(await plans.probe())
    assert plans.library.plans[0].ref.version == 1
    assert await plans.refresh()
    assert plans.library.plans[0].ref.version == 2


async def test_a_bad_folder_is_not_read_again_and_again(
    plans: PlansInForce, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(root, "plan: [")
    await plans.refresh()
    monkeypatch.setattr(PlanLibrary, "load", lambda *_: pytest.fail("read again"))
    assert not await plans.refresh()
