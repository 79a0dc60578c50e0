"""Kept runs of the benches of models → the tables of docs/performance.md.

    python -m bythebook.studies.bench_tables bench docs/performance.md

In the document a table stands between `<!-- bench: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bythebook.errors import InputError
from bythebook.records import read_jsonl, write_text
from bythebook.studies.bench_growth_show import tables as growth_tables
from bythebook.studies.kept import table_row

__all__ = ["decoding_table", "filled", "kept_tables", "splits_table", "train_table"]

Run = Mapping[str, Any]

_VOCABULARIES = {"qwen2-6m": 8_192, "embedded": 649, "tiny": 64, "qwen2-0.5b": 151_936, "qwen2-1.5b": 151_936}


def kept_tables(folder: Path) -> dict[str, str]:
    """The tables of the runs that are kept in a folder, by name."""
    train, rollout, annotate = (_runs(folder, name) for name in ("train", "rollout", "annotate"))
    found = {"train": train_table(train), "splits": splits_table(train[0])} if train else {}
    if rollout or annotate:
        found["decoding"] = decoding_table([*rollout, *annotate])
    if (folder / "growth.jsonl").exists():
        found |= growth_tables([row for _, row in read_jsonl(folder / "growth.jsonl")])
    return found


def filled(document: str, tables: Mapping[str, str]) -> str:
    """The document with these tables in their places. InputError if there is no place for one."""
    for name, table in tables.items():
        begin, end = f"<!-- bench: {name} -->\n", "<!-- end -->"
        before, found, rest = document.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise InputError(f"the document has no place for the table {name!r}", remedy=begin.strip() + " … " + end)
        document = f"{before}{begin}\n{table}\n\n{end}{after}"
    return document


def _runs(folder: Path, name: str) -> list[Run]:
    """The run of that name, then its variants."""
    files = sorted(folder.glob(f"{name}*.json"), key=lambda file: (len(file.stem) > len(name), file.stem))
    return [run for file in files for _, run in read_jsonl(file)]


def _ratio(value: float) -> str:
    return f"{value:.1f} ×"


def _size(setting: Run) -> str:
    return f"{setting['vocabulary'] or _VOCABULARIES[setting['model']]:,}"


def train_table(runs: Sequence[Run]) -> str:
    """A step of each run."""
    head = ["shape", "vocabulary", "group", "TRL, s", "ours, s", "time", "peak memory", "of TRL's leanest"]
    head += ["error of the loss", "of gradients"]
    lines = [table_row(head), table_row(["---", *["--:"] * (len(head) - 1)])]
    for run in runs:
        s, errors = run["setting"], run["relative_errors"]
        times = [f"{run[key]:.2f}" for key in ("peer_s", "ours_s")]
        ratios = [_ratio(run[key]) for key in ("ratio", "peak_memory_ratio", "leanest_peer_memory_ratio")]
        equal = [f"{errors[key]:.0e}" for key in ("loss", "gradient")]
        lines.append(table_row([s["model"], _size(s), str(s["group"]), *times, *ratios, *equal]))
    return "\n".join(lines)


def splits_table(run: Run) -> str:
    """What TRL was tried with."""
    head = ["rollouts in a micro-batch of TRL", "activation checkpointing", "s", "peak, MB"]
    lines = [table_row(head), table_row(["--:", "---", "--:", "--:"])]
    for split in run["peer_splits"]:
        checkpointing = "yes" if split["checkpointing"] else "no"
        cells = [str(split["micro_batch"]), checkpointing, f"{split['seconds']:.1f}", f"{split['peak'] / 1e6:.0f}"]
        lines.append(table_row(cells))
    return "\n".join(lines)


def decoding_table(runs: Sequence[Run]) -> str:
    """Rollouts and annotation, beside both peers."""
    head = [
        "what",
        "ours, s",
        "`generate`, s",
        "time",
        "peak memory",
        "cached prefix, s",
        "time",
        "peak memory",
        "differ",
    ]
    lines = [table_row(head), table_row(["---", *["--:"] * (len(head) - 1)])]
    for run in runs:
        s, cached = run["setting"], run["cached_prefix"]
        what = f"{s['sentences']} sentences × {s['new_tokens']}" if "sentences" in s else _rollouts(s)
        found = [f"{run['ours_s']:.2f}", f"{run['peer_s']:.2f}", *_ratios(run)]
        lines.append(
            table_row([what, *found, f"{cached['peer_s']:.2f}", *_ratios(cached), f"{run['max_relative_error']:.0%}"])
        )
    return "\n".join(lines)


def _ratios(run: Run) -> list[str]:
    return [_ratio(run[key]) for key in ("ratio", "peak_memory_ratio")]


def _rollouts(setting: Run) -> str:
    return f"{setting['prompts']} prompts × {setting['group']} rollouts × {setting['completion']}"


def main() -> int:
    """The script: the tables of the runs kept in a folder, printed or put into a document."""
    tables = kept_tables(Path(sys.argv[1]))
    for name in sys.argv[2:]:
        write_text(Path(name), filled(Path(name).read_text(encoding="utf-8"), tables))
    if not sys.argv[2:]:
        sys.stdout.write("\n\n".join(tables.values()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
