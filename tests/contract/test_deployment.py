"""What an operator starts is complete and agrees with the code: compose, image recipe, alerts, dashboard."""

import importlib
import json
import os
import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator
from prometheus_client import REGISTRY
from pydantic_settings import BaseSettings
from ruamel.yaml import YAML

import shared.runtime.metrics
from services.line.layout import SERVICES
from services.provision import ProvisionSettings
from services.provision import main as provision
from shared.access.api_keys import PresentedKey
from shared.db.migrate import services_with_a_schema

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "images" / "Dockerfile"
SPECIFICATION = ROOT / "tests" / "data" / "specifications" / "compose-spec.json"
THIRD_PARTY = {"kafka", "postgres", "mailpit", "prometheus", "grafana"}


def _yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path)


COMPOSE: dict[str, Any] = _yaml(ROOT / "docker-compose.yml")
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]


def _settings_of(service: str) -> type[BaseSettings]:
    create_app = importlib.import_module(f"services.{service}.main").create_app
    settings: type[BaseSettings] = typing.get_type_hints(create_app)["settings"]
    return settings


def _default_of(text: str) -> str:
    """The value of `${NAME:-default}` when nothing is set."""
    return re.sub(r"\$\{\w+(?::?-([^}]*)|:?\?[^}]*)?\}", lambda match: match[1] or "", text)


def test_the_compose_file_fits_the_compose_specification() -> None:
    validator = Draft201909Validator(json.loads(SPECIFICATION.read_text("utf-8")))
    assert [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(COMPOSE)] == []
    broken = {**COMPOSE, "services": {"intake": {"image": "x", "heathcheck": {}}}}
    assert list(validator.iter_errors(broken))


