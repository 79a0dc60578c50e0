"""The demo: the whole pipeline on the embedded model and the procedural world, in minutes on two CPU cores."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bythebook.errors import InputError
from bythebook.guidelines import keep_guidelines
from bythebook.prompts import PromptStyle, render
from bythebook.studies.demo_annotations import annotate_twice
from bythebook.studies.demo_arms import ARMS, DemoSize, is_done, run_arm, test_sets
from bythebook.studies.side_by_side import cores, worker_pool
from bythebook.training import write_environment

__all__ = ["run_demo"]

_POLL_SECONDS = 0.5
_PROMPTS_KEPT = 64
"""Prompts of out-of-domain sentences kept for the page, which shows one of them."""

Watcher = Callable[[Mapping[str, str]], None]
"""Called with arm → what it is doing."""


def run_demo(
    output: Path | str,
    *,
    seed: int = 0,
    size: DemoSize | None = None,
    arms: Sequence[str] | None = None,
    workers: int | None = None,
    watch: Watcher | None = None,
) -> Path:
    """Train and evaluate all arms from the embedded model, annotate the example sentences, and keep everything the
    report reads. Arms that a former, interrupted demo finished in the same folder are kept.

    Returns `output`. InputError for an unknown arm, or a folder with a demo of another seed or size.
    """
    run, size, started = Path(output), size or DemoSize(), time.monotonic()
    chosen = list(arms or ARMS)
    unknown = [name for name in chosen if name not in ARMS]
    if unknown:
        raise InputError(f"no demo arm {unknown[0]!r}", remedy=f"there are: {', '.join(ARMS)}")
    _claim(run, seed, size)
    waiting = [name for name in chosen if not is_done(run, name)]
    if waiting:
        _run_arms(run, waiting, seed, size, workers or min(len(ARMS), cores()), watch)
    _keep_prompts(run, size, seed)
    keep_guidelines(run, (e.guideline for rows in test_sets(size, seed).values() for e in rows))
    write_environment(run / "environment.json", seed)
    if "rl" in chosen:
        (watch or _silent)({"annotations": "annotating the example sentences"})
        annotate_twice(run / "arms" / "rl" / "model", run)
    _describe(run, chosen, seed, size, time.monotonic() - started)
    return run


def _silent(_: Mapping[str, str]) -> None:
    return None


def _claim(run: Path, seed: int, size: DemoSize) -> None:
    """Note what this folder is for; refuse one that holds another demo."""
    run.mkdir(parents=True, exist_ok=True)
    wanted = json.loads(json.dumps({"seed": seed, "size": asdict(size)}))
    file = run / "size.json"
    if file.exists() and json.loads(file.read_text(encoding="utf-8")) != wanted:
        raise InputError("holds a demo of another seed or size", file=run, remedy="choose another --output")
    file.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _run_arms(run: Path, names: Sequence[str], seed: int, size: DemoSize, workers: int, watch: Watcher | None) -> None:
    with worker_pool(min(workers, len(names))) as pool:
        futures = {pool.submit(run_arm, name, str(run), seed, size): name for name in names}
        _follow(run, futures, watch or _silent)


def _follow(run: Path, futures: dict[Future[str], str], watch: Watcher) -> None:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        watch({name: _doing(run, name, future) for future, name in futures.items()})


def _doing(run: Path, name: str, future: Future[str]) -> str:
    """One line on an arm, from what it has written so far."""
    if future.done():
        return "done"
    if not future.running():
        return "waiting"
    lines = _metric_lines(run / "arms" / name / "metrics.jsonl")
    trained = [line for line in lines if "eval" not in line]
    if ARMS[name].recipe is None or (run / "arms" / name / "model" / "config.json").exists():
        return "evaluating"
    if not trained:
        return "starting"
    last = trained[-1]
    shown = {"reward": "reward", "accuracy": "right", "format_rate": "format", "loss": "loss"}
    figures = [f"{label} {last[key]:.2f}" for key, label in shown.items() if last.get(key) is not None]
    probes = [line["eval"].get("ood_accuracy") for line in lines if "eval" in line]
    seen = [f"never-seen guidelines {probes[-1]:.0%}"] if probes and probes[-1] is not None else []
    return "  ".join([f"step {last['step']}", *figures[:3], *seen])


def _metric_lines(file: Path) -> list[dict[str, Any]]:
    """The whole lines of a file that another process is writing."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def _keep_prompts(run: Path, size: DemoSize, seed: int) -> None:
    style = PromptStyle(template="short", rendering="rules")
    kept = test_sets(size, seed)["ood"][:_PROMPTS_KEPT]
    prompts = {e.id: render(e, style)[0]["content"] for e in kept}
    (run / "prompts.json").write_text(json.dumps(prompts, ensure_ascii=False), encoding="utf-8")


def _describe(run: Path, arms: Sequence[str], seed: int, size: DemoSize, seconds: float) -> None:
    order = ["start", "rl", "sft_answers", "sft_careful", "rl_random", "rl_format"]
    described = [{"name": name, "label": ARMS[name].label, "kind": ARMS[name].kind} for name in order if name in arms]
    file = run / "demo.json"
    former = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    found = {
        "title": "Reading guidelines it has never seen",
        "seeds": [seed],
        "k": size.samples,
        "started": former.get("started") or datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(former.get("seconds", 0) + seconds, 1),
        "arms": described,
        "commands": [f"bythebook demo --seed {seed} --output {run.name}", f"bythebook report {run.name}"],
    }
    file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
