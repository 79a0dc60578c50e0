"""What a run happened in: versions, seeds, hardware."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

__all__ = ["write_environment"]

_PACKAGES = ("bythebook", "torch", "transformers", "trl", "accelerate", "datasets", "tokenizers", "numpy")


def write_environment(path: Path, seed: int) -> None:
    """`environment.json` of a run directory."""
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
        "threads": torch.get_num_threads(),
        "gpus": gpus,
    }
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
