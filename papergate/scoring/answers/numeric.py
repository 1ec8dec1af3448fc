"""Numerical proof that two values differ, and overwhelming evidence that they agree.

Two values are compared through the cross product of their polynomials, in which common terms have already cancelled
exactly, first at 60 and then at 150 digits. Numbers too large to be written are compared by their logarithms.

How long such a computation takes cannot be foreseen, so it is only permitted in a process that can be killed.
"""

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

from papergate.scoring.answers import algebra
from papergate.scoring.answers.algebra import Atom, Monomial, Polynomial, TooComplex, Undefined, Value

DIGITS = (60, 150)  # working precision: quickly tells values apart, then confirms that they agree
AGREE = 0.75  # share of the digits that must cancel before a difference counts as zero
LARGE = 10**100  # beyond it, and below its inverse, no decimal numeral stands for a number
MAX_LOG = 1 << 64  # of a number that is computed with; beyond it logarithms are compared
POINTS = 12  # sample points tried for the variables
ENOUGH = 5  # sample points where both values are real that settle an identity
EXACT = "exact value"  # the layer of a decision without numbers
NUMERICAL = f"{DIGITS[-1]} digits"  # the layer of a decision with them
_LOCAL = threading.local()

_PERMISSION = {"numbers": False}

Point = dict[str, Any]


class NeedsNumbers(Exception):
    """A comparison needs numbers, in a process that may not compute with them."""


def permit() -> None:
    """Let this process compute with numbers: somebody watches it and can end it."""
    _PERMISSION["numbers"] = True


def difference(left: Value, right: Value) -> Value:
    """The cross product of two quotients, zero exactly where they are equal, as a value over one."""
    over, under = algebra.polynomial(left.over), algebra.polynomial(left.under)
    other_over, other_under = algebra.polynomial(right.over), algebra.polynomial(right.under)
    return algebra.subtract(algebra.multiply(over, other_under), algebra.multiply(other_over, under))


def decide(left: Value, right: Value) -> tuple[bool | None, str]:
    """Whether two values are equal, and the layer that says so; None where it cannot be told."""
    if left == right:
        return True, EXACT
    try:
        if not difference(left, right).over:
            return True, EXACT
        if algebra.is_exact(left) and algebra.is_exact(right):
            return False, EXACT
    except TooComplex:
        pass
    return equal(left, right), NUMERICAL


def equal(left: Value, right: Value) -> bool | None:
    """Whether two values agree at sample points; None where that cannot be computed."""
    names = sorted(algebra.symbols(left) | algebra.symbols(right))
    try:
        if not names:
            return _is_zero(difference(left, right).over, {})
        return _agree_everywhere(left, right, names)
    except (TooComplex, Undefined, ArithmeticError, ValueError):
        return None


def real(value: Value) -> float | None:
    """The value as a float, None where it has variables or no real value."""
    try:
        number = evaluate(value, {}, DIGITS[0])
        return float(number.real) if _is_real(number) else None
    except (TooComplex, Undefined, ArithmeticError, ValueError, KeyError):
        return None


def rational(value: Value) -> Fraction | None:
    """The value to some fifty digits, None where it has variables or no real value."""
    number = algebra.constant(value)
    if number is not None or algebra.symbols(value):
        return number
    try:
        result = evaluate(value, {}, DIGITS[0])
        moderate = _is_real(result) and 1 / LARGE < abs(result) < LARGE
        return Fraction(str(result.real)) if moderate else None
    except (TooComplex, Undefined, ArithmeticError, ValueError):
        return None


def proportional(left: Value, right: Value) -> bool | None:
    """Whether two expressions have the same quotient at every sample point; None where that cannot be computed."""
    names = sorted(algebra.symbols(left) | algebra.symbols(right))
    quotients = []
    for point in _points(names):
        try:
            over, under = (evaluate(value, point, DIGITS[0]) for value in (left, right))
        except (TooComplex, Undefined, ArithmeticError, ValueError):
            continue
        if over == 0 or under == 0:
            return False
        quotients.append(over / under)
    if len(quotients) < ENOUGH:
        return None
    size = abs(quotients[0]) * 10 ** (-AGREE * DIGITS[0])
    return all(abs(quotient - quotients[0]) <= size for quotient in quotients)


def evaluate(value: Value, point: Point, digits: int) -> Any:  # noqa: ANN401 - mpmath is untyped
    """The complex number a value is at a point.

    Raises:
        TooComplex: It is too large to be written.
        Undefined: It has a division by zero there.
    """
    return _Evaluator(point, digits).value(value)


