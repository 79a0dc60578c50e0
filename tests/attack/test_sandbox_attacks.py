"""Attempts to get out of the sandbox: none has an effect, with all layers and with the allow-list left out.

An effect is something one can see: a file, a connection, a dead process, a secret or a path in a result, a result that
is not what the function returned, a caller that hangs or is poisoned.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sandbox_attempts import ATTEMPTS, LOAD, MISCHIEF, NEVER_UNCHECKED, ORDER, RESULTS

from bythebook.sandbox import Job, Limits, Outcome, Sandbox
from bythebook.sandbox.launch import Namespaces

TOKEN = "canary-5d1f0e"
LIMITS = Limits(wall_s=6.0, cpu_s=1, memory_bytes=256 * 2**20)
HONEST = Job(source="def f(a):\n    return [repr(a), len(a), sorted(a), str(1.5)]", inputs=("'ba'",))
EXPECTED = """["'ba'", 2, ['a', 'b'], '1.5']"""


class Bait(NamedTuple):
    """What attempts are after, and how one sees that it was touched."""

    folder: Path
    listener: socket.socket
    victim: subprocess.Popen[bytes]

    def program(self, name: str) -> str:
        port = self.listener.getsockname()[1]
        words = {"FOLDER": str(self.folder), "PORT": str(port), "VICTIM": str(self.victim.pid), "NAME": name}
        source = ATTEMPTS[name]
        for word, value in words.items():
            source = source.replace(word, value)
        return source

    def effects(self) -> list[str]:
        """What can be seen outside; taken back, so that the next look starts anew."""
        secret = self.folder / "secret"
        kept = secret.is_file() and secret.read_text() == TOKEN and secret.stat().st_mode & 0o777 == 0o666
        found = [] if kept else ["the secret was changed"]
        if self.folder.is_dir():
            found += sorted(p.name for p in self.folder.iterdir() if p != secret)
        try:
            self.listener.accept()[0].close()
            found.append("a connection")
        except BlockingIOError:
            pass
        return found if self.victim.poll() is None else [*found, "the victim is dead"]

    def restore(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.folder.chmod(0o777)
        (self.folder / "secret").write_text(TOKEN)
        (self.folder / "secret").chmod(0o666)


def made(folder: Path) -> Bait:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.setblocking(False)
    bait = Bait(folder, listener, subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
    bait.restore()
    return bait


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[Bait]:
    found = made(tmp_path / "bait")
    yield found
    found.listener.close()
    found.victim.kill()
    found.victim.wait()


@pytest.fixture(scope="module")
def all_tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Outcome], list[str], Outcome]]:
    """Every attempt against all layers: outcomes, effects, and what an honest program gives afterwards."""
    folder = tmp_path_factory.mktemp("attacks")
    for above in (folder, folder.parent, folder.parent.parent):
        above.chmod(0o755)  # whoever tries may come as far as the bait
    found = made(folder / "bait")
    with pytest.MonkeyPatch.context() as patch, Sandbox(LIMITS) as sandbox:
        patch.setenv("SANDBOX_CANARY", TOKEN)
        outcomes = sandbox.run(Job(source=found.program(name), inputs=("'x'",)) for name in ATTEMPTS)
        after = sandbox.run([HONEST])[0]
    yield dict(zip(ATTEMPTS, outcomes, strict=True)), found.effects(), after
    found.listener.close()
    found.victim.kill()
    found.victim.wait()


def texts(outcome: Outcome) -> str:
    return "\n".join(output.text or "" for output in outcome.outputs)


def test_there_are_many_attempts_and_each_kind_has_some() -> None:
    assert len(ATTEMPTS) == len(MISCHIEF) + len(RESULTS) + len(LOAD) + len(ORDER) >= 150


def test_nothing_outside_was_touched(all_tried: tuple[dict[str, Outcome], list[str], Outcome]) -> None:
    assert all_tried[1] == []


def test_the_sandbox_goes_on_as_before(all_tried: tuple[dict[str, Outcome], list[str], Outcome]) -> None:
    assert all_tried[2].status == "ok"
    assert all_tried[2].outputs[0].text == EXPECTED


@pytest.mark.parametrize("name", list(ATTEMPTS))
def test_no_result_says_what_it_may_not(
    all_tried: tuple[dict[str, Outcome], list[str], Outcome], name: str, package: Path
) -> None:
    outcome = all_tried[0][name]
    said = texts(outcome) + outcome.detail
    secrets = (
        TOKEN,
        "FAKE",
        "root:",
        str(package),
        str(Path.home()),
        sys.prefix,
        sys.base_prefix,
        os.getcwd(),
        " at 0x",
    )
    assert [secret for secret in secrets if secret in said] == []


@pytest.mark.parametrize("name", list(MISCHIEF))
def test_mischief_is_refused_before_it_runs_or_comes_to_nothing(
    all_tried: tuple[dict[str, Outcome], list[str], Outcome], name: str
) -> None:
    harmless = {
        "codec": "LookupError",
        "forward_reference": None,
        "help": "NameError",
        "type_through_a_copy": "TypeError",
    }
    outcome = all_tried[0][name]
    if name in harmless and outcome.status == "ok":
        assert outcome.outputs[0].error == harmless[name]
    else:
        assert outcome.status == "refused"


@pytest.mark.parametrize("name", list(LOAD))
def test_load_ends(all_tried: tuple[dict[str, Outcome], list[str], Outcome], name: str) -> None:
    outcome = all_tried[0][name]
    assert outcome.status in ("timeout", "killed", "refused") or (
        outcome.status == "ok" and (outcome.outputs[0].error or len(texts(outcome)) < LIMITS.output_characters)
    )


@pytest.mark.parametrize("name", list(ORDER))
def test_what_differs_from_run_to_run_is_no_result(
    all_tried: tuple[dict[str, Outcome], list[str], Outcome], name: str
) -> None:
    outcome = all_tried[0][name]
    assert outcome.status in ("nondeterministic", "refused") or outcome.outputs[0].error == "impure"


@pytest.mark.parametrize("namespaces", ["off", "required"])
def test_the_layers_below_the_allow_list_hold_without_it(
    bait: Bait, namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    if namespaces == "required" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed (Debian: apt install bubblewrap)")
    for above in bait.folder.parents[:3]:
        above.chmod(0o755)
    monkeypatch.setenv("SANDBOX_CANARY", TOKEN)
    with Sandbox(LIMITS, seeds=(1,), namespaces=namespaces, checked=False) as sandbox:
        layers = sandbox.run([HONEST])[0].layers
        if "calls" not in layers:
            pytest.skip(f"no filter of system calls here: {layers}")
        names = [name for name in MISCHIEF if name not in NEVER_UNCHECKED]
        outcomes = sandbox.run(Job(source=bait.program(name), inputs=("'x'",)) for name in names)
        after = sandbox.run([HONEST])[0]
    assert "syntax" not in layers
    assert bait.effects() == []
    assert [name for name, o in zip(names, outcomes, strict=True) if TOKEN in texts(o) or "root:" in texts(o)] == []
    assert after.outputs[0].text == EXPECTED


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("open_write", "open_write"),
        ("os_remove", "the secret was changed"),
        ("os_mkdir", "os_mkdir"),
        ("os_system", "os_system"),
        ("subprocess", "subprocess"),
        ("pickle", "pickle"),
        ("import_in_a_lambda", "import_in_a_lambda"),
        ("ctypes_creat", "ctypes_creat"),
        ("fork_and_write", "fork_and_write"),
        ("socket_connect", "a connection"),
        ("ctypes_socket", "a connection"),
        ("kill_victim", "the victim is dead"),
    ],
)
def test_without_a_sandbox_the_attempt_works(bait: Bait, name: str, effect: str) -> None:
    program = bait.program(name) + "\nf('x')\n"
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
    if name == "kill_victim":
        bait.victim.wait(60)
    assert effect in bait.effects()


@pytest.mark.parametrize(
    "name", ["open_read", "mmap_file", "popen", "subclasses", "eval", "sys_modules", "environment"]
)
def test_without_a_sandbox_the_secret_is_told(bait: Bait, name: str) -> None:
    program = bait.program(name) + "\nprint(f('x'))\n"
    environment = {**os.environ, "SANDBOX_CANARY": TOKEN}
    said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, timeout=60, check=True)
    assert TOKEN in said.stdout.decode()
