from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bythebook.errors import RecipeError
from bythebook.recipe import Recipe, dump_recipe, load_recipe, recipe_names

PACKAGED = Path(__file__).parents[2] / "src" / "bythebook" / "recipes"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A copy of an RL recipe that a test may change."""
    file = tmp_path / "mine.yaml"
    file.write_text((PACKAGED / "r1_re_tiny.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return file


def _line(text: str, start: str) -> int:
    """The line that begins with `start`, from 1."""
    (number,) = [n for n, line in enumerate(text.splitlines(), start=1) if line.startswith(start)]
    return number


def _changed(file: Path, start: str, new: str) -> str:
    """Put `new` in place of the line that begins with `start`; the text as it is then."""
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    lines[_line(text, start) - 1] = new
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file.read_text(encoding="utf-8")


# ----------------------------------------------------------------------------------- what loads


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_of_the_package_survives_writing_and_reading(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    file = tmp_path / "recipe.yaml"
    file.write_text(dump_recipe(recipe), encoding="utf-8")
    assert load_recipe(file) == recipe
    assert dump_recipe(load_recipe(file)) == dump_recipe(recipe)


def test_the_resolved_recipe_has_every_default_written_out() -> None:
    tree = yaml.safe_load(dump_recipe(load_recipe("r1_re_tiny")))
    assert set(tree) == set(Recipe.model_fields)
    for section in ("model", "data", "training", "evaluation", "rollout", "objective", "reward", "prompt"):
        assert set(tree[section]) == set(type(getattr(load_recipe("r1_re_tiny"), section)).model_fields)


def test_a_file_by_path_is_the_recipe_by_name(written: Path) -> None:
    assert load_recipe(written) == load_recipe(str(written)) == load_recipe("r1_re_tiny")


def test_a_byte_order_mark_is_no_part_of_the_recipe(written: Path) -> None:
    written.write_text(written.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert load_recipe(written) == load_recipe("r1_re_tiny")


@pytest.mark.parametrize("number", ["1e-6", "1E-6", "1.0e-6", "1.e-6", ".1e-5", "0.000001", "+1e-6"])
def test_a_number_in_scientific_notation_is_a_number(number: str, written: Path) -> None:
    _changed(written, "  learning_rate:", f"  learning_rate: {number}")
    assert load_recipe(written).training.learning_rate == 1e-6
    assert load_recipe("r1_re_tiny", [f"training.learning_rate={number}"]).training.learning_rate == 1e-6


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("seed=7", "seed", 7),
        ("training.max_steps=20", "training.max_steps", 20),
        ("training.threads=null", "training.threads", None),
        ("training.threads=", "training.threads", None),
        ("training.bf16=true", "training.bf16", True),
        ("model.path=runs/first/model", "model.path", "runs/first/model"),
        ("data.path='a = b.txt'", "data.path", "a = b.txt"),
        ("evaluation.splits=[ood]", "evaluation.splits", ("ood",)),
        (" training.max_steps =3", "training.max_steps", 3),
    ],
)
def test_an_override_replaces_one_value(setting: str, path: str, value: object) -> None:
    plain, changed = load_recipe("r1_re_tiny"), load_recipe("r1_re_tiny", [setting])
    section, _, key = path.rpartition(".")
    found = getattr(getattr(changed, section) if section else changed, key)
    assert found == value
    assert type(found) is type(value)
    same = changed.model_dump()
    (same[section] if section else same)[key] = (plain.model_dump()[section] if section else plain.model_dump())[key]
    assert same == plain.model_dump()


def test_overrides_reach_into_options_and_the_last_one_holds() -> None:
    recipe = load_recipe("r1_re_tiny", ["data.options.k=[2, 8]", "data.options.new=1", "data.options.new=2"])
    assert recipe.data.options["k"] == [2, 8]
    assert recipe.data.options["new"] == 2
    assert recipe.data.options["per_guideline"] == 4
    assert load_recipe("r1_re_tiny", ["reward.options.wrong=-1"]).reward.options == {"wrong": -1}  # type: ignore[union-attr]


# ----------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("  beta:", "  betta: 0.0", "  betta:", "objective.betta: Extra inputs"),
        ("  beta:", "", "objective:", "objective.beta: Field required"),
        ("  delta:", "  delta: null\n  colour: red", "  colour:", "objective.colour: Extra inputs"),
        ("reward:", "rewards:\n  colour: red\nreward:", "rewards:", "rewards: Extra inputs"),
        ("  max_steps:", "  max_steps: many", "  max_steps:", "training.max_steps: Input should be a valid integer"),
        ("  max_steps:", "  max_steps: 0", "  max_steps:", "training.max_steps: .*greater than or equal to 1"),
        ("  loss_type:", "  loss_type: ppo", "  loss_type:", "objective.loss_type: .*'grpo', 'dr_grpo'"),
        ("  num_generations:", "  num_generations: 1", "  num_generations:", "rollout.num_generations"),
        ("method:", "method: dpo", "method:", "method: Input should be 'rl' or 'sft'"),
        ("  splits:", "  splits: id", "  splits:", "evaluation.splits"),
        ("  learning_rate:", "  learning_rate: .nan", "  learning_rate:", "training.learning_rate: .*finite"),
    ],
)
def test_a_fault_is_named_with_its_line(old: str, new: str, at: str, message: str, written: Path) -> None:
    text = _changed(written, old, new)
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(written)
    assert caught.value.file == str(written)
    assert caught.value.line == _line(text, at)
    assert str(caught.value).startswith(f"{written}:{caught.value.line}: ")


@pytest.mark.parametrize("start", ["method:", "  beta:", "    per_guideline:", "training:"])
def test_a_key_that_stands_twice_is_refused_where_it_stands_again(start: str, written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    line = text.splitlines()[_line(text, start) - 1]
    _changed(written, start, f"{line}\n{line}")
    with pytest.raises(RecipeError, match=f"key '{start.strip(' :')}' stands twice") as caught:
        load_recipe(written)
    assert caught.value.line == _line(text, start) + 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "a mapping of sections"),
        ("- a\n- b\n", None, "a mapping of sections"),
        ("name: x\nseed: [1\n", 3, "expected ',' or ']'"),
        ("name: x\n\tseed: 1\n", 2, "cannot start any token"),
        ("name: !!python/object/apply:os.system ['true']\n", 1, "could not determine a constructor"),
        ("name: x\n? [a, b]\n: 1\n", 2, "a key is one word"),
        ("1: 2\n", None, "1: |Field required|valid"),
        ("{}\n", None, "Field required"),
    ],
    ids="empty list unclosed tab object compound number nothing".split(),
)
def test_what_is_no_recipe_is_refused(text: str, line: int | None, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(file)
    assert (caught.value.file, caught.value.line) == (str(file), line)


def test_a_file_that_is_absent_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="can't be read"):
        load_recipe(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes("name: Grün\n".encode("latin-1"))
    with pytest.raises(RecipeError, match="can't be read"):
        load_recipe(tmp_path / "latin.yaml")


def test_a_name_that_is_not_in_the_package_is_answered_with_those_that_are() -> None:
    with pytest.raises(RecipeError, match="no recipe 'r1_re_huge' in the package") as caught:
        load_recipe("r1_re_huge")
    assert all(name in str(caught.value) for name in recipe_names())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.max_steps", "not an override"),
        ("=3", "not an override"),
        ("training..max_steps=3", "not an override"),
        ("seed.deeper=3", "'seed' is a value, not a section"),
        ("training.max_steps=[3", "the value is not YAML"),
        ("training.max_stepz=3", "training.max_stepz: Extra inputs"),
        ("trainingg.max_steps=3", "trainingg: Extra inputs"),
        ("training.max_steps=three", "training.max_steps: Input should be a valid integer"),
        ("training.micro_batch_size=0", "training.micro_batch_size: .*greater than or equal to 1"),
        ("training.learning_rate=-1", "training.learning_rate"),
        ("training.threads=0", "training.threads"),
        ("rollout.temperature=0", "rollout.temperature: .*greater than 0"),
        ("rollout.top_p=2", "rollout.top_p: .*less than or equal to 1"),
        ("evaluation.samples=-1", "evaluation.samples"),
        ("model.dtype=int8", "model.dtype"),
    ],
)
def test_an_override_that_can_not_be_is_refused(setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("r1_re_tiny", [setting])


@pytest.mark.parametrize("section", ["reward", "objective", "rollout"])
def test_rl_needs_reward_objective_and_rollout(section: str) -> None:
    with pytest.raises(RecipeError, match="method rl needs the sections reward, objective and rollout"):
        load_recipe("r1_re_tiny", [f"{section}=null"])


@pytest.mark.parametrize("setting", ["data.target=null", "reward={name: r1_re}"])
def test_sft_needs_a_target_and_no_reward(setting: str) -> None:
    with pytest.raises(RecipeError, match=r"method sft needs data\.target and has no reward"):
        load_recipe("r1_re_tiny_sft", [setting])


def test_a_recipe_can_not_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_recipe("r1_re_tiny").training.max_steps = 3  # type: ignore[misc]
