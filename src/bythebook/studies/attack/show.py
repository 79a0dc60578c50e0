"""The attack battery for people: a table, and what was overpaid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bythebook.rewards import FAITHFUL
from bythebook.studies.attack.laws import HOLES
from bythebook.studies.attack.outcome import Outcome

__all__ = ["print_attack", "print_search"]

_WIDE = 110


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)


def print_attack(outcomes: Sequence[Outcome], found: dict[str, Any]) -> None:
    """One row a trick and reward: what it earned at best, what an honest answer of the same F1 earns there."""
    console = _console()
    for name in dict.fromkeys(o.reward for o in outcomes):
        control = name in FAITHFUL.values()
        table = Table(title=f"{name} (as published: a control)" if control else name, title_justify="left")
        table.add_column("trick", overflow="fold")
        for column in ("tried", "earned", "honest"):
            table.add_column(column, justify="right")
        table.add_column("")
        for o in outcomes:
            if o.reward == name:
                mark = "overpaid" if o.overpaid else ""
                spoken = o.trick.replace("_", " ")
                table.add_row(spoken, str(o.tried), f"{o.earned:.3f}", f"{o.honest:.3f}", mark)
        console.print(table)
    for row in found["overpaid"]:
        console.print(
            f"{row['reward']} pays {row['trick']} {row['earned']:.3f}, honest {row['honest']:.3f}:", markup=False
        )
        console.print(f"    {row['completion']!r}", markup=False, soft_wrap=True)
    controls = found["faithful"]
    console.print(
        f"{found['rewards']} rewards, {found['tricks']} tricks, {found['tried']} completions judged: "
        f"{len(found['overpaid'])} tricks overpaid; as published: {len(controls['overpaid'])} overpaid by "
        f"{controls['rewards']} reward(s)",
        markup=False,
        soft_wrap=True,
    )


def print_search(found: dict[str, Any]) -> None:
    """What the search came across, ours first."""
    console = _console()
    tried = ", ".join(f"{n} for {name}" for name, n in found["tried"].items())
    console.print(
        f"search (seed {found['seed']}): {tried}: {len(found['overpaid'])} holes", markup=False, soft_wrap=True
    )
    for row in (*found["overpaid"], *found["faithful"]):
        control = " (as published)" if row in found["faithful"] else ""
        said = f"{row['reward']}{control}: {HOLES[row['hole']]}: {row['earned']:.3f} beside {row['honest']:.3f}"
        console.print(said, markup=False, soft_wrap=True)
        console.print(f"    {row['completion']!r}", markup=False, soft_wrap=True)
