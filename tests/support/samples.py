"""Real payloads and public conformance suites, where they are at hand."""

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(os.environ.get("FENGHUO_SAMPLES", str(Path(__file__).resolve().parents[3] / "shared")))


def sample_path(*parts: str) -> Path:
    """A file or folder among the samples; the test is skipped where it is not at hand."""
    path = ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no samples here: set FENGHUO_SAMPLES to a folder with {'/'.join(parts)}")
    return path


def sample_json(*parts: str) -> Any:
    """A sample's JSON; captured requests are unwrapped to their body."""
    value = json.loads(sample_path(*parts).read_text("utf-8"))
    if isinstance(value, dict) and {"method", "path", "body"} <= set(value):
        return json.loads(value["body"])
    return value
