"""Numerical proof that two values differ, and overwhelming evidence that they agree.

Two numbers are compared through the cross product of their polynomials, in which common terms have already cancelled
exactly, at 60, then 150, then 1,000 digits. Numbers too large to be written are compared by their logarithms.

Expressions with variables are compared at sample points. A point is drawn from the pair itself: of both signs, of sizes
from a quarter to thousands and of the size of every number that the pair holds, with 20 random bits each. A false
identity between polynomials of degree d passes one point with a probability of at most d / 10^6 (Schwartz 1980, Zippel
1979), and at least three points must agree; what differs only in a region smaller than these steps is not seen.

Every operation costs steps of the budget that `algebra.allow` gives, so that no machine is too slow for an answer.
"""

import math
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

from papergate.scoring.answers import algebra
from papergate.scoring.answers.algebra import Atom, Monomial, Polynomial, TooComplex, Undefined, Value

DIGITS = (60, 150)  # working precision: quickly tells values apart, then confirms
MORE_DIGITS = 1_000  # for two numbers that agree so far
AGREE = 0.75  # share of the digits that must cancel before a difference counts as zero
LARGE = 10**100  # beyond it, and below its inverse, no decimal numeral stands for a number
MAX_LOG = 1 << 64  # of a number that is computed with; beyond it logarithms are compared
MAX_ARGUMENT = dict.fromkeys(("sin", "cos", "tan", "cot", "sec", "csc"), 1 << 2_048) | {
    "ln": None,
    "arctan": None,
    "tanh": None,
    "absolute": None,
    "max": None,
    "min": None,
    "zeta": 1_000,
    "Gamma": 1 << 16,
}  # of functions that bear larger numbers than MAX_LOG, or only smaller ones
MAX_APART = 8  # times the precision that the parts of a complex number may lie apart
MAX_REMEMBERED = 1_000  # sums, integrals and limits; one that is asked for again costs the same steps
MAX_SERIES = 300  # terms of a sum or product that are added up
ENOUGH = 3  # sample points where both values are real that settle an identity
DIGITS_OF_LIMITS = 30  # of integrals, limits and endless sums, each computed twice
GUARD = 10  # more digits the second time: what both agree on to three quarters is believed
EXACT = "exact value"  # the layer of a decision without numbers
NUMERICAL = f"{DIGITS[-1]} digits"  # the layer of a decision with them
WORK_OF_PLACE = 2  # steps that an evaluator of its own costs at each place of a sum, integral or limit
WORK_OF_FUNCTION = 12  # steps that a function or root at 60 digits costs: some 50 microseconds
_SIZES = (Fraction(1, 4), Fraction(2), Fraction(12), Fraction(150), Fraction(3_000))  # of sample values
_OWN_SIZES = 4  # sizes taken from the numbers of a pair
_LARGEST = Fraction(10**9)  # of a size taken from the pair
_MODERATE = 20  # a size whose inverse lies below all of `_SIZES`
_TRIALS = 6  # points of each size where several variables may stand on either side of a corner
_SMOOTH_SIZES = 3  # functions without corners and branches agree everywhere or almost nowhere
_SLOW = {"double factorial", "Gamma", "zeta", "factorial", "binomial"}
_SLOWNESS = 10  # times what other functions cost
_SMOOTH = {"sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "arctan"}
_MAX_DEGREE = 8  # of a polynomial whose corners are looked for
_ROOT_STEPS = 100  # of mpmath's search; what has not converged by then is used as it is
_NEARLY_REAL = 1e-9  # imaginary part of a root that counts as real
_TERMS_A_DIGIT = 3  # from which an endless sum or a limit is extrapolated: more digits take more, and must agree
_WORK_OF_LIMIT = 4_000  # steps that an extrapolation costs beside its terms
_STEPS_OF_LIMIT = (lambda mp: mp.one, lambda mp: -mp.phi)  # from both sides; no period is in step with both
_LATE_COUNTS = (10**2, 10**3, 10**4)  # where a function is compared with its limit; an oscillation is extrapolated, too
_APPROACH = 5  # times nearer at each of these places: what is extrapolated to many digits falls at least like 1/n
_EARLY, _LATE = 10**3, 10**6  # terms of an endless sum, of which the late one must be much smaller
_STEPS_AT = (-1, 1, 2, 10, 100)  # whole numbers at which a step is looked at
_LONG = {"series", "integral", "limit"}  # atoms that are computed from many values
_STEPS = {"floor", "ceil", "mod", "gcd", "lcm"}  # functions that change at whole numbers
_GRAIN = 1_048_573  # a prime near 2^20: the denominators of the random part of a sample value
_WHOLE_POINTS = 12
_CONSTANTS_OF_INTEGRATION = {"C", "c", "K"}
_SLOPE_STEP = Fraction(1, 10 ** (DIGITS[0] // 3))  # its square is what a symmetric quotient errs by
_SLOPE_ERROR = 1e-20
_INFINITE = algebra.key(algebra.atom(algebra.INFINITY))
_NEGATIVE_INFINITE = algebra.key(algebra.negate(algebra.atom(algebra.INFINITY)))
_LOCAL = threading.local()
_NO_NUMBER = (TooComplex, Undefined, ArithmeticError, ValueError, TypeError)  # mpmath orders no complex numbers

Point = dict[str, Any]


class Measured(NamedTuple):
    """A number, and the size of the largest term that it is the sum of."""

    number: Any
    scale: Any


def difference(left: Value, right: Value) -> Value:
    """Zero exactly where two quotients are equal: their cross product, or what stands above a bar they share."""
    if left.under == right.under:
        return algebra.subtract(algebra.polynomial(left.over), algebra.polynomial(right.over))
    over, under = algebra.polynomial(left.over), algebra.polynomial(left.under)
    other_over, other_under = algebra.polynomial(right.over), algebra.polynomial(right.under)
    return algebra.subtract(algebra.multiply(over, other_under), algebra.multiply(other_over, under))


def decide(left: Value, right: Value, whole: frozenset[str] = frozenset()) -> tuple[bool | None, str]:
    """Whether two values are equal, and the layer that says so; None where it cannot be told.

    Args:
        left: A value.
        right: Another.
        whole: The variables that stand for whole numbers.
    """
    if left == right:
        return True, EXACT
    numbers = (algebra.constant(left), algebra.constant(right))
    if None not in numbers:
        return numbers[0] == numbers[1], EXACT
    for integral, other in ((left, right), (right, left)):
        if (found := _antiderivative(integral)) is not None:
            return _is_primitive(other, *found), NUMERICAL
    try:
        if not difference(left, right).over:
            return True, EXACT
        if algebra.is_exact(left) and algebra.is_exact(right):
            return False, EXACT
    except TooComplex:
        pass
    return equal(left, right, whole), f"{_working_digits((left, right))[-1]} digits"


def equal(left: Value, right: Value, whole: frozenset[str] = frozenset()) -> bool | None:
    """Whether two values agree at sample points; None where that cannot be computed."""
    names = sorted(algebra.symbols(left) | algebra.symbols(right))
    try:
        if not names:
            return _is_zero(difference(left, right).over)
        return _Sampling(left, right).agree(_points(left, right, names, whole), _whole_points(names))
    except _NO_NUMBER:
        return None


def _antiderivative(value: Value) -> tuple[str, Value] | None:
    """The bound name and the integrand of a value that is an antiderivative, None where it is something else."""
    term = next(iter(value.over), ()) if len(value.over) == 1 else ()
    if len(term) != 1 or term[0][0][0] != "antiderivative" or value != algebra.atom(term[0][0]):
        return None
    _, bound, body = term[0][0]
    parts: Any = body
    return str(bound), Value(*map(dict, parts))


def _is_primitive(value: Value, bound: str, integrand: Value) -> bool | None:
    """Whether the derivative of a value is the integrand at every sample point; None where that cannot be computed."""
    outside = algebra.symbols(integrand)
    names = sorted(algebra.symbols(value) | outside)
    variables = [name for name in names if name not in outside | _CONSTANTS_OF_INTEGRATION]
    agreed = 0
    for point in _points(value, integrand, names, frozenset()) if len(variables) == 1 else ():
        try:
            slope = _slope(value, point, variables[0])
            wanted = evaluate(integrand, {**point, bound: point[variables[0]]}, DIGITS[0])
        except _NO_NUMBER:
            continue
        if abs(slope - wanted) > (abs(slope) + abs(wanted)) * _SLOPE_ERROR:
            return False
        agreed += 1
    return True if agreed >= ENOUGH else None


def _slope(value: Value, point: Point, name: str) -> Any:  # noqa: ANN401 - mpmath is untyped
    """The derivative by a symmetric quotient, to a third of the digits."""
    sides = [evaluate(value, {**point, name: point[name] + step}, DIGITS[0]) for step in (_SLOPE_STEP, -_SLOPE_STEP)]
    return (sides[0] - sides[1]) / (2 * evaluate(algebra.rational(_SLOPE_STEP), {}, DIGITS[0]))


def real(value: Value) -> float | None:
    """The value as a float, None where it has variables or no real value."""
    try:
        number = evaluate(value, {}, DIGITS[0])
        return float(number.real) if _is_real(number) else None
    except (*_NO_NUMBER, KeyError):
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
    except _NO_NUMBER:
        return None


def proportional(left: Value, right: Value) -> bool | None:
    """Whether two expressions have the same quotient at every sample point; None where that cannot be computed."""
    names = sorted(algebra.symbols(left) | algebra.symbols(right))
    quotients = []
    for point in _points(left, right, names, frozenset()):
        try:
            over, under = (evaluate(value, point, DIGITS[0]) for value in (left, right))
        except _NO_NUMBER:
            continue
        if over == 0 or under == 0:
            return False
        quotients.append(over / under)
    if len(quotients) < ENOUGH:
        return None
    size = abs(quotients[0]) * 10 ** (-AGREE * DIGITS[0])
    return all(abs(quotient - quotients[0]) <= size for quotient in quotients)


def evaluate(value: Value, point: Point, digits: int) -> Any:  # noqa: ANN401 - mpmath is untyped
    """The real or complex number a value is at a point.

    Raises:
        TooComplex: It is too large to be written.
        Undefined: It has a division by zero there.
    """
    return _Evaluator(point, digits).measured(value).number


class _Sampling:
    """Two values at one point after another."""

    def __init__(self, left: Value, right: Value) -> None:
        self._sides = (left, right)
        self._digits = _working_digits(self._sides)
        self._at_real = 0
        self._elsewhere: list[bool] = []

    def agree(self, points: Iterable[Point], whole_points: Iterable[Point]) -> bool | None:
        """Agreement wherever both are real; else at whole numbers; where they never are real, at every point."""
        if any(self._differ(point) for point in points):
            return False
        if self._at_real >= ENOUGH:
            return True
        if any(self._differ(point, everywhere=True) for point in whole_points):
            return False
        if self._at_real >= ENOUGH:
            return True
        return all(self._elsewhere) if len(self._elsewhere) >= ENOUGH else None

    def _differ(self, point: Point, *, everywhere: bool = False) -> bool:
        """Whether both are real at a point, and another number; everywhere, whether they are another number."""
        try:
            same, both_real = self._compared(point, self._digits[0])
            if (both_real or everywhere) and (not same or self._at_real == 0):
                same, both_real = self._compared(point, self._digits[-1])
        except _NO_NUMBER:
            return False
        self._at_real += both_real
        if not both_real:
            self._elsewhere.append(same)
        return (both_real or everywhere) and not same

    def _compared(self, point: Point, digits: int) -> tuple[bool, bool]:
        evaluator = _Evaluator(point, digits)
        one, other = map(evaluator.measured, self._sides)
        size = max(one.scale, other.scale) * evaluator.tolerance
        both_real = _is_real(one.number) and _is_real(other.number) and not evaluator.strayed
        return bool(abs(one.number - other.number) <= size), both_real


def _points(left: Value, right: Value, names: list[str], whole: frozenset[str]) -> Iterator[Point]:
    """Points of every size that matters to a pair, the first all positive."""
    numbers, smooth, has_steps = _contents((left, right))
    seed = zlib.crc32(repr((names, [number % _GRAIN for number in numbers])).encode())
    if has_steps:
        yield from _whole_points(names)
    if not smooth and len(names) == 1 and names[0] not in whole:
        corners = (*_between_corners((left, right), names[0]), *_at_steps((left, right), names[0]))
        yield from ({names[0]: value} for value in corners)
    own = _own_sizes(numbers)
    sizes = _smooth_sizes(numbers) if smooth else [*_SIZES, *own, *_small_sizes(own)]
    for trial in range(2 * len(sizes) if smooth or len(names) == 1 else _TRIALS * len(sizes)):
        point = {}
        for at, name in enumerate(names):
            draw = zlib.crc32(f"{seed} {name} {trial}".encode())
            size = sizes[(trial // 2 if smooth else trial // 2 * (at + 1) + at) % len(sizes)]
            value = size * (1 + Fraction(draw % _GRAIN, _GRAIN))
            value = Fraction(round(value) + 1) if name in whole else value
            is_negative = trial % 2 and (len(names) == 1 or draw // _GRAIN % 3)
            point[name] = -value if is_negative else value
        yield point


def _smooth_sizes(numbers: list[int]) -> list[Fraction]:
    """Sizes for functions without corners: small ones, at which an exponential is neither zero nor without bound."""
    return [*_SIZES[:_SMOOTH_SIZES], *(1 / size for size in _own_sizes(numbers))]


def _between_corners(sides: Iterable[Value], name: str) -> Iterator[Fraction]:
    """A point between any two corners: where what stands in a root, a distance or a maximum changes its sign."""
    ends = sorted({root for part in _parts_of(sides) for inside in _insides(part) for root in _roots(inside, name)})
    if ends:
        middles = [(low + high) / 2 for low, high in pairwise(ends)]
        yield from map(Fraction, (ends[0] - 1, *middles, ends[-1] + 1))


def _at_steps(sides: Iterable[Value], name: str) -> Iterator[Fraction]:
    """The points where a linear inside of a function with steps is a whole number: there it changes."""
    for part in _parts_of(sides):
        if part[:2] in {("function", "floor"), ("function", "ceil")}:
            over, under = part[2]
            ends = algebra.coefficients(Value(dict(over), dict(under)), name)
            flat, slope = map(algebra.constant, ends) if ends else (None, None)
            if flat is not None and slope:
                yield from ((at - flat) / slope for at in _STEPS_AT)


def _insides(part: tuple[Any, ...]) -> Iterator[Polynomial]:
    """The polynomials within an atom at whose sign it changes."""
    if part[:1] == ("power",):
        yield from map(dict, part[1])
    elif part[:2] == ("function", "absolute"):
        yield from map(dict, part[2])
    elif part[:2] in {("function", "max"), ("function", "min")}:
        values = [Value(dict(over), dict(under)) for over, under in part[2:]]
        yield from (algebra.subtract(one, other).over for one, other in pairwise(values))


def _roots(inside: Polynomial, name: str) -> list[float]:
    """The real roots of a polynomial in one variable, none where it is something else."""
    coefficients = {dict(term).get(("symbol", name), Fraction(0)): factor for term, factor in inside.items()}
    plain = len(coefficients) == len(inside) and all(len(term) <= 1 for term in inside)
    if not plain or any(not 0 <= power <= _MAX_DEGREE or power.denominator > 1 for power in coefficients):
        return []
    degree = int(max(coefficients, default=Fraction(0)))
    if degree == 0 or any(term and term[0][0] != ("symbol", name) for term in inside):
        return []
    algebra.spend(WORK_OF_FUNCTION * degree**2)
    numbers = [coefficients.get(Fraction(power), Fraction(0)) for power in range(degree, -1, -1)]
    return [root for root in _real_roots(numbers) if abs(root) < _LARGEST]


def _real_roots(numbers: list[Fraction]) -> list[float]:
    """The real roots of a polynomial, highest coefficient first; those of a high degree as far as they are found."""
    context = _context(DIGITS[0])
    values = [context.mpf(number.numerator) / number.denominator for number in numbers]
    if len(values) == 2:  # noqa: PLR2004 - a line
        return [float(-values[1] / values[0])]
    if len(values) == 3:  # noqa: PLR2004 - a parabola
        middle, spread = -values[1] / (2 * values[0]), values[1] ** 2 / (4 * values[0] ** 2) - values[2] / values[0]
        return [float(middle + sign * context.sqrt(spread)) for sign in (-1, 1)] if spread >= 0 else []
    try:
        found = context.polyroots(values, maxsteps=_ROOT_STEPS, extraprec=100)
    except context.NoConvergence:
        return []
    return [float(root.real) for root in found if abs(root.imag) < _NEARLY_REAL]


def _own_sizes(numbers: list[int]) -> list[Fraction]:
    """The distinct sizes of the numbers that a pair holds."""
    sizes = {Fraction(abs(number)) for number in numbers}
    return sorted(size for size in sizes if 1 < size <= _LARGEST)[-_OWN_SIZES:]


def _small_sizes(sizes: Iterable[Fraction]) -> list[Fraction]:
    r"""The inverses of large sizes: `\tanh(1000x)` changes near a thousandth."""
    return [1 / size for size in sizes if size > _MODERATE]


def _whole_points(names: list[str]) -> Iterator[Point]:
    for trial in range(_WHOLE_POINTS):
        draws = [zlib.crc32(f"{name} {trial}".encode()) % _WHOLE_POINTS for name in names[1:]]
        yield {name: Fraction(number) for name, number in zip(names, [trial, *draws], strict=True)}


def _contents(sides: Iterable[Value]) -> tuple[list[int], bool, bool]:
    """The whole numbers within values, whether these have no corners and branches, and whether they have steps."""
    parts = list(_parts_of(sides))
    leaves = [leaf for part in parts for leaf in part if isinstance(leaf, (int, Fraction))]
    numbers = sorted(number for leaf in leaves for number in (leaf.numerator, leaf.denominator))
    algebra.spend(len(numbers))
    has_steps = any(part[:1] == ("function",) and part[1] in _STEPS for part in parts)
    return numbers, all(map(_is_smooth, parts)), has_steps


def _parts_of(sides: Iterable[Value]) -> Iterator[tuple[Any, ...]]:
    """Every term, atom and key within values."""
    waiting: list[tuple[Any, ...]] = [tuple(part.items()) for value in sides for part in value]
    while waiting:
        part = waiting.pop()
        waiting.extend(inner for inner in part if isinstance(inner, tuple))
        yield part


def _is_smooth(part: tuple[object, ...]) -> bool:
    if not part or not isinstance(part[0], str):
        name, exponent = part if len(part) == 2 else ((), None)  # noqa: PLR2004 - an atom with its exponent
        branches = isinstance(exponent, Fraction) and exponent.denominator > 1
        return not (branches and isinstance(name, tuple) and name[:1] == ("symbol",))
    if part[0] == "function":
        return part[1] in _SMOOTH
    return part[0] not in {"power", "power of", "series", "bound"}


def _is_zero(polynomial: Polynomial) -> bool | None:
    """Whether a sum of terms without variables vanishes: no, almost surely yes, or None where it cannot be told."""
    if not polynomial:
        return True
    try:
        for digits in _working_digits((algebra.polynomial(polynomial),), (*DIGITS, MORE_DIGITS)):
            evaluator = _Evaluator({}, digits)
            total = evaluator.total(polynomial.items())
            if abs(total.number) > total.scale * evaluator.tolerance:
                return False
    except TooComplex:
        return False if _is_dominated(polynomial) else None
    return True


def _working_digits(sides: Iterable[Value], wanted: tuple[int, ...] = DIGITS) -> tuple[int, ...]:
    """The precisions at which values are computed: fewer where they would take seconds."""
    parts = list(_parts_of(sides))
    if any(part[:1] in {("integral",), ("limit",)} or _is_endless(part) for part in parts):
        return (DIGITS_OF_LIMITS,)
    is_slow = any(part[:1] == ("function",) and part[1] in _SLOW for part in parts)
    return tuple(digits for digits in wanted if digits < MORE_DIGITS or not is_slow)


def _is_endless(part: tuple[Any, ...]) -> bool:
    """Whether an atom is a sum or product to infinity."""
    return part[:1] == ("series",) and _INFINITE in part[3:5]


def _is_dominated(polynomial: Polynomial) -> bool:
    """Whether one term is larger than all others together."""
    evaluator = _Evaluator({}, _working_digits((algebra.polynomial(polynomial),))[0])
    sizes = sorted((evaluator.log_size(term, factor) for term, factor in polynomial.items()), reverse=True)
    return len(sizes) == 1 or bool(sizes[0] > sizes[1] + len(sizes) + 1)


def _is_real(number: Any) -> bool:  # noqa: ANN401 - mpmath is untyped
    return bool(number.imag == 0 or abs(number.imag) <= abs(number) * 10 ** (-AGREE * DIGITS[0]))


def _context(digits: int) -> Any:  # noqa: ANN401 - mpmath is untyped
    """An mpmath context of this thread: the shared one is not safe across threads."""
    context = getattr(_LOCAL, f"digits_{digits}", None)
    if context is None:
        import mpmath

        context = mpmath.MPContext()
        context.dps = digits
        setattr(_LOCAL, f"digits_{digits}", context)
    return context


def _spend_on_limit(mp: Any) -> None:  # noqa: ANN401 - mpmath is untyped
    """Count an extrapolation: within another it has more digits, so more terms, each combined with all others."""
    algebra.spend(_WORK_OF_LIMIT * (mp.dps // DIGITS_OF_LIMITS) ** 2)


def _sum_from(start: int, added: int, mp: Any, at: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
    """An endless sum: its first terms are added up, the rest is extrapolated."""
    _spend_on_limit(mp)
    rest = mp.nsum(at, [start + added, mp.inf], maxterms=_TERMS_A_DIGIT * mp.dps)
    return sum(map(at, range(start, start + added)), rest)


def _product_from(start: int, multiplied: int, mp: Any, at: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
    """An endless product: its first terms are multiplied, the rest is extrapolated."""
    _spend_on_limit(mp)
    rest = mp.nprod(at, [start + multiplied, mp.inf], maxterms=_TERMS_A_DIGIT * mp.dps)
    return math.prod(map(at, range(start, start + multiplied)), start=rest)


def _limit_along(step: Callable[[Any], Any], place: Any, mp: Any, at: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
    """The limit of a function at a place, approached by multiples of a step or, from one side, by their inverses."""
    _spend_on_limit(mp)
    end, size = mp.convert(place), step(mp)

    def value(count: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
        return at(mp.sign(end) * abs(size) * count if mp.isinf(end) else end + 1 / (size * count))

    limit = mp.limit(value, mp.inf, maxterms=_TERMS_A_DIGIT * mp.dps)
    apart = [abs(value(count) - limit) for count in _LATE_COUNTS]
    noise = max(abs(limit), apart[0]) * mp.mpf(10) ** (-AGREE * mp.dps)
    if any(later > earlier / _APPROACH + noise for earlier, later in pairwise(apart)):
        raise TooComplex("a function that does not approach the limit")
    return limit


def _integral_between(low: Any, high: Any, mp: Any, at: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
    """An integral by tanh-sinh quadrature (Takahasi and Mori 1974)."""
    return mp.quad(at, [mp.convert(low), mp.convert(high)])


def _middle(low: Any, high: Any, mp: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
    """A place within a range, whose ends may be infinite."""
    if mp.isinf(high):
        return mp.zero if mp.isinf(low) else low + mp.sign(high)
    return high + mp.sign(low) if mp.isinf(low) else (low + high) / 2


class _Evaluator:
    """Values of atoms, terms and polynomials at one point, at one precision; real as long as they can be."""

    def __init__(self, point: Point, digits: int, *, within_limit: bool = False) -> None:
        self._mp = _context(digits)
        self._digits = digits
        self._within_limit = within_limit
        self._point = point
        self._known: dict[Atom, Any] = {}
        self._work = WORK_OF_FUNCTION * digits // DIGITS[0]
        self.tolerance = self._mp.mpf(10) ** (-AGREE * digits)
        self.strayed = False

    def measured(self, value: Value) -> Measured:
        """The number a value is."""
        return self._of_key((value.over.items(), value.under.items()))

    def total(self, items: Any) -> Measured:  # noqa: ANN401 - items of a dict or of a key
        """A polynomial, with the size of its largest term."""
        terms = [self.term(term, factor) for term, factor in items]
        return Measured(sum(terms, self._mp.zero), max(map(abs, terms), default=self._mp.zero))

    def term(self, term: Monomial, factor: Fraction) -> Any:  # noqa: ANN401 - mpmath is untyped
        """A monomial with its coefficient."""
        algebra.spend(1)
        product = self._number(factor)
        for name, exponent in term:
            product *= self._raised(name, exponent)
        return product

    def _raised(self, name: Atom, exponent: Fraction) -> Any:  # noqa: ANN401 - mpmath is untyped
        if name[0] == "exponential":
            return self._exponential(name, exponent)
        if exponent.denominator == 1 and 0 < exponent <= algebra.MAX_EXPANDED_POWER:
            return self._atom(name) ** exponent.numerator
        return self._power(self._atom(name), self._number(exponent))

    def _exponential(self, name: Atom, share: Fraction) -> Any:  # noqa: ANN401 - mpmath is untyped
        """`base^(share * term)` in one go: a power of a power may leave the principal branch."""
        return self._power(self._atom(name[1]), self.term(name[2], share))  # type: ignore[arg-type]

    def log_size(self, term: Monomial, factor: Fraction) -> Any:  # noqa: ANN401 - mpmath is untyped
        """The logarithm of the size of a term."""
        total = self._mp.log(abs(self._number(factor)))
        for name, exponent in term:
            total += self._log_of_atom(name) * self._number(exponent)
        return total

    def _number(self, number: Fraction | int) -> Any:  # noqa: ANN401 - mpmath is untyped
        if not isinstance(number, (int, Fraction)):
            return number  # a place that mpmath chose
        algebra.spend((number.numerator.bit_length() + number.denominator.bit_length()) // algebra.BITS_A_STEP)
        over = self._mp.mpf(number.numerator)
        return over if number.denominator == 1 else over / number.denominator

    def _of_key(self, key: Any) -> Measured:  # noqa: ANN401 - the key of a value
        over, under = (self.total(part) for part in key)
        if under.number == 0:
            raise Undefined("a division by zero")
        return Measured(over.number / under.number, over.scale / abs(under.number))

    def _atom(self, name: Atom) -> Any:  # noqa: ANN401 - mpmath is untyped
        if name not in self._known:
            remembered = name[0] in _LONG and not self._within_limit and not algebra.symbols(algebra.atom(name))
            self._known[name] = self._remembered(name) if remembered else self.computed(name)
        return self._known[name]

    def _remembered(self, name: Atom) -> Any:  # noqa: ANN401 - mpmath is untyped
        number, strayed, steps = _without_variables(name, self._digits)
        algebra.spend_once((name, self._digits), steps)
        self.strayed = self.strayed or strayed
        if isinstance(number, Exception):
            raise number.with_traceback(None)
        return self._mp.convert(number)

    def computed(self, name: Atom) -> Any:  # noqa: ANN401 - mpmath is untyped
        """The number that an atom is."""
        kind, *rest = name
        parts: Any = rest
        if kind == "infinity":
            raise Undefined("infinity")
        evaluations: dict[str, Callable[[], Any]] = {
            "symbol": lambda: self._number(self._point[parts[0]]),
            "bound": lambda: self._number(self._point[parts[0]]),
            "prime": lambda: self._mp.mpf(parts[0]),
            "pi": lambda: +self._mp.pi,
            "e": lambda: +self._mp.e,
            "i": lambda: self._mp.mpc(0, 1),
            "exponential": lambda: self._exponential(name, Fraction(1)),
            "power": lambda: self._real_power(self._of_key(parts[0]).number, parts[1]),
            "power of": lambda: self._power(*(self._of_key(part).number for part in parts)),
            "function": lambda: self._function(parts[0], [self._of_key(key).number for key in parts[1:]]),
            "series": lambda: self._series(*parts),
            "integral": lambda: self._integral(*parts),
            "limit": lambda: self._limit(*parts),
        }
        if kind not in evaluations:
            raise TooComplex(f"no numerical {kind}")
        return evaluations[str(kind)]()

    def _series(self, kind: str, name: str, low: Any, high: Any, body: Any) -> Any:  # noqa: ANN401 - keys of values
        """A sum or product over whole numbers."""
        start = self._whole(self._of_key(low).number)
        if high == _INFINITE:
            return self._endless(kind, name, start, body)
        stop = self._whole(self._of_key(high).number)
        if stop - start > MAX_SERIES:
            raise TooComplex("a long sum")
        total = self._mp.mpf(0 if kind == "sum" else 1)
        for at in range(start, stop + 1):
            term = self._at(name, body, Fraction(at))
            total = total + term if kind == "sum" else total * term
        return total

    def _at(self, name: str, body: Any, place: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
        """The number that a key is where its bound variable has a value."""
        algebra.spend(WORK_OF_PLACE)
        inside = _Evaluator({**self._point, name: place}, self._digits, within_limit=True)
        return inside._of_key(body).number

    def _endless(self, kind: str, name: str, start: int, body: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
        """A sum or product to infinity, by extrapolation of its first terms."""
        if kind == "sum" and not abs(self._at(name, body, _LATE)) < abs(self._at(name, body, _EARLY)) / 2:
            raise Undefined("a sum whose terms do not fall")
        method = partial(_sum_from if kind == "sum" else _product_from, start)
        return self._twice((partial(method, 0), partial(method, 1)), name, body, may_vanish=kind == "sum")

    def _integral(self, name: str, low: Any, high: Any, body: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
        """An integral by halves, each of which must exist: halves of an odd function cancel even where they do not."""
        start, stop = (self._mp.convert(self._end(end)) for end in (low, high))
        places = (start, _middle(start, stop, self._mp), stop)
        methods = [partial(_integral_between, *ends) for ends in pairwise(places)]
        halves = [self._twice((method, method), name, body) for method in methods]
        total = sum(halves, self._mp.zero)
        return total if abs(total) > max(map(abs, halves)) * self.tolerance else self._mp.zero

    def _limit(self, name: str, end: Any, body: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
        """A limit: the same along two ways, and from both sides if there are two."""
        methods = [partial(_limit_along, step, self._end(end)) for step in _STEPS_OF_LIMIT]
        return self._twice(methods, name, body, may_vanish=True)

    def _end(self, key: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
        """An end of an integral, or the place of a limit."""
        if key == _INFINITE:
            return self._mp.inf
        return -self._mp.inf if key == _NEGATIVE_INFINITE else self._of_key(key).number

    def _twice(
        self,
        methods: Iterable[Callable[[Any, Any], Any]],
        name: str,
        body: Any,  # noqa: ANN401 - mpmath is untyped
        *,
        may_vanish: bool = False,
    ) -> Any:  # noqa: ANN401 - mpmath is untyped
        """What two methods find alike for a body, the second with more digits.

        Raises:
            TooComplex: They differ, so that one does not converge, or both are near zero and no digit is certain.
        """
        evaluators = (self, _Evaluator(self._point, self._digits + GUARD))
        rough, fine = (
            method(evaluator._mp, partial(evaluator._at, name, body))  # noqa: SLF001
            for method, evaluator in zip(methods, evaluators, strict=True)
        )
        if self._mp.isfinite(fine) and abs(fine - rough) <= abs(fine) * self.tolerance:
            return fine
        if may_vanish and max(abs(fine), abs(rough)) < self.tolerance:
            return self._mp.zero
        raise TooComplex("no convergence")

    def _log_of_atom(self, name: Atom) -> Any:  # noqa: ANN401 - mpmath is untyped
        kind, *rest = name
        if kind == "exponential":
            return (self.term(rest[1], Fraction(1)) * self._mp.log(self._atom(rest[0]))).real  # type: ignore[arg-type]
        if kind == "function" and rest[0] == "factorial":
            return self._mp.loggamma(self._of_key(rest[1]).number + 1).real
        return self._mp.log(abs(self._atom(name)))

    def _power(self, base: Any, exponent: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
        algebra.spend(self._work)
        base = self._told_apart(base)
        if base == 0:
            if self._mp.re(exponent) < 0:
                raise Undefined("a division by zero")
            return self._mp.mpf(0 if exponent else 1)
        size = self._mp.log(base) * exponent
        if self._within_limit and self._mp.re(size) < -MAX_LOG:
            return self._mp.zero
        if abs(size) > MAX_LOG:
            raise TooComplex("too large to be written")
        result = self._mp.power(base, exponent)
        self._watch((base, exponent), result)
        return result

    def _told_apart(self, number: Any) -> Any:  # noqa: ANN401 - mpmath is untyped
        """The number without a part that no digit beside the other part tells; a logarithm would take all between."""
        if not number.real or not number.imag:
            return number
        sizes = self._mp.mag(number.real) - self._mp.mag(number.imag)
        if abs(sizes) <= self._mp.prec * MAX_APART:
            return number
        return number.real if sizes > 0 else self._mp.mpc(0, number.imag)

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
        if name not in _PARTS:
            values = [*map(self._told_apart, values)]
        is_slow = name in _SLOW and not all(map(self._mp.isint, values))
        algebra.spend(self._work * (_SLOWNESS if is_slow else 1))
        limit = MAX_ARGUMENT.get(name, MAX_LOG)
        if limit is not None and any(abs(value) > limit for value in values):
            raise TooComplex("too large an argument")
        if name == "double factorial" and not all(map(_is_real, values)):
            raise TooComplex("a double factorial of a complex number")
        if name in _PLAIN:
            result = getattr(self._mp, _PLAIN[name])(*values)
            self._watch(values, result)
            return result
        if name == "mod":
            return values[0] - values[1] * self._mp.floor(self._mp.re(values[0] / values[1]))
        if name in {"gcd", "lcm"}:
            return self._mp.mpf(getattr(math, name)(*map(self._whole, values)))
        if name in _OWN:
            return _OWN[name](*values)
        raise TooComplex(f"no numerical {name}")

    def _whole(self, number: Any) -> int:  # noqa: ANN401 - mpmath is untyped
        if abs(number) > MAX_LOG:
            raise TooComplex("too large a whole number")
        if not _is_real(number) or number.real != self._mp.nint(number.real):
            raise Undefined("a fraction where a whole number is needed")
        return int(number.real)


@lru_cache(MAX_REMEMBERED)
def _without_variables(name: Atom, digits: int) -> tuple[Any, bool, int]:
    """A sum, an integral or a limit that is the same at every point, or why it has no number.

    Also whether its parts strayed, and the steps that it takes.
    """
    evaluator = _Evaluator({}, digits)

    def number_or_error() -> Any:  # noqa: ANN401 - mpmath is untyped
        try:
            return evaluator.computed(name)
        except _NO_NUMBER as error:
            return error

    number, steps = algebra.counted(number_or_error)
    return number, evaluator.strayed, steps


_PLAIN = {
    "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "arccot": "acot", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "ln": "log",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "Gamma": "gamma", "arg": "arg", "zeta": "zeta",
    "floor": "floor", "ceil": "ceil", "binomial": "binomial", "factorial": "factorial", "Re": "re", "Im": "im",
    "double factorial": "fac2",
}  # fmt: skip
_PARTS = {"Re", "Im", "arg"}  # of a complex number, however small one is beside the other
_OWN: dict[str, Callable[..., Any]] = {
    "absolute": abs,
    "max": lambda *values: max(values, key=lambda value: value.real),
    "min": lambda *values: min(values, key=lambda value: value.real),
}
