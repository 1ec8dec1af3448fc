"""Comparing what two answers say: like with like, part by part, three-valued."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from typing import Any

from papergate.scoring.answers import algebra, numeric, regions
from papergate.scoring.answers.algebra import TooComplex, Value
from papergate.scoring.answers.names import is_assignment, resolved, without_name
from papergate.scoring.answers.shapes import (
    Bag,
    Based,
    Interval,
    Matrix,
    Named,
    Proportion,
    Relation,
    Scalar,
    Sequenced,
    Shape,
    Words,
)
from papergate.scoring.answers.units import unit_of

MAX_NUMERIC = 300  # numerical comparisons within one pair of answers; a worker decides what needs more
MAX_MATCHED = 10_000  # pairs tried to match two collections without order
MIN_PLACES = 6  # digits, and places, from which a decimal stands for the value that rounds to it
FLOAT_DIGITS = 16  # significant digits of a printed double, of which the last are not those of the number
FLOAT_ERROR = Fraction(3, 10**16)  # relative error of a printed double
_OPERATIONS = {"union", "intersection", "difference", "builder"}
_PAIR = 2


class Comparer:
    """One comparison; remembers the last layer that had to speak."""

    def __init__(self) -> None:
        self.layer = numeric.EXACT
        self._numeric = 0

    def same(self, one: Shape, other: Shape) -> bool | None:
        """Whether two answers say the same; None where that is not certain."""
        if regions.is_region(one) or regions.is_region(other):
            return self._regions(one, other)
        one, other = _sole_member(one), _sole_member(other)
        if isinstance(one, Named) or isinstance(other, Named):
            return self._named(one, other)
        if isinstance(one, Relation) or isinstance(other, Relation):
            return self._relations(one, other)
        compare = self._comparison(one, other) or self._comparison(other, one)
        return compare() if compare else False

    def _comparison(self, one: Shape, other: Shape) -> Callable[[], bool | None] | None:
        """How two shapes are compared, None where shapes of these sorts are never the same."""
        rules: dict[tuple[type, type], Callable[[Any, Any], bool | None]] = {
            (Scalar, Scalar): self._scalars,
            (Words, Words): Words.__eq__,
            (Based, Based): Based.__eq__,
            (Sequenced, Sequenced): self._sequences,
            (Bag, Bag): self._bags,
            (Bag, Sequenced): self._assigned_in_brackets,
            (Matrix, Matrix): self._matrices,
            (Matrix, Sequenced): self._vectors,
            (Proportion, Proportion): self._proportions,
            (Proportion, Scalar): self._quotient,
        }
        rule = rules.get((type(one), type(other)))
        return partial(rule, one, other) if rule else None

    # numbers

    def _scalars(self, one: Scalar, other: Scalar) -> bool | None:
        if one.unit == other.unit:
            return self._values(one, other)
        if one.unit and other.unit:
            return self._with_units(one, other)
        with_unit, without = (one, other) if one.unit else (other, one)
        readings = [self._values(reading, without) for reading in _readings(with_unit)]
        return _any(readings)

    def _with_units(self, one: Scalar, other: Scalar) -> bool | None:
        if {one.unit, other.unit} & {"%", "°"} or any(side.unit.startswith("mod ") for side in (one, other)):
            return False
        left, right = unit_of(one.unit), unit_of(other.unit)
        if left is None or right is None:
            return self._values(one, other)
        if left.measures != right.measures:
            return False
        if left.size == right.size:
            return self._values(one, other)
        return self.values(
            *(algebra.multiply(side.value, algebra.rational(unit.size)) for side, unit in ((one, left), (other, right)))
        )

    def _values(self, one: Scalar, other: Scalar) -> bool | None:
        equal = self.values(one.value, other.value)
        if equal is False and _stands_for(one, other):
            self.layer = "rounded decimal"
            return True
        return equal

    def values(self, one: Value, other: Value) -> bool | None:
        """Compare two exact values, numerically where they are not decided by their normal form."""
        equal, layer = numeric.decide(one, other)
        if layer != numeric.EXACT:
            self.layer = layer
            self._numeric += 1
            if self._numeric > MAX_NUMERIC:
                raise TooComplex("too many numerical comparisons")
        return equal

    # collections

    def _sequences(self, one: Sequenced, other: Sequenced) -> bool | None:
        """A pair may be an interval, whose brackets count; a longer sequence is a tuple in any brackets."""
        if len(one.items) == _PAIR and one.fence != other.fence:
            return False
        return self._in_order(one.items, other.items)

    def _assigned_in_brackets(self, one: Bag, other: Sequenced) -> bool | None:
        return is_assignment(one) and self._assigned(one, other.items)

    def _in_order(self, one: Iterable[Shape], other: Iterable[Shape]) -> bool | None:
        left, right = tuple(one), tuple(other)
        if len(left) != len(right):
            return False
        return _all(self.same(*pair) for pair in zip(left, right, strict=True))

    def _bags(self, one: Bag, other: Bag) -> bool | None:
        if is_assignment(one) and is_assignment(other):
            return self._assignments(one, other)
        if is_assignment(one) or is_assignment(other):
            named, bare = (one, other) if is_assignment(one) else (other, one)
            return self._assigned(named, bare.items)
        if {one.joint, other.joint} & _OPERATIONS and one.joint != other.joint:
            return False
        if one.joint == "difference":
            return self._in_order(one.items, other.items)
        as_sets = one.is_set or other.is_set
        left, right = (self._distinct(bag.items) if as_sets else bag.items for bag in (one, other))
        return self._without_order(left, right)

    def _assignments(self, one: Bag, other: Bag) -> bool | None:
        left, right = ({item.name: item for item in bag.items if isinstance(item, Named)} for bag in (one, other))
        if left.keys() != right.keys():
            return False
        return _all(self.same(item, right[name]) for name, item in left.items())

    def _assigned(self, named: Bag, items: tuple[Shape, ...]) -> bool | None:
        """Named values beside bare ones: in the order given, or in that of the names."""
        by_name = sorted(named.items, key=lambda item: item.name if isinstance(item, Named) else "")
        return _any(self._in_order(map(without_name, order), items) for order in (named.items, by_name))

    def _distinct(self, items: tuple[Shape, ...]) -> tuple[Shape, ...]:
        by_key = {spelled(item): item for item in items}
        if len(by_key) ** 2 > MAX_MATCHED:
            return tuple(by_key.values())
        distinct: list[Shape] = []
        for item in by_key.values():
            if not any(self.same(item, other) for other in distinct):
                distinct.append(item)
        return tuple(distinct)

    def _without_order(self, one: tuple[Shape, ...], other: tuple[Shape, ...]) -> bool | None:
        if len(one) != len(other):
            return False
        left, right = _unmatched(one, other)
        if len(left) * len(right) > MAX_MATCHED:
            raise TooComplex("too many members")
        for item in left:
            answers = [self.same(item, candidate) for candidate in right]
            if True not in answers:
                return None if None in answers else False
            del right[answers.index(True)]
        return True

    def _matrices(self, one: Matrix, other: Matrix) -> bool | None:
        if [len(row) for row in one.rows] != [len(row) for row in other.rows]:
            return False
        return _all(
            self.values(left, right)
            for row, other_row in zip(one.rows, other.rows, strict=True)
            for left, right in zip(row, other_row, strict=True)
        )

    def _vectors(self, matrix: Matrix, other: Sequenced) -> bool | None:
        if all(isinstance(item, Sequenced) for item in other.items):
            rows = tuple(item.items for item in other.items if isinstance(item, Sequenced))
        elif len(matrix.rows) == 1:
            rows = (other.items,)
        else:
            rows = tuple((item,) for item in other.items)
        if any(not isinstance(cell, Scalar) for row in rows for cell in row):
            return False
        return self._matrices(
            matrix, Matrix(rows=tuple(tuple(cell.value for cell in row if isinstance(cell, Scalar)) for row in rows))
        )

    def _proportions(self, one: Proportion, other: Proportion) -> bool | None:
        if len(one.parts) != len(other.parts):
            return False
        if one.unit and other.unit and unit_of(one.unit) != unit_of(other.unit):
            return False
        if _is_clock(one) or _is_clock(other):
            return _all(self.values(*pair) for pair in zip(one.parts, other.parts, strict=True))
        first, second = one.parts[0], other.parts[0]
        return _all(
            self.values(algebra.multiply(first, right), algebra.multiply(second, left))
            for left, right in zip(one.parts[1:], other.parts[1:], strict=True)
        )

    def _quotient(self, one: Proportion, other: Scalar) -> bool | None:
        if len(one.parts) != _PAIR or not one.parts[1].over:
            return False
        return self.values(algebra.divide(*one.parts), other.value)

    # equations and regions

    def _named(self, one: Shape, other: Shape) -> bool | None:
        if isinstance(one, Named) and isinstance(other, Named):
            return self._both_named(one, other)
        named, bare = (one, other) if isinstance(one, Named) else (other, one)
        assert isinstance(named, Named)
        if isinstance(bare, Relation):
            return self._equations(_equation(named), bare)
        return self.same(named.shape, bare)

    def _both_named(self, one: Named, other: Named) -> bool | None:
        if one.name == other.name:
            if self.same(one.shape, other.shape):
                return True
            if one.general is None or other.general is None:
                return self.same(one.shape, other.shape)
            return self.same(resolved(one.general), resolved(other.general))
        if "y" in {one.name, other.name} and "()" in one.name + other.name:
            return self.same(one.shape, other.shape)
        if isinstance(one.shape, Scalar) and isinstance(other.shape, Scalar):
            return self._equations(_equation(one), _equation(other))
        return False

    def _relations(self, one: Shape, other: Shape) -> bool | None:
        if not (isinstance(one, Relation) and isinstance(other, Relation)):
            return False
        if one.signs == other.signs and self._in_order(one.operands, other.operands):
            return True
        if len(one.signs) != 1 or len(other.signs) != 1:
            return self._mirrored(one, other)
        return self._equations(one, other)

    def _mirrored(self, one: Relation, other: Relation) -> bool | None:
        signs = tuple(regions.MIRRORED.get(sign, sign) for sign in reversed(other.signs))
        return one.signs == signs and self._in_order(one.operands, reversed(other.operands))

    def _equations(self, one: Relation | None, other: Relation | None) -> bool | None:
        """Whether the differences of the sides are proportional, for an inequality with the right sign."""
        if one is None or other is None:
            return False
        left, right = _sides(one), _sides(other)
        if left is None or right is None:
            return False
        ratio = _common_factor(left, right)
        if ratio is None:
            exact = algebra.is_exact(left) and algebra.is_exact(right)
            return False if exact else self._numerically_proportional(left, right)
        sign = other.signs[0] if ratio > 0 else regions.MIRRORED.get(other.signs[0], other.signs[0])
        return one.signs[0] == sign

    def _numerically_proportional(self, left: Value, right: Value) -> bool | None:
        """Whether two expressions have a constant quotient."""
        self.layer = f"{numeric.DIGITS[-1]} digits"
        return numeric.proportional(left, right)

    def _regions(self, one: Shape, other: Shape) -> bool | None:
        left, right = regions.as_region(one), regions.as_region(other)
        if left is None or right is None:
            return self._relations(one, other)
        if left.variable and right.variable and left.variable != right.variable:
            return False
        merged_left, merged_right = regions.merged(left), regions.merged(right)
        if merged_left is not None and merged_right is not None:
            left, right = merged_left, merged_right
        if len(left.intervals) != len(right.intervals):
            return False
        return _all(self._intervals(*pair) for pair in zip(left.intervals, right.intervals, strict=True))

    def _intervals(self, one: Interval, other: Interval) -> bool | None:
        if (one.closed_low, one.closed_high) != (other.closed_low, other.closed_high):
            return False
        return _all((self.values(one.low, other.low), self.values(one.high, other.high)))


def _all(answers: Iterable[bool | None]) -> bool | None:
    """False where any is, otherwise None where any is, otherwise True."""
    unknown = False
    for answer in answers:
        if answer is False:
            return False
        unknown = unknown or answer is None
    return None if unknown else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    """True where any is, otherwise None where any is, otherwise False."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def _sole_member(shape: Shape) -> Shape:
    return shape.items[0] if isinstance(shape, Bag) and len(shape.items) == 1 and shape.joint != "builder" else shape


