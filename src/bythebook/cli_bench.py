"""The command `bythebook bench …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bythebook.cli_data import AsJson, print_json

__all__ = ["bench"]


def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="scoring: verdicts beside TRL's reward functions. train: a step of GRPO beside TRL's trainer. "
            "rollout: its rollouts beside generate. annotate: sentences under one guideline beside generate. "
            "growth: a step by guideline, group and completion."
        ),
    ],
    rounds: Annotated[
        int | None, typer.Option(min=5, help="Rounds measured, all sides in each; default: the bench's.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Shape: qwen2-6m (default), embedded, qwen2-0.5b, qwen2-1.5b; random weights.")
    ] = None,
    vocabulary: Annotated[int | None, typer.Option(min=8, help="Tokens known; default: the shape's.")] = None,
    group: Annotated[int | None, typer.Option(min=2, help="Rollouts of each prompt; default: 8.")] = None,
    guideline_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens all prompts share; default: 1000.")
    ] = None,
    completion_tokens: Annotated[int | None, typer.Option(min=1, help="Tokens of completions; default: 64.")] = None,
    loss_type: Annotated[str | None, typer.Option(help="TRL's name of the loss; default: dapo.")] = None,
    micro_batch: Annotated[
        int | None, typer.Option(min=1, help="Rollouts in a micro-batch of TRL; default: train searches the best.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu (default) or cuda.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 (default) or bfloat16.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each side; default: torch's.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="growth: where points and plot go.")] = None,
    quick: Annotated[bool | None, typer.Option("--quick", help="Tiny sizes: does it run at all?")] = None,
    as_json: AsJson = False,
) -> None:
    """Side-by-side speed: both sides in one run, in turns, medians; equality checked, memory measured."""
    given = dict(locals())
    from bythebook.studies.bench import print_bench, run_bench

    asked = {option: value for option, value in given.items() if option not in ("name", "as_json")}
    found = run_bench(name, **{option: value for option, value in asked.items() if value is not None})
    print_json(found) if as_json else print_bench(found)
