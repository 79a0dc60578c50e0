"""What a process gives up before it runs a program. Every step is the kernel's, none can be taken back.

| layer    | what it takes away                                                                                    |
|----------|-------------------------------------------------------------------------------------------------------|
| `limits` | CPU time, memory, file size 0, no further process, no further descriptor: no file, no socket is opened |
| `user`   | root: the process becomes the user nobody                                                              |
| `calls`  | every system call but those of memory, time and the pipe that is open: Linux's seccomp, where it is    |
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct

__all__ = ["NOBODY", "become_nobody", "bound", "die_with_parent", "only_needed_calls"]

NOBODY = 65534

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 38, 22
_MODE_FILTER = 2
_KILL_SIGNAL = 9

# read write close brk mmap munmap mprotect mremap madvise futex rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack
# getrandom clock_gettime gettimeofday exit exit_group getpid, by the kernel's tables.
_CALLS = {
    "x86_64": (0xC000003E, "0 1 3 12 9 11 10 25 28 202 13 14 15 131 318 228 96 60 231 39"),
    "aarch64": (0xC00000B7, "63 64 57 214 222 215 226 216 233 98 134 135 139 132 278 113 169 93 94 172"),
}
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # refuse: the call returns EPERM
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # of Berkeley's packet filter: load a word, jump if equal, return
_CALL_NUMBER, _ARCHITECTURE = 0, 4  # offsets in the kernel's seccomp_data
_WIDE_CALLS = 0x35, 0x40000000  # jump if not below: the second call table of x86-64 (x32)


def become_nobody() -> bool:
    """Leave root behind. False where the process isn't root, or may not change its user."""
    if os.getuid() != 0:
        return False
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    except OSError:
        return False
    return os.getuid() == NOBODY


def die_with_parent() -> None:
    """Be killed when the parent ends, however it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, _KILL_SIGNAL, 0, 0, 0)


def bound(cpu_s: int, memory_bytes: int, descriptors: int) -> None:
    """Hard limits. `descriptors` is the number of those in use: there will be no other."""
    for which, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, descriptors),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
    ):
        resource.setrlimit(which, (value, value))


def only_needed_calls() -> bool:
    """Refuse all other system calls from now on. False where this kernel or machine has no such filter."""
    if platform.machine() not in _CALLS or platform.system() != "Linux":
        return False
    architecture, numbers = _CALLS[platform.machine()]
    calls = [int(number) for number in numbers.split()]
    last = len(calls)
    program = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 0, last + 2, architecture), (_LOAD, 0, 0, _CALL_NUMBER)]
    program.append((_WIDE_CALLS[0], last, 0, _WIDE_CALLS[1]))
    program += [(_EQUAL, last - i, 0, call) for i, call in enumerate(calls)]
    program += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    # The kernel's sock_fprog: a length, and a pointer aligned behind it.
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
    if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(_LIBC.prctl(_PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0) == 0)
