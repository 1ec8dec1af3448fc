"""Sets of real numbers: intervals, unions, and the inequalities that describe them."""

from fractions import Fraction
from functools import reduce
from math import inf
from typing import Any

from papergate.scoring.answers import algebra, numeric
from papergate.scoring.answers.algebra import Value
from papergate.scoring.answers.shapes import (
    INFINITE,
    WHOLE_LINE,
    Bag,
    Interval,
    Named,
    Region,
    Relation,
    Scalar,
    Sequenced,
    Shape,
)

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_NEGATIVE_INFINITE = algebra.negate(INFINITE)
_PAIR = 2


def is_region(shape: Shape) -> bool:
    """Whether an answer can only mean a set of real numbers."""
    if isinstance(shape, Region):
        return True
    if isinstance(shape, Relation):
        return "in" in shape.signs or (bool(shape.signs) and set(shape.signs) != {"="} and as_region(shape) is not None)
    if isinstance(shape, Bag):
        if shape.joint in {"union", "intersection", "difference", "builder"}:
            return as_region(shape) is not None
        return bool(shape.items) and any(map(is_region, shape.items)) and as_region(shape) is not None
    return False


def as_region(shape: Shape) -> Region | None:
    """The set of real numbers that an answer describes, None where it describes none."""
    if isinstance(shape, Region):
        return shape
    if isinstance(shape, Sequenced):
        return _from_pair(shape)
    if isinstance(shape, Relation):
        return _from_relation(shape)
    if isinstance(shape, Named) and isinstance(shape.shape, Scalar):
        return _points((shape.shape,))
    return _from_bag(shape) if isinstance(shape, Bag) else None


def _from_pair(pair: Sequenced) -> Region | None:
    low, high = pair.items if len(pair.items) == _PAIR else (None, None)
    if not (isinstance(low, Scalar) and isinstance(high, Scalar)) or low.unit or high.unit:
        return None
    start, end = position(low.value), position(high.value)
    if start is not None and end is not None and start > end:
        return None  # a pair of numbers, or an interval that is written the wrong way round: never an empty set
    return Region(
        intervals=(
            Interval(
                low=low.value,
                high=high.value,
                closed_low=pair.fence[0] == "[" and low.value != _NEGATIVE_INFINITE,
                closed_high=pair.fence[1] == "]" and high.value != INFINITE,
            ),
        )
    )


def _points(items: tuple[Shape, ...]) -> Region | None:
    if not all(isinstance(item, Scalar) for item in items):
        return None
    values = [item.value for item in items if isinstance(item, Scalar)]
    return Region(
        intervals=tuple(Interval(low=value, high=value, closed_low=True, closed_high=True) for value in values)
    )


def _from_bag(bag: Bag) -> Region | None:
    if bag.is_set and bag.joint != "builder" and not (bag.items and all(map(_excludes, bag.items))):
        return _points(bag.items)
    if bag.joint == "builder":
        inside = as_region(bag.items[0])
        return None if inside is None else Region(intervals=inside.intervals)
    parts = [as_region(item) for item in bag.items]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not known or len({part.variable for part in known if part.variable}) > 1:
        return None
    operations = {"difference": _difference, "intersection": _intersection, "union": _union, "or": _union}
    if bag.joint in operations:
        return reduce(operations[bag.joint], known)
    meeting = reduce(_intersection, known)
    return meeting if meeting.intervals else reduce(_union, known)


def _excludes(shape: Shape) -> bool:
    r"""Whether it is one of the conditions in `k \ne \pm 1`, which hold together."""
    return isinstance(shape, Relation) and shape.signs == ("!=",)


def meets_nowhere(nothing: Shape, conditions: Shape) -> bool:
    """Whether the empty set stands beside conditions that no number meets: `x < 1` and `x > 2`."""
    if not (
        isinstance(nothing, Bag) and not nothing.items and isinstance(conditions, Bag) and conditions.joint == "and"
    ):
        return False
    parts = [as_region(item) for item in conditions.items]
    known = [part for part in parts if part is not None]
    return len(known) == len(parts) > 1 and not reduce(_intersection, known).intervals