def test_every_service_is_there_with_what_it_waits_for() -> None:
    assert set(SERVICES) <= set(PARTS)
    assert set(services_with_a_schema()) <= set(SERVICES)
    for service in SERVICES:
        part = PARTS[service]
        assert part["command"] == [f"services.{service}.main"]
        assert part["depends_on"] == {
            "provision": {"condition": "service_completed_successfully"},
            "kafka": {"condition": "service_healthy"},
        }
    assert PARTS["provision"]["command"] == ["services.provision"]
    assert PARTS["provision"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name, part in PARTS.items():
        for other, wait in part.get("depends_on", {}).items():
            assert other in PARTS, f"{name} waits for {other}"
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in PARTS[other] or "build" in PARTS[other], f"{other} has no health to wait for"


@pytest.mark.parametrize("name", PARTS)
def test_every_container_is_hardened(name: str) -> None:
    part = PARTS[name]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert part["cap_drop"] == ["ALL"]
    assert part["mem_limit"].endswith(("m", "g"))
    assert part["pids_limit"] > 0
    assert part["restart"] == ("no" if name == "provision" else "unless-stopped")
    assert "privileged" not in part
    if name != "kafka":  # its image writes its configuration beside its programs
        assert part["read_only"] is True
    if name not in {"kafka", "postgres"}:  # their images leave root by themselves
        assert part["user"].split(":")[0] not in {"0", "root"}
    if "build" not in part:
        assert "healthcheck" in part, f"{name} is somebody else's image: say how its health is seen"


@pytest.mark.parametrize("name", PARTS)
def test_every_image_is_pinned_to_a_version(name: str) -> None:
    image = PARTS[name]["image"]
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", image), image


def test_ports_are_published_on_the_loopback_and_never_twice() -> None:
    published = [port for part in PARTS.values() for port in part.get("ports", ())]
    outside = []
    for port in published:
        host, outer, _ = _default_of(port).rsplit(":", 2)
        assert host == "127.0.0.1", port
        outside.append(outer)
    assert len(set(outside)) == len(outside)
    for name in ("kafka", "postgres", "classifier", "escalator"):
        assert "ports" not in PARTS[name]
        assert PARTS[name]["networks"] == ["line"]
    assert COMPOSE["networks"]["line"] == {"internal": True}


@pytest.mark.parametrize("service", SERVICES)
def test_the_environment_of_a_service_is_what_its_settings_read(service: str) -> None:
    settings = _settings_of(service)
    given = {name for name in PARTS[service]["environment"] if name.startswith("FENGHUO_")}
    known = {f"FENGHUO_{name.upper()}": field for name, field in settings.model_fields.items()}
    assert given - set(known) == set(), "no setting reads these"
    required = {name for name, field in known.items() if field.is_required()}
    assert required - given == set(), "the service cannot start without these"


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_can_be_built_from_what_compose_gives_it(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _made_environment()
    for name in [name for name in os.environ if name.startswith("FENGHUO_")]:
        monkeypatch.delenv(name)
    for name, value in PARTS[service]["environment"].items():
        if value is not None:
            filled = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda match: made[match[1]], str(value))
            monkeypatch.setenv(name, _default_of(filled).replace("/app/", f"{ROOT}/"))
    create_app = importlib.import_module(f"services.{service}.main").create_app
    assert create_app(_settings_of(service)()).routes


@pytest.mark.parametrize("service", SERVICES)
def test_the_port_of_a_service_is_the_same_everywhere(service: str) -> None:
    default = _settings_of(service).model_fields["port"].default
    assert PARTS[service]["environment"]["FENGHUO_PORT"] == default
    for port in PARTS[service].get("ports", ()):
        assert _default_of(port).endswith(f":{default}:{default}")
    scraped = _yaml(DEPLOY / "prometheus" / "prometheus.yml")["scrape_configs"][0]["static_configs"]
    assert {"targets": [f"{service}:{default}"], "labels": {"service": service}} in scraped
    assert re.search(rf"^EXPOSE .*\b{default}\b", DOCKERFILE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("service", SERVICES)
def test_plans_and_rosters_written_on_the_host_are_those_of_the_services(service: str) -> None:
    mounted = {inside: outside for outside, inside, _ in (one.split(":") for one in PARTS[service]["volumes"])}
    environment = PARTS[service]["environment"]
    read = [environment["FENGHUO_PLANS_DIR"], environment["FENGHUO_CALENDARS_DIR"]]
    if "FENGHUO_ROSTER" in environment:
        read.append(str(Path(environment["FENGHUO_ROSTER"]).parent))
    for directory in read:
        assert mounted[directory] == directory.replace("/app/", "./")


def test_a_service_gets_its_own_role_and_no_administrator() -> None:
    for service in SERVICES:
        url = PARTS[service]["environment"]["FENGHUO_DATABASE_URL"]
        assert url.startswith(f"postgresql://fenghuo_{service}:${{FENGHUO_{service.upper()}_DATABASE_PASSWORD:?")
        assert "FENGHUO_ADMIN_DATABASE_URL" not in PARTS[service]["environment"]


def test_provisioning_reads_what_compose_gives_it() -> None:
    given = {name for name in PARTS["provision"]["environment"] if name != "FENGHUO_ORGANISATION"}
    assert given == {f"FENGHUO_{name.upper()}" for name in ProvisionSettings.model_fields}


def _made_environment() -> dict[str, str]:
    made = subprocess.run(["sh", DEPLOY / "compose" / "make-env.sh"], capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in made.stdout.splitlines())


def _wanted() -> set[str]:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    return set(re.findall(r"\$\{(\w+):\?", text))


def test_the_environment_maker_and_the_example_give_everything_that_is_required() -> None:
    made = _made_environment()
    assert set(made) == _wanted()
    assert all(len(value) >= 40 for value in made.values())
    assert len(set(made.values())) == len(made)
    assert made != _made_environment()
    for name in ("FENGHUO_OPERATOR_KEY", "FENGHUO_INTAKE_KEY"):
        assert PresentedKey.parse(made[name])
    example = (DEPLOY / "compose" / "example.env").read_text("utf-8")
    assert set(re.findall(r"^(\w+)=change-me$", example, re.MULTILINE)) == _wanted()
    optional = set(re.findall(r"^#(\w+)=", example, re.MULTILINE))
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    environments = [one["environment"] for one in COMPOSE["services"].values() if "environment" in one]
    passed_on = {name for one in environments for name, value in one.items() if value is None}
    assert optional == set(re.findall(r"\$\{(\w+):?-", text)) | passed_on


def test_secrets_of_an_installation_are_read_by_their_owner_only_and_never_committed(tmp_path: Path) -> None:
    environment = tmp_path / ".env"
    with environment.open("wb") as file:
        environment.chmod(0o644)
        subprocess.run(["sh", DEPLOY / "compose" / "make-env.sh"], stdout=file, check=True)
    assert environment.stat().st_mode & 0o777 == 0o600
    assert _made_environment(), "into a pipe as well"
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_a_check_of_kafka_takes_little_from_kafka() -> None:
    health = PARTS["kafka"]["healthcheck"]
    command = " ".join(health["test"])
    assert int(health["interval"].removesuffix("s")) >= 10, "each check starts a JVM"
    assert "KAFKA_HEAP_OPTS=-Xmx64m" in command, "else a second JVM begins with the heap of the broker"


def test_unchanged_secrets_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _made_environment()
    for name in ProvisionSettings.model_fields:
        variable = f"FENGHUO_{name.upper()}"
        monkeypatch.setenv(variable, made.get(variable, "postgresql://postgres:secret@127.0.0.1:1/postgres"))
    monkeypatch.setenv("FENGHUO_KEY_PEPPER", "change-me-please-now")
    monkeypatch.setenv("FENGHUO_INTAKE_KEY", "not-in-the-form-of-a-key")
    assert provision() == 2
    said = capsys.readouterr().err
    assert "FENGHUO_KEY_PEPPER: Value error, still says change-me" in said
    assert "FENGHUO_INTAKE_KEY: Value error, must look like fh_" in said
    assert "not-in-the-form" not in said
    assert said.count("\n") == 2


def test_a_server_that_is_away_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _made_environment()
    for name in ProvisionSettings.model_fields:
        variable = f"FENGHUO_{name.upper()}"
        monkeypatch.setenv(variable, made.get(variable, "postgresql://postgres:secret@127.0.0.1:1/postgres"))
    assert provision() == 1
    assert capsys.readouterr().err.startswith("The database server cannot be prepared:")


def test_the_image_recipe_is_clean() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "RUST_BACKTRACE"}
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [hadolint, "--failure-threshold", "style", DOCKERFILE],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_image_recipe_copies_what_exists_and_runs_as_nobody() -> None:
    text = DOCKERFILE.read_text("utf-8")
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE):
        assert (ROOT / source).exists(), source
        assert any(source == kept[1:] or source.startswith(f"{kept[1:]}/") for kept in ignored if kept[0] == "!"), (
            source
        )
    users = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert users == ["10001:10001"]
    assert all(part["user"] == users[0] for name, part in PARTS.items() if name not in THIRD_PARTY)
    assert "--require-hashes" in text
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE))
    assert {part["build"]["target"] for part in PARTS.values() if "build" in part} <= targets


