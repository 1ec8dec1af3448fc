"""Exact arithmetic on the expressions of answers.

A value is a quotient of two polynomials with rational coefficients over *atoms*: symbols, pi, e, i, roots of primes,
exponentials, and functions of values. Powers of primes, of i and of pi are normalised as they arise, so that two
values without functions are equal exactly when the cross product of their polynomials is zero: distinct products of
roots of primes are linearly independent over the rationals (Besicovitch 1940), also times powers of i, of pi and of
symbols. Where functions or exponentials remain, a zero is certain and a non-zero is not.
"""

import threading
from collections.abc import Callable, Hashable, Iterable
from fractions import Fraction
from math import comb, factorial, gcd, isqrt, lcm
from typing import Any, NamedTuple, TypeVar

MAX_TERMS = 400  # terms of a polynomial; the expansions of real answers have some ten
MAX_EXPANDED_POWER = 16  # powers of sums up to this are multiplied out
MAX_BITS = 100_000  # of an integer; 2024^4046 has 44,000
MAX_FACTORIAL = 5_000  # 5000! has 54,000 bits
MAX_KEY_NODES = 500  # of the canonical form of a function's argument; nested ones grow exponentially when written out
LONGEST_PRINTED = (
    10**300
)  # a number whose digits are compared, or part of a name; Python prints none of over 4,300 digits
MAX_STEPS = 40_000  # term products, key nodes and numerical operations of one comparison: a second at most
MAX_PRIME = 10_000  # trial division under a root; what is left is not known to be prime

R = TypeVar("R")
Atom = tuple[object, ...]
Monomial = tuple[tuple[Atom, Fraction], ...]
Polynomial = dict[Monomial, Fraction]

ONE: Monomial = ()
PI: Atom = ("pi",)
EULER: Atom = ("e",)
IMAGINARY: Atom = ("i",)
INFINITY: Atom = ("infinity",)
BITS_A_STEP = 64  # arithmetic on a long integer costs steps by its length
_WORK = threading.local()
_TURN: Monomial = ((IMAGINARY, Fraction(1)), (PI, Fraction(1)))  # the exponent of Euler's formula
_INDEPENDENT = {"symbol", "pi", "i", "prime", "infinity"}


class TooComplex(Exception):
    """An exact computation grows beyond its limits."""


class OutOfSteps(Exception):
    """A comparison costs more steps than it is allowed."""


class Undefined(Exception):
    """A value does not exist: a division by zero, a logarithm of zero."""


class Value(NamedTuple):
    """A quotient of polynomials. Never changed after it was made."""

    over: Polynomial
    under: Polynomial


def allow(steps: int) -> None:
    """Let this thread compute so many more steps."""
    _WORK.left = steps
    _WORK.paid = set()


def counted(work: Callable[[], R]) -> tuple[R, int]:
    """The result of some work that has a full allowance of its own, and the steps that it took."""
    kept = vars(_WORK).copy()
    allow(MAX_STEPS)
    try:
        return work(), MAX_STEPS - _WORK.left
    finally:
        vars(_WORK).clear()
        vars(_WORK).update(kept)


def spend_once(what: Hashable, steps: int) -> None:
    """Count steps for something that one comparison computes once, however often it is asked for."""
    paid: set[Hashable] = getattr(_WORK, "paid", set())
    if what not in paid:
        spend(steps)
        paid.add(what)


def spend(steps: int) -> None:
    """Count steps of work against what this thread may do; a thread that was allowed nothing is not counted.

    Raises:
        OutOfSteps: None are left. Steps are the same on every machine, so a grade does not depend on its speed.
    """
    left = getattr(_WORK, "left", None)
    if left is not None:
        _WORK.left = left - steps
        if left < steps:
            raise OutOfSteps(f"more than {MAX_STEPS:,} steps")


def rational(number: Fraction | int) -> Value:
    """The value of a number."""
    return Value({ONE: Fraction(number)} if number else {}, {ONE: Fraction(1)})


