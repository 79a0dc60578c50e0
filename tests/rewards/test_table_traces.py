"""Which traces are kept for fine-tuning."""

from __future__ import annotations

from typing import Any

import pytest
from table_golds import BARE, ENTAILED, FREE, SENTENCE, TWO, gold, say

from bythebook.rewards.table_traces import Kept, Trace, verified_traces
from bythebook.schema.table_answers import TableGold


def trace(name: str, text: str, its_gold: str, **more: Any) -> Trace:
    return Trace(name, text, TableGold.model_validate_json(its_gold), **more)


def counts(kept: Kept) -> tuple[int, ...]:
    return (len(kept.traces), *kept[1:])


SOUND = (
    trace("items", say('["3"]'), gold("3")),
    trace("number", say("[3]"), gold("3"), tokens=20_480),
    trace("verdict", say('"entailed"'), ENTAILED),
    trace("text", say(f'"{SENTENCE}"'), FREE),
)


def test_verified_traces_are_kept_in_their_order() -> None:
    kept = verified_traces(iter(SOUND))
    assert kept.traces == list(SOUND)
    assert counts(kept) == (4, 0, 0, 0, 0)
    assert verified_traces([]) == Kept([], 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        (trace("x", say('["3"]'), gold("3"), finish_reason="length"), 1),
        (trace("x", say('["3"]'), gold("3"), finish_reason="error"), 1),
        (trace("x", say('["3"]'), gold("3"), tokens=20_481), 1),
        (trace("x", BARE, gold("3")), 2),
        (trace("x", TWO, gold("3")), 2),
        (trace("x", say("3"), gold("3")), 2),
        (trace("x", say("[]"), gold("3")), 2),
        (trace("x", say('"maybe"'), ENTAILED), 2),
        (trace("x", SENTENCE, FREE), 2),
        (trace("x", say('["4"]'), gold("3")), 3),
        (trace("x", say('"refuted"'), ENTAILED), 3),
        (trace("x", say('"Nobody knows."'), FREE), 3),
        (trace("items", say('["3.0"]'), gold("3")), 4),
    ],
)
def test_every_other_trace_is_counted_under_one_reason(bad: Trace, place: int) -> None:
    expected = [4, 0, 0, 0, 0]
    expected[place] += 1
    assert counts(verified_traces([*SOUND, bad])) == tuple(expected)


def test_a_rejected_trace_does_not_use_up_its_question() -> None:
    wrong = trace("items", say('["4"]'), gold("3"))
    assert counts(verified_traces([wrong, *SOUND])) == (4, 0, 0, 1, 0)


def test_how_many_a_question_keeps() -> None:
    many = [trace("q", say('["3"]', thinking=str(n)), gold("3")) for n in range(5)]
    assert [t.completion for t in verified_traces(many, per_question=2).traces] == [t.completion for t in many[:2]]
    assert counts(verified_traces(many, per_question=None)) == (5, 0, 0, 0, 0)


def test_the_protocol_and_the_least_score_are_options() -> None:
    usa = trace("q", say('["USA"]'), gold("usa"))
    assert counts(verified_traces([usa])) == (1, 0, 0, 0, 0)
    assert counts(verified_traces([usa], protocol="training")) == (0, 0, 0, 1, 0)
    near = trace("q", say('"The Herons won twice, in 1998."'), FREE)
    assert counts(verified_traces([near])) == (1, 0, 0, 0, 0)
    assert counts(verified_traces([near], least=0.9)) == (0, 0, 0, 1, 0)


@pytest.mark.parametrize("options", [{"least": 0.0}, {"least": 1.1}, {"per_question": 0}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"least|one trace"):
        verified_traces([], **options)