def _readings(scalar: Scalar) -> list[Scalar]:
    """What a number with a unit may stand for beside a number without one."""
    bare = Scalar(value=scalar.value, places=scalar.places, digits=scalar.digits)
    if scalar.unit == "%":
        return [bare, Scalar(value=algebra.divide(scalar.value, algebra.rational(100)))]
    if scalar.unit == "°":
        radians = algebra.divide(algebra.atom(algebra.PI), algebra.rational(180))
        return [bare, Scalar(value=algebra.multiply(scalar.value, radians))]
    return [bare]


def _stands_for(one: Scalar, other: Scalar) -> bool:
    """Whether one is a decimal numeral that stands for the other, a value that no decimal writes exactly."""
    for numeral, meant in ((one, other), (other, one)):
        if numeral.places is None or min(numeral.digits, numeral.places) < MIN_PLACES:
            continue
        number, exact = algebra.constant(numeral.value), numeric.rational(meant.value)
        if number is None or exact is None:
            continue
        if numeral.digits >= FLOAT_DIGITS and abs(number - exact) <= abs(exact) * FLOAT_ERROR:
            return True
        if not _is_decimal(meant.value) and abs(number - exact) <= Fraction(1, 2 * 10**numeral.places):
            return True
    return False


def _is_decimal(value: Value) -> bool:
    """Whether a number has a finite decimal expansion."""
    number = algebra.constant(value)
    if number is None:
        return False
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _is_clock(proportion: Proportion) -> bool:
    """Whether it can only be a time of day, where 1:30 and 2:60 differ."""
    last = algebra.constant(proportion.parts[-1])
    return bool(proportion.unit) or last == 0


