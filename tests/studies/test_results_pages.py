from __future__ import annotations

import json
from pathlib import Path

from bythebook.guidelines import load_guideline
from bythebook.records import Record, read_records, write_jsonl
from bythebook.studies.demo_annotations import edit_for_demo, example_files
from bythebook.studies.demo_results import results
from bythebook.studies.kept import keep
from bythebook.studies.semeval_results import results as semeval_results
from bythebook.tasks.world.rules import gold_under


def _record(item: str, sample: int, gold: str, answer: str | None, **tags: str) -> Record:
    return Record(
        schema="bythebook.prediction/1",
        id=item,
        domain="unseen",
        sample=sample,
        gold=gold,
        answer=answer,
        correct=answer == gold,
        well_formed=answer is not None,
        status="ok" if answer == gold else "wrong",
        completion="licensed words",
        tags={"guideline_id": f"g{item}", "case": "plain", "verb": "feeds", **tags},
    )


def _run(folder: Path, right: dict[str, int]) -> Path:
    """A run in which `arm` answers the first `right[arm]` of ten items as the gold has it."""
    arms = [{"name": name, "label": name, "kind": "rl"} for name in right]
    folder.mkdir(parents=True)
    (folder / "demo.json").write_text(json.dumps({"title": "t", "seeds": [0], "k": 2, "arms": arms}))
    for arm, n in right.items():
        for split in ("id", "ood"):
            rows = [
                _record(str(i), s, "R(e1,e2)", "R(e1,e2)" if i < n else "Other") for i in range(10) for s in (-1, 0, 1)
            ]
            write_jsonl(folder / "records" / f"{arm}.{split}.jsonl", rows)
    return folder


def test_kept_records_hold_no_text_and_give_the_same_tables(tmp_path: Path) -> None:
    for seed in (0, 1):
        run = _run(tmp_path / f"run{seed}", {"start": 5, "rl": 9, "sft_answers": 2})
        keep(run, tmp_path / f"kept/seed{seed}")
    kept = read_records(tmp_path / "kept/seed0/records/rl.ood.jsonl.gz")
    assert len(kept) == 30
    assert all(r.completion is None and "verb" not in r.tags for r in kept)
    page = results(tmp_path / "kept")
    assert "90.0" in page
    assert "50.0" in page
    again = tmp_path / "again"
    keep(tmp_path / "run0", again)
    files = sorted(p.name for p in (again / "records").iterdir())
    assert files
    for name in files:
        assert (again / "records" / name).read_bytes() == (tmp_path / "kept/seed0/records" / name).read_bytes()


def test_the_sweep_table_shows_the_mean_over_seeds_and_a_dash_where_nothing_was_run(tmp_path: Path) -> None:
    for seed, n in enumerate((2, 4)):
        _run(tmp_path / f"raw{seed}", {"start": 5, "rl": 9, "sft_answers": n})
        keep(tmp_path / f"raw{seed}", tmp_path / f"kept/seed{seed}")
        sweep = tmp_path / f"sweep{seed}"
        rows = [_record(str(i), -1, "R(e1,e2)", "R(e1,e2)" if i < n else None) for i in range(10)]
        write_jsonl(sweep / "records" / "sft_0.0001_40.ood.jsonl", rows)
        keep(sweep, tmp_path / f"kept/sweep/seed{seed}")
    line = next(x for x in results(tmp_path / "kept").splitlines() if x.startswith("| 0.0001 "))
    assert line == "| 0.0001 | – | 30.0 | – | – |"


def test_semeval_figures_are_recomputed_from_ids_and_answers(tmp_path: Path) -> None:
    for seed in (0, 1):
        folder = tmp_path / f"seed{seed}/raw/records"
        golds = ["Cause-Effect(e1,e2)", "Other", "Message-Topic(e2,e1)"] * 4
        rows = [
            _record(f"semeval2010-{8001 + i}", -1, gold, gold if i % 3 != 2 else "Other")
            for i, gold in enumerate(golds)
        ]
        write_jsonl(folder / "trained.test.jsonl", rows)
        keep(tmp_path / f"seed{seed}/raw", tmp_path / f"kept/seed{seed}")
    lines = semeval_results(tmp_path / "kept").splitlines()
    row = next(x for x in lines if "after" in x)
    # Cause-Effect is answered perfectly, Message-Topic never: the mean over the relations in the gold.
    assert "| 0.5000 | 0.500 … 0.500 |" in row
    assert "0.6667" in row


def test_the_demo_edit_swaps_two_labels_and_turns_one_clause_round() -> None:
    written = load_guideline(example_files()[0])
    changed = edit_for_demo(written)
    first, second, third, fourth = (r.name for r in written.relation_types)
    assert [r.name for r in changed.relation_types] == [second, first, third, fourth]
    assert gold_under(written, "repairs", None, False).text == f"{first}(e1,e2)"
    assert gold_under(changed, "repairs", None, False).text == f"{second}(e1,e2)"
    assert gold_under(written, "drives", None, False).text == f"{third}(e1,e2)"
    assert gold_under(changed, "drives", None, False).text == f"{third}(e2,e1)"
