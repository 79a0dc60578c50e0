"""What a program may name: syntax, builtins, modules and attributes. What is in no table is refused.

The tables hold what computes values from values. Left out is what leads from a value to the interpreter (types, frames,
modules, descriptors, formats that look up attributes), to the world outside (files, clocks, chance), or from one run to
the next (attributes that can be set, `global`).
"""

from __future__ import annotations

import ast
import builtins
import collections
import copy
import importlib
from types import ModuleType
from typing import Any

__all__ = ["ATTRIBUTES", "BUILTINS", "MODULES", "NODES", "UNAVAILABLE", "import_allowed"]

_BUILTINS = """
abs all any ascii bin bool bytearray bytes callable chr complex dict divmod enumerate filter float format frozenset hex
int isinstance issubclass iter len list map max min next oct ord pow range repr reversed round set slice sorted str sum
tuple zip
ArithmeticError AssertionError AttributeError Exception FloatingPointError IndexError KeyError LookupError NameError
OverflowError RecursionError RuntimeError StopIteration TypeError UnboundLocalError UnicodeError ValueError
ZeroDivisionError
""".split()

MODULES: dict[str, frozenset[str]] = {
    name: frozenset(names.split())
    for name, names in {
        "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
        "collections": "Counter OrderedDict defaultdict deque",
        "copy": "copy deepcopy",
        "fractions": "Fraction",
        "functools": "cache cmp_to_key lru_cache partial reduce",
        "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
        "itertools": """accumulate chain combinations combinations_with_replacement compress count cycle dropwhile
            filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest""",
        "math": """acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp
            exp2 expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm
            ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt tan
            tanh tau trunc ulp""",
        "operator": """abs add and_ concat contains countOf eq floordiv ge getitem gt indexOf inv invert is_ is_not
            itemgetter le lshift lt mod mul ne neg not_ or_ pos pow rshift sub truediv truth xor""",
        "re": """A ASCII DOTALL I IGNORECASE M MULTILINE S VERBOSE X compile error escape findall finditer fullmatch
            match search split sub subn""",
        "string": """ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits printable
            punctuation whitespace""",
        "typing": """Any Callable Deque DefaultDict Dict FrozenSet Generator Iterable Iterator List Mapping Optional
            Sequence Set Tuple Union""",
    }.items()
}
"""Modules and what of each. `string.Formatter`, `operator.attrgetter` and `re.Scanner` are the kind that stays out, and
so are classes written in Python whose methods make more of the class of what they are given: as plain functions they
take anything, and the class of a class is `type`."""

_VALUES = (str, bytes, bytearray, int, float, complex, list, tuple, dict, set, frozenset, range, slice)
_MORE_ATTRIBUTES = """
args value send close throw
appendleft extendleft maxlen popleft rotate elements most_common subtract total default_factory
move_to_end cache_clear cache_info
end endpos expand findall finditer flags fullmatch group groupdict groupindex groups lastgroup lastindex match pattern
pos re search span split start string sub subn
limit_denominator numerator denominator from_iterable
"""
_LOOKS_UP_ATTRIBUTES = {"format", "format_map"}


def _attributes() -> frozenset[str]:
    names = {name for kind in _VALUES for name in dir(kind) if not name.startswith("_")}
    names.update(_MORE_ATTRIBUTES.split(), *MODULES.values())
    return frozenset(names - _LOOKS_UP_ATTRIBUTES)


ATTRIBUTES = _attributes()
"""Methods of plain values and of what the modules make. There are no classes, so a program has no others."""

NODES: tuple[type[ast.AST], ...] = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Lambda, ast.Return, ast.Yield, ast.YieldFrom),
    *(ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.Delete, ast.Nonlocal, ast.Pass, ast.Expr),
    *(ast.If, ast.IfExp, ast.For, ast.While, ast.Break, ast.Continue, ast.Assert, ast.Raise, ast.Try),
    *(ast.ExceptHandler, ast.Import, ast.ImportFrom, ast.alias, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare),
    *(ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.Name, ast.Constant),
    *(ast.JoinedStr, ast.FormattedValue, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.comprehension),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Match, ast.match_case, ast.MatchValue),
    *(ast.MatchSingleton, ast.MatchSequence, ast.MatchMapping, ast.MatchClass, ast.MatchStar, ast.MatchAs),
    *(ast.MatchOr, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop),
)


def _print(*values: object, **options: object) -> None:
    """What a program prints goes nowhere."""


class _Counter(collections.Counter[Any]):
    """A counter whose `copy` makes a counter of whatever it is given."""

    def copy(self) -> _Counter:
        return _Counter(self)


def _copy(value: Any) -> Any:
    return copy.copy(value)


def _deepcopy(value: Any) -> Any:
    return copy.deepcopy(value)


_INSTEAD: dict[str, dict[str, Any]] = {
    "collections": {"Counter": _Counter},
    "copy": {"copy": _copy, "deepcopy": _deepcopy},  # without the arguments that show what is copied on the way
    # Annotations are only written; any type that takes brackets will do.
    "typing": dict.fromkeys(MODULES["typing"], tuple)
    | {"List": list, "Dict": dict, "Set": set, "FrozenSet": frozenset, "Deque": collections.deque},
}


def _stand_in(name: str) -> ModuleType:
    """A module of that name that holds what is allowed of it, and nothing that it has imported itself."""
    real, held = importlib.import_module(name), ModuleType(name)
    for public in MODULES[name]:
        setattr(held, public, _INSTEAD.get(name, {}).get(public) or getattr(real, public))
    return held


_STAND_INS = {name: _stand_in(name) for name in MODULES}


def import_allowed(
    name: str, namespace: Any = None, scope: Any = None, names: tuple[str, ...] = (), level: int = 0
) -> ModuleType:
    """What `import` means in a program. ImportError for all that is not in `MODULES`."""
    if level or name not in _STAND_INS:
        raise ImportError("not an allowed module")
    return _STAND_INS[name]


BUILTINS: dict[str, Any] = {name: getattr(builtins, name) for name in _BUILTINS}
BUILTINS |= {"True": True, "False": False, "None": None, "print": _print, "__import__": import_allowed}
UNAVAILABLE = frozenset(dir(builtins)) - BUILTINS.keys() | {"__import__"}
"""Builtins that a program may not use; it may give their names to variables of its own."""