def atom(name: Atom) -> Value:
    """The value of an atom."""
    return Value({((name, Fraction(1)),): Fraction(1)}, {ONE: Fraction(1)})


def symbol(name: str) -> Value:
    """The value of a variable."""
    return atom(("symbol", name))


def polynomial(terms: Polynomial) -> Value:
    """The value of a polynomial."""
    return Value(terms, {ONE: Fraction(1)})


def constant(value: Value) -> Fraction | None:
    """The rational number a value is, None where it is none."""
    if not value.over:
        return Fraction(0)
    if len(value.over) == len(value.under) == 1 and ONE in value.over and ONE in value.under:
        under = value.under[ONE]
        return value.over[ONE] if under == 1 else value.over[ONE] / under
    return None


def add(left: Value, right: Value) -> Value:
    """The sum."""
    if left.under == right.under:
        return _value(_plus(left.over, right.over), left.under)
    over = _plus(_times(left.over, right.under), _times(right.over, left.under))
    return _value(over, _times(left.under, right.under))


def multiply(left: Value, right: Value) -> Value:
    """The product."""
    return _value(_times(left.over, right.over), _times(left.under, right.under))


def negate(value: Value) -> Value:
    """The negative."""
    return Value({term: -factor for term, factor in value.over.items()}, value.under)


def subtract(left: Value, right: Value) -> Value:
    """The difference."""
    return add(left, negate(right))


def divide(left: Value, right: Value) -> Value:
    """The quotient."""
    if not right.over:
        raise Undefined("a division by zero")
    return multiply(left, _value(right.under, right.over))


def is_exact(value: Value) -> bool:
    """Whether the value is zero exactly when its polynomial is: no functions, exponentials or unproved primes."""
    return all(
        name[0] in _INDEPENDENT and (name[0] != "prime" or _is_proved(name, exponent))
        for term in (*value.over, *value.under)
        for name, exponent in term
    )


def key(value: Value) -> Atom:
    """A hashable canonical form: equal keys are equal values, and mostly the other way round."""
    spend(_nodes((tuple(value.over), tuple(value.under)), MAX_KEY_NODES))
    lead = value.under[min(value.under, key=spelled)] if len(value.under) > 1 else next(iter(value.under.values()))
    return tuple(
        tuple(_in_order((term, factor / lead) for term, factor in part.items())) for part in (value.over, value.under)
    )


def spelled(nested: object) -> str:
    """A canonical spelling of an atom, monomial or key; numbers in hexadecimal, which Python writes at any length."""
    if isinstance(nested, tuple):
        return f"({','.join(map(spelled, nested))})"
    if isinstance(nested, (int, Fraction)):
        return f"{nested.numerator:x}/{nested.denominator:x}" if nested.denominator != 1 else f"{nested.numerator:x}"
    return str(nested)


def _in_order(parts: Iterable[tuple[object, ...]]) -> list[Any]:
    found = list(parts)
    return sorted(found, key=spelled) if len(found) > 1 else found


def _nodes(nested: object, most: int) -> int:
    """How many parts a nested tuple has.

    Raises:
        TooComplex: It has more than `most`.
    """
    if not isinstance(nested, tuple):
        return 1
    total = 1
    for part in nested:
        total += _nodes(part, most - total)
    if total > most:
        raise TooComplex("too long a canonical form")
    return total


def symbols(value: Value) -> set[str]:
    """The names of the variables, those inside functions too."""
    return {name for part in value for term in part for name in _symbols_within(term)}


def _symbols_within(nested: object) -> set[str]:
    if not isinstance(nested, tuple):
        return set()
    if len(nested) == 2 and nested[0] == "symbol":  # noqa: PLR2004 - an atom of a name
        return {str(nested[1])}
    return {name for part in nested for name in _symbols_within(part)}


