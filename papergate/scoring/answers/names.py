"""What an answer says once its equations are understood: which are values with a name, and which are statements."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, inf

from papergate.scoring.answers import algebra, numeric, regions
from papergate.scoring.answers.algebra import Monomial, Value
from papergate.scoring.answers.shapes import (
    INFINITE,
    MAX_TERMS,
    Bag,
    Conditioned,
    Matrix,
    Named,
    Proportion,
    Region,
    Relation,
    Scalar,
    Sequenced,
    Shape,
    Words,
)
from papergate.scoring.answers.spelling import Unreadable

_FUNCTION_NAMES = {"f", "g", "h"}  # in front of a bracket these are functions, never factors
_PAIR = 2
_DOTS = algebra.symbol("...")
_VARIANCE = ("symbol", "sigma")  # its square is a name of its own
_FIRST_OF = {"all Z": -inf, "all Z+": 1, "all N0": 0}  # sets of whole numbers
DOTTED = ".."  # the fence of a progression: its first member, its step and its last
_COORDINATES = {"x", "y", "z"}


def resolved(shape: Shape) -> Shape:
    """The shape with named values, assignments and single members recognised."""
    if isinstance(shape, Relation):
        return _resolved_relation(shape)
    if isinstance(shape, Named):
        return _resolved_name(shape)
    if isinstance(shape, Bag):
        return _resolved_bag(shape)
    if isinstance(shape, Sequenced):
        return Sequenced(items=tuple(map(resolved, shape.items)), fence=shape.fence)
    if isinstance(shape, Conditioned):
        return _enumerated(Conditioned(shape=resolved(shape.shape), conditions=shape.conditions))
    return shape


def _resolved_relation(relation: Relation) -> Shape:
    if relation.signs == ("in",):
        return _resolved_membership(*relation.operands)
    if set(relation.signs) == {"=", "~"} or set(relation.signs) == {"~"}:
        relation = _without_roundings(relation)
    if not set(relation.signs) <= {"="}:
        return _with_named_middle(relation)
    operands = list(relation.operands)
    while len(operands) > _PAIR and _equal(operands[-_PAIR], operands[-1]):
        del operands[-_PAIR]
    if len(operands) == 1:
        return operands[0]
    return _resolved_equation(operands[0], operands[1]) if len(operands) == _PAIR else _resolved_chain(operands)


def _resolved_membership(member: Shape, collection: Shape) -> Shape:
    r"""`x \in (0, 1)` is an interval with the name of its variable."""
    shape, name = resolved(collection), _name_of(member)
    region = regions.as_region(shape) if not isinstance(shape, Bag) or not shape.is_set else None
    if region is not None and name:
        return Region(intervals=region.intervals, variable=name)
    return Named(name=name, shape=shape) if name else Relation(operands=(member, collection), signs=("in",))


def _without_roundings(relation: Relation) -> Relation:
    """`x = 4/3 ≈ 1.33` as an equation, whose value may be told either way."""
    operands = [relation.operands[0]]
    for sign, operand in zip(relation.signs, relation.operands[1:], strict=True):
        if sign == "~" and not _name_of(operands[-1]) and _is_number(operands[-1]) and _is_number(operand):
            if not _rounds(operand, operands[-1]):
                raise Unreadable("an approximation of another number")
            operands[-1] = Bag(items=(operands[-1], operand), joint="rounded")
        else:
            operands.append(operand)
    return Relation(operands=tuple(operands), signs=("=",) * (len(operands) - 1))


def _is_number(shape: Shape) -> bool:
    return isinstance(shape, Scalar) and not algebra.symbols(shape.value)


def _rounds(rounded: Shape, exact: Shape) -> bool:
    """Whether a decimal is another number to the places that it has."""
    if not (isinstance(rounded, Scalar) and isinstance(exact, Scalar)):
        return False
    near, far = numeric.rational(rounded.value), numeric.rational(exact.value)
    return near is not None and far is not None and abs(near - far) < Fraction(1, 10 ** (rounded.places or 0))


def _with_named_middle(relation: Relation) -> Relation:
    """`0 < f(x) < 1` bounds one quantity, whatever its name."""
    names = [_name_of(operand) for operand in relation.operands]
    if regions.as_region(relation) is not None or not (
        set(relation.signs) <= set(regions.MIRRORED) and sum(map(bool, names)) == 1
    ):
        return relation
    operands = tuple(
        Scalar(value=algebra.symbol(name)) if name else operand
        for name, operand in zip(names, relation.operands, strict=True)
    )
    return Relation(operands=operands, signs=relation.signs)


def _resolved_chain(operands: list[Shape]) -> Shape:
    """`x = y = 3` names its last side twice."""
    names = list(map(_name_of, operands[:-1]))
    if all(names) and _name_of(operands[-1]):  # `a = b = c` has no order
        return Relation(operands=tuple(sorted(operands, key=_name_of)), signs=("=",) * len(names))
    if all(names) and len(set(names)) == len(names):
        return Bag(items=tuple(Named(name=name, shape=operands[-1]) for name in names))
    numbers = [operand for operand in operands[1:] if _is_number(operand)]
    if names[0] and len(numbers) == 1 and numbers[0] == operands[-1]:
        return Named(name=names[0], shape=operands[-1])
    return Relation(operands=tuple(operands), signs=("=",) * (len(operands) - 1))


def _resolved_equation(left: Shape, right: Shape) -> Shape:
    """A named value, a number computed (`10^3 = 1000`), or an equation that says something."""
    left, right = (_as_row(left), _as_row(right)) if isinstance(left, Matrix) else (left, right)
    for name, value in ((left, right), (right, left)):
        if _name_of(name) and not _shares_symbol(name, value):
            quantity = name.value if isinstance(name, Scalar) else None
            return _resolved_name(Named(name=_name_of(name), shape=value, quantity=quantity))
    if _equal(left, right):
        return right
    return Relation(operands=(left, right), signs=("=",))


def _as_row(shape: Shape) -> Shape:
    """A column or row of values as a tuple, anything else as it is."""
    if not isinstance(shape, Matrix) or min(len(shape.rows), len(shape.rows[0])) > 1:
        return shape
    return Sequenced(items=tuple(Scalar(value=cell) for row in shape.rows for cell in row), fence="()")


def _resolved_name(named: Named) -> Shape:
    """`(x, y) = (1, 2)` becomes two named values; a chain of equal values becomes its last."""
    shape = named.shape
    if isinstance(shape, Relation) and len(shape.operands) >= _PAIR and _equal(*shape.operands[-_PAIR:]):
        shape = shape.operands[-1]
    names = named.name[1:-1].split(",") if named.name.startswith("(") else []
    items = shape.items if isinstance(shape, (Sequenced, Bag)) else ()
    if len(names) > 1 and len(names) == len(items) and isinstance(shape, Sequenced):
        return Bag(items=tuple(Named(name=name, shape=item) for name, item in zip(names, items, strict=True)))
    return Named(name=named.name, shape=resolved(shape), general=named.general, quantity=named.quantity)


def _resolved_bag(bag: Bag) -> Shape:
    if bag.joint == "builder":
        return _described(bag)
    if bag.joint in {"union", "intersection", "difference"}:
        return bag
    items = tuple(map(resolved, _with_excluded(bag.items)))
    for told in (_progression(items), _spoken_rounding(items) if not bag.is_set else None):
        if told is not None:
            return told
    items = _repeated_names(items) or items
    if bag.joint == "group":
        return Sequenced(items=tuple(map(without_name, items)), fence="()")
    return _without_common_name(Bag(items=items, is_set=bag.is_set, joint=bag.joint), is_assigned=is_assignment(bag))


def _with_excluded(items: tuple[Shape, ...]) -> tuple[Shape, ...]:
    r"""`x \ne 1, 2` excludes both."""
    first = items[0] if items else None
    if not (isinstance(first, Relation) and first.signs == ("!=",) and all(map(_is_number, items[1:]))):
        return items
    return (first, *(replace(first, operands=(first.operands[0], item)) for item in items[1:]))


def _without_common_name(bag: Bag, *, is_assigned: bool) -> Shape:
    """`x = 1` or `x = 2` are two values of one name; of two assignments each is a tuple; one value is no list."""
    items = bag.items
    names = {item.name for item in items if isinstance(item, Named)}
    if len(names) == 1 and isinstance(items[0], Named) and not (len(items) > 1 and regions.is_region(bag)):
        bare = replace(bag, items=tuple(map(without_name, items)))
        every = len(items) > 1 and all(isinstance(item, Named) for item in items)
        return Named(name=names.pop(), shape=bare) if every else _sole(bare)
    if items and is_assignment(items[0]) and not is_assigned:
        return replace(bag, items=tuple(map(_as_tuple, items)))
    return _sole(bag)


def _sole(bag: Bag) -> Shape:
    return bag.items[0] if len(bag.items) == 1 and not bag.is_set else bag


def _described(builder: Bag) -> Shape:
    r"""The members of `\{x \mid x = k\pi, k \in \mathbb{Z}\}`; what is no equation stays a description."""
    inside = resolved(_with_domain(builder.items[0]))
    case = inside if isinstance(inside, Conditioned) else Conditioned(shape=inside, conditions=())
    if not isinstance(case.shape, Named):
        return _limited(builder, case)
    return Conditioned(shape=case.shape.shape, conditions=case.conditions) if case.conditions else case.shape.shape


def _with_domain(inside: Shape) -> Shape:
    r"""`2 < x < 6, x \in \mathbb{Z}` as a condition with its domain."""
    parts = inside.items if isinstance(inside, Bag) and len(inside.items) == _PAIR else ()
    for condition, domain in (parts, parts[::-1]) if parts else ():
        if isinstance(domain, Relation) and domain.signs == ("in",) and isinstance(domain.operands[1], Words):
            return Conditioned(shape=condition, conditions=(domain,))
    return inside


def _limited(builder: Bag, case: Conditioned) -> Shape:
    r"""The members of `\{x \in \mathbb{Z} : 2 < x < 6\}`, or the part of a domain where a condition holds."""
    domain = case.conditions[-1] if case.conditions else None
    if not (isinstance(domain, Relation) and domain.signs == ("in",) and len(case.conditions) == 1):
        return builder
    if isinstance(domain.operands[1], Words):
        return _whole_members(case.shape, domain.operands[1].text) or builder
    both = Bag(items=(case.shape, domain), joint="intersection")
    return replace(builder, items=(both if regions.as_region(both) else case.shape,))


def _whole_members(condition: Shape, domain: str) -> Shape | None:
    """The whole numbers of an interval, one by one or as a progression; None where it is no interval."""
    region = regions.as_region(condition)
    if domain not in _FIRST_OF or region is None or len(region.intervals) != 1:
        return None
    (interval,) = region.intervals
    low, high = regions.position(interval.low), regions.position(interval.high)
    if low is None or high is None:
        return None
    first = max(_FIRST_OF[domain], low if low == -inf else ceil(low) + (ceil(low) == low and not interval.closed_low))
    last = high if high == inf else floor(high) - (floor(high) == high and not interval.closed_high)
    if first == -inf:
        return None if last == inf else _from_first(Fraction(last), Fraction(-1), INFINITE)
    if last == inf:
        return _from_first(Fraction(first), Fraction(1), INFINITE)
    if last - first > MAX_TERMS:
        return _from_first(Fraction(first), Fraction(1), algebra.rational(Fraction(last)))
    return Bag(
        items=tuple(Scalar(value=algebra.rational(Fraction(at))) for at in range(int(first), int(last) + 1)),
        is_set=True,
    )


def _spoken_rounding(items: tuple[Shape, ...]) -> Shape | None:
    """`4/3 or 1.33` as one value told twice: the second is a decimal of the first, which no decimal writes."""
    is_one = len(items) == _PAIR and _is_spoken_rounding(*items)
    return Bag(items=items, joint="rounded") if is_one else None


def _is_spoken_rounding(exact: Shape, rounded: Shape) -> bool:
    if not (isinstance(exact, Scalar) and isinstance(rounded, Scalar) and rounded.places and exact.places is None):
        return False
    number = algebra.constant(exact.value)
    whole_or_decimal = number is not None and is_decimal(number)
    return not whole_or_decimal and _is_number(exact) and _rounds(rounded, exact)


def is_decimal(number: Fraction) -> bool:
    """Whether a number has a finite decimal expansion."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _repeated_names(items: tuple[Shape, ...]) -> tuple[Shape, ...] | None:
    """`p=5, q=2, p=7, q=2` as two assignments, None for anything else."""
    flat = [
        part for item in items for part in (item.items if is_assignment(item) and isinstance(item, Bag) else (item,))
    ]
    names = [item.name for item in flat if isinstance(item, Named)]
    size = len(set(names))
    if len(names) < len(flat) or size < _PAIR or len(flat) == size or len(flat) % size:
        return None
    groups = [flat[start : start + size] for start in range(0, len(flat), size)]
    if any([item.name for item in group if isinstance(item, Named)] != names[:size] for group in groups):
        return None
    return tuple(Sequenced(items=tuple(map(without_name, group)), fence="()") for group in groups)