def _from_relation(relation: Relation) -> Region | None:
    if relation.signs == ("in",):
        inside = as_region(relation.operands[1])
        variable = _variable(relation.operands[0])
        return Region(intervals=inside.intervals, variable=variable) if inside and variable else None
    if not all(isinstance(operand, Scalar) for operand in relation.operands):
        return None
    values = [operand.value for operand in relation.operands if isinstance(operand, Scalar)]
    names = set().union(*map(algebra.symbols, values))
    if len(names) != 1:
        return None
    variable = names.pop()
    steps = [
        _half_line(left, sign, right, variable)
        for left, sign, right in zip(values, relation.signs, values[1:], strict=False)
    ]
    known = [step for step in steps if step is not None]
    if len(known) < len(steps):
        return None
    region = reduce(_intersection, known)
    return Region(intervals=region.intervals, variable=variable) if region.intervals else None


def _variable(shape: Shape) -> str:
    """The name of a lone variable, empty for anything else."""
    names = algebra.symbols(shape.value) if isinstance(shape, Scalar) else set()
    name = names.pop() if len(names) == 1 else ""
    return name if isinstance(shape, Scalar) and shape.value == algebra.symbol(name) else ""


def _half_line(left: Value, sign: str, right: Value, variable: str) -> Region | None:
    """The solutions of an inequality in one variable that is linear, quadratic, or linear within an absolute value."""
    difference = algebra.subtract(left, right)
    if sign not in MIRRORED:
        return None
    parts = algebra.coefficients(difference, variable)
    if parts is not None and parts[1].over:
        flat, slope = parts
        rising = position(slope)
        return (
            _beyond(algebra.divide(algebra.negate(flat), slope), sign if rising > 0 else MIRRORED[sign])
            if rising
            else None
        )
    return _between_roots(difference, sign, variable) or _within_distance(difference, sign, variable)


def _between_roots(difference: Value, sign: str, variable: str) -> Region | None:
    """The solutions of a quadratic inequality with known coefficients."""
    name = ("symbol", variable)
    factors = {dict(term).get(name, Fraction(0)): factor for term, factor in difference.over.items()}
    plain = set(difference.under) == {algebra.ONE} and all(len(term) <= 1 for term in difference.over)
    if not plain or len(factors) < len(difference.over) or not set(factors) <= {0, 1, _PAIR} or _PAIR not in factors:
        return None
    flat, slope, square = (factors.get(Fraction(power), Fraction(0)) for power in (0, 1, _PAIR))
    if (discriminant := slope**2 - 4 * flat * square) < 0 or variable not in algebra.symbols(difference):
        return None
    spread = algebra.power(algebra.rational(discriminant), algebra.rational(Fraction(1, 2)))
    middle = algebra.rational(-slope / (2 * square))
    offset = algebra.multiply(spread, algebra.rational(1 / (2 * abs(square))))
    low, high = algebra.subtract(middle, offset), algebra.add(middle, offset)
    return _inside_or_outside(low, high, sign if square > 0 else MIRRORED[sign])


def _within_distance(difference: Value, sign: str, variable: str) -> Region | None:
    """The solutions of `|x - 3| < 2`."""
    distances = [term for term in difference.over if len(term) == 1 and term[0][0][:2] == ("function", "absolute")]
    if len(distances) != 1 or distances[0][0][1] != 1 or set(difference.under) != {algebra.ONE}:
        return None
    factor = difference.over[distances[0]]
    rest = {term: -number / factor for term, number in difference.over.items() if term != distances[0]}
    bound = algebra.polynomial(rest)
    distance: Any = distances[0][0][0][2]
    inside = algebra.coefficients(Value(*map(dict, distance)), variable)
    size = position(bound)
    if inside is None or not inside[1].over or size is None or size < 0 or variable in algebra.symbols(bound):
        return None
    flat, slope = inside
    ends = [algebra.divide(algebra.subtract(end, flat), slope) for end in (algebra.negate(bound), bound)]
    places = [position(end) for end in ends]
    if None in places:
        return None
    low, high = ends if places[0] <= places[1] else reversed(ends)  # type: ignore[operator]
    return _inside_or_outside(low, high, sign if factor > 0 else MIRRORED[sign])


def _inside_or_outside(low: Value, high: Value, sign: str) -> Region | None:
    """Between two bounds for `<`, beyond them for `>`."""
    if sign in {"=", "!="}:
        return None
    closed = sign in {"<=", ">="}
    if sign in {"<", "<="}:
        inside = Interval(low=low, high=high, closed_low=closed, closed_high=closed)
        return Region(intervals=(inside,)) if closed or low != high else None
    below = Interval(low=_NEGATIVE_INFINITE, high=low, closed_low=False, closed_high=closed)
    above = Interval(low=high, high=INFINITE, closed_low=closed, closed_high=False)
    return Region(intervals=(below, above))


