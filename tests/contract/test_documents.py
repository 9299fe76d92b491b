"""Documents speak of what exists: links lead somewhere, named files are there, templates are real code."""

import re
from pathlib import Path

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from services.command_line import app
from shared.contracts.topics import TOPICS
from shared.runtime import metrics

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
    if path.stat().st_size
)
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")


def _id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=_id)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=_id)
def test_files_and_folders_that_are_named_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    for named in re.findall(r"`((?:services|shared|tests|deploy|docs)/[\w./-]+)`", text):
        assert (ROOT / named).exists(), named


@pytest.mark.parametrize("path", DOCUMENTS, ids=_id)
def test_metrics_and_alerts_that_are_named_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    declared = {metric._name for metric in vars(metrics).values() if hasattr(metric, "_labelnames")}
    for named in re.findall(r"`fenghuo_(?!intake|classifier|escalator|notifier|console)\w+`", text):
        assert re.sub(r"_(total|bucket)$", "", named.strip("`")) in declared, named
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8")
    for named in re.findall(r"`(Fenghuo[A-Z]\w+)`", text):
        assert f"alert: {named}\n" in alerts, named


@pytest.mark.parametrize("path", DOCUMENTS, ids=_id)
def test_commands_that_are_named_exist(path: Path) -> None:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    for name, word in re.findall(r"`fenghuo ([a-z-]+)(?: ([a-z][a-z-]*))?[^`]*`", path.read_text("utf-8")):
        command = root.get_command(Context(root), name)
        assert command is not None, name
        if isinstance(command, TyperGroup) and word:
            assert word in command.list_commands(Context(command)), f"{name} {word}"


def test_every_runbook_is_listed_and_every_decision_too() -> None:
    for folder in ("runbooks", "adr"):
        listed = (ROOT / "docs" / folder / "README.md").read_text("utf-8")
        for page in (ROOT / "docs" / folder).glob("*.md"):
            assert page.name == "README.md" or f"({page.name})" in listed, page.name


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "adr").glob("0*.md")), ids=_id)
def test_a_decision_has_its_three_parts(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.startswith(f"# {path.name[:4]} ")


def test_the_glossary_is_large_and_says_each_word_once() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$", GLOSSARY, re.MULTILINE)
    terms = [chinese for chinese, *_ in rows if chinese not in {"中文", "---"}]
    assert len(terms) >= 60
    assert len(set(terms)) == len(terms)


def test_the_picture_names_every_topic() -> None:
    picture = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("```")[1]
    for topic in TOPICS:
        assert topic.name in picture, f"draw {topic.name} into the picture of docs/architecture.md, and of README.md"


def test_code_in_the_templates_is_code_of_the_repository() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    blocks = re.findall(r"```(?:python|yaml)\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 10
    folders = ("services", "shared", "deploy")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".yaml"}]
    code = "\n".join(re.sub(r"\s+", " ", path.read_text("utf-8")) for path in sources)
    for block in blocks:
        # Lines long enough to be telling; short ones occur everywhere.
        telling = [line.strip() for line in block.splitlines() if len(line.strip()) > 30]
        known = [line for line in telling if re.sub(r"\s+", " ", line) in code]
        assert len(known) >= len(telling) / 2, block