def _progression(items: tuple[Shape, ...]) -> Shape | None:
    """`1, 2, ..., 10` by its first member, its step and its last, None where no step is known."""
    dots = [at for at, item in enumerate(items) if isinstance(item, Scalar) and item.value == _DOTS]
    if len(dots) != 1 or dots[0] < _PAIR:
        return None
    numbers = [algebra.constant(item.value) if isinstance(item, Scalar) else None for item in items]
    before, after = numbers[: dots[0]], numbers[dots[0] + 1 :]
    known = [number for number in before if number is not None]
    ends = [number for number in after if number is not None]
    steps = {later - former for former, later in pairwise(known)}
    if len(known) < len(before) or len(ends) < len(after) or len(steps) != 1 or 0 in steps:
        return None
    step = steps.pop()
    if any(((end - known[0]) / step).denominator > 1 for end in ends):
        return None
    return _from_first(known[0], step, algebra.rational(ends[-1]) if ends else INFINITE)


def _enumerated(case: Conditioned) -> Shape:
    r"""`2n, n \in \\mathbb{N}` as a progression, anything else as it is."""
    if not (isinstance(case.shape, Scalar) and len(case.conditions) == 1 and isinstance(case.conditions[0], Relation)):
        return case
    member, domain = case.conditions[0].operands[0], case.conditions[0].operands[-1]
    parts = algebra.coefficients(case.shape.value, _name_of(member)) if domain == Words(text="all Z+") else None
    numbers = [algebra.constant(part) for part in parts or ()]
    if len(numbers) < _PAIR or numbers[0] is None or not numbers[1]:
        return case
    return _from_first(numbers[0] + numbers[1], numbers[1], INFINITE)


