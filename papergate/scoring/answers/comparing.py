"""Comparing what two answers say: like with like, part by part, three-valued."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

from papergate.scoring.answers import algebra, numeric, regions
from papergate.scoring.answers.algebra import TooComplex, Value
from papergate.scoring.answers.names import DOTTED, asked_for, is_assignment, is_decimal, resolved, without_name
from papergate.scoring.answers.shapes import (
    Bag,
    Based,
    Conditioned,
    Interval,
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
from papergate.scoring.answers.units import Unit, are_alike, unit_of
from papergate.scoring.answers.wording import DOMAINS, number_of, plain, quantity_of, same_phrase

MAX_NUMERIC = 300  # numerical comparisons within one pair of answers; a worker decides what needs more
MAX_MATCHED = 10_000  # pairs tried to match two collections without order
MIN_PLACES = 6  # digits, and places, from which a decimal stands for the value that rounds to it
FLOAT_DIGITS = 16  # significant digits of a printed double, of which the last are not those of the number
FLOAT_ERROR = Fraction(3, 10**16)  # relative error of a printed double
_OPERATIONS = {"negative", "union", "intersection", "difference", "builder"}
_PAIR = 2
_SYMMETRIC = {*regions.MIRRORED, "parallel", "perp", "cong", "sim", "~"}
_NO_SOLUTION = {"no solution", "no real solution", "no real root", "no root"}
_UNIT_VECTORS = ("i", "j", "k")


class Comparer:
    """One comparison; remembers the last layer that had to speak."""

    def __init__(self, whole: frozenset[str] = frozenset()) -> None:
        self.layer = numeric.EXACT
        self._whole = whole
        self._numeric = 0

    def same(self, one: Shape, other: Shape) -> bool | None:
        """Whether two answers say the same; None where that is not certain."""
        if isinstance(one, Scalar) and isinstance(other, Scalar):  # most pairs
            return self._scalars(one, other)
        return self._shapes(one, other)

    def _shapes(self, one: Shape, other: Shape) -> bool | None:
        if isinstance(one, Conditioned) or isinstance(other, Conditioned):
            return self._conditioned(one, other)
        if _is_rounded(one) or _is_rounded(other):
            return _any(self.same(left, right) for left in _tellings(one) for right in _tellings(other))
        if regions.is_region(one) or regions.is_region(other):
            return regions.meets_nowhere(one, other) or regions.meets_nowhere(other, one) or self._regions(one, other)
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
            (Words, Words): _same_words,
            (Words, Scalar): self._spelled_number,
            (Based, Based): Based.__eq__,
            (Based, Scalar): _same_digits,
            (Words, Bag): _is_nothing,
            (Matrix, Scalar): self._components,
            (Sequenced, Scalar): self._components,
            (Bag, Scalar): self._all_one,
            (Sequenced, Sequenced): self._sequences,
            (Bag, Bag): self._bags,
            (Bag, Sequenced): self._listed,
            (Matrix, Matrix): self._matrices,
            (Matrix, Sequenced): self._vectors,
            (Proportion, Proportion): self._proportions,
            (Proportion, Scalar): self._quotient,
        }
        rule = rules.get((type(one), type(other)))
        return partial(rule, one, other) if rule else None

    # what holds under conditions

    def _conditioned(self, one: Shape, other: Shape) -> bool | None:
        """Conditions must agree where both sides state them; one that only names a domain never contradicts."""
        left, right = conditions_of(one), conditions_of(other)
        if not _share_domain(one, other):
            return False
        agreed = self._without_order(left, right) if left and right else True
        bare = [side.shape if isinstance(side, Conditioned) else side for side in (one, other)]
        return _all((agreed, self.same(*bare)))

    # words

    def _spelled_number(self, words: Words, other: Scalar) -> bool | None:
        quantity = quantity_of(words.text)
        return quantity is not None and self._scalars(
            Scalar(value=algebra.rational(quantity[0]), unit=quantity[1]), other
        )

    # numbers

    def _scalars(self, one: Scalar, other: Scalar) -> bool | None:
        remarked = bool(one.remark and other.remark)  # `20\% increase` is no `20\% decrease`
        alike = not remarked or are_alike(unit_of(one.remark), unit_of(other.remark))
        return self._quantities(one, other) if alike else False

    def _quantities(self, one: Scalar, other: Scalar) -> bool | None:
        if one.unit == other.unit:
            return _congruent(one, other) if one.unit.startswith("mod ") else self._values(one, other)
        if one.unit and other.unit:
            return self._with_units(one, other)
        return self._beside_unit(*((one, other) if one.unit else (other, one)))

    def _beside_unit(self, with_unit: Scalar, without: Scalar) -> bool | None:
        """Compare a number with a unit and one without."""
        if with_unit.unit.startswith("mod ") and (residue := _residue(without, with_unit.unit)) is not None:
            return _congruent(with_unit, residue)
        if with_unit.unit in {"'", "''"}:
            return False  # minutes, feet, or the mark of a derivative: nobody drops them
        if (unit := _unit_in_letters(without)) is not None:
            return self._with_units(with_unit, unit)
        if with_unit.unit.startswith("mod ") and _is_least_residue(without, with_unit.unit):
            return _congruent(with_unit, without)
        readings = [self._values(reading, without) for reading in _readings(with_unit)]
        return _any(readings)

    def _with_units(self, one: Scalar, other: Scalar) -> bool | None:
        if {one.unit, other.unit} == {"°", "rad"}:
            return self._values(_in_radians(one), _in_radians(other))
        if {one.unit, other.unit} & {"%", "°"} or any(side.unit.startswith("mod ") for side in (one, other)):
            return False
        left, right = unit_of(one.unit), unit_of(other.unit)
        if left.measures == right.measures:
            return self._values(_scaled(one, left), _scaled(other, right))
        comparable = not left.measures or not right.measures or not (left.known and right.known)
        return self._values(one, other) if comparable and are_alike(left, right) else False

    def _values(self, one: Scalar, other: Scalar) -> bool | None:
        equal = self.values(one.value, other.value)
        if equal is False and any(_same_family(one.value, other.value, name) for name in self._whole):
            return True
        if equal is False and _stands_for(one, other):
            self.layer = "rounded decimal"
            return True
        return equal

    def values(self, one: Value, other: Value) -> bool | None:
        """Compare two exact values, numerically where they are not decided by their normal form."""
        equal, layer = numeric.decide(one, other, self._whole)
        if layer != numeric.EXACT:
            self.layer = layer
            self._numeric += 1
            if self._numeric > MAX_NUMERIC:
                raise TooComplex("too many numerical comparisons")
        return equal

    # collections

    def _sequences(self, one: Sequenced, other: Sequenced) -> bool | None:
        """A pair may be an interval, whose brackets count; a longer sequence is a tuple in any brackets."""
        fences = {one.fence, other.fence}
        if len(fences) > 1 and (len(one.items) == _PAIR or fences != {"()", "[]"}):
            return False
        return self._in_order(one.items, other.items)

    def _components(self, vector: Matrix | Sequenced, other: Scalar) -> bool | None:
        """A vector beside its sum over unit vectors: `(1, 2, 3)` and `i + 2j + 3k`."""
        if isinstance(vector, Matrix) and len(vector.rows) == len(vector.rows[0]) == 1:
            return self.values(vector.rows[0][0], other.value)
        parts = _unit_vectors(other.value)
        if parts is None:
            return False
        size = len(vector.rows) * len(vector.rows[0]) if isinstance(vector, Matrix) else len(vector.items)
        items = tuple(Scalar(value=part) for part in parts[: max(size, 2)])
        if any(part.over for part in parts[len(items) :]):
            return False
        return self.same(vector, Sequenced(items=items, fence="()"))

    def _all_one(self, bag: Bag, other: Scalar) -> bool | None:
        """An answer that was given several times, in several forms."""
        plain_list = not bag.is_set and bag.joint in {"", "and", "or"}
        return _all(self.same(item, other) for item in bag.items) if plain_list and bag.items else False

    def _listed(self, one: Bag, other: Sequenced) -> bool | None:
        """`x = 1, y = 2` beside a pair, or a list beside `1, 2, ..., 10`."""
        if other.fence == DOTTED:
            members = _members_of(other, len(one.items))
            return members is not None and self._bags(one, Bag(items=members, is_set=one.is_set))
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
            if _are_roots(item.name for item in named.items if isinstance(item, Named)):
                return self._without_order(tuple(map(without_name, named.items)), bare.items)
            return self._assigned(named, bare.items)
        if _are_of_other_sorts(one, other):
            return False
        if one.joint == "difference":
            return self._in_order(one.items, other.items)
        as_sets = one.is_set or other.is_set or len(one.items) != len(other.items)
        left, right = (self._distinct(bag.items) if as_sets else bag.items for bag in (one, other))
        return self._without_order(left, right)

    def _assignments(self, one: Bag, other: Bag) -> bool | None:
        left, right = ({item.name: item for item in bag.items if isinstance(item, Named)} for bag in (one, other))
        if left.keys() != right.keys():
            return False
        if _are_roots(left):
            return self._without_order(*(tuple(map(without_name, bag.items)) for bag in (one, other)))
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
        answers = [[self.same(item, candidate) for candidate in right] for item in left]
        if not _pairs_up([[at for at, answer in enumerate(row) if answer is not False] for row in answers]):
            return False
        return _pairs_up([[at for at, answer in enumerate(row) if answer] for row in answers]) or None

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
            hours = [_in_24_hours(one), _in_24_hours(other)] if one.unit and other.unit else [one, other]
            readings = [hours, [_in_24_hours(one), _in_24_hours(other)]]
            return _any(
                _all(self.values(*pair) for pair in zip(left.parts, right.parts, strict=True))
                for left, right in readings
            )
        first, second = one.parts[0], other.parts[0]
        return _all(
            self.values(algebra.multiply(first, right), algebra.multiply(second, left))
            for left, right in zip(one.parts[1:], other.parts[1:], strict=True)
        )

    def _quotient(self, one: Proportion, other: Scalar) -> bool | None:
        if unit_of(other.unit).measures and one.unit:
            return self._proportions(one, Proportion(parts=(other.value, algebra.rational(0)), unit=other.unit))
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
        if isinstance(bare, Bag) and is_assignment(
            bare
        ):  # `m = n = 0` says more than `m = 0`; x_1 and x_2 are values of x
            roots = {item.name.partition("_")[0] for item in bare.items if isinstance(item, Named)} == {named.name}
            return roots and self.same(named.shape, replace(bare, items=tuple(map(without_name, bare.items))))
        if isinstance(named.shape, Bag) and _has_equations(bare):
            each = tuple(replace(named, shape=item) for item in named.shape.items)
            return self.same(replace(named.shape, items=each), bare)
        return self.same(named.shape, bare)

    def _both_named(self, one: Named, other: Named) -> bool | None:
        if one.name == other.name:
            if one.general is None or other.general is None:
                return self.same(one.shape, other.shape)
            return self.same(resolved(one.general), resolved(other.general))
        if "y" in {one.name, other.name} and any(name.endswith("()") for name in (one.name, other.name)):
            return self.same(one.shape, other.shape)
        if isinstance(one.shape, Scalar) and isinstance(other.shape, Scalar):
            return self._equations(_equation(one), _equation(other))
        return False

    def _relations(self, one: Shape, other: Shape) -> bool | None:
        if not (isinstance(one, Relation) and isinstance(other, Relation)):
            relation, value = (one, other) if isinstance(one, Relation) else (other, one)
            if isinstance(relation, Relation) and _equates_collections(relation):
                whole = self.same(*relation.operands[-_PAIR:])
                return _all((whole, self.same(relation.operands[-1], value)))
            told = asked_for(relation) if isinstance(relation, Relation) and isinstance(value, Scalar) else None
            return False if told is None else self.same(told, value)
        if one.signs == other.signs and self._in_order(one.operands, other.operands):
            return True
        if "~" in one.signs + other.signs or not set(one.signs + other.signs) <= set(regions.MIRRORED):
            return self._mirrored(one, other)
        if len(one.signs) != 1 or len(other.signs) != 1:
            return self._mirrored(one, other)
        return self._equations(one, other)

    def _mirrored(self, one: Relation, other: Relation) -> bool | None:
        signs = tuple(regions.MIRRORED.get(sign, sign) for sign in reversed(other.signs))
        if not set(signs) <= _SYMMETRIC:
            return False
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
    """The only member of a set; a set of the empty set is not the empty set."""
    is_single = isinstance(shape, Bag) and len(shape.items) == 1 and shape.joint != "builder"
    member = shape.items[0] if is_single and isinstance(shape, Bag) else shape
    return shape if isinstance(member, Bag) and not member.items else member


def _readings(scalar: Scalar) -> list[Scalar]:
    """What a number with a unit may stand for beside a number without one."""
    bare = Scalar(value=scalar.value, places=scalar.places, digits=scalar.digits)
    if scalar.unit == "%":
        return [bare, Scalar(value=algebra.divide(scalar.value, algebra.rational(100)))]
    return [bare, _in_radians(scalar)] if scalar.unit == "°" else [bare]


def _in_radians(scalar: Scalar) -> Scalar:
    if scalar.unit != "°":
        return scalar
    radian = algebra.divide(algebra.atom(algebra.PI), algebra.rational(180))
    return Scalar(value=algebra.multiply(scalar.value, radian))


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


def _is_rounded(shape: Shape) -> bool:
    return isinstance(shape, Bag) and shape.joint == "rounded"


def _tellings(shape: Shape) -> tuple[Shape, ...]:
    """The ways in which an answer tells its value: exactly, and as a decimal."""
    return shape.items if isinstance(shape, Bag) and shape.joint == "rounded" else (shape,)


def conditions_of(shape: Shape) -> tuple[Shape, ...]:
    """What an answer depends on, without what only names the domain of a letter."""
    conditions = shape.conditions if isinstance(shape, Conditioned) else ()
    return tuple(condition for condition in conditions if not _is_domain(condition))


def _is_domain(condition: Shape) -> bool:
    if isinstance(condition, Relation):
        return "in" in condition.signs and not _is_pair(condition.operands[-1])
    if isinstance(condition, Words):
        return all(plain(word) in DOMAINS or len(word) == 1 for word in condition.text.split())
    return False


def _share_domain(one: Shape, other: Shape) -> bool:
    """Whether two sides that both name a set for a letter name the same one."""
    sets = [
        {spelled(part.operands[-1]) for part in side.conditions if _is_domain(part) and isinstance(part, Relation)}
        if isinstance(side, Conditioned)
        else set()
        for side in (one, other)
    ]
    return not sets[0] or not sets[1] or sets[0] == sets[1]


def _has_equations(shape: Shape) -> bool:
    return isinstance(shape, Bag) and any(isinstance(item, Relation) for item in shape.items)


def _equates_collections(relation: Relation) -> bool:
    r"""`\{1, 2\} = \{2, 1\}`: one set in two forms."""
    return set(relation.signs) == {"="} and all(isinstance(operand, (Bag, Sequenced)) for operand in relation.operands)


def _is_pair(shape: Shape) -> bool:
    return isinstance(shape, (Sequenced, Bag))


def _are_of_other_sorts(one: Bag, other: Bag) -> bool:
    """Whether two collections are made in other ways: a union and an intersection, `p and q` and `p or q`, cases."""
    joints = {one.joint, other.joint}
    of_logic = joints == {"and", "or"} and all(
        _is_letter(item) or _is_bound(item) for item in (*one.items, *other.items)
    )
    operations = len(joints) > 1 and bool(joints & _OPERATIONS)
    of_sets = one.is_set and other.is_set and sum(map(_is_set, one.items)) != sum(map(_is_set, other.items))
    return of_logic or operations or of_sets or sum(map(_is_case, one.items)) != sum(map(_is_case, other.items))


def _are_roots(names: Iterable[str]) -> bool:
    """Whether names such as `x_1` and `x_2` are those of the roots of one equation, which have no order."""
    return len({name.partition("_")[0] for name in names}) == 1


def _is_bound(shape: Shape) -> bool:
    """Whether it bounds a letter; several bounds of one letter are a region."""
    return isinstance(shape, Region) or (isinstance(shape, Relation) and "=" not in shape.signs)


def _is_letter(shape: Shape) -> bool:
    return (
        isinstance(shape, Scalar)
        and len(names := algebra.symbols(shape.value)) == 1
        and (shape.value == algebra.symbol(next(iter(names))))
    )


def _members_of(dotted: Sequenced, count: int) -> tuple[Shape, ...] | None:
    """The members of `1, 2, ..., 10`, None where it has another number of them."""
    first, step, last = (algebra.constant(item.value) if isinstance(item, Scalar) else None for item in dotted.items)
    if first is None or not step or last is None:
        return None
    if (last - first) / step + 1 != count:
        return None
    return tuple(Scalar(value=algebra.rational(first + at * step)) for at in range(count))


def _is_set(shape: Shape) -> bool:
    return isinstance(shape, Bag) and shape.is_set


def _is_case(shape: Shape) -> bool:
    return bool(conditions_of(shape))


def whole_numbers(shape: Shape) -> frozenset[str]:
    """The letters that an answer says are whole numbers."""
    conditions = shape.conditions if isinstance(shape, Conditioned) else ()
    found: set[str] = set()
    for condition in conditions:
        if isinstance(condition, Relation) and condition.signs == ("in",) and _is_whole(condition.operands[1]):
            member = condition.operands[0]
            found |= algebra.symbols(member.value) if isinstance(member, Scalar) else set()
        elif isinstance(condition, Words) and "integer" in plain(condition.text):
            found |= {word for word in condition.text.split() if len(word) == 1}
    return frozenset(found)


def _is_whole(shape: Shape) -> bool:
    return isinstance(shape, Words) and shape.text in {"all Z", "all Z+", "all N0"}


def _same_words(one: Words, other: Words) -> bool | None:
    numbers = [number_of(words.text) for words in (one, other)]
    both_nothing = all(plain(words.text.lower()) in _NO_SOLUTION for words in (one, other))
    return both_nothing or same_phrase(one.text, other.text) or (numbers[0] is not None and numbers[0] == numbers[1])


def _is_nothing(words: Words, bag: Bag) -> bool | None:
    """The empty set of solutions in words."""
    return not bag.items and plain(words.text.lower()) in _NO_SOLUTION


def _same_digits(one: Based, other: Scalar) -> bool | None:
    """Whether a number is a numeral whose base was left out: the same digits."""
    number = algebra.constant(other.value)
    plain_number = (
        number is not None and not other.unit and number.denominator == 1 and 0 <= number < algebra.LONGEST_PRINTED
    )
    return plain_number and str(number) == one.digits


def _residue(scalar: Scalar, modulus: str) -> Scalar | None:
    """`4k + 1` as a residue to the modulus 4, None for anything else."""
    names = algebra.symbols(scalar.value)
    parts = algebra.coefficients(scalar.value, next(iter(names))) if len(names) == 1 else None
    step = algebra.constant(parts[1]) if parts else None
    if parts is None or step is None or step.denominator != 1 or abs(step) >= algebra.LONGEST_PRINTED:
        return None
    if f"mod {abs(step)}" != modulus:
        return None
    return Scalar(value=parts[0], unit=modulus)


def _is_least_residue(scalar: Scalar, modulus: str) -> bool:
    """Whether a number is what a division by the modulus leaves."""
    number, size = algebra.constant(scalar.value), modulus.removeprefix("mod ")
    return number is not None and size.isdecimal() and number.denominator == 1 and 0 <= number < int(size)


def _congruent(one: Scalar, other: Scalar) -> bool:
    """Whether two residues leave the same rest."""
    modulus = one.unit.removeprefix("mod ")
    apart = algebra.constant(algebra.subtract(one.value, other.value))
    if apart == 0 or apart is None:
        return apart == 0
    size = int(modulus) if modulus.isdecimal() else 0
    return size != 0 and apart % size == 0


def _scaled(scalar: Scalar, unit: Unit) -> Scalar:
    if unit.size == 1:
        return scalar
    return Scalar(value=algebra.multiply(scalar.value, algebra.rational(unit.size)))


def _unit_in_letters(scalar: Scalar) -> Scalar | None:
    """`10 m/s` without a font: letters that are a unit, beside an answer that has one. None where they are none."""
    if len(scalar.value.over) != 1 or set(scalar.value.under) != {algebra.ONE}:
        return None
    ((term, factor),) = scalar.value.over.items()
    if not term or any(name[0] != "symbol" or exponent.denominator > 1 for name, exponent in term):
        return None
    unit = " ".join(f"* {name[1]} ^{exponent}" for name, exponent in term)
    return Scalar(value=algebra.rational(factor), unit=unit) if unit_of(unit).known else None


def _unit_vectors(value: Value) -> list[Value] | None:
    """The factors of i, j and k, None where an expression has other terms."""
    parts = [algebra.rational(0)] * len(_UNIT_VECTORS)
    for term, factor in value.over.items():
        names = ["i" if name == algebra.IMAGINARY else algebra.spelled(name[-1]).rpartition(" ")[2] for name, _ in term]
        at = [at for at, unit in enumerate(_UNIT_VECTORS) if names.count(unit) == 1]
        if len(at) != 1:
            return None
        rest = tuple(part for name, part in zip(names, term, strict=True) if name != _UNIT_VECTORS[at[0]])
        parts[at[0]] = algebra.add(parts[at[0]], Value({rest: factor}, value.under))
    return parts if value.over else None


def _same_family(one: Value, other: Value, name: str) -> bool:
    """Whether `a + bk` and `c + dk` are the same numbers for whole k: equal steps, and starts some steps apart."""
    left, right = algebra.coefficients(one, name), algebra.coefficients(other, name)
    if left is None or right is None or not left[1].over or not right[1].over:
        return False
    steps = algebra.constant(algebra.divide(left[1], right[1]))
    apart = algebra.constant(algebra.divide(algebra.subtract(left[0], right[0]), left[1]))
    return steps is not None and abs(steps) == 1 and apart is not None and apart.denominator == 1


def _is_decimal(value: Value) -> bool:
    number = algebra.constant(value)
    return number is not None and is_decimal(number)


def _is_clock(proportion: Proportion) -> bool:
    """Whether it can only be a time of day, where 1:30 and 2:60 differ."""
    last = algebra.constant(proportion.parts[-1])
    return bool(proportion.unit) or last == 0


def _in_24_hours(clock: Proportion) -> Proportion:
    hour, half = algebra.constant(clock.parts[0]), unit_of(clock.unit).measures if clock.unit else ()
    if hour is None or not half:
        return clock
    later = half[0][0].endswith("second")
    return replace(clock, parts=(algebra.rational(hour % 12 + 12 * later), *clock.parts[1:]))


def _unmatched(one: tuple[Shape, ...], other: tuple[Shape, ...]) -> tuple[list[Shape], list[Shape]]:
    """Both collections without the members whose canonical spelling they share."""
    waiting: dict[tuple[str, str], list[Shape]] = {}
    for item in other:
        waiting.setdefault((_name_in_list(item), spelled(item)), []).append(item)
    left = []
    for item in one:
        twins = waiting.get((_name_in_list(item), spelled(item)))
        if twins:
            twins.pop()
        else:
            left.append(item)
    return left, [item for items in waiting.values() for item in items]


def _name_in_list(shape: Shape) -> str:
    """The name of a member, which its canonical spelling does not tell."""
    return shape.name if isinstance(shape, Named) else shape.variable if isinstance(shape, Region) else ""


def _pairs_up(candidates: list[list[int]]) -> bool:
    """Whether each member can get a different partner (Kuhn 1955)."""
    partners: dict[int, int] = {}

    def find(member: int, tried: set[int]) -> bool:
        for candidate in candidates[member]:
            if candidate not in tried:
                tried.add(candidate)
                if candidate not in partners or find(partners[candidate], tried):
                    partners[candidate] = member
                    return True
        return False

    return all(find(member, set()) for member in range(len(candidates)))


def _equation(named: Named) -> Relation | None:
    if not isinstance(named.shape, Scalar):
        return None
    quantity = named.quantity or algebra.symbol(named.name)
    return Relation(operands=(Scalar(value=quantity), named.shape), signs=("=",))


def _sides(relation: Relation) -> Value | None:
    """The difference of the two sides of an equation, without denominators that only scale it."""
    if len(relation.operands) != _PAIR:
        return None
    left, right = relation.operands
    if not (isinstance(left, Scalar) and isinstance(right, Scalar)) or {left.unit, right.unit} & {"'", "''", "%"}:
        return None
    difference = algebra.subtract(left.value, right.value)
    return algebra.without_denominators(difference) if relation.signs == ("=",) else difference


def _common_factor(one: Value, other: Value) -> Fraction | None:
    """The number that one expression is of the other, None where it is none."""
    if not one.over or not other.over or one.over.keys() != other.over.keys() or one.under != other.under:
        return None
    algebra.spend(len(one.over))
    ratios = {factor / other.over[term] for term, factor in one.over.items()}
    return ratios.pop() if len(ratios) == 1 else None


def spelled(shape: Shape) -> str:
    """A canonical spelling: equal spellings are equal answers, and mostly the other way round."""
    rules: dict[type, Callable[[Any], str]] = {
        Scalar: _spelled_scalar,
        Words: lambda words: plain(words.text),
        Named: lambda named: spelled(named.shape),
        Sequenced: lambda pair: f"{pair.fence[0]}{','.join(map(spelled, pair.items))}{pair.fence[1]}",
        Bag: _spelled_bag,
        Matrix: lambda matrix: "[" + ";".join(",".join(map(_spelled_value, row)) for row in matrix.rows) + "]",
        Proportion: lambda ratio: ":".join(map(_spelled_value, ratio.parts)) + ratio.unit,
        Relation: lambda relation: f"{' '.join(relation.signs)} {','.join(map(spelled, relation.operands))}",
        Conditioned: lambda case: spelled(case.shape) + "".join(f" if {spelled(part)}" for part in conditions_of(case)),
        Region: lambda region: " u ".join(map(_spelled_interval, region.intervals)),
        Based: lambda numeral: f"{numeral.digits}_{numeral.base}",
    }
    return rules[type(shape)](shape)


def without_remark(shape: Shape) -> Shape:
    """A number without the words after it where they are no unit: `5 ways`."""
    is_remark = isinstance(shape, Scalar) and shape.unit not in {"", "%", "°"} and not unit_of(shape.unit).known
    return replace(shape, unit="") if is_remark and isinstance(shape, Scalar) else shape


def _spelled_interval(interval: Interval) -> str:
    ends = f"{_spelled_value(interval.low)},{_spelled_value(interval.high)}"
    return f"{'(['[interval.closed_low]}{ends}{')]'[interval.closed_high]}"


def _spelled_scalar(scalar: Scalar) -> str:
    """A number in the base units of what it measures."""
    if scalar.unit == "%":
        return _spelled_value(_readings(scalar)[-1].value)
    unit = unit_of(scalar.unit) if scalar.unit and scalar.unit != "°" else None
    if unit is None or not unit.measures:
        return _spelled_value(scalar.value)
    measured = " ".join(f"{base}^{power}" for base, power in unit.measures)
    return f"{_spelled_value(_scaled(scalar, unit).value)} {measured}"


def _spelled_bag(bag: Bag) -> str:
    items = list(map(spelled, bag.items))
    if bag.joint == "rounded":
        return items[0]
    return f"{bag.joint}{{{','.join(items if bag.joint == 'difference' else sorted(set(items)))}}}"


def _spelled_value(value: Value) -> str:
    number = algebra.constant(value)
    return algebra.spelled(number) if number is not None else algebra.spelled(algebra.key(value))
