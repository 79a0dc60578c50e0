"""What all tests share: where things are, and no network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before any test imports a library that reads them.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return _ROOT


@pytest.fixture(scope="session")
def package() -> Path:
    """The package's source folder."""
    return _ROOT / "src" / "bythebook"


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The hand-written ten-row files."""
    return _ROOT / "tests" / "fixtures"


@pytest.fixture(scope="session")
def licensed_data() -> Path:
    """The folder of licensed data sets beside the repository. Skips the test where nobody has put one there."""
    path = _ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("no licensed data in ../shared/data")
    return path
