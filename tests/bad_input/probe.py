import sys, os, io, tempfile, importlib, traceback, contextlib, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ["HF_HUB_OFFLINE"] = "1"
import warnings

warnings.simplefilter("error")
from bad_case import write, files_under
from bythebook import cli

mod, table = sys.argv[1], sys.argv[2]
only = sys.argv[3:]
for case in getattr(importlib.import_module(mod), table):
    if only and not any(o in case.name for o in only):
        continue
    t0 = time.time()
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        write(case.files)
        before = files_under(Path(d))
        sys.argv = ["bythebook", *case.arguments]
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        err = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace")
        tb = ""
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = cli.main()
            except BaseException as e:
                code = "TRACEBACK"
                tb = "".join(traceback.format_exception(e)[-4:])
        out.flush()
        err.flush()
        after = files_under(Path(d))
        changed = [n for n in {**before, **after} if before.get(n, 0) != after.get(n, 0)]
        os.chdir("/")
    flag = "" if code == case.code else "   <<<<<<<< CODE"
    print(f"== {case.name}  [{code}]{flag} {time.time() - t0:.2f}s {changed or ''}")
    for label, s in (("o", out), ("e", err)):
        text = s.buffer.getvalue().decode("utf-8", "replace")
        for line in text.splitlines()[:9]:
            print(f"   {label}| {line[:330]}" + ("…%d" % len(line) if len(line) > 330 else ""))
    if tb:
        print("   T|", tb[-900:])
