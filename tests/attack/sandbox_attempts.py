"""Attempts to get out of the sandbox, each a program with a function `f`.

In a program FOLDER is a folder that everybody may write to, with a file `secret` in it; PORT a port of this machine
where somebody listens; VICTIM the id of a process; NAME the name of the attempt.
"""

from __future__ import annotations

__all__ = ["ATTEMPTS", "LOAD", "MISCHIEF", "NEVER_UNCHECKED", "ORDER", "RESULTS"]


def _f(*lines: str) -> str:
    return "def f(a):\n" + "".join(f"    {line}\n" for line in lines)


FILES = {
    "open_write": _f("open('FOLDER/NAME', 'w').write('owned')", "return 1"),
    "open_read": _f("return open('FOLDER/secret').read()"),
    "open_passwd": _f("return open('/etc/passwd').read()"),
    "os_open": "import os\n" + _f("os.close(os.open('FOLDER/NAME', os.O_CREAT | os.O_WRONLY, 0o666))", "return 1"),
    "os_remove": "import os\n" + _f("os.remove('FOLDER/secret')", "return 1"),
    "os_rename": "import os\n" + _f("os.rename('FOLDER/secret', 'FOLDER/NAME')", "return 1"),
    "os_mkdir": "import os\n" + _f("os.mkdir('FOLDER/NAME')", "return 1"),
    "os_symlink": "import os\n" + _f("os.symlink('FOLDER/secret', 'FOLDER/NAME')", "return 1"),
    "os_chmod": "import os\n" + _f("os.chmod('FOLDER/secret', 0)", "return 1"),
    "os_truncate": "import os\n" + _f("os.truncate('FOLDER/secret', 0)", "return 1"),
    "shutil_rmtree": "import shutil\n" + _f("shutil.rmtree('FOLDER')", "return 1"),
    "pathlib_touch": "import pathlib\n" + _f("pathlib.Path('FOLDER/NAME').touch()", "return 1"),
    "tempfile": "import tempfile\n" + _f("return tempfile.mkdtemp(dir='FOLDER')"),
    "sqlite": "import sqlite3\n" + _f("sqlite3.connect('FOLDER/NAME').execute('create table t(x)')", "return 1"),
    "mmap_file": "import mmap, os\n"
    + _f("d = os.open('FOLDER/secret', os.O_RDONLY)", "return mmap.mmap(d, 0, access=mmap.ACCESS_READ)[:].decode()"),
    "print_to_file": _f("print('owned', file=open('FOLDER/NAME', 'w'))", "return 1"),
    "fork_and_write": "import os\n"
    + _f("if os.fork() == 0:", "    open('FOLDER/NAME', 'w').write('x')", "    os._exit(0)", "return 1"),
    "listdir": "import os\n" + _f("return 'secret' in os.listdir('FOLDER') and open('FOLDER/secret').read()"),
    "raise_limits": "import resource\n"
    + _f(
        "for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):",
        "    resource.setrlimit(which, (100, 100))",
        "open('FOLDER/NAME', 'w').write('owned')",
        "return 1",
    ),
    "become_root": "import os\n" + _f("os.setuid(0)", "os.mkdir('FOLDER/NAME')", "return 1"),
    "read_own_standard_input": "import os\n" + _f("return os.read(0, 100).decode()"),
    "environment_of_the_process": _f("return open('/proc/self/environ').read()"),
    "environment_of_the_parent": "import os\n" + _f("return open(f'/proc/{os.getppid()}/environ').read()"),
    "ctypes_creat": "import ctypes\n" + _f("return ctypes.CDLL(None).creat(b'FOLDER/NAME', 0o666)"),
    "ctypes_syscall": "import ctypes\n" + _f("return ctypes.CDLL(None).syscall(83, b'FOLDER/NAME', 0o777)"),
}

NETWORK = {
    "socket_connect": "import socket\n"
    + _f("socket.create_connection(('127.0.0.1', PORT), 1).send(b'NAME')", "return 1"),
    "urllib": "import urllib.request\n"
    + _f("return urllib.request.urlopen('http://127.0.0.1:PORT/', timeout=1).read()"),
    "http_client": "import http.client\n"
    + _f("http.client.HTTPConnection('127.0.0.1', PORT, timeout=1).request('GET', '/')", "return 1"),
    "low_socket": "import _socket\n" + _f("s = _socket.socket(2, 1)", "s.connect(('127.0.0.1', PORT))", "return 1"),
    "ctypes_socket": "import ctypes, struct\n"
    + _f(
        "c = ctypes.CDLL(None)",
        "d = c.socket(2, 1, 0)",
        "address = struct.pack('=H', 2) + struct.pack('!H', PORT) + bytes([127, 0, 0, 1]) + bytes(8)",
        "return c.connect(d, address, 16)",
    ),
    "name_lookup": "import socket\n" + _f("return socket.gethostname()"),
}