def test_the_lock_of_the_sink_is_a_part_of_the_lock_of_the_project() -> None:
    def pins(path: Path) -> dict[str, str]:
        found = re.findall(
            r"^([\w.-]+)==(\S+) \\\n((?:    --hash=\S+(?: \\)?\n)+)", path.read_text("utf-8"), re.MULTILINE
        )
        return {name: f"{version} {sorted(re.findall(r'sha256:[0-9a-f]+', hashes))}" for name, version, hashes in found}

    project, sink = pins(ROOT / "requirements-dev.lock"), pins(DEPLOY / "images" / "sink.lock")
    assert set(sink) == {"aiosmtpd", "atpublic"}
    assert {name: project[name] for name in sink} == sink
    assert not set(sink) & set(pins(ROOT / "requirements.lock")), "the image has these already"


def _metric_names() -> set[str]:
    names = {"up"}
    for family in REGISTRY.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        names |= {f"{family.name}{suffix}" for suffix in suffixes}
    return names


def _queries() -> dict[str, str]:
    rules = _yaml(DEPLOY / "prometheus" / "alerts.yml")["groups"][0]["rules"]
    dashboard = json.loads((DEPLOY / "grafana" / "dashboards" / "fenghuo.json").read_text("utf-8"))
    found = {rule["alert"]: rule["expr"] for rule in rules}
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    return found


def test_alerts_and_panels_ask_for_metrics_that_exist() -> None:
    known = _metric_names()
    for name, query in _queries().items():
        asked = set(re.findall(r"\b(fenghuo_\w+|up)\b", query.replace('job="fenghuo"', "")))
        assert asked or query == "vector(1)", name
        assert asked <= known, f"{name}: {asked - known}"


def test_alerts_and_panels_group_by_labels_that_exist() -> None:
    labels = {"service", "le", "outcome"}
    for metric in vars(shared.runtime.metrics).values():
        labels |= set(getattr(metric, "_labelnames", ()))
    for name, query in _queries().items():
        for group in re.findall(r"(?:by|on) \(([^)]*)\)", query):
            assert {label.strip() for label in group.split(",")} - {""} <= labels, name


def test_every_metric_is_on_the_dashboard() -> None:
    shown = " ".join(_queries().values())
    declared = {family.name for family in REGISTRY.collect() if family.name.startswith("fenghuo_")}
    assert {name for name in declared if name not in shown} == set()


def test_the_alerts_that_watch_the_watcher_are_there() -> None:
    rules = {rule["alert"]: rule for rule in _yaml(DEPLOY / "prometheus" / "alerts.yml")["groups"][0]["rules"]}
    assert rules["FenghuoHeartbeat"]["expr"] == "vector(1)"
    for name in ("ServiceDown", "ConsumerLag", "ClocksOverdue", "DeadLetters", "OutboxBacklog", "RelayInactive"):
        rule = rules[f"Fenghuo{name}"]
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]
    for rule in rules.values():
        if "runbook" in rule["annotations"]:
            assert (ROOT / rule["annotations"]["runbook"]).is_file(), rule["alert"]


def test_mounted_configuration_exists() -> None:
    for part in PARTS.values():
        for volume in part.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).is_dir(), source
                assert volume.endswith(":ro"), volume
            else:
                assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.y*ml")), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_yaml_file_of_a_deployment_parses(path: Path) -> None:
    assert _yaml(path)