def power(base: Value, exponent: Value) -> Value:
    """The principal power; odd roots of negative numbers are the real ones, as in school."""
    number = constant(exponent)
    if number is None:
        return _exponential(base, exponent)
    if number.denominator == 1:
        return _integer_power(base, int(number))
    return _root_power(base, number)


def function(name: str, *arguments: Value) -> Value:
    """A function of values, exactly where it is simple, otherwise as an atom."""
    exact = _EXACT.get(name)
    result = exact(*arguments) if exact else None
    return result if result is not None else atom(("function", name, *map(key, arguments)))


def coefficients(value: Value, name: str) -> tuple[Value, Value] | None:
    """The constant part and the slope of a value that is linear in a variable, None where it is not."""
    flat: Polynomial = {}
    slope: Polynomial = {}
    for term, factor in value.over.items():
        powers = dict(term)
        power_of_name = powers.pop(("symbol", name), Fraction(0))
        if power_of_name not in (0, 1):
            return None
        (slope if power_of_name else flat)[tuple(part for part in term if part[0] != ("symbol", name))] = factor
    parts = (Value(flat, value.under), Value(slope, value.under))
    return None if any(name in symbols(part) for part in parts) else parts


def without_denominators(value: Value) -> Value:
    """A polynomial times the powers of symbols under its bars: `y - x^{-1}` becomes `xy - 1`."""
    lowest: dict[Atom, Fraction] = {}
    for term in value.over:
        for name, exponent in term:
            if name[0] == "symbol" and exponent < lowest.get(name, Fraction(0)):
                lowest[name] = exponent
    factor = tuple(_in_order((name, -exponent) for name, exponent in lowest.items()))
    return polynomial(_times(value.over, {factor: Fraction(1)})) if lowest else polynomial(value.over)


# polynomials


def _value(over: Polynomial, under: Polynomial) -> Value:
    if not under:
        raise Undefined("a division by zero")
    if len(under) > 1 or ONE in under:
        return Value(over, under)
    ((term, factor),) = under.items()
    inverse, number = _normal({name: -exponent for name, exponent in term})
    return Value(_times(over, {inverse: number / factor}), {ONE: Fraction(1)})


def _plus(left: Polynomial, right: Polynomial) -> Polynomial:
    total = dict(left)
    for term, factor in right.items():
        value = total.get(term, Fraction(0)) + factor
        if value:
            total[term] = value
        else:
            del total[term]
    return total