def _from_first(first: Fraction, step: Fraction, last: Value) -> Shape:
    values = (algebra.rational(first), algebra.rational(step), last)
    return Sequenced(items=tuple(Scalar(value=value) for value in values), fence=DOTTED)


def _as_tuple(shape: Shape) -> Shape:
    if isinstance(shape, Bag) and is_assignment(shape):
        return Sequenced(items=tuple(map(without_name, shape.items)), fence="()")
    return shape


def is_assignment(shape: Shape) -> bool:
    """Whether it is several values, each with a name of its own."""
    if not isinstance(shape, Bag) or len(shape.items) < _PAIR:
        return False
    names = [item.name for item in shape.items if isinstance(item, Named)]
    return len(names) == len(shape.items) == len(set(names))


def without_name(shape: Shape) -> Shape:
    """The value of a named value, anything else as it is."""
    return shape.shape if isinstance(shape, Named) else shape


def _name_of(shape: Shape) -> str:
    """How a side of an equation names the other, empty where it is more than a name."""
    if isinstance(shape, Words):
        return shape.text
    if isinstance(shape, Bag) and shape.is_set and len(shape.items) == 1:
        return _name_of(shape.items[0])
    if isinstance(shape, Bag) and shape.joint in {"union", "intersection", "difference"}:
        names = list(map(_name_of, shape.items))
        return f" {shape.joint} ".join(names) if all(names) else ""
    if isinstance(shape, Proportion):
        return ":".join(map(_name_of_value, shape.parts)) if all(map(_name_of_value, shape.parts)) else ""
    if isinstance(shape, Sequenced):
        names = list(map(_name_of, shape.items))
        return f"({','.join(names)})" if all(names) else ""
    return _name_of_value(shape.value) if isinstance(shape, Scalar) and not shape.unit else ""


