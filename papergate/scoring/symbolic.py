r"""The last layer: math-verify and sympy, only ever run inside a worker process.

math-verify accepts some pairs that differ (`(1,2)` and `\{1,2\}`, `2^{-99}` and `2^{-98}`), so its "yes" is believed
only when the shapes agree and a numerical comparison at high precision does not contradict it.
"""

import logging
import warnings
from typing import Any

from papergate.scoring import limits
from papergate.scoring.records import AnswerKind, Comparison


def warm_up() -> None:
    """Import math-verify and run it once, so that the first comparison is not slower than the others."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    verify_plainly("\\frac{1}{2}", "\\boxed{0.5}")


def decide(gold: str, answer: str, kind: AnswerKind, grader: str) -> Comparison:
    """Compare two answers by the rules of a grader: `strict`, `aisbench` or `math-verify`."""
    from papergate.scoring.equivalence import equivalent

    if grader != "strict":
        return Comparison(equal=verify_plainly(gold, answer), rule=grader)
    quick = equivalent(gold, answer, kind)
    if quick.equal is not None:
        return quick
    if len(answer) > limits.MAX_SYMBOLIC_CHARS + len(gold):
        return Comparison(equal=False, rule="unreadable", reason="unreadable")
    return Comparison(equal=_verify_guarded(gold, answer), rule="math-verify")


def verify_plainly(gold: str, answer: str) -> bool:
    """math-verify with its defaults and without its time-outs: the process itself is killable."""
    from math_verify import parse, verify

    parsed_gold = parse(_as_formula(gold), parsing_timeout=None)
    parsed_answer = parse(answer, parsing_timeout=None)
    return bool(verify(parsed_gold, parsed_answer, timeout_seconds=None))


def _verify_guarded(gold: str, answer: str) -> bool:
    from math_verify import parse, verify

    parsed_gold = parse(_as_formula(gold), parsing_timeout=None)
    parsed_answer = parse(_as_formula(answer), parsing_timeout=None)
    if not verify(parsed_gold, parsed_answer, timeout_seconds=None):
        return False
    return not any(_contradicts(one, other) for one in parsed_gold[:1] for other in parsed_answer[:1])


def _contradicts(gold: Any, answer: Any) -> bool:  # noqa: ANN401 - sympy is untyped
    """Whether sympy itself shows that two parsed answers differ: another shape, or another value."""
    import sympy

    if isinstance(gold, str) or isinstance(answer, str):
        return False
    shapes = (sympy.Tuple, sympy.FiniteSet, sympy.MatrixBase, sympy.Interval, sympy.Union)
    if any(isinstance(gold, shape) != isinstance(answer, shape) for shape in shapes):
        return True
    if not (isinstance(gold, sympy.Expr) and isinstance(answer, sympy.Expr)):
        return False
    return _far_apart(gold, answer)


def _far_apart(gold: Any, answer: Any) -> bool:  # noqa: ANN401 - sympy is untyped
    if gold.free_symbols | answer.free_symbols:
        return False
    one, other = gold.evalf(50), answer.evalf(50)
    return bool(abs(one - other) > abs(one) * 10**-6)


def _as_formula(text: str) -> str:
    return text if "$" in text or "\\boxed" in text else f"${text}$"
