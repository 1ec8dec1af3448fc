r"""The last layer: math-verify and sympy, only ever run inside a worker process.

math-verify accepts some pairs that differ (`(1,2)` and `\{1,2\}`, `2^{-99}` and `2^{-98}`), so its "yes" is believed
only when the shapes agree and the values agree to fifty digits wherever they can be computed.
"""

import logging
import warnings
from typing import Any

from papergate.scoring import peers
from papergate.scoring.records import AnswerKind, Comparison

_DIGITS = 50  # compared; ten of them may be lost to cancellation
_AGREE = 40
_POINTS = ((37, 101), (-53, 97), (211, 83))  # values given to the variables, one after another


def warm_up() -> None:
    """Import math-verify and run it once, so that the first comparison is not slower than the others."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    peers.compare("\\frac{1}{2}", "\\boxed{0.5}", AnswerKind.MATH, "math-verify")


def decide(gold: str, answer: str, kind: AnswerKind, grader: str) -> Comparison:
    """Compare two answers by the rules of a grader: `strict`, `aisbench` or `math-verify`."""
    if grader != "strict":
        return peers.compare(gold, answer, kind, grader)
    return _verified(gold, answer)


def _verified(gold: str, answer: str) -> Comparison:
    from math_verify import parse, verify

    parsed_gold, parsed = (parse(_as_formula(text), parsing_timeout=None) for text in (gold, answer))
    if not parsed:
        return Comparison(equal=False, rule="unreadable", reason="unreadable")
    equal = verify(parsed_gold, parsed, timeout_seconds=None) and not _contradicts(parsed_gold[0], parsed[0])
    return Comparison(equal=bool(equal), rule="math-verify")


def _contradicts(gold: Any, answer: Any) -> bool:  # noqa: ANN401 - sympy is untyped
    """Whether sympy itself shows that two parsed answers differ: another shape, or another value."""
    import sympy

    if isinstance(gold, str) or isinstance(answer, str):
        return False
    shapes = (sympy.Tuple, sympy.FiniteSet, sympy.MatrixBase, sympy.Interval, sympy.Union)
    if any(isinstance(gold, shape) != isinstance(answer, shape) for shape in shapes):
        return True
    both_values = isinstance(gold, sympy.Expr) and isinstance(answer, sympy.Expr)
    return both_values and any(_far_apart(gold, answer, point) for point in _POINTS)


def _far_apart(gold: Any, answer: Any, point: tuple[int, int]) -> bool:  # noqa: ANN401 - sympy is untyped
    import sympy

    variables = dict.fromkeys(gold.free_symbols | answer.free_symbols, sympy.Rational(*point))
    one, other = (value.doit().subs(variables).evalf(_DIGITS) for value in (gold, answer))
    if not (one.is_number and other.is_number):
        return False
    return bool(abs(one - other) > abs(one) * sympy.Float(10, _DIGITS) ** -_AGREE)


def _as_formula(text: str) -> str:
    return text if "$" in text or "\\boxed" in text else f"${text}$"