def _times(left: Polynomial, right: Polynomial) -> Polynomial:
    if len(left) * len(right) > MAX_TERMS:
        raise TooComplex("too many terms")
    spend(len(left) * len(right))
    total: Polynomial = {}
    for term, factor in left.items():
        for other, weight in right.items():
            product, number = _merge(term, other)
            total[product] = total.get(product, Fraction(0)) + number * factor * weight
    bits = sum(map(_bits, total.values()))
    if bits > MAX_BITS:
        raise TooComplex("too many digits")
    spend(bits // BITS_A_STEP)
    return {term: factor for term, factor in total.items() if factor}


def _merge(left: Monomial, right: Monomial) -> tuple[Monomial, Fraction]:
    """The product of two monomials and the rational number that falls out of it."""
    if not left:
        return right, Fraction(1)
    if not right:
        return left, Fraction(1)
    exponents = dict(left)
    for name, exponent in right:
        exponents[name] = exponents.get(name, Fraction(0)) + exponent
    return _normal(exponents)


def _normal(exponents: dict[Atom, Fraction]) -> tuple[Monomial, Fraction]:
    number = Fraction(1)
    for name in [name for name in exponents if name[0] in {"prime", "i"}]:
        if name == IMAGINARY:
            quarter = exponents[name] % 4
            number *= -1 if quarter >= 2 else 1  # noqa: PLR2004 - the square of i
            exponents[name] = quarter % 2
        else:
            prime, whole = name[1], exponents[name].__floor__()
            assert isinstance(prime, int)
            if abs(whole) * prime.bit_length() <= MAX_BITS:
                number *= Fraction(prime) ** whole
                exponents[name] -= whole
    kept = _in_order((name, exponent) for name, exponent in exponents.items() if exponent)
    return tuple(kept), number


def _bits(number: Fraction) -> int:
    return max(number.numerator.bit_length(), number.denominator.bit_length())


def _is_proved(name: Atom, exponent: Fraction) -> bool:
    return isinstance(name[1], int) and name[1] <= MAX_PRIME**2 and 0 <= exponent < 1


# powers


def _integer_power(base: Value, exponent: int) -> Value:
    if exponent == 0:
        return rational(1)
    if exponent < 0:
        return _integer_power(divide(rational(1), base), -exponent)
    if len(base.over) <= 1 and len(base.under) <= 1:
        return Value(_monomial_power(base.over, exponent), _monomial_power(base.under, exponent))
    if exponent > MAX_EXPANDED_POWER:
        return _opaque_power(base, Fraction(exponent))
    result = base
    try:
        for _ in range(exponent - 1):
            result = multiply(result, base)
    except TooComplex:
        return _opaque_power(base, Fraction(exponent))
    return result


def _monomial_power(polynomial: Polynomial, exponent: int) -> Polynomial:
    if not polynomial:
        return {}
    ((term, factor),) = polynomial.items()
    raised, number = _normal({name: part * exponent for name, part in term})
    if abs(factor) != 1 and _bits(factor) * exponent > MAX_BITS:
        return _times({raised: number}, _factored_power(factor, Fraction(exponent)))
    return {raised: number * factor**exponent}


def _factored_power(factor: Fraction, exponent: Fraction) -> Polynomial:
    """A rational number to a power as a product of powers of primes."""
    exponents: dict[Atom, Fraction] = {}
    for prime, count in _prime_factors(abs(factor)).items():
        exponents["prime", prime] = count * exponent
    sign = -1 if factor < 0 and exponent.numerator % 2 else 1
    term, number = _normal(exponents)
    return {term: number * sign}


def _root_power(base: Value, exponent: Fraction) -> Value:
    if not base.over:
        if exponent < 0:
            raise Undefined("a division by zero")
        return base
    if len(base.over) > 1 or len(base.under) > 1:
        return _opaque_power(base, exponent)
    base = divide(base, rational(1))  # a lone monomial below the bar moves above it
    ((term, factor),) = base.over.items()
    factor /= base.under[ONE]
    outside, inside = _extracted(term, exponent)
    number = _number_root(factor, exponent)
    if number is None:
        return _opaque_power(base, exponent)
    result = multiply(number, Value({outside: Fraction(1)}, {ONE: Fraction(1)}))
    return multiply(result, _opaque_power(inside, exponent)) if inside is not None else result


def _opaque_power(base: Value, exponent: Fraction) -> Value:
    return atom(("power", key(base), exponent))


def _extracted(term: Monomial, exponent: Fraction) -> tuple[Monomial, Value | None]:
    """The part of a monomial whose root is a monomial, and the rest: positive constants and a lone plain symbol."""
    positive = {name: part * exponent for name, part in term if name[0] in {"pi", "e", "prime"}}
    rest = tuple((name, part) for name, part in term if name not in positive)
    if len(rest) == 1 and rest[0][0][0] == "symbol" and rest[0][1] == 1:
        positive[rest[0][0]] = exponent
        rest = ()
    normal, number = _normal(positive)
    if number != 1:
        return ONE, Value({term: Fraction(1)}, {ONE: Fraction(1)})
    return normal, Value({rest: Fraction(1)}, {ONE: Fraction(1)}) if rest else None


def _number_root(factor: Fraction, exponent: Fraction) -> Value | None:
    """A rational number to a fractional power; None where the result is complex beyond i."""
    root = Value(_factored_power(abs(factor), exponent), {ONE: Fraction(1)})
    if factor > 0:
        return root
    if exponent.denominator % 2:
        return root if exponent.numerator % 2 == 0 else negate(root)
    if exponent.denominator == 2:  # noqa: PLR2004 - a square root
        return multiply(root, _integer_power(atom(IMAGINARY), exponent.numerator % 4))
    return None


def _exponential(base: Value, exponent: Value) -> Value:
    """A power whose exponent is not a number: a product over the terms of the exponent."""
    if len(exponent.under) > 1 or ONE not in exponent.under or not _is_plain_base(base):
        return atom(("power of", key(base), key(exponent)))
    result = rational(1)
    for term, factor in exponent.over.items():
        share = factor / exponent.under[ONE]
        if term == ONE:
            result = multiply(result, power(base, rational(share)))
        elif term == _TURN and base == atom(EULER) and (12 * share).denominator == 1:
            result = multiply(result, turned(multiply(rational(share), atom(PI))))
        else:
            result = multiply(result, _exponential_of_term(base, term, share))
    return result


def turned(angle: Value) -> Value:
    """The point of the unit circle at an angle, by Euler's formula."""
    return add(function("cos", angle), multiply(atom(IMAGINARY), function("sin", angle)))


def _is_plain_base(base: Value) -> bool:
    number = constant(base)
    return (number is not None and number > 0) or key(base) in (key(atom(EULER)), key(atom(PI))) or _is_symbol(base)


def _is_symbol(base: Value) -> bool:
    return (
        len(base.over) == 1
        and set(base.under) == {ONE}
        and [*base.over.values()] == [1]
        and _lone(next(iter(base.over)))
    )


def _lone(term: Monomial) -> bool:
    return len(term) == 1 and term[0][0][0] == "symbol" and term[0][1] == 1


def _exponential_of_term(base: Value, term: Monomial, share: Fraction) -> Value:
    number = constant(base)
    if number is None:
        ((name, _),) = next(iter(base.over))
        return Value({((("exponential", name, term), share),): Fraction(1)}, {ONE: Fraction(1)})
    exponents = {
        ("exponential", ("prime", prime), term): share * count for prime, count in _prime_factors(number).items()
    }
    return Value({tuple(_in_order(exponents.items())): Fraction(1)}, {ONE: Fraction(1)})


def _prime_factors(number: Fraction) -> dict[int, Fraction]:
    """Exponents by prime, negative below the bar; a large rest counts as a prime of its own."""
    factors: dict[int, Fraction] = {}
    for part, sign in ((number.numerator, 1), (number.denominator, -1)):
        for prime, count in _factors_of(part):
            factors[prime] = factors.get(prime, Fraction(0)) + sign * count
    return factors


def _factors_of(number: int) -> list[tuple[int, int]]:
    if number.bit_length() > MAX_BITS // 100:
        raise TooComplex("too large to factor")
    spend(number.bit_length())
    found, prime = [], 2
    while prime * prime <= number and prime <= MAX_PRIME:
        count = 0
        while number % prime == 0:
            number, count = number // prime, count + 1
        if count:
            found.append((prime, count))
        prime += 1 if prime == 2 else 2  # noqa: PLR2004 - after two only odd numbers
    if number > 1:
        root = isqrt(number)
        found.append((root, 2) if root * root == number else (number, 1))
    return found


# functions with exact values


def _factorial(argument: Value) -> Value | None:
    number = constant(argument)
    if number is None or number.denominator != 1 or not 0 <= number <= MAX_FACTORIAL:
        return None
    return rational(factorial(int(number)))


def _binomial(over: Value, under: Value) -> Value | None:
    top, bottom = _integers(over, under) or (-1, -1)
    if not 0 <= top <= MAX_FACTORIAL or bottom < 0:
        return None
    return rational(comb(top, bottom))


def _absolute(argument: Value) -> Value | None:
    number = constant(argument)
    return rational(abs(number)) if number is not None else None


def _floor(argument: Value) -> Value | None:
    number = constant(argument)
    return rational(number.__floor__()) if number is not None else None


def _ceil(argument: Value) -> Value | None:
    number = constant(argument)
    return rational(number.__ceil__()) if number is not None else None


def _mod(left: Value, right: Value) -> Value | None:
    one, other = constant(left), constant(right)
    return rational(one % other) if one is not None and other else None


def _ln(argument: Value) -> Value | None:
    number = constant(argument)
    if number is None:
        return rational(1) if key(argument) == key(atom(EULER)) else None
    if number <= 0:
        if number == 0:
            raise Undefined("a logarithm of zero")
        return None
    total = rational(0)
    for prime, count in _prime_factors(number).items():
        total = add(total, multiply(rational(count), atom(("function", "ln", key(rational(prime))))))
    return total


def _twelfths(angle: Value) -> int | None:
    """How many twelfths of half a turn an angle is, below 24; None where that is no whole number."""
    half_turns = constant(divide(angle, atom(PI)))
    twelfths = None if half_turns is None else half_turns * 12
    return int(twelfths % 24) if twelfths is not None and twelfths.denominator == 1 else None


def _sine_of(twelfths: int) -> Value:
    if twelfths % 24 >= 12:  # noqa: PLR2004 - the lower half of the circle
        return negate(_sine_of(twelfths - 12))
    at = min(twelfths % 12, 12 - twelfths % 12)
    half = rational(Fraction(1, 2))
    roots = [power(rational(number), half) for number in (0, 1, 2, 3, 4, 6)]
    if at in {1, 5}:
        other = roots[2] if at == 5 else negate(roots[2])  # noqa: PLR2004 - 75 degrees
        return multiply(multiply(half, half), add(roots[5], other))
    return multiply(half, roots[{0: 0, 2: 1, 3: 2, 4: 3, 6: 4}[at]])


def _sin(angle: Value) -> Value | None:
    twelfths = _twelfths(angle)
    return None if twelfths is None else _sine_of(twelfths)


def _cos(angle: Value) -> Value | None:
    twelfths = _twelfths(angle)
    return None if twelfths is None else _sine_of(twelfths + 6)


def _quotient_of(
    over: Callable[[Value], Value | None], under: Callable[[Value], Value | None]
) -> Callable[[Value], Value | None]:
    def exact(angle: Value) -> Value | None:
        one, other = over(angle), under(angle)
        return None if one is None or other is None else divide(one, other)

    return exact


def _integers(*values: Value) -> list[int] | None:
    numbers = [constant(value) for value in values]
    whole = [int(number) for number in numbers if number is not None and number.denominator == 1]
    return whole if len(whole) == len(values) else None


def _gcd(*arguments: Value) -> Value | None:
    whole = _integers(*arguments)
    return rational(gcd(*whole)) if whole else None


def _lcm(*arguments: Value) -> Value | None:
    whole = _integers(*arguments)
    return rational(lcm(*whole)) if whole else None


def _extreme(choose: Callable[[list[Fraction]], Fraction]) -> Callable[..., Value | None]:
    def exact(*arguments: Value) -> Value | None:
        numbers = [number for argument in arguments if (number := constant(argument)) is not None]
        return rational(choose(numbers)) if len(numbers) == len(arguments) else None

    return exact


_EXACT: dict[str, Callable[..., Value | None]] = {
    "factorial": _factorial,
    "binomial": _binomial,
    "absolute": _absolute,
    "floor": _floor,
    "ceil": _ceil,
    "mod": _mod,
    "ln": _ln,
    "sin": _sin,
    "cos": _cos,
    "tan": _quotient_of(_sin, _cos),
    "cot": _quotient_of(_cos, _sin),
    "sec": _quotient_of(lambda _: rational(1), _cos),
    "csc": _quotient_of(lambda _: rational(1), _sin),
    "gcd": _gcd,
    "lcm": _lcm,
    "max": _extreme(max),
    "min": _extreme(min),
}
