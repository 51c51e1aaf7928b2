"""What every test may ask for: the real recordings, where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)  # the same examples on every run and machine
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TIDEGATE_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the real recordings are not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def shared_spec() -> Path:
    """The venue's published interface; the test is skipped where it is absent."""
    spec = SHARED.parent / "spec"
    if not spec.is_dir():
        pytest.skip(f"the published interface is not at {spec}")
    return spec
