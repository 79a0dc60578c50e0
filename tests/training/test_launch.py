"""The shipped configurations say what accelerate understands. That they run on GPUs is not tested here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bythebook.cli import app
from bythebook.errors import RecipeError
from bythebook.recipe import launch_config

pytest.importorskip("accelerate", reason="the 'train' extra is not installed")

KINDS = {"ddp": "MULTI_GPU", "fsdp": "FSDP", "zero2": "DEEPSPEED", "zero3": "DEEPSPEED"}


@pytest.mark.parametrize("name", KINDS)
def test_accelerate_reads_the_configuration_and_knows_every_key(name: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import launch_command_parser

    path = launch_config(name)
    config = load_config_from_file(str(path))
    assert (config.distributed_type.value, config.num_processes, config.mixed_precision) == (KINDS[name], 8, "no")
    options = {option for action in launch_command_parser()._actions for option in action.option_strings}
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    inner = {**written.get("fsdp_config", {}), **written.get("deepspeed_config", {})}
    assert [key for key in inner if f"--{key}" not in options] == []
    assert bool(inner) == (name != "ddp")


@pytest.mark.parametrize("name", KINDS)
def test_every_value_says_where_it_comes_from(name: str) -> None:
    lines = launch_config(name).read_text(encoding="utf-8").splitlines()
    values = [line for line in lines if line.partition(":")[2].strip() and not line.startswith("#")]
    assert len(values) > 8
    assert [line for line in values if "  # " not in line] == []


def test_command_prints_where_it_lies() -> None:
    run = CliRunner().invoke(app, ["launch", "fsdp"])
    assert run.exit_code == 0
    assert Path(run.output.strip()) == launch_config("fsdp")
    assert json.loads(CliRunner().invoke(app, ["launch", "ddp", "--json"]).output) == {
        "config": str(launch_config("ddp"))
    }


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"no launch configuration '\.\./recipe' \(one of: ddp, fsdp, zero2, zero3\)"):
        launch_config("../recipe")
