"""Run directories as the demo and a training run leave them, made from seeded draws."""

from __future__ import annotations

import json
import random
from pathlib import Path

from bythebook.records import PREDICTION_SCHEMA, ROLLOUT_SCHEMA, Record, write_jsonl

ARMS = {
    "start": ("embedded model, before", "start", {"id": 0.60, "ood": 0.47}),
    "rl": ("R1-RE RL", "rl", {"id": 0.97, "ood": 0.84}),
    "sft_answers": ("SFT on answers", "sft", {"id": 0.66, "ood": 0.11}),
    "sft_careful": ("SFT on careful reasoning", "sft", {"id": 0.98, "ood": 0.85}),
    "rl_random": ("RL, random reward", "rl", {"id": 0.58, "ood": 0.46}),
    "rl_format": ("RL, format-only reward", "rl", {"id": 0.68, "ood": 0.53}),
}
CASES = ("plain", "exception_not_fired", "exception", "no_rule")
_LABELS = ("Dima-Dan(e2,e1)", "Lumo-Gar(e1,e2)", "Tiro-Bex(e2,e1)", "Sano-Kel(e1,e2)")
_EDITS = {  # edit: (accuracy before, after) of RL and of answer-only fine-tuning
    "wrong_guideline": ((0.91, 0.012), (0.15, 0.01)),
    "rotated_names": ((0.91, 0.91), (0.15, 0.12)),
    "swapped_names": ((0.90, 0.91), (0.16, 0.09)),
    "flipped_direction": ((0.90, 0.90), (0.14, 0.13)),
    "dropped_exception": ((0.96, 0.95), (0.15, 0.08)),
    "added_exception": ((0.86, 0.94), (0.13, 0.10)),
    "no_rule": ((0.72, 0.72), (0.05, 0.05)),
}


def record(rng: random.Random, item: int, sample: int, p: float, reasons: bool = True, **more: object) -> Record:
    """One prediction that is right with probability `p`."""
    case = CASES[item % 4]
    gold = "Other" if case in ("exception", "no_rule") else _LABELS[item % 3]
    right = rng.random() < p
    answer = gold if right else _LABELS[(item + 1) % 4]
    well_formed = reasons and rng.random() < 0.985
    thinking = f"<think> replaces {answer} unless officially; saw allegedly no</think>" if reasons else ""
    fields: dict[str, object] = {
        "id": f"w-{item}",
        "domain": f"domain-{item % 7}",
        "sample": sample,
        "gold": gold,
        "answer": answer,
        "correct": right,
        "well_formed": well_formed,
        "status": ("ok" if right else "wrong") if well_formed else "malformed",
        "value": (3.0 if right else -0.5) if well_formed else -3.0,
        "completion": f"{thinking}<answer> {answer}</answer>",
        "tokens": 21 if reasons else 6,
        "tags": {"case": case, "guideline_id": f"g-{item // 6}"},
    }
    return Record.model_validate({"schema": PREDICTION_SCHEMA, **fields, **more})


def demo_run(path: Path, seed: int = 0, items: int = 96, accuracy: dict[str, float] | None = None) -> Path:
    """A run of the demo; `accuracy` overrides the out-of-domain accuracy of arms."""
    rng = random.Random(seed)
    write_json(
        path / "demo.json",
        {
            "title": "A small model learns to read the annotation guideline",
            "seeds": [seed],
            "k": 4,
            "started": "2025-11-03 14:20",
            "seconds": 431.2,
            "arms": [{"name": n, "label": label, "kind": kind} for n, (label, kind, _) in ARMS.items()],
            "notes": ["Words outside the closed vocabulary are marked with a warning."],
        },
    )
    write_json(
        path / "environment.json", {"python": "3.11.7", "versions": {"torch": "2.10", "trl": "1.16"}, "seed": seed}
    )
    for arm, (_, _, expected) in ARMS.items():
        for name, p in expected.items():
            p = (accuracy or {}).get(arm, p) if name == "ood" else p
            rows = [
                record(rng, i, s, p + (0.08 if s < 0 else 0), arm != "sft_answers")
                for i in range(items)
                for s in range(-1, 4)
            ]
            write_jsonl(path / "records" / f"{arm}.{name}.jsonl", rows)
        _write_metrics(path / "arms" / arm / "metrics.jsonl", arm, rng)
    for column, arm in enumerate(("rl", "sft_answers")):
        for edit, expected_edit in _EDITS.items():
            rows = [_edited(rng, i, edit, *expected_edit[column]) for i in range(items)]
            write_jsonl(path / "records" / f"{arm}.{edit}.jsonl", rows)
    write_json(path / "annotations.json", annotation_blocks())
    write_json(path / "prompts.json", {f"w-{i}": prompt(i) for i in range(items)})
    return path


