"""How fast completions are scored: full verdicts (parse and R1-RE's reward) beside TRL's own reward functions.

    bythebook bench scoring --json > bench/scoring.json
    python -m bythebook.studies.bench_scoring bench/scoring.json      the table of docs/performance.md

Ours reads a label with direction between answer tags. TRL's `think_format_reward` looks for the thinking tags with one
regular expression; its `accuracy_reward` finds and compares a mathematical answer. Both sides get the same reasoning,
each with an answer in its own form, right or wrong in the same places.
"""

from __future__ import annotations

import os
import platform
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bythebook.errors import MissingExtraError
from bythebook.records import read_jsonl
from bythebook.rewards import reward
from bythebook.schema import Gold, Grammar
from bythebook.studies.bench import interleaved, peak_bytes
from bythebook.studies.kept import table_row
from bythebook.types import Label

__all__ = ["LENGTHS", "bench_scoring", "completions_of", "table"]

TOKENS = 1000
LENGTHS = (250, 1000, 4000, 16_000, 64_000, 256_000)
"""Tokens of a completion, in the test of growth."""
_CHARACTERS_PER_TOKEN = 4
"""Of English text; no tokenizer is needed, since scoring reads characters."""
_BATCH = 64
_GOLD, _OTHER = "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"
_WORDS = (
    "the first mention is a storm and the second one names damage so compare both with the definition of this relation "
    "where something brings about something else but check the direction before you answer"
).split()
_HOSTILE = {"tags": "<think></think><answer></answer>", "beginnings of tags": "<answer ", "white space": " \n\t"}
"""What a completion is filled with to slow a parser down."""


def completions_of(number: int, tokens: int, *, seed: int = 0) -> tuple[list[str], list[str], list[bool]]:
    """(ours, TRL's, which are right): the same reasoning with an answer in each side's form. In turn right, wrong,
    right, and without end of thinking."""
    rng = random.Random(f"bythebook bench/{seed}")
    ours, theirs, right = [], [], []
    for i in range(number):
        thinking = " ".join(rng.choices(_WORDS, k=tokens))[: tokens * _CHARACTERS_PER_TOKEN]
        closed = "" if i % 4 == 3 else "</think>"
        is_right = i % 2 == 0
        ours.append(f"<think>{thinking}{closed}<answer>{_GOLD if is_right else _OTHER}</answer>")
        theirs.append(f"<think>{thinking}{closed} The answer is $\\boxed{{{7 if is_right else 8}}}$.")
        right.append(is_right)
    return ours, theirs, right


def _gold() -> str:
    names = ("Cause-Effect", "Component-Whole", "Entity-Origin", "Message-Topic")
    grammar = Grammar(relations=names, no_relation="Other")
    return Gold(label=Label(name="Cause-Effect", direction="(e1,e2)"), grammar=grammar).to_json()


def bench_scoring(
    *, rounds: int = 7, tokens: int = TOKENS, number: int = _BATCH, lengths: tuple[int, ...] = LENGTHS
) -> dict[str, Any]:
    """The contract of `studies.bench`; beside it `format_only` (TRL's format check alone), `growth` (seconds of one
    completion by its length, and the exponent of a power law through them) and `hostile`.

    `max_relative_error` is the largest difference between both sides' judgements of form times rightness: 0 where they
    agree on every completion. MissingExtraError without TRL.
    """
    try:
        from bythebook.training.trl_rewards import trl_accuracy, trl_format
    except ImportError:
        raise MissingExtraError("the bench of scoring", "train") from None
    ours, theirs, _ = completions_of(number, tokens)
    judge, gold = reward("r1_re"), _gold()
    golds, solutions = [gold] * number, ["$7$"] * number
    accuracy = trl_accuracy()

    def score_ours() -> list[bool]:
        return [judge.verdict(text, g).correct for text, g in zip(ours, golds, strict=True)]

    def check_form() -> list[float]:
        return trl_format(theirs)

    def score_theirs() -> list[float]:
        form = trl_format(theirs)
        right = accuracy(theirs, solutions) if accuracy else [1.0] * number
        return [f * (r or 0.0) for f, r in zip(form, right, strict=True)]

    ours_s, form_s, peer_s = interleaved([score_ours, check_form, score_theirs], rounds)
    wanted = score_theirs() if accuracy else [float(f and i % 2 == 0) for i, f in enumerate(check_form())]
    differences = [abs(float(mine) - other) for mine, other in zip(score_ours(), wanted, strict=True)]
    return {
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "peak_memory_ratio": peak_bytes(score_theirs) / peak_bytes(score_ours),
        "max_relative_error": max(differences),
        "setting": _setting(number, tokens, rounds, math_verify=accuracy is not None),
        "format_only": {"peer_s": form_s, "ratio": form_s / ours_s},
        "growth": _growth(judge, gold, rounds, lengths),
        "hostile": _hostile(judge, gold, rounds, tokens),
    }


