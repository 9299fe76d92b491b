"""Where an installation keeps its things has to be usable; what is wrong with it is said in one sentence."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.line.layout import Layout
from services.line.whole_line import whole_line
from shared.embedded.errors import EmbeddedError


async def _begin(home: Path) -> str:
    told: list[str] = []
    with pytest.raises(EmbeddedError) as refused:
        async with whole_line(Layout(home=home), tell=told.append):
            pytest.fail("it started")
    assert told == [], "nothing was started"
    return str(refused.value)


async def test_a_home_that_cannot_be_made_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = await _begin(tmp_path / "file" / "home")
    assert said == (
        f"The directory {tmp_path}/file/home cannot be used (Not a directory): "
        "set FENGHUO_HOME to one that can be written."
    )


async def test_a_disk_that_is_almost_full_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50 * 1024 * 1024))
    said = await _begin(tmp_path / "home")
    assert "Only 50 MB are free" in said
    assert "FENGHUO_HOME" in said


async def test_damaged_secrets_are_not_replaced(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"link_secret": "half', encoding="utf-8")
    assert str(secrets) in await _begin(tmp_path)
    assert secrets.read_text(encoding="utf-8") == '{"link_secret": "half'
