from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import InputError, MissingExtraError
from bythebook.rewards import reward
from bythebook.studies.bench import BENCHES, OPTIONS, interleaved, peak_bytes, run_bench
from bythebook.studies.bench_scoring import _gold, bench_scoring, completions_of, table


def test_works_take_turns_and_the_first_round_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    clock = {"now": 0.0}
    costs = {"a": iter([100.0, 1, 2, 9]), "b": iter([100.0, 10, 30, 20])}

    def work(name: str) -> None:
        done.append(name)
        clock["now"] += next(costs[name])

    monkeypatch.setattr(time, "perf_counter", lambda: clock["now"])
    assert interleaved([lambda: work("a"), lambda: work("b")], 3) == [2, 20]
    assert done == ["a", "b"] * 4


def test_the_peak_is_what_stood_at_once() -> None:
    def two_in_turn() -> None:
        for _ in range(2):
            bytearray(1_000_000)

    assert 1_000_000 <= peak_bytes(two_in_turn) < 1_200_000


def test_an_unknown_bench_is_refused() -> None:
    with pytest.raises(InputError, match=r"no bench 'x' \(there are: scoring, train, rollout, annotate, growth\)"):
        run_bench("x")


def test_an_option_that_a_bench_does_not_have_is_refused() -> None:
    with pytest.raises(InputError, match=r"the bench 'scoring' has no --group \(it has: --rounds\)"):
        run_bench("scoring", group=4)
    with pytest.raises(InputError, match=r"'annotate' has no --completion-tokens .*--model, --vocabulary"):
        run_bench("annotate", completion_tokens=4)
    assert set(OPTIONS) == set(BENCHES)


def test_a_bench_of_models_without_their_libraries_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bythebook.studies.bench.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"the bench 'train' .*bythebook\[train\]"):
        run_bench("train")


def test_both_sides_get_the_same_reasoning_right_and_wrong_in_the_same_places() -> None:
    ours, theirs, right = completions_of(8, 100)
    judge = reward("r1_re")
    verdicts = [judge.verdict(text, _gold()) for text in ours]
    assert [v.correct for v in verdicts] == right
    assert [v.status for v in verdicts] == ["ok", "wrong", "ok", "malformed"] * 2
    for mine, other in zip(ours, theirs, strict=True):
        assert mine[:407] == other[:407]
        assert 400 < len(mine) < 460


@pytest.fixture(scope="module")
def small() -> dict[str, Any]:
    pytest.importorskip("trl")
    return bench_scoring(rounds=1, tokens=60, number=8, lengths=(20, 40, 80, 160))


def test_the_contract_of_a_bench_holds(small: dict[str, Any]) -> None:
    assert set(small) >= {"ours_s", "peer_s", "ratio", "peak_memory_ratio", "max_relative_error", "setting"}
    assert small["ratio"] == pytest.approx(small["peer_s"] / small["ours_s"])
    assert small["format_only"]["ratio"] == pytest.approx(small["format_only"]["peer_s"] / small["ours_s"])
    assert small["growth"]["tokens"] == [20, 40, 80, 160]
    assert len(small["growth"]["seconds"]) == 4
    assert json.loads(json.dumps(small)) == small


def test_both_sides_judge_alike(small: dict[str, Any]) -> None:
    pytest.importorskip("math_verify")
    assert small["setting"]["peer"] == "trl think_format_reward and accuracy_reward"
    assert small["max_relative_error"] == 0


def test_without_math_verify_the_form_alone_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trl")
    monkeypatch.setattr("bythebook.training.trl_rewards.find_spec", lambda _: None)
    found = bench_scoring(rounds=1, tokens=40, number=4, lengths=(20, 40, 80, 160))
    assert "math-verify being absent" in found["setting"]["peer"]
    assert found["max_relative_error"] == 0


def test_without_trl_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bythebook.training.trl_rewards", None)
    with pytest.raises(MissingExtraError, match=r"bythebook\[train\]"):
        bench_scoring(rounds=1, tokens=40, number=4, lengths=(20, 40))


def test_the_document_shows_the_kept_run(root: Path) -> None:
    kept = json.loads((root / "bench" / "scoring.json").read_text(encoding="utf-8"))
    assert table(kept) in (root / "docs" / "performance.md").read_text(encoding="utf-8")