def _name_of_value(value: Value) -> str:
    """The name that a symbol, a product or quotient of symbols, or a function of a symbol is."""
    if len(value.over) != 1 or set(value.under) != {algebra.ONE} or set(value.over.values()) != {Fraction(1)}:
        return ""
    ((term, _),) = value.over.items()
    kinds = {name[0] for name, _ in term}
    if not term or kinds - {"symbol", "function"} or not _has_powers_of_a_name(term):
        return ""
    if "function" in kinds and (len(term) > 1 or not algebra.symbols(value)):
        return ""
    names = [algebra.spelled(name[1]) for name, _ in term]
    if kinds == {"symbol"} and len(names) <= _PAIR and names[0] in _FUNCTION_NAMES and term[-1][1] == 1:
        inverse = "^-1" if term[0][1] < 0 else ""
        return f"{names[0]}{inverse}()" if len(names) == _PAIR else names[0]
    is_symbol = len(term) == 1 and kinds == {"symbol"} and term[0][1] == 1
    return names[0] if is_symbol else algebra.spelled(term)


def _has_powers_of_a_name(term: Monomial) -> bool:
    """Whether a product could name a quantity: letters above or below a bar, a lone one above it, or a variance."""
    if len(term) == 1:
        return term[0][1] == 1 or term[0] == (_VARIANCE, Fraction(2))
    return all(abs(exponent) == 1 for _, exponent in term)


