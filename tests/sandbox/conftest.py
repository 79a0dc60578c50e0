"""One sandbox for the tests of its room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bythebook.sandbox import Limits, Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_s=30.0, cpu_s=2), lanes=1) as found:
        yield found
