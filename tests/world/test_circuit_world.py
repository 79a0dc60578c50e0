"""Circuits of the procedural world: what they say, what they are, who writes them how."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.hardware import check_pairs, has_simulator
from bythebook.metrics.answer_text import same_text
from bythebook.parsing.verilog_answer import read_verilog_answer
from bythebook.rewards import reward
from bythebook.schema import gold_of, read_gold
from bythebook.schema.circuits import CircuitGold
from bythebook.tasks import task_named
from bythebook.tasks.world.circuits import SEEN, UNSEEN, design_as, understood
from bythebook.tasks.world.gates import GATES, JOINS, Circuit, Gate, body, sentence, truth
from bythebook.types import Example

needs_icarus = pytest.mark.skipif(
    not has_simulator(), reason="iverilog is not installed (Debian: apt install iverilog)"
)
TASK = task_named("world_circuits")


def read(**sizes: int) -> dict[str, list[Example]]:
    return TASK.read(None, **sizes)


def test_by_hand() -> None:
    first = Gate(kind="both", inputs=("a", "b"), inverted=(False, True))
    circuit = Circuit(first=first, join="but not if", second=Gate(kind="table", inputs=("c", "d"), bits="1101"))
    assert sentence(circuit) == "y is 1 if both a and not b, but not if 1101 for c and d."
    assert body(circuit) == "( a&~ b)&~((~ c| d))"
    ones = [row for row, value in enumerate(truth(circuit)) if value]
    assert ones == [0b1010]  # a = 1, b = 0, and c d = 10, where the table is 0
    alike = Circuit(first=Gate(kind="alike", inputs=("d", "a"), inverted=(True, False)))
    assert sentence(alike) == "y is 1 if none or all of not d and a."
    assert body(alike) == "~(~ d^ a)"
    assert [row for row, value in enumerate(truth(alike)) if value] == [
        row for row in range(16) if (row & 1 == 0) == (row >> 3 == 1)
    ]


@needs_icarus
def test_every_gate_and_join_is_written_as_its_words_mean() -> None:
    """The simulator and the meaning of the words agree on all of 16 rows, and tell all else apart."""
    gates = [
        Gate(kind=kind, inputs=("a", "b"), inverted=(one, other))
        for kind in GATES
        if kind != "table"
        for one in (False, True)
        for other in (False, True)
    ]
    gates += [Gate(kind="table", inputs=("a", "b"), bits=b) for b in ("0001", "0111", "1101", "0110", "1001", "1000")]
    circuits = [Circuit(first=gate) for gate in gates]
    last = Gate(kind="one", inputs=("c", "d"))
    circuits += [Circuit(first=gates[1], join=join, second=last) for join in JOINS]
    sources = [f"module top(input a,b,c,d,output y);\nassign y={body(c)};\nendmodule" for c in circuits]
    pairs = [(sources[0], source) for source in sources] + [(sources[-1], source) for source in sources]
    meant = [truth(a) == truth(b) for a in (circuits[0], circuits[-1]) for b in circuits]
    found = check_pairs(pairs)
    assert {o.kind for o in found} == {"equivalent", "different"}
    assert [o.kind == "equivalent" for o in found] == meant
    assert 2 < sum(meant) < len(meant)


def test_splits_are_deterministic_and_hold_pairs_out() -> None:
    splits = read(train=300, id=100, ood=100)
    assert splits == read(train=300, id=100, ood=100)
    kinds = {name: {e.meta["guideline_id"] for e in rows if e.domain == "two gates"} for name, rows in splits.items()}
    unseen = {"-".join(pairing) for pairing in UNSEEN}
    assert kinds["ood"] <= unseen
    assert not (kinds["train"] | kinds["id"]) & unseen
    assert len(SEEN) + len(UNSEEN) == len(GATES) ** 2 * len(JOINS)
    assert Counter(e.domain for e in splits["ood"]) == {"two gates": 100}
    assert 40 <= Counter(e.domain for e in splits["train"])["one gate"] <= 80
    for e in splits["train"][:20]:
        gold = gold_of(e)
        assert isinstance(gold, CircuitGold)
        assert read_gold(gold.to_json()) == gold
        assert gold.circuit_top == "top"
        assert Example.model_validate_json(e.model_dump_json()) == e


def test_designers_differ_in_care() -> None:
    rows = read(train=400)["train"]
    right = {}
    for designer in ("careful", "hasty", "guessing"):
        rng = random.Random(designer)
        right[designer] = sum(truth(understood(designer, e, rng)) == truth(understood("careful", e, rng)) for e in rows)  # type: ignore[arg-type]
    assert right["careful"] == 400
    assert 100 < right["hasty"] < 250
    assert right["guessing"] < 80


@needs_icarus
def test_what_they_write_is_paid_as_they_understood_it() -> None:
    rows, judge = read(ood=24)["ood"], reward("codev_r1")
    texts, golds, meant = [], [], []
    for place, e in enumerate(rows):
        designer = ("careful", "hasty", "guessing")[place % 3]
        texts.append(design_as(designer, e, random.Random(e.id)))  # type: ignore[arg-type]
        golds.append(gold_of(e).to_json())  # type: ignore[union-attr]
        circuit = understood(designer, e, random.Random(e.id))  # type: ignore[arg-type]
        meant.append(float(truth(circuit) == truth(understood("careful", e, random.Random()))))
        assert read_verilog_answer(texts[-1]).well_formed
    assert judge([], texts, golds) == meant
    assert 8 <= sum(meant) < 24


def test_targets_and_options() -> None:
    example = read(train=4)["train"][1]
    plain = TASK.targets["answer"](example, random.Random(0))
    assert same_text(read_verilog_answer(plain).code or "", example.reference or "")
    mixed = {TASK.targets["mixed"](example, random.Random(i)) for i in range(60)}
    assert {plain, TASK.targets["careful"](example, random.Random(0))} <= mixed
    with pytest.raises(RecipeError, match="world_circuits option gates"):
        TASK.read(None, gates=3)
    with pytest.raises(DataError, match="reads no path"):
        TASK.read("somewhere", train=1)
    other = task_named("world_answers").read(None, id=1)["id"][0]
    for target in TASK.targets.values():
        with pytest.raises(DataError, match="is none of world_circuits"):
            target(other, random.Random(0))