def _setting(number: int, tokens: int, rounds: int, *, math_verify: bool) -> dict[str, Any]:
    return {
        "completions": number,
        "tokens": tokens,
        "characters_per_token": _CHARACTERS_PER_TOKEN,
        "rounds": rounds,
        "ours": "parse and verdict of r1_re",
        "peer": "trl think_format_reward" + (" and accuracy_reward" if math_verify else ", math-verify being absent"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
    }


def _growth(judge: Any, gold: str, rounds: int, lengths: tuple[int, ...]) -> dict[str, Any]:
    texts = [completions_of(4, tokens)[0] for tokens in lengths]
    works = [lambda batch=batch: [judge.verdict(text, gold) for text in batch] for batch in texts]
    seconds = [s / 4 for s in interleaved(works, rounds)]
    # In the shorter half the constant cost of a verdict hides the growth.
    half = len(lengths) // 2
    exponent = np.polyfit(np.log(lengths[half:]), np.log(seconds[half:]), 1)[0]
    return {"tokens": list(lengths), "seconds": seconds, "exponent_of_the_longer_half": float(exponent)}


def _hostile(judge: Any, gold: str, rounds: int, tokens: int) -> dict[str, float]:
    """Seconds of one completion of that many tokens, by what it is filled with."""
    size = tokens * _CHARACTERS_PER_TOKEN
    texts = {name: (piece * (size // len(piece) + 1))[:size] for name, piece in _HOSTILE.items()}
    works = [lambda text=text: judge.verdict(text, gold) for text in texts.values()]
    return dict(zip(texts, interleaved(works, rounds), strict=True))


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    each = 1e6 / found["setting"]["completions"]
    tokens = f"{found['setting']['tokens']:,}"
    lines = [table_row([f"{tokens}-token completions", "µs each", "peer ÷ ours"]), table_row(["---", "--:", "--:"])]
    lines.append(table_row(["ours: " + found["setting"]["ours"], f"{found['ours_s'] * each:.0f}", ""]))
    form = found["format_only"]
    lines.append(table_row(["trl think_format_reward alone", f"{form['peer_s'] * each:.0f}", f"{form['ratio']:.2f}"]))
    lines.append(table_row([found["setting"]["peer"], f"{found['peer_s'] * each:.0f}", f"{found['ratio']:.1f}"]))
    growth = found["growth"]
    lines += ["", table_row(["tokens", *(f"{n:,}" for n in growth["tokens"])])]
    lines.append(table_row(["---", *["--:"] * len(growth["tokens"])]))
    lines.append(table_row(["µs a verdict", *(f"{1e6 * s:.0f}" for s in growth["seconds"])]))
    lines += ["", f"Exponent over the longer half: {growth['exponent_of_the_longer_half']:.2f} (1 is linear)."]
    hostile = ", ".join(f"{name} {1e6 * s:.0f} µs" for name, s in found["hostile"].items())
    lines += [f"Filled with what slows parsers down ({tokens} tokens): {hostile}."]
    return "\n".join(lines)


def main() -> int:
    """The script: the table of a kept run."""
    _, found = next(iter(read_jsonl(Path(sys.argv[1]))))
    sys.stdout.write(table(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