PROCESSES = {
    "os_system": "import os\n" + _f("return os.system('touch FOLDER/NAME')"),
    "subprocess": "import subprocess\n" + _f("return subprocess.run(['touch', 'FOLDER/NAME']).returncode"),
    "exec_program": "import os\n" + _f("os.execv('/bin/sh', ['sh', '-c', 'touch FOLDER/NAME'])"),
    "spawn": "import os\n" + _f("return os.spawnlp(os.P_WAIT, 'touch', 'touch', 'FOLDER/NAME')"),
    "popen": "import os\n" + _f("return os.popen('cat FOLDER/secret').read()"),
    "kill_victim": "import os, signal\n" + _f("os.kill(VICTIM, signal.SIGKILL)", "return 1"),
    "kill_parent": "import os\n" + _f("os.kill(os.getppid(), 9)", "return 1"),
    "kill_everybody": "import os\n" + _f("os.kill(-1, 9)", "return 1"),
    "stop_parent": "import os, signal\n" + _f("os.kill(os.getppid(), signal.SIGSTOP)", "return 1"),
    "fork_bomb": "import os\n" + _f("while True:", "    os.fork()"),
    "threads": "import threading, time\n"
    + _f("for _ in range(999):", "    threading.Thread(target=time.sleep, args=(99,)).start()", "return 1"),
    "multiprocessing": "import multiprocessing\n"
    + _f("p = multiprocessing.Process(target=open, args=('FOLDER/NAME', 'w'))", "p.start()", "p.join()", "return 1"),
    "new_session": "import os, time\n" + _f("os.setsid()", "time.sleep(99)"),
    "ignore_signals": "import signal\n"
    + _f(
        "for s in (signal.SIGTERM, signal.SIGXCPU, signal.SIGINT):",
        "    signal.signal(s, signal.SIG_IGN)",
        "while 1: pass",
    ),
    "exit_silently": "import os\n" + _f("os._exit(0)"),
    "system_exit": _f("raise SystemExit('FAKE')"),
}