def symbols_of(shape: Shape) -> set[str]:
    """The variables of an answer, without its names and its conditions."""
    if isinstance(shape, Scalar):
        return algebra.symbols(shape.value)
    if isinstance(shape, (Named, Conditioned)):
        return symbols_of(shape.shape)
    if isinstance(shape, Matrix):
        return set().union(*(algebra.symbols(cell) for row in shape.rows for cell in row))
    if isinstance(shape, Relation):
        return set().union(*map(symbols_of, shape.operands))
    if isinstance(shape, (Sequenced, Bag)):
        return set().union(*map(symbols_of, shape.items))
    return set()


def asked_for(relation: Relation) -> Shape | None:
    """The value in `a + b + c = 23` or `x_1 + x_2 = 3`: a quantity made of letters, not a line through coordinates."""
    if relation.signs != ("=",) or len(relation.operands) != _PAIR:
        return None
    for quantity, value in (relation.operands, relation.operands[::-1]):
        if isinstance(quantity, Scalar) and _is_number(value) and _is_unit_sum(quantity.value):
            return value
    return None


def _is_unit_sum(value: Value) -> bool:
    letters = algebra.symbols(value)
    units = all(abs(factor) == 1 for factor in value.over.values()) and set(value.under) == {algebra.ONE}
    units = units and all(exponent == 1 for term in value.over for _, exponent in term)
    return units and len(letters) > 1 and not letters <= _COORDINATES


def _shares_symbol(name: Shape, value: Shape) -> bool:
    """Whether a value speaks of its own name; the argument of a function is not its name."""
    if isinstance(name, Sequenced) and isinstance(value, Sequenced):
        return any(map(_shares_symbol, name.items, value.items))
    own = {_name_of(name).removesuffix("()")} if _name_of(name).endswith("()") else symbols_of(name)
    return bool(own & symbols_of(value))


def _equal(one: Shape, other: Shape) -> bool:
    """Whether two sides of an equation are certainly the same number or expression."""
    if not (isinstance(one, Scalar) and isinstance(other, Scalar)):
        return False
    units = (one.unit, other.unit)
    left, right = (_part_of_one(side) if set(units) == {"", "%"} else side.value for side in (one, other))
    return numeric.decide(left, right)[0] is True


def _part_of_one(scalar: Scalar) -> Value:
    r"""The value of `37.5\%` beside a number: 0.375."""
    return algebra.divide(scalar.value, algebra.rational(100)) if scalar.unit == "%" else scalar.value