def prompt(item: int) -> str:
    """A prompt as the embedded model sees it."""
    return (
        "Guideline:\n- Dima-Dan(e2,e1): e1 orders e2 unless supposedly.\n- Lumo-Gar(e1,e2): e1 covers e2 unless "
        f"officially.\nText: This narrow <e1>camera</e1>, which scans the office {item}, allegedly replaces the "
        "distant <e2>kettle</e2>."
    )


def _edited(rng: random.Random, item: int, edit: str, before: float, after: float) -> Record:
    made = record(rng, item, -1, after)
    old = made.gold if edit in ("wrong_guideline", "no_rule") else _LABELS[(item + 2) % 4]
    tags = {**made.tags, "gold_before": old or "", "correct_before": "true" if rng.random() < before else "false"}
    return made.model_copy(update={"tags": tags})


def _write_metrics(path: Path, arm: str, rng: random.Random) -> None:
    steps = 60 if arm in ("rl", "sft_answers", "sft_careful") else 30
    if arm == "start":
        return
    end = ARMS[arm][2]["ood"]
    lines: list[dict[str, object]] = []
    for step in range(steps + 1):
        done = 1 - 0.93**step
        now = 0.5 + (end - 0.5) * done
        if step % 10 == 0:
            lines.append(
                {"step": step, "eval": {"id_accuracy": 0.6 + (ARMS[arm][2]["id"] - 0.6) * done, "ood_accuracy": now}}
            )
        if arm.startswith("sft"):
            lines.append({"step": step, "loss": 2.2 * 0.94**step + rng.random() * 0.1})
        elif step:
            noisy = min(1.0, max(0.0, now + rng.gauss(0, 0.05)))
            lines.append(
                {
                    "step": step,
                    "reward": 3.5 * noisy - 0.5,
                    "format_rate": min(1.0, 0.98 + rng.gauss(0, 0.01)),
                    "accuracy": noisy,
                    "completion_length": 18 + 3 * done + rng.gauss(0, 0.3),
                    "entropy": 0.35 * 0.96**step + rng.random() * 0.02,
                    "groups_without_signal": min(1.0, 0.2 + 0.6 * done + rng.random() * 0.1),
                }
            )
    write_jsonl(path, lines)


def annotation_blocks() -> list[dict[str, object]]:
    """Five sentences under a guideline as written, and after two names were swapped and a direction was flipped."""
    guideline = "# Workshop\n\n## Holds\n*Definition*: e1 covers e2.\n\n## Serves\n*Definition*: e1 orders e2.\n"
    diff = "--- as written\n+++ after the edit\n@@ -3,5 +3,5 @@\n-## Holds\n+## Serves\n *Definition*: e1 covers e2.\n"
    texts = [
        "The <e1>lid</e1> covers the <e2>kettle</e2>.",
        "A <e1>clerk</e1> orders the narrow <e2>camera</e2>.",
        "The <e2>drawer</e2> is what the <e1>cloth</e1> covers.",
        "A <e1>pancake</e1> allegedly covers the <e2>desk</e2>.",
        "The <e1>guard</e1> scans the <e2>office</e2>.",
    ]
    answers = (
        ["Holds(e1,e2)", "Serves(e1,e2)", "Holds(e1,e2)", "Holds(e1,e2)", "Other"],
        ["Serves(e1,e2)", "Holds(e2,e1)", "Serves(e1,e2)", "Serves(e1,e2)", "Other"],
    )
    blocks = []
    for title, found, change in zip(("as written", "after the edit"), answers, ("", diff), strict=True):
        rows = [
            {
                "text": text,
                "completion": f"<think> covers {answer}; saw no exception</think><answer> {answer}</answer>",
                "thinking": f"covers {answer}; saw no exception",
                "answer": answer,
                **({"warning": "the model never saw 'pancake'; its answer is a guess"} if "pancake" in text else {}),
            }
            for text, answer in zip(texts, found, strict=True)
        ]
        blocks.append({"title": title, "guideline": guideline, "diff": change, "rows": rows})
    return blocks


def training_run(path: Path) -> Path:
    """An ordinary RL run: recipe, metrics, rollouts and predictions."""
    rng = random.Random(3)
    path.mkdir(parents=True, exist_ok=True)
    (path / "recipe.yaml").write_text("model: tiny  # our choice\ntraining:\n  steps: 60\n", encoding="utf-8")
    _write_metrics(path / "metrics.jsonl", "rl", rng)
    rollouts = [
        record(rng, i, s, 0.3 + step / 100, schema=ROLLOUT_SCHEMA, step=step, advantage=0.0)
        for step in range(1, 20)
        for i in range(2)
        for s in range(8)
    ]
    write_jsonl(path / "records" / "rollouts.jsonl", rollouts)
    write_jsonl(path / "records" / "test.jsonl", [record(rng, i, -1, 0.7) for i in range(40)])
    return path


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
