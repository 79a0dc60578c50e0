"""What a run happened in: versions, seeds, hardware."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from bythebook.records import write_text

__all__ = ["write_environment"]

_PACKAGES = ("bythebook", "torch", "transformers", "trl", "accelerate", "datasets", "tokenizers", "numpy")


def write_environment(path: Path, seed: int, processes: int = 1) -> None:
    """`environment.json` of a run directory; `processes` train together."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "absent"
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    found = {
        "python": platform.python_version(),
        "versions": versions,
        "seed": seed,
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "processes": processes,
        "threads": torch.get_num_threads(),
        "gpus": gpus,
    }
    write_text(path, json.dumps(found, indent=2) + "\n")