def _unmatched(one: tuple[Shape, ...], other: tuple[Shape, ...]) -> tuple[list[Shape], list[Shape]]:
    """Both collections without the members whose canonical spelling they share."""
    waiting: dict[str, list[Shape]] = {}
    for item in other:
        waiting.setdefault(spelled(item), []).append(item)
    left = []
    for item in one:
        twins = waiting.get(spelled(item))
        if twins:
            twins.pop()
        else:
            left.append(item)
    return left, [item for items in waiting.values() for item in items]


def _equation(named: Named) -> Relation | None:
    if not isinstance(named.shape, Scalar):
        return None
    return Relation(operands=(Scalar(value=algebra.symbol(named.name)), named.shape), signs=("=",))


def _sides(relation: Relation) -> Value | None:
    """The difference of the two sides of an equation, without denominators that only scale it."""
    if len(relation.operands) != _PAIR:
        return None
    left, right = relation.operands
    if not (isinstance(left, Scalar) and isinstance(right, Scalar)):
        return None
    difference = algebra.subtract(left.value, right.value)
    return algebra.polynomial(difference.over) if relation.signs == ("=",) else difference


def _common_factor(one: Value, other: Value) -> Fraction | None:
    """The number that one expression is of the other, None where it is none."""
    if not one.over or not other.over or one.over.keys() != other.over.keys() or one.under != other.under:
        return None
    ratios = {factor / other.over[term] for term, factor in one.over.items()}
    return ratios.pop() if len(ratios) == 1 else None


def spelled(shape: Shape) -> str:
    """A canonical spelling: equal spellings are equal answers, and mostly the other way round."""
    rules: dict[type, Callable[[Any], str]] = {
        Scalar: _spelled_scalar,
        Named: lambda named: spelled(named.shape),
        Sequenced: lambda pair: f"{pair.fence[0]}{','.join(map(spelled, pair.items))}{pair.fence[1]}",
        Bag: _spelled_bag,
        Matrix: lambda matrix: "[" + ";".join(",".join(map(_spelled_value, row)) for row in matrix.rows) + "]",
    }
    return rules.get(type(shape), repr)(shape)


def _spelled_scalar(scalar: Scalar) -> str:
    readings = _readings(scalar)
    return _spelled_value(readings[-1].value if scalar.unit == "%" else readings[0].value)


def _spelled_bag(bag: Bag) -> str:
    if bag.joint in {"difference", "builder"}:
        return repr(bag)
    return "{" + ",".join(sorted(map(spelled, bag.items))) + "}"


def _spelled_value(value: Value) -> str:
    number = algebra.constant(value)
    return str(number) if number is not None else repr(algebra.key(value))
