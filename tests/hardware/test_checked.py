"""Many pairs of circuits at once, and none of them twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from simulators import SHORT, needs_icarus

from bythebook.errors import InputError
from bythebook.hardware import Outcome, Plan, check_pairs, forget_checks
from bythebook.hardware import checked as room

AND = "module gate (input a, input b, output y); assign y = a & b; endmodule"
OR, NAND = AND.replace("&", "|"), AND.replace("a & b", "~(a & b)")
SAME = AND.replace("a & b", "~(~a | ~b)")


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    forget_checks()
    yield
    forget_checks()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """Every call of the checker, which says `equivalent` of equal texts."""
    calls: list[tuple[str, tuple[str, ...]]] = []

    def check(reference: str, candidates: Sequence[str], **_: Any) -> list[Outcome]:
        calls.append((reference, tuple(candidates)))
        return [Outcome(kind="equivalent" if text == reference else "different") for text in candidates]

    monkeypatch.setattr(room, "check_many", check)
    monkeypatch.setattr(room, "need_simulator", lambda: None)
    return calls


@needs_icarus
def test_pairs_keep_their_order() -> None:
    pairs = [(AND, OR), (OR, OR), (AND, SAME), (NAND, AND), (AND, AND), (OR, "no Verilog")]
    kinds = ["different", "equivalent", "equivalent", "different", "equivalent", "does_not_compile"]
    assert [o.kind for o in check_pairs(pairs, limits=SHORT)] == kinds
    assert check_pairs(pairs, limits=SHORT) == check_pairs(pairs, limits=SHORT)
    assert check_pairs([]) == []


def test_a_reference_is_run_once_with_all_its_candidates_and_no_pair_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch)
    first = check_pairs([(AND, OR), (AND, AND), (AND, OR), (OR, AND)])
    assert [o.kind for o in first] == ["different", "equivalent", "different", "different"]
    assert sorted(calls) == sorted([(AND, (OR, AND)), (OR, (AND,))])
    again = check_pairs([(AND, AND), (AND, NAND), (OR, AND)])
    assert again[::2] == first[1::2]
    assert calls[2:] == [(AND, (NAND,))]


def test_another_plan_is_another_check(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch)
    check_pairs([(AND, OR)])
    check_pairs([(AND, OR)], plan=Plan(vectors=5))
    check_pairs([(AND, OR)], limits=SHORT)
    check_pairs([(AND, OR)], plan=Plan())
    assert len(calls) == 3


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch)
    monkeypatch.setattr(room, "_KEPT", 2)
    for candidate in (AND, OR, NAND):
        check_pairs([(AND, candidate)])
    check_pairs([(AND, NAND)])
    assert len(calls) == 3
    check_pairs([(AND, AND)])
    assert len(calls) == 4


def test_without_a_simulator_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="Icarus Verilog"):
        check_pairs([(AND, OR)])