def _beyond(bound: Value, sign: str) -> Region:
    below = Interval(low=_NEGATIVE_INFINITE, high=bound, closed_low=False, closed_high=sign == "<=")
    above = Interval(low=bound, high=INFINITE, closed_low=sign == ">=", closed_high=False)
    point = Interval(low=bound, high=bound, closed_low=True, closed_high=True)
    intervals = {"<": (below,), "<=": (below,), ">": (above,), ">=": (above,), "=": (point,), "!=": (below, above)}
    return Region(intervals=intervals[sign])


def position(value: Value) -> Fraction | float | None:
    """Where a bound lies on the real line, None where that is not known."""
    if value == INFINITE:
        return inf
    if value == _NEGATIVE_INFINITE:
        return -inf
    number = algebra.constant(value)
    return number if number is not None else numeric.real(value)


def merged(region: Region) -> Region | None:
    """The same set as the fewest intervals in order, None where a bound is not a known number."""
    placed = []
    for interval in region.intervals:
        low, high = position(interval.low), position(interval.high)
        if low is None or high is None:
            return None
        if low < high or (low == high and interval.closed_low and interval.closed_high):
            placed.append((low, not interval.closed_low, high, interval))
    joined: list[tuple[Fraction | float, Interval]] = []
    for low, _, high, interval in sorted(placed, key=lambda entry: entry[:3]):
        if joined and _touches(joined[-1], low, interval):
            joined[-1] = _joined(joined[-1], high, interval)
        else:
            joined.append((high, interval))
    return Region(intervals=tuple(interval for _, interval in joined), variable=region.variable)


def _touches(last: tuple[Fraction | float, Interval], low: Fraction | float, interval: Interval) -> bool:
    high, before = last
    return low < high or (low == high and (before.closed_high or interval.closed_low))


def _joined(
    last: tuple[Fraction | float, Interval], high: Fraction | float, interval: Interval
) -> tuple[Fraction | float, Interval]:
    last_high, before = last
    if high < last_high:
        return last
    closed = interval.closed_high or (high == last_high and before.closed_high)
    return high, Interval(low=before.low, high=interval.high, closed_low=before.closed_low, closed_high=closed)


def _union(left: Region, right: Region) -> Region:
    return Region(intervals=left.intervals + right.intervals, variable=left.variable or right.variable)


def _intersection(left: Region, right: Region) -> Region:
    pairs = [_overlap(one, other) for one in left.intervals for other in right.intervals]
    return Region(intervals=tuple(pair for pair in pairs if pair), variable=left.variable or right.variable)


def _overlap(one: Interval, other: Interval) -> Interval | None:
    low, closed_low = _inner(one.low, one.closed_low, other.low, other.closed_low, upper=False)
    high, closed_high = _inner(one.high, one.closed_high, other.high, other.closed_high, upper=True)
    start, end = position(low), position(high)
    if start is not None and end is not None and (start > end or (start == end and not (closed_low and closed_high))):
        return None
    return Interval(low=low, high=high, closed_low=closed_low, closed_high=closed_high)


def _inner(one: Value, one_closed: bool, other: Value, other_closed: bool, *, upper: bool) -> tuple[Value, bool]:  # noqa: FBT001 - two ends of the same kind
    """The tighter of two bounds; an unknown bound is tighter than infinity."""
    here, there = position(one), position(other)
    if here is None or there is None:
        return (one, one_closed) if there in {inf, -inf} else (other, other_closed)
    if here == there:
        return one, one_closed and other_closed
    return (one, one_closed) if (here < there) == upper else (other, other_closed)


def _difference(left: Region, right: Region) -> Region:
    return reduce(_without, right.intervals, left)


def _without(region: Region, gap: Interval) -> Region:
    outside = Region(
        intervals=(
            Interval(low=WHOLE_LINE.low, high=gap.low, closed_low=False, closed_high=not gap.closed_low),
            Interval(low=gap.high, high=WHOLE_LINE.high, closed_low=not gap.closed_high, closed_high=False),
        )
    )
    return _intersection(region, outside)