def _agree_everywhere(left: Value, right: Value, names: list[str]) -> bool | None:
    """Agreement at every sample point where both are real; where they never are, at every point."""
    crossed = difference(left, right).over
    if not crossed:
        return True
    at_real, elsewhere = 0, []
    for point in _points(names):
        try:
            both_real = all(_is_real_throughout(value, point) for value in (left, right))
            zero = _is_zero(crossed, point)
        except (Undefined, ArithmeticError, ValueError):
            continue
        if both_real and zero is False:
            return False
        at_real += both_real
        elsewhere.append(zero)
        if at_real >= ENOUGH:
            return True
    if at_real or not elsewhere or None in elsewhere:
        return True if at_real else None
    return all(elsewhere)


def _is_real_throughout(value: Value, point: Point) -> bool:
    """Whether a value is real and no root or logarithm inside it left the reals."""
    evaluator = _Evaluator(point, DIGITS[0])
    number = evaluator.value(value)
    return _is_real(number) and not evaluator.strayed


def _points(names: list[str]) -> Iterator[Point]:
    """Fixed, unremarkable rational points: below one, above one, and of both signs."""
    for trial in range(POINTS):
        point = {}
        for name in names:
            draw = zlib.crc32(f"{name} {trial}".encode())
            size = Fraction(draw % 9_973 + 500, 10_007) + (draw // 9_973 % 3 if trial % 3 == 1 else 0)
            point[name] = -size if trial % 3 == 2 and draw // 29_989 % 3 else size  # noqa: PLR2004 - every third trial
        yield point


def _is_zero(polynomial: Polynomial, point: Point) -> bool | None:
    """Whether a sum of terms vanishes: no, almost surely yes, or None where it cannot be told."""
    if not polynomial:
        return True
    try:
        for digits in DIGITS:
            terms = [_Evaluator(point, digits).term(term, factor) for term, factor in polynomial.items()]
            largest = max(abs(term) for term in terms)
            if abs(sum(terms)) > largest * _context(digits).mpf(10) ** (-AGREE * digits):
                return False
    except TooComplex:
        return False if _is_dominated(polynomial, point) else None
    return True


def _is_dominated(polynomial: Polynomial, point: Point) -> bool:
    """Whether one term is larger than all others together."""
    evaluator = _Evaluator(point, DIGITS[0])
    sizes = sorted((evaluator.log_size(term, factor) for term, factor in polynomial.items()), reverse=True)
    return len(sizes) == 1 or bool(sizes[0] > sizes[1] + len(sizes) + 1)


def _is_real(number: Any) -> bool:  # noqa: ANN401 - mpmath is untyped
    return bool(abs(number.imag) <= abs(number) * 10 ** (-AGREE * DIGITS[0]))


def _context(digits: int) -> Any:  # noqa: ANN401 - mpmath is untyped
    """An mpmath context of this thread: the shared one is not safe across threads."""
    if not _PERMISSION["numbers"]:
        raise NeedsNumbers("numbers are computed in a process that can be killed")
    context = getattr(_LOCAL, f"digits_{digits}", None)
    if context is None:
        import mpmath

        context = mpmath.MPContext()
        context.dps = digits
        setattr(_LOCAL, f"digits_{digits}", context)
    return context


class _Evaluator:
    """Values of atoms, terms and polynomials at one point, at one precision."""

    def __init__(self, point: Point, digits: int) -> None:
        self._mp = _context(digits)
        self._point = point
        self.strayed = False

    def value(self, value: Value) -> Any:  # noqa: ANN401 - mpmath is untyped
        return self._of_key((value.over.items(), value.under.items()))

    def polynomial(self, items: Any) -> Any:  # noqa: ANN401 - items of a dict or of a key
        return sum((self.term(term, factor) for term, factor in items), self._mp.mpc(0))

    def term(self, term: Monomial, factor: Fraction) -> Any:  # noqa: ANN401 - mpmath is untyped
        product = self._mp.mpc(self._number(factor))
        for name, exponent in term:
            if name[0] == "exponential":
                product *= self._exponential(name, exponent)
            else:
                product *= self._power(self._atom(name), self._number(exponent))
        return product

    def _exponential(self, name: Atom, share: Fraction) -> Any:  # noqa: ANN401 - mpmath is untyped
        """`base^(share * term)` in one go: a power of a power may leave the principal branch."""
        return self._power(self._atom(name[1]), self.term(name[2], share))  # type: ignore[arg-type]

    def log_size(self, term: Monomial, factor: Fraction) -> Any:  # noqa: ANN401 - mpmath is untyped
        total = self._mp.log(abs(self._number(factor)))
        for name, exponent in term:
            total += self._log_of_atom(name) * self._number(exponent)
        return total

    def _number(self, number: Fraction | int) -> Any:  # noqa: ANN401 - mpmath is untyped
        if isinstance(number, int):
            return self._mp.mpf(number)
        return self._mp.mpf(number.numerator) / number.denominator

    def _of_key(self, key: Any) -> Any:  # noqa: ANN401 - the key of a value
        over, under = (self.polynomial(part) for part in key)
        if under == 0:
            raise Undefined("a division by zero")
        return over / under

    def _atom(self, name: Atom) -> Any:  # noqa: ANN401 - mpmath is untyped
        kind, *rest = name
        parts: Any = rest
        if kind == "infinity":
            raise Undefined("infinity")
        evaluations: dict[str, Callable[[], Any]] = {
            "symbol": lambda: self._number(self._point[parts[0]]),
            "prime": lambda: self._mp.mpf(parts[0]),
            "pi": lambda: +self._mp.pi,
            "e": lambda: +self._mp.e,
            "i": lambda: self._mp.mpc(0, 1),
            "exponential": lambda: self._exponential(name, Fraction(1)),
            "power": lambda: self._real_power(self._of_key(parts[0]), parts[1]),
            "power of": lambda: self._power(self._of_key(parts[0]), self._of_key(parts[1])),
            "function": lambda: self._function(parts[0], [self._of_key(key) for key in parts[1:]]),
        }
        return evaluations[str(kind)]()

    def _log_of_atom(self, name: Atom) -> Any:  # noqa: ANN401 - mpmath is untyped
        kind, *rest = name
        if kind == "exponential":
            return (self.term(rest[1], Fraction(1)) * self._mp.log(self._atom(rest[0]))).real  # type: ignore[arg-type]
        if kind == "function" and rest[0] == "factorial":
            return self._mp.loggamma(self._of_key(rest[1]) + 1).real
        return self._mp.log(abs(self._atom(name)))

    def _power(self, base: Any, exponent: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
        if base == 0:
            if self._mp.re(exponent) < 0:
                raise Undefined("a division by zero")
            return self._mp.mpf(0 if exponent else 1)
        if abs(self._mp.log(base) * exponent) > MAX_LOG:
            raise TooComplex("too large to be written")
        result = self._mp.power(base, exponent)
        self._watch((base, exponent), result)
        return result

    def _watch(self, inputs: Iterable[Any], result: Any) -> None:  # noqa: ANN401 - mpmath is untyped
        """Remember that a root or logarithm of real numbers is not real."""
        self.strayed = self.strayed or (all(map(_is_real, inputs)) and not _is_real(result))

    def _real_power(self, base: Any, exponent: Fraction) -> Any:  # noqa: ANN401 - mpmath is untyped
        """A power with a fixed exponent; odd roots of negative numbers are the real ones."""
        if exponent.denominator % 2 == 0 or not _is_real(base) or base.real >= 0:
            return self._power(base, self._number(exponent))
        size = self._power(-base, self._number(exponent))
        return -size if exponent.numerator % 2 else size

    def _function(self, name: str, values: list[Any]) -> Any:  # noqa: ANN401 - mpmath is untyped
        if any(abs(value) > MAX_LOG for value in values):
            raise TooComplex("too large an argument")
        if name in _PLAIN:
            result = getattr(self._mp, _PLAIN[name])(*values)
            self._watch(values, result)
            return result
        if name == "mod":
            return values[0] - values[1] * self._mp.floor(self._mp.re(values[0] / values[1]))
        if name in _OWN:
            return _OWN[name](*values)
        raise TooComplex(f"no numerical {name}")


_PLAIN = {
    "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "arccot": "acot", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "ln": "log",
    "floor": "floor", "ceil": "ceil", "binomial": "binomial", "factorial": "factorial", "Re": "re", "Im": "im",
}  # fmt: skip
_OWN: dict[str, Callable[..., Any]] = {
    "absolute": abs,
    "max": lambda *values: max(values, key=lambda value: value.real),
    "min": lambda *values: min(values, key=lambda value: value.real),
}