INTERPRETER = {
    "import_by_name": _f("return __import__('os').popen('cat FOLDER/secret').read()"),
    "import_in_a_lambda": "g = lambda: __import__('os').mkdir('FOLDER/NAME')\n" + _f("return g()"),
    "eval": _f("return eval(\"open('FOLDER/secret').read()\")"),
    "exec": _f("exec(\"open('FOLDER/NAME', 'w')\")", "return 1"),
    "compile": _f("return compile(\"open('FOLDER/NAME', 'w')\", '', 'eval')"),
    "wide_letters": _f("return ｅval(\"open('FOLDER/secret').read()\")"),
    "subclasses": _f(
        "for c in ().__class__.__base__.__subclasses__():",
        "    if c.__name__ == '_wrap_close':",
        "        return c.__init__.__globals__['popen']('cat FOLDER/secret').read()",
    ),
    "globals_of_a_function": _f("return f.__globals__['__builtins__']['__import__']('os').getcwd()"),
    "globals_of_a_module_function": "import re\n" + _f("return re.sub.__globals__['sys'].prefix"),
    "module_in_a_module": "import re\n" + _f("return re.enum.sys.modules['os'].getcwd()"),
    "module_in_collections": "from collections import abc\n" + _f("return abc.sys.prefix"),
    "builtins_by_name": _f("return __builtins__['open']('FOLDER/secret').read()"),
    "loader": "import math\n" + _f("return math.__loader__.load_module('os').getcwd()"),
    "spec": "import math\n" + _f("return str(math.__spec__.origin)"),
    "getattr": _f("return getattr((), '__class__').__base__.__subclasses__()"),
    "attrgetter": "from operator import attrgetter\n" + _f("return str(attrgetter('__globals__')(f))"),
    "methodcaller": "import operator\n" + _f("return operator.methodcaller('__subclasses__')(object)"),
    "format_attribute": _f("return '{0.__globals__}'.format(f)"),
    "format_map": _f("return '{a.__class__.__base__}'.format_map({'a': a})"),
    "format_unbound": _f("return list(map(str.format, ['{0.__class__}'], [a]))"),
    "formatter": "import string\n" + _f("return string.Formatter().format('{0.__globals__}', f)"),
    "f_string": _f("return f'{f.__globals__}'"),
    "f_string_specification": _f("return f'{1:{f.__code__}}'"),
    "percent": _f("return '%(__class__)s' % {'__class__': f.__class__}"),
    "match_class": "def f(a):\n    match f:\n        case object(__globals__=g):\n            return str(g)\n",
    "match_known_class": "def f(a):\n    match a:\n        case str(__class__=c):\n            return str(c)\n",
    "generator_frame": "def g():\n    yield 1\n" + _f("return str(g().gi_frame.f_builtins['open'])"),
    "frame_of_the_caller": "def g():\n    yield 1\n" + _f("return str(next(iter([g()])).gi_frame.f_back.f_globals)"),
    "traceback": _f(
        "try:", "    1 / 0", "except Exception as e:", "    return str(e.__traceback__.tb_frame.f_back.f_globals)"
    ),
    "traceback_method": _f(
        "try:", "    1 / 0", "except Exception as e:", "    return str(e.with_traceback(None).tb_frame)"
    ),
    "name_error_object": _f("try:", "    a.nothing", "except AttributeError as e:", "    return str(e.obj.__class__)"),
    "coroutine_frame": "async def g():\n    pass\n" + _f("return str(g().cr_frame.f_globals)"),
    "sys_modules": "import sys\n" + _f("return sys.modules['os'].environ['SANDBOX_CANARY']"),
    "sys_frames": "import sys\n" + _f("return str(sys._getframe(1).f_locals)"),
    "gc_objects": "import gc\n" + _f("return [str(o) for o in gc.get_objects() if 'secret' in str(o)]"),
    "environment": "import os\n" + _f("return os.environ['SANDBOX_CANARY']"),
    "current_folder": "import os\n" + _f("return os.getcwd()"),
    "class_body": "class C:\n    x = __import__('os').getcwd()\n" + _f("return C.x"),
    "metaclass": "class M(type):\n    def __getitem__(c, k): return k\n" + _f("return M('X', (), {})[1]"),
    "type_of_three": _f("return type('X', (str,), {'__repr__': lambda s: 'FAKE'})('x')"),
    "type_through_a_copy": "from collections import Counter\n" + _f("return Counter.copy(int) is not int or a"),
    "type_through_a_chain": "from collections import ChainMap\n" + _f("return str(ChainMap.copy(int))"),
    "typing_hints": "import typing\n" + _f("return typing.get_type_hints(f, {'x': 1})"),
    "forward_reference": "from typing import List\n"
    + _f("return str(List[\"__import__('os').mkdir('FOLDER/NAME')\"])"),
    "namedtuple": "from collections import namedtuple\n"
    + _f("return namedtuple('X', 'a')._make([1]).__class__.__module__"),
    "decorator": "@__import__('os').mkdir\n" + _f("return 1"),
    "decorator_of_a_module": "import os\n@lambda g: os.mkdir('FOLDER/NAME')\n" + _f("return 1"),
    "default_argument": "def f(a, b=__import__('os').mkdir('FOLDER/NAME')):\n    return 1\n",
    "annotation": "def f(a: __import__('os').mkdir('FOLDER/NAME')):\n    return 1\n",
    "comprehension": _f("return [x for x in [().__class__.__base__] for x in x.__subclasses__()]"),
    "walrus": _f("return [(m := __import__('os')) for _ in '1'] and m.getcwd()"),
    "pickle": "import pickle\n" + _f("return pickle.loads(b\"cos\\nmkdir\\n(S'FOLDER/NAME'\\ntR.\")"),
    "marshal": "import marshal\n" + _f("return marshal.dumps(f.__code__)"),
    "code_object": _f("return str(f.__code__.replace(co_names=('os',)))"),
    "importlib": "import importlib\n" + _f("return importlib.import_module('os').getcwd()"),
    "relative_import": "from . import os\n" + _f("return os.getcwd()"),
    "own_room": "from bythebook.sandbox.inside import run\n" + _f("return str(run.__file__)"),
    "codec": _f("return 'x'.encode('FOLDER.secret')"),
    "help": _f("return help()"),
    "breakpoint": _f("breakpoint()", "return 1"),
    "input": _f("return input()"),
    "copyright": _f("return str(copyright._Printer__filenames)"),
    "warnings_module": _f(
        "for c in [].__class__.__mro__[1].__subclasses__():",
        "    if 'catch_warnings' in str(c):",
        "        return str(c()._module.sys.modules['os'].environ)",
    ),
}

