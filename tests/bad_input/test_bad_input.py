"""Every kind of bad input: one message that says where and what, an exit code, nothing half done."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_answers import ANSWERS, COMPLETIONS
from bad_case import Case, check, files_under, run_command, write
from bad_guidelines import GUIDELINES
from bad_models import MODELS
from bad_outputs import OUTPUTS
from bad_recipes import RECIPES
from bad_releases import RELEASES
from bad_rows import ROWS
from bad_runs import RUNS, USAGE
from bad_settings import SETTINGS
from bad_yaml import GUIDELINES_IN_YAML

CASES = (
    *GUIDELINES, *GUIDELINES_IN_YAML, *ROWS, *RELEASES, *ANSWERS, *COMPLETIONS, *RECIPES, *SETTINGS, *MODELS, *RUNS,
    *OUTPUTS, *USAGE,
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_told_and_leaves_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(case.files)
    before = files_under(tmp_path)
    ran = run_command(case.arguments, monkeypatch, capsys)
    check(case, ran, before, files_under(tmp_path))


def test_there_are_many_kinds_and_each_has_a_name_and_a_message() -> None:
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(set(names))
    assert len(CASES) >= 60
    assert [case.name for case in CASES if not case.said.strip("…") and not case.listed] == []


def test_a_message_that_is_another_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ("guideline", "show", "none.md")
    ran = run_command(command, monkeypatch, capsys)
    check(Case("right", command, "none.md: can't be read: No such file or directory"), ran, {}, {})
    for wrong in (
        Case("wrong message", command, "none.md: can't be read"),
        Case("wrong code", command, "none.md: …", code=3),
        Case("listed, but said", command, "", listed=()),
    ):
        with pytest.raises(AssertionError):
            check(wrong, ran, {}, {})
    with pytest.raises(AssertionError):
        check(Case("a file left", command, "none.md: …"), ran, {}, {"none.md.part": b""})
