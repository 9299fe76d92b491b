"""The import rules hold on the real tree, and catch every way in which a room could be left by the wrong door."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("intake", "classifier", "escalator", "notifier", "console")
ROOMS = ("main", "settings", "api", "consumers", "jobs", "web", "cli", "app", "store", "channels", "domain")

ROOMS_RULE = "Inside a service imports point inward"
INDEPENDENT = "Services never import each other"
DRILL = "Drills reuse the pure rules of the services and nothing else of them"
SHARED = "shared never imports a service"
PURE = "Domain, contracts, plans and calendars are pure"
SETTINGS = "Only main reads settings"
DOORS = "Doors reach storage only through a use case"


@dataclass(frozen=True)
class Seed:
    """A line added to a file of an otherwise clean tree, and the contract that must report it."""

    name: str
    path: str
    line: str
    contract: str


SEEDS = (
    Seed("domain-calls-http", "services/intake/domain/rules.py", "import httpx", PURE),
    Seed("domain-waits", "services/classifier/domain/rules.py", "import asyncio", PURE),
    Seed("contracts-know-sql", "shared/contracts/values.py", "import sqlalchemy", PURE),
    Seed("plans-know-http", "shared/plans/model.py", "import fastapi", PURE),
    Seed("calendars-know-kafka", "shared/calendars/year.py", "import aiokafka", PURE),
    Seed("service-to-service", "services/intake/app/use.py", "import services.escalator.app.use", INDEPENDENT),
    Seed("domain-to-use-case", "services/escalator/domain/rules.py", "import services.escalator.app.use", ROOMS_RULE),
    Seed("channel-to-store", "services/notifier/channels/sms.py", "import services.notifier.store.rows", ROOMS_RULE),
    Seed("store-to-door", "services/intake/store/rows.py", "import services.intake.api.routes", ROOMS_RULE),
    Seed("shared-to-service", "shared/db/engine.py", "import services.intake.domain.rules", SHARED),
    Seed("door-to-door", "services/console/cli/cases.py", "import services.console.web.pages", ROOMS_RULE),
    Seed("use-case-reads-settings", "services/intake/app/use.py", "import services.intake.settings", SETTINGS),
    Seed("stray-file", "services/intake/utils.py", "", ROOMS_RULE),
    Seed("stray-room", "services/intake/helpers/text.py", "", ROOMS_RULE),
    Seed("door-to-store", "services/escalator/consumers/on.py", "import services.escalator.store.rows", DOORS),
    Seed("door-to-channel", "services/notifier/jobs/tick.py", "import services.notifier.channels.sms", DOORS),
    Seed("drill-to-store", "services/drill/domain/timeline.py", "import services.escalator.store.rows", DRILL),
    Seed("drill-to-use-case", "services/drill/app/simulate.py", "import services.notifier.app.use", DRILL),
)
FILES = {
    "api": "routes",
    "consumers": "on",
    "jobs": "tick",
    "web": "pages",
    "cli": "cases",
    "app": "use",
    "store": "rows",
    "channels": "sms",
    "domain": "rules",
}


def _skeleton(root: Path) -> None:
    """The rooms of all services with lawful imports, and the rooms of shared that the rules name."""
    for package in ("services", "services/drill", *(f"shared/{name}" for name in ("contracts", "plans", "calendars"))):
        _file(root / package / "__init__.py")
    for name in ("shared/__init__.py", "shared/db/__init__.py", "shared/db/engine.py", "shared/contracts/values.py"):
        _file(root / name)
    for name in ("shared/plans/model.py", "shared/calendars/year.py"):
        _file(root / name)
    drill = root / "services/drill"
    for room in ("domain", "app", "cli"):
        _file(drill / room / "__init__.py")
    _file(drill / "domain/timeline.py", "import services.escalator.domain.rules")
    _file(drill / "app/simulate.py", "import services.drill.domain.timeline")
    _file(drill / "cli/plans.py", "import services.drill.app.simulate")
    for service in SERVICES:
        at = root / "services" / service
        _file(at / "__init__.py")
        _file(at / "settings.py", "import pydantic_settings")
        _file(at / "main.py", f"import services.{service}.settings\nimport services.{service}.api.routes")
        for room, file in FILES.items():
            _file(at / room / "__init__.py")
            inner = {"app": "store.rows", "store": "domain.rules", "channels": "domain.rules"}.get(room, "app.use")
            _file(at / room / f"{file}.py", "" if room == "domain" else f"import services.{service}.{inner}")
    (root / ".importlinter").write_text((ROOT / ".importlinter").read_text())


def _file(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


# One process lints all trees: starting Python and the linter takes longer than linting a small tree.
_DRIVER = """
import contextlib, io, json, os, sys
from importlinter.cli import lint_imports
for root in sys.argv[1:]:
    os.chdir(root)
    sys.path.insert(0, root)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = lint_imports(config_filename=".importlinter", no_cache=True, no_logo=True)
    sys.path.remove(root)
    print(json.dumps([code, said.getvalue()]))
"""


def _lint(roots: Sequence[Path]) -> list[tuple[int, dict[str, bool]]]:
    """Exit code and, by contract, whether it was kept; for each tree."""
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, *roots], cwd=roots[0], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [_verdict(*json.loads(line)) for line in done.stdout.splitlines()]


def _verdict(code: int, said: str) -> tuple[int, dict[str, bool]]:
    kept = {}
    for line in said.splitlines():
        for ending, verdict in ((" KEPT", True), (" BROKEN", False)):
            name, found, _ = line.partition(ending)
            if found:
                kept[name.strip()] = verdict
    assert kept, said
    return code, kept


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, dict[str, bool]]]:
    """What the linter says of the clean skeleton, and of one skeleton for each seed."""
    roots = {}
    for seed in (None, *SEEDS):
        name = seed.name if seed else "clean"
        root = roots[name] = tmp_path_factory.mktemp(name)
        _skeleton(root)
        if seed:
            path = root / seed.path
            path.parent.mkdir(exist_ok=True)
            if path.parent.name == "helpers":
                _file(path.parent / "__init__.py")
            path.write_text((path.read_text() if path.exists() else "") + seed.line + "\n")
    return dict(zip(roots, _lint(list(roots.values())), strict=True))


def test_the_real_tree_keeps_every_rule() -> None:
    code, kept = _lint([ROOT])[0]
    assert [name for name, held in kept.items() if not held] == []
    assert code == 0


def test_a_lawful_tree_is_accepted(verdicts: dict[str, tuple[int, dict[str, bool]]]) -> None:
    code, kept = verdicts["clean"]
    assert set(kept) == {ROOMS_RULE, INDEPENDENT, DRILL, SHARED, PURE, SETTINGS, DOORS}
    assert all(kept.values())
    assert code == 0


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_a_seeded_violation_is_reported_by_its_contract(
    seed: Seed, verdicts: dict[str, tuple[int, dict[str, bool]]]
) -> None:
    code, kept = verdicts[seed.name]
    assert code == 1
    assert kept[seed.contract] is False