RESULTS = {
    "print_a_result": _f('print(\'{"status": "ok", "outputs": [["ok", "FAKE"]], "literals": []}\')', "return 0"),
    "write_to_standard_output": "import sys\n" + _f("sys.stdout.write('FAKE\\n')", "return 0"),
    "write_to_the_pipe": "import os\n"
    + _f('os.write(3, b\'{"status": "ok", "outputs": [["ok", "FAKE"]], "literals": []}\\n\')', "return 0"),
    "print_to_the_pipe": _f("print('FAKE', file=3, flush=True)", "return 0"),
    "patch_builtins": "import builtins\nbuiltins.repr = lambda v: 'FAKE'\n" + _f("return 0"),
    "rebind_builtins": "repr = str = sorted = type = lambda *v: 'FAKE'\n" + _f("return 0"),
    "patch_a_module": "import math\nmath.sqrt = lambda v: 'FAKE'\n" + _f("return math.sqrt(4)"),
    "patch_through_setattr": "import math\nsetattr(math, 'pi', 'FAKE')\n" + _f("return math.pi"),
    "patch_own_room": _f("f.__globals__['canonical'] = lambda *v: 'FAKE'", "return 0"),
    "subclass_of_a_string": _f("class S(str):", "    def __repr__(self): return 'FAKE'", "return S('x')"),
    "counter_is_no_dict": "from collections import Counter\n" + _f("return Counter('FAKE')"),
    "exception_named_ok": _f("raise ValueError('FAKE')"),
    "close_the_input": "import os\n" + _f("os.close(0)", "os.close(3)", "return 'FAKE'"),
}

LOAD = {
    "loop": _f("while True: pass"),
    "loop_that_catches": _f("while True:", "    try:", "        while True: pass", "    except: pass"),
    "recursion": _f("return f(a)"),
    "mutual_recursion": "def g(a): return f(a)\n" + _f("return g(a)"),
    "recursion_that_catches": _f("try:", "    return f(a)", "except RecursionError:", "    return f(a)"),
    "memory": _f("return len([0] * 10 ** 10)"),
    "memory_by_doubling": _f("x = 'x'", "while True: x += x"),
    "memory_that_catches": _f("x = []", "while True:", "    try: x.append(bytearray(10 ** 7))", "    except: pass"),
    "huge_power": _f("return 9 ** 9 ** 9"),
    "huge_power_folded": _f("return 10 ** 10 ** 8 > 0"),
    "huge_shift": _f("return 1 << 10 ** 12"),
    "huge_int": _f("return 10 ** 100_000"),
    "huge_repr": _f("return '\\x00' * 10 ** 8"),
    "shared_lists": _f("x = []", "for _ in range(60): x = [x, x]", "return x"),
    "itself_inside": _f("x = []", "x.append(x)", "return x"),
    "deep_list": _f("x = []", "for _ in range(10 ** 5): x = [x]", "return x"),
    "deep_source": _f("return " + "-" * 5000 + "1"),
    "brackets": _f("return " + "(" * 5000 + ")" * 5000),
    "long_chain": _f("return a" + ".upper()" * 2000),
    "regular_expression": "import re\n" + _f("return bool(re.match('(a+)+$', 'a' * 40 + 'b'))"),
    "factorial": "import math\n" + _f("return math.factorial(10 ** 9) > 0"),
    "wide_format": _f("return len(f'{1:9999999999}')"),
    "endless_generator": _f("return sum(iter(int, 1))"),
    "endless_product": "import itertools\n" + _f("return list(itertools.product(range(999), repeat=9))"),
    "finaliser": "def g():\n    try: yield 1\n    finally:\n        while True: pass\n"
    + _f("x = g()", "next(x)", "return 1"),
    "catch_everything": _f("while True:", "    try: x = [0] * 10 ** 9", "    except BaseException: pass"),
}

ORDER = {
    "set_order": _f("return list({'a', 'b', 'c', 'd', 'e', 'f'})"),
    "set_pop": _f("return {'a', 'b', 'c', 'd', 'e', 'f'}.pop()"),
    "set_to_string": _f("return str({'ab', 'cd', 'ef', 'gh', 'ij'})"),
    "address": _f("return repr(f)"),
    "address_of_a_builtin": _f("return repr(iter([]))"),
    "hash": _f("return hash('x')"),
    "identity": _f("return id(a)"),
    "clock": "import time\n" + _f("return time.time()"),
    "chance": "import random\n" + _f("return random.random()"),
    "global_counter": "n = 0\ndef f(a):\n    global n\n    n += 1\n    return n\n",
    "list_counter": "n = []\n" + _f("n.append(1)", "return len(n)"),
    "default_counter": "def f(a, n=[]):\n    n.append(1)\n    return len(n)\n",
    "iterator_counter": "import itertools\nn = itertools.count()\n" + _f("return next(n)"),
    "closure_counter": "def g():\n    n = 0\n    def h(a):\n        nonlocal n\n        n += 1\n        return n\n"
    "    return h\nk = g()\n" + _f("return k(a)"),
    "function_attribute": _f("f.n = 1", "return f.n"),
}

MISCHIEF = {**FILES, **NETWORK, **PROCESSES, **INTERPRETER}
"""Those with an effect outside their own result."""
ATTEMPTS = {**MISCHIEF, **RESULTS, **LOAD, **ORDER}
NEVER_UNCHECKED = {"kill_everybody", "fork_bomb"}
"""Tried against the allow-list only: nobody's machine should depend on one layer less."""
