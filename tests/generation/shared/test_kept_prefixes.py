"""Kept prefixes change what is computed, and nothing that comes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bythebook.generation.shared.kept import KeptPrefix, KeptPrefixes, fingerprint
from bythebook.generation.shared.kept_files import weights_hash
from bythebook.generation.shared.rollouts import complete
from bythebook.generation.shared.sampler import Drawing
from conftest import STOPS, drawn_ids

torch = pytest.importorskip("torch", reason="the 'train' extra is not installed")

GREEDY = Drawing(max_new_tokens=10, stop_ids=STOPS, temperature=0)
GUIDELINE = drawn_ids(90, 1)
FIRST, SECOND = ([GUIDELINE + drawn_ids(n, seed + n) for n in (3, 8, 5)] for seed in (20, 40))


class Counted:
    """A model, and how many tokens each forward pass was given."""

    def __init__(self, model: Any) -> None:
        self.model, self.tokens = model, []
        self._hook = model.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, module: Any, args: Any, kwargs: Any) -> None:
        self.tokens.append(kwargs["input_ids"].numel())

    def largest(self) -> int:
        """Tokens of the largest pass since the last call."""
        most, self.tokens = max(self.tokens), []
        return most


@pytest.fixture
def counted(tiny_model: Callable[..., Any]) -> Counted:
    return Counted(tiny_model())


@pytest.mark.parametrize("drawing", [GREEDY, Drawing(max_new_tokens=10, stop_ids=STOPS)], ids=["greedy", "sampled"])
def test_a_second_call_computes_tails_only_and_gives_the_same(counted: Counted, drawing: Drawing) -> None:
    kept = KeptPrefixes()
    complete(counted.model, FIRST, drawing, seed=2, kept=kept)
    assert counted.largest() > len(GUIDELINE)
    again = complete(counted.model, SECOND, drawing, seed=2, kept=kept)
    assert counted.largest() == 16
    assert again == complete(counted.model, SECOND, drawing, seed=2)


def test_batches_of_one_call_share_the_guideline(counted: Counted) -> None:
    batches = complete(counted.model, FIRST + SECOND, GREEDY, seed=0, batch_size=2)
    assert sum(count > len(GUIDELINE) for count in counted.tokens) == 1
    assert batches == complete(counted.model, FIRST + SECOND, GREEDY, seed=0)


def test_prompts_that_come_one_by_one_share_what_the_first_left(counted: Counted) -> None:
    kept = KeptPrefixes()
    expected = complete(counted.model, FIRST, GREEDY, seed=0)
    counted.largest()
    for number, prompt in enumerate(FIRST):
        assert complete(counted.model, [prompt], GREEDY, seed=0, kept=kept) == [expected[number]]
        assert (counted.largest() > len(GUIDELINE)) == (number == 0)
    assert len(kept) == 1


def test_a_step_of_training_forgets_what_was_kept(counted: Counted) -> None:
    model, kept = counted.model, KeptPrefixes()
    before = complete(model, FIRST, GREEDY, seed=0, kept=kept)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    model(input_ids=torch.tensor([FIRST[0]]), labels=torch.tensor([FIRST[0]])).loss.backward()
    optimizer.step()
    counted.largest()
    after = complete(model, FIRST, GREEDY, seed=0, kept=kept)
    assert counted.largest() > len(GUIDELINE)
    assert after == complete(model, FIRST, GREEDY, seed=0)
    assert after != before


def test_the_fingerprint_sees_every_change_of_weights(tiny_model: Callable[..., Any]) -> None:
    model = tiny_model()
    seen = {fingerprint(model)}
    weight = model.model.layers[1].mlp.up_proj.weight
    assert fingerprint(model) in seen
    with torch.no_grad():
        weight[0, 1] += 1  # counted by PyTorch
    assert fingerprint(model) not in seen
    seen.add(fingerprint(model))
    weight.data.add_(1)  # not counted
    assert fingerprint(model) not in seen
    seen.add(fingerprint(model))
    model.model.layers[1].mlp.up_proj.weight = torch.nn.Parameter(weight.detach().clone())
    assert fingerprint(model) not in seen


def test_the_fingerprint_sees_a_switched_adapter(tiny_model: Callable[..., Any]) -> None:
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(tiny_model(), peft.LoraConfig(r=2, target_modules=["q_proj"]))
    on = fingerprint(model)
    with model.disable_adapter():
        assert fingerprint(model) != on
    assert fingerprint(model) == on


def test_weights_that_nobody_can_tell_apart_keep_nothing(tiny_model: Callable[..., Any]) -> None:
    with torch.inference_mode():
        model = tiny_model()
    assert fingerprint(model) is None
    kept = KeptPrefixes().of(model)
    layer = (torch.zeros(1, 1, 40, 2),)
    kept.keep(KeptPrefix(np.array(drawn_ids(40, 1)), layer, layer))
    assert len(kept.of(model)) == 0


def test_few_are_kept_the_least_used_go_first() -> None:
    kept = KeptPrefixes()
    ids = [np.array(drawn_ids(50, seed)) for seed in range(6)]
    layer = (torch.zeros(1, 1, 50, 2),)
    for each in ids[:4]:
        kept.keep(KeptPrefix(each, layer, layer))
    first, _ = kept.longest(ids[0], 50)
    assert first is not None
    kept.used(first)
    kept.keep(KeptPrefix(ids[4], layer, layer))
    assert [kept.longest(each, 50)[1] for each in ids[:5]] == [50, 0, 50, 50, 50]


def test_a_prefix_that_is_hardly_new_is_not_worth_keeping() -> None:
    kept = KeptPrefixes()
    layer = (torch.zeros(1, 1, 90, 2),)
    assert kept.worth(np.array(GUIDELINE))
    kept.keep(KeptPrefix(np.array(GUIDELINE), layer, layer))
    assert not kept.worth(np.array(FIRST[0]))
    assert kept.worth(np.array(GUIDELINE[:40] + drawn_ids(50, 9)))
    assert not kept.worth(np.array(drawn_ids(10, 9)))


# ------------------------------------------------------------------------------------------------------- on disk


def test_another_process_finds_the_prefix_on_disk(counted: Counted, tmp_path: Path) -> None:
    folder = tmp_path / "prefixes"
    expected = complete(counted.model, FIRST, GREEDY, seed=0, kept=KeptPrefixes(folder))
    assert counted.largest() > len(GUIDELINE)
    (file,) = folder.iterdir()
    assert file.name.startswith(weights_hash(counted.model)[:32])
    assert "-float32-" in file.name
    assert complete(counted.model, FIRST, GREEDY, seed=0, kept=KeptPrefixes(folder)) == expected
    assert counted.largest() < len(GUIDELINE)


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "text"])
def test_a_damaged_file_is_ignored_and_written_again(damage: str, counted: Counted, tmp_path: Path) -> None:
    expected = complete(counted.model, FIRST, GREEDY, seed=0, kept=KeptPrefixes(tmp_path))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    flipped = whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:]
    file.write_bytes({"empty": b"", "cut": whole[:-9], "flipped": flipped, "text": b"{}" * 99}[damage])
    counted.largest()
    assert complete(counted.model, FIRST, GREEDY, seed=0, kept=KeptPrefixes(tmp_path)) == expected
    assert counted.largest() > len(GUIDELINE)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert complete(counted.model, FIRST, GREEDY, seed=0, kept=KeptPrefixes(tmp_path)) == expected
    assert counted.largest() < len(GUIDELINE)


def test_other_weights_do_not_find_it(counted: Counted, tmp_path: Path) -> None:
    complete(counted.model, FIRST, GREEDY, seed=0, kept=KeptPrefixes(tmp_path))
    with torch.no_grad():
        counted.model.lm_head.weight[3] += 1
    counted.largest()
    complete(counted.model, FIRST, GREEDY, seed=0, kept=KeptPrefixes(tmp_path))
    assert counted.largest() > len(GUIDELINE)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_can_not_be_written_is_said_once(counted: Counted, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = KeptPrefixes(tmp_path / "file")
    with pytest.warns(UserWarning, match="can't be kept"):
        first = complete(counted.model, FIRST, GREEDY, seed=0, kept=kept)
    assert complete(counted.model, FIRST, GREEDY, seed=0, kept=kept) == first
    other = [drawn_ids(80, 3) + tail for tail in ([3], [4])]
    complete(counted.model, other, GREEDY, seed=0, kept=kept)
