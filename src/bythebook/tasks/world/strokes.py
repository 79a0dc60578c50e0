"""Letters as strokes of a pen: for pages that are drawn without any font file.

A letter is a row of strokes on a grid: capitals and digits stand between the lines 0 and 6, small letters between 2
and 6, and what hangs below ends at 8. A stroke is written as its points, a digit across and a digit down each: `062046`
goes from the left foot of an A over its top to the right foot. One point alone is a dot.
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEIGHT", "Stroke", "Written", "strokes_of", "width_of"]

HEIGHT = 8
"""Grid lines from the top of a capital to the end of what hangs below."""
_GAP, _SPACE = 1.6, 2.6
"""Between letters and between words."""
_FOOT = np.array([0.0, 6.0])
"""Where a letter stands on its line."""
_ROUNDS = 2
"""How often the corners of a stroke are cut in handwriting."""

Stroke = NDArray[np.float64]
"""(points, 2): across and down, in the units of the grid."""
Written = list[list[Stroke]]
"""The strokes of each letter of a text, where it begins at (0, 0)."""

_GLYPHS = {
    "A": "062046 1434", "B": "060030414233 0333 3344453606", "C": "4130100105163645", "D": "06002042442606",
    "E": "40000646 0333", "F": "400006 0333", "G": "41301001051636454323", "H": "0006 4046 0343",
    "I": "0020 1016 0626", "J": "3035261605", "K": "0006 400346", "L": "000646", "M": "0600234046",
    "N": "06004640", "O": "103041453616050110", "P": "06003041423303", "Q": "103041453616050110 2446",
    "R": "06003041423303 2346", "S": "413010010213334445361605", "T": "0040 2026", "U": "000516364540",
    "V": "002640", "W": "0016233640", "X": "0046 4006", "Y": "002340 2326", "Z": "00400646",
    "a": "3236 3322120305162635", "b": "0006 0312223335261605", "c": "3322120305162635",
    "d": "3036 3322120305162635", "e": "04343322120305162635", "f": "30201116 0222",
    "g": "3237281807 3322120305162635", "h": "0006 0312223336", "i": "0206 00", "j": "22271808 20",
    "k": "0006 320436", "l": "000516", "m": "0206 03122326 23324346", "n": "0206 0312223336",
    "o": "122233352616050312", "p": "0208 0312223335261605", "q": "3238 3322120305162635", "r": "0206 031222",
    "s": "3212031424352606", "t": "101526 0222", "u": "0205162635 3236", "v": "022642",
    "w": "0216233642", "x": "0236 3206", "y": "0225 4208", "z": "02320636",
    "0": "102031352616050110", "1": "011016 0626", "2": "01102031320636", "3": "0110203132231323 233435261605",
    "4": "26200434", "5": "300003233435261605", "6": "312010010516263534231304", "7": "003016",
    "8": "130201102031322313 1304051626353423", "9": "322313020110203135261605",
    ".": "06", ",": "0607", ":": "03 06", ";": "03 0607", "/": "3006", "-": "0424", "|": "0007", "(": "10010516",
    ")": "00111506", "'": "0001", '"': "0001 1011", "+": "1315 0424", "=": "0323 0525", "%": "3006 0011 2536",
    "?": "011020313213 1314 16", "!": "0004 06", "*": "0224 2204 1125", "#": "1016 3036 0242 0444", "_": "0737",
}  # fmt: skip
_UNKNOWN = "0040460600"
"""What stands for a character that has no strokes here."""


def _strokes(text: str) -> list[Stroke]:
    return [
        np.array([(int(s[i]), int(s[i + 1])) for i in range(0, len(s), 2)], dtype=np.float64) for s in text.split(" ")
    ]


_DRAWN = {character: _strokes(text) for character, text in _GLYPHS.items()}
_BOX = _strokes(_UNKNOWN)


def _letter(character: str) -> list[Stroke]:
    return _DRAWN.get(character, _BOX)


def _advance(character: str) -> float:
    return _SPACE if character == " " else float(max(s[:, 0].max() for s in _letter(character))) + _GAP


def width_of(text: str) -> float:
    """How far a text reaches, in units of the grid."""
    return sum(map(_advance, text))


def strokes_of(text: str, rng: random.Random | None = None) -> Written:
    """The strokes of each letter of a line; white space has none. With `rng` in handwriting: letters lean, differ in
    size, and stray from the line, and no two are alike."""
    found: Written = []
    across = 0.0
    lean = 0.0 if rng is None else rng.uniform(0.05, 0.3)
    for character in text:
        if character != " ":
            letter = _letter(character)
            if rng is not None:
                letter = _by_hand(letter, lean, rng)
            found.append([stroke + np.array([across, 0.0]) for stroke in letter])
        across += _advance(character)
    return found


def _by_hand(letter: list[Stroke], lean: float, rng: random.Random) -> list[Stroke]:
    size, drop = rng.uniform(0.9, 1.1), rng.uniform(-0.35, 0.35)
    found = []
    for stroke in letter:
        strayed = stroke + np.array([[rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3)] for _ in stroke])
        moved = np.stack([strayed[:, 0] + lean * (_FOOT[1] - strayed[:, 1]), strayed[:, 1]], axis=1)
        found.append(_smooth((moved - _FOOT) * np.array([1.0, size]) + _FOOT + np.array([0.0, drop])))
    return found


def _smooth(stroke: Stroke) -> Stroke:
    """The stroke with its corners cut: of each piece stay the points at a quarter and at three quarters."""
    for _ in range(_ROUNDS):
        if len(stroke) < 3:
            return stroke
        first, second = stroke[:-1], stroke[1:]
        cut = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], axis=1).reshape(-1, 2)
        stroke = np.concatenate([stroke[:1], cut, stroke[-1:]])
    return stroke
