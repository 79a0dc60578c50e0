"""Ordinary programs, each with an input and what it gives for it."""

from __future__ import annotations

__all__ = ["ORDINARY"]

ORDINARY = {
    "loops": (
        """
def f(n):
    t = 0
    for i in range(n):
        if i % 2: continue
        t += i
    return t
""",
        "6",
        "6",
    ),
    "recursion": (
        """
def f(n):
    return 1 if n < 2 else n * f(n - 1)
""",
        "5",
        "120",
    ),
    "helpers_and_lambdas": (
        """
g = lambda x: x * 2
def f(a):
    return list(map(g, a))
""",
        "[1, 2]",
        "[2, 4]",
    ),
    "generators": (
        """
def g(a):
    yield from a
def f(a):
    return [*g(a)]
""",
        "'ab'",
        "['a', 'b']",
    ),
    "closures": (
        """
def f(a):
    n = 0
    def g():
        nonlocal n
        n += 1
    g()
    return n
""",
        "0",
        "1",
    ),
    "comprehensions": (
        """
def f(a):
    return {k: v for k, v in zip(a, range(9)) if v}
""",
        "'ab'",
        "{'b': 1}",
    ),
    "exceptions": (
        """
def f(a):
    try:
        return 1 / a
    except ZeroDivisionError as e:
        return e.args
""",
        "0",
        "('division by zero',)",
    ),
    "matching": (
        """
def f(a):
    match a:
        case [int(x), *rest]:
            return x, rest
    return 0
""",
        "[1, 2]",
        "(1, [2])",
    ),
    "f_strings": (
        """
def f(a):
    return f'{a!r:>5}|{a:{6}}'
""",
        "'x'",
        "\"  'x'|x     \"",
    ),
    "mathematics": (
        """
from math import gcd as g
import math as m
def f(a, b):
    return g(a, b), m.floor(m.pi)
""",
        "12, 18",
        "(6, 3)",
    ),
    "collections": (
        """
from collections import Counter, defaultdict, deque
def f(a):
    d = deque(a)
    d.rotate(1)
    return dict(Counter(a)), list(d)
""",
        "'aab'",
        "({'a': 2, 'b': 1}, ['b', 'a', 'a'])",
    ),
    "itertools": (
        """
import itertools
def f(n):
    return list(itertools.chain.from_iterable(itertools.combinations(range(n), 2)))
""",
        "3",
        "[0, 1, 0, 2, 1, 2]",
    ),
    "regular_expressions": (
        """
import re
def f(a):
    m = re.search(r'(\\d+)', a)
    return m.group(1), m.span()
""",
        "'a12'",
        "('12', (1, 3))",
    ),
    "functools": (
        """
from functools import lru_cache, reduce
@lru_cache(maxsize=None)
def g(n):
    return n if n < 2 else g(n - 1) + g(n - 2)
def f(n):
    return g(n), reduce(lambda a, b: a + b, range(n))
""",
        "10",
        "(55, 45)",
    ),
    "types_of_arguments": (
        """
from typing import List, Optional
def f(a: List[int], b: Optional[int] = None) -> int:
    return len(a)
""",
        "[1]",
        "1",
    ),
    "name_of_a_builtin": (
        """
def f(input, type=1):
    return input
""",
        "3",
        "3",
    ),
    "print": (
        """
def f(a):
    print(a, end='')
    return a
""",
        "3",
        "3",
    ),
    "heaps": (
        """
import heapq, bisect, copy, operator, string
def f(a):
    b = copy.deepcopy(a)
    heapq.heapify(b)
    return heapq.heappop(b), bisect.bisect(a, 3), operator.add(1, 2), string.digits
""",
        "[5, 4]",
        "(4, 0, 3, '0123456789')",
    ),
    "fractions": (
        """
from fractions import Fraction
def f(a):
    return Fraction(a, 6).numerator
""",
        "4",
        "2",
    ),
    "no_argument": (
        """
def f():
    return 'x'
""",
        "",
        "'x'",
    ),
}
