from __future__ import annotations

from pathlib import Path

import pytest
from report_runs import demo_run, training_run


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run of the demo; not to be changed."""
    return demo_run(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete ordinary run; not to be changed."""
    return training_run(tmp_path_factory.mktemp("training"))
