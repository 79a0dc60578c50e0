"""The command `bythebook attack …`."""

from __future__ import annotations

from typing import Annotated

import typer

from bythebook.cli_data import AsJson, print_json

__all__ = ["attack"]


def attack(
    rewards: Annotated[
        list[str] | None, typer.Argument(metavar="[REWARD]...", help="Which rewards; default: all that read the gold.")
    ] = None,
    search: Annotated[
        int, typer.Option(min=0, metavar="N", help="Search for unknown tricks, too: N candidates for each reward.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Every known trick against every reward: what it earned, and what an honest answer of the same F1 earns.

    Exit code 1 if a reward pays a trick more. Published originals are attacked, too, as controls: what they overpay is
    listed apart.
    """
    from bythebook.studies.attack.battery import attack as play_all
    from bythebook.studies.attack.battery import summary
    from bythebook.studies.attack.show import print_attack

    outcomes = play_all(rewards or ())
    found = summary(outcomes)
    searched = None
    if search:
        from bythebook.studies.attack.search import search_rewards

        searched = search_rewards(rewards or (), search, seed)
        found["search"] = searched
    if as_json:
        print_json(found)
    else:
        print_attack(outcomes, found)
        if searched is not None:
            from bythebook.studies.attack.show import print_search

            print_search(searched)
    if found["overpaid"] or (searched is not None and searched["overpaid"]):
        raise typer.Exit(1)
