"""Programs that people wrote: how many of MBPP's the allow-list takes, and why it refuses the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from mbpp_programs import became, jobs_of

from bythebook.sandbox import Limits, Sandbox


def test_ten_programs_of_the_same_format_end_as_they_should(fixtures: Path) -> None:
    with Sandbox(Limits(wall_s=60.0), lanes=1) as sandbox:
        found = became(jobs_of(fixtures / "mbpp" / "mbpp.jsonl"), sandbox)
    assert found == {
        "ran": 6,
        "ran, not_literal": 1,
        "refused: module": 1,
        "refused: ClassDef": 1,
        "refused: attribute": 1,
    }


@pytest.mark.slow
def test_the_allow_list_takes_nearly_all_of_mbpp(licensed_data: Path) -> None:
    file = licensed_data / "mbpp" / "mbpp.jsonl"
    if not file.is_file():
        pytest.skip("MBPP is not in ../shared/data")
    with Sandbox(Limits(wall_s=60.0)) as sandbox:
        found = became(jobs_of(file), sandbox)
    assert found == {
        "ran": 940,
        "ran, not_literal": 4,
        "ran, input_not_literals": 2,
        "refused: module": 16,
        "refused: attribute": 5,
        "refused: ClassDef": 4,
        "refused: not available": 3,
    }
    assert found.total() == 974
