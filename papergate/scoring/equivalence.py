"""Whether two answers are the same: exact normal forms first, then numbers at high precision.

Nothing here starts a process or calls sympy. A layer says yes or no only where it is certain; everything else is
undecided here, and left to the worker.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from papergate.scoring import algebra, numeric, regions
from papergate.scoring.algebra import TooComplex, Undefined, Value
from papergate.scoring.extraction import extract
from papergate.scoring.records import AnswerKind, Comparison
from papergate.scoring.shapes import (
    Bag,
    Based,
    Matrix,
    Named,
    Proportion,
    Relation,
    Scalar,
    Sequenced,
    Shape,
    Words,
    shape_of,
)
from papergate.scoring.spelling import Unreadable, ascii_spelling
from papergate.scoring.syntax import parse
from papergate.scoring.units import unit_of

MAX_CACHED = 20_000  # answers whose shape is remembered: golds, and what many samples agree on
MAX_MATCHED = 10_000  # pairs tried to match two collections without order
MIN_PLACES = 6  # digits, and places, from which a decimal stands for the value that rounds to it
FLOAT_ERROR = Fraction(3, 10**16)  # relative; the last digits of a printed double are not those of the number

_WRAPPER = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|textnormal|mathit|textrm|textit)\s*\{([^{}\\]*)\}")
_SPACING = re.compile(r"(?:\\[,;:! ]|\\q?quad\b|\\left(?![a-z.])|\\right(?![a-z.])|\\displaystyle\b|[\s~])+")
_LOOSE_SPACE = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")
_LETTER = re.compile(r"\(?([A-Ja-j])\)?[.:]?|\(([A-J])\).*|([A-J])[.):]\s*[A-Za-z].*", re.DOTALL)
_GOLD_LETTER = re.compile(r"\(?([A-J])\)?")
_BOX = re.compile(r"\\f?box")
_FUNCTION_NAMES = {"f", "g", "h"}  # in front of a bracket these are functions, never factors
_PAIR = 2


def equivalent(gold: str, answer: str, kind: AnswerKind = AnswerKind.MATH) -> Comparison:
    """Compare two answers without leaving the process.

    Args:
        gold: The right answer.
        answer: The given answer.
        kind: What sort of answer is asked for.

    Returns:
        Yes or no with the layer that decided, or None where these layers are not certain.
    """
    one, other = _bare(gold), _bare(answer)
    if one == other or _squeezed(one) == _squeezed(other):
        return Comparison(equal=True, rule="same text")
    letters = _same_letter(_squeezed(one), _squeezed(other), kind)
    if letters is not None:
        return Comparison(equal=letters, rule="letter")
    try:
        return _compare(one, other, kind)
    except (Unreadable, TooComplex, Undefined, RecursionError) as error:
        return Comparison(equal=None, rule="none", reason=f"no exact form: {error}")


def vote_key(answer: str, kind: AnswerKind = AnswerKind.MATH) -> str:
    """A canonical spelling: answers with the same key are one class of a plurality vote."""
    text = _bare(answer)
    if kind is AnswerKind.CHOICE:
        match = _LETTER.fullmatch(_squeezed(text))
        return next(filter(None, match.groups())).upper() if match else text
    try:
        return _spelled(_resolved(_read(text)))
    except (Unreadable, TooComplex, Undefined, RecursionError):
        return _squeezed(text)


def check_readable(gold: str, kind: AnswerKind) -> bool:
    """Whether a gold answer can be compared with anything but its own text."""
    if kind is AnswerKind.INTEGER:
        return gold.strip().isdecimal()
    if kind is AnswerKind.CHOICE:
        return _LETTER.fullmatch(_squeezed(_bare(gold))) is not None
    try:
        _read(_bare(gold))
    except (Unreadable, TooComplex, Undefined, RecursionError):
        return False
    return True


def _bare(text: str) -> str:
    """The answer out of its box and its dollar signs."""
    if _BOX.search(text):
        text = extract(text, kind=AnswerKind.MATH, thinks=False).answer or text
    return text.strip()


@lru_cache(MAX_CACHED)
def _squeezed(text: str) -> str:
    """The answer without its typography; digits and letters that stand apart stay apart."""
    text = _SPACING.sub(" ", _WRAPPER.sub(r"\1", ascii_spelling(text).strip("$")))
    return _LOOSE_SPACE.sub("", text)


def _same_letter(gold: str, answer: str, kind: AnswerKind) -> bool | None:
    """Compare options of a multiple choice, None where the gold answer or the answer is none."""
    wanted = _GOLD_LETTER.fullmatch(gold)
    given = _LETTER.fullmatch(answer)
    if wanted and given:
        return wanted[1] == next(filter(None, given.groups())).upper()
    return False if kind is AnswerKind.CHOICE else None


@lru_cache(MAX_CACHED)
def _read(text: str, *, common_log: bool = False) -> Shape:
    return shape_of(parse(text), common_log=common_log)


def _compare(gold: str, answer: str, kind: AnswerKind) -> Comparison:
    readings = (False, True) if "log" in gold and "log" in answer else (False,)
    for common_log in readings:
        comparer = _Comparer()
        one, other = (_resolved(_read(text, common_log=common_log)) for text in (gold, answer))
        if kind is AnswerKind.INTEGER:
            other = _last_side(other)
        equal = comparer.same(one, other)
        if equal:
            break
    reason = None if equal is not None else "no certain numerical comparison"
    return Comparison(equal=equal, rule=comparer.layer, reason=reason)


def _last_side(shape: Shape) -> Shape:
    """The value an equation ends with, when an integer is asked for: `m + n = 25`."""
    if isinstance(shape, Relation) and set(shape.signs) == {"="}:
        return shape.operands[-1]
    return shape


# what an answer says, once its equations are understood


def _resolved(shape: Shape) -> Shape:
    """The shape with named values, assignments and single members recognised."""
    if isinstance(shape, Relation):
        return _resolved_relation(shape)
    if isinstance(shape, Named):
        return _resolved_name(shape)
    if isinstance(shape, Bag):
        return _resolved_bag(shape)
    if isinstance(shape, Sequenced):
        return Sequenced(items=tuple(map(_resolved, shape.items)), fence=shape.fence)
    return shape


def _resolved_relation(relation: Relation) -> Shape:
    if "in" in relation.signs:
        return _resolved(relation.operands[-1]) if len(relation.signs) == 1 else relation
    if set(relation.signs) != {"="}:
        return relation
    operands = list(relation.operands)
    while len(operands) > _PAIR and _certainly_same(operands[-_PAIR], operands[-1]):
        del operands[-_PAIR]
    name = _name_of(operands[0])
    if len(operands) > _PAIR:
        named = all(map(_name_of, operands[:-1]))
        return Named(name="=".join(map(_name_of, operands[:-1])), shape=operands[-1]) if named else relation
    if name and not _shares_symbol(*operands):
        return _resolved_name(Named(name=name, shape=operands[1]))
    if (mirrored := _name_of(operands[1])) and not _shares_symbol(*operands):
        return _resolved_name(Named(name=mirrored, shape=operands[0]))
    if _certainly_same(*operands) and not any(map(_symbols_of, operands)):
        return operands[1]
    return Relation(operands=tuple(operands), signs=("=",))


def _resolved_name(named: Named) -> Shape:
    """`(x, y) = (1, 2)` becomes two named values; a chain of equal values becomes its last."""
    shape = named.shape
    if isinstance(shape, Relation) and _certainly_same(*shape.operands[-_PAIR:]):
        shape = shape.operands[-1]
    names = named.name[1:-1].split(",") if named.name.startswith("(") else []
    items = shape.items if isinstance(shape, (Sequenced, Bag)) else ()
    if len(names) > 1 and len(names) == len(items) and isinstance(shape, Sequenced):
        return Bag(items=tuple(Named(name=name, shape=item) for name, item in zip(names, items, strict=True)))
    return Named(name=named.name, shape=_resolved(shape), general=named.general)


def _resolved_bag(bag: Bag) -> Shape:
    if bag.joint in {"union", "intersection", "difference", "builder"}:
        return bag
    items = tuple(map(_resolved, bag.items))
    if bag.joint == "group":
        return Sequenced(items=tuple(map(_without_name, items)), fence="()")
    names = {item.name for item in items if isinstance(item, Named)}
    if len(names) == 1 and isinstance(items[0], Named) and not (len(items) > 1 and regions.is_region(bag)):
        items = tuple(map(_without_name, items))
    elif bag.items and isinstance(items[0], Bag) and _is_assignment(items[0]) and not _is_assignment(bag):
        items = tuple(_as_tuple(item) for item in items)
    if len(items) == 1 and not bag.is_set:
        return items[0]
    return Bag(items=items, is_set=bag.is_set, joint=bag.joint)


def _as_tuple(shape: Shape) -> Shape:
    if isinstance(shape, Bag) and _is_assignment(shape):
        return Sequenced(items=tuple(map(_without_name, shape.items)), fence="()")
    return shape


def _is_assignment(shape: Shape) -> bool:
    """Whether it is several values, each with a name of its own."""
    if not isinstance(shape, Bag) or len(shape.items) < _PAIR:
        return False
    names = [item.name for item in shape.items if isinstance(item, Named)]
    return len(names) == len(shape.items) == len(set(names))


def _without_name(shape: Shape) -> Shape:
    return shape.shape if isinstance(shape, Named) else shape


def _name_of(shape: Shape) -> str:
    """How a side of an equation names the other, empty where it is more than a name."""
    if isinstance(shape, Words):
        return shape.text
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
    if not term or kinds - {"symbol", "function"} or any(abs(exponent) != 1 for _, exponent in term):
        return ""
    if "function" in kinds and (len(term) > 1 or not algebra.symbols(value)):
        return ""
    names = [str(name[1]) for name, _ in term]
    if kinds == {"symbol"} and len(names) <= _PAIR and names[0] in _FUNCTION_NAMES:
        return f"{names[0]}()" if len(names) == _PAIR else names[0]
    return names[0] if names == [*names[:1]] and kinds == {"symbol"} else repr(term)


def _symbols_of(shape: Shape) -> set[str]:
    if isinstance(shape, Scalar):
        return algebra.symbols(shape.value)
    if isinstance(shape, (Sequenced, Bag)):
        return set().union(*map(_symbols_of, shape.items))
    return set()


def _shares_symbol(one: Shape, other: Shape) -> bool:
    return bool(_symbols_of(one) & _symbols_of(other))


def _certainly_same(one: Shape, other: Shape) -> bool:
    return bool(_Comparer().same(one, other))


class _Comparer:
    """One comparison; remembers the last layer that had to speak."""

    def __init__(self) -> None:
        self.layer = "exact value"

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
        """How two shapes are compared, None where shapes of these sorts never are the same."""
        match one, other:
            case Scalar(), Scalar():
                return lambda: self._scalars(one, other)
            case Words(), Words():
                return lambda: one == other
            case Based(), Based():
                return lambda: one == other
            case Sequenced(), Sequenced():
                return lambda: _fences_agree(one, other) and self._in_order(one.items, other.items)
            case Bag(), Bag():
                return lambda: self._bags(one, other)
            case Bag(), Sequenced():
                return lambda: _is_assignment(one) and self._assigned(one, other.items)
            case Matrix(), Matrix():
                return lambda: self._matrices(one, other)
            case Matrix(), Sequenced():
                return lambda: self._vectors(one, other)
            case Proportion(), Proportion():
                return lambda: self._proportions(one, other)
            case Proportion(), Scalar():
                return lambda: self._quotient(one, other)
        return None

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
        if {one.unit, other.unit} & {"%", "°"}:
            return False
        left, right = unit_of(one.unit), unit_of(other.unit)
        if left is None or right is None:
            return self._values(one, other)
        if left.measures != right.measures:
            return False
        if left.size == right.size:
            return self._values(one, other)
        return self.values(*(algebra.multiply(side.value, algebra.rational(unit.size)) for side, unit in ((one, left), (other, right))))

    def _values(self, one: Scalar, other: Scalar) -> bool | None:
        equal = self.values(one.value, other.value)
        if equal is False and _stands_for(one, other):
            self.layer = "rounded decimal"
            return True
        return equal

    def values(self, one: Value, other: Value) -> bool | None:
        """Compare two exact values, numerically where they are not decided by their normal form."""
        if one == other:
            return True
        try:
            if not numeric.difference(one, other).over:
                return True
            if algebra.is_exact(one) and algebra.is_exact(other):
                return False
        except TooComplex:
            pass
        self.layer = f"{numeric.DIGITS[-1]} digits"
        return numeric.equal(one, other)

    # collections

    def _in_order(self, one: Iterable[Shape], other: Iterable[Shape]) -> bool | None:
        left, right = tuple(one), tuple(other)
        if len(left) != len(right):
            return False
        return _all(self.same(*pair) for pair in zip(left, right, strict=True))

    def _bags(self, one: Bag, other: Bag) -> bool | None:
        if _is_assignment(one) and _is_assignment(other):
            return self._assignments(one, other)
        if _is_assignment(one) or _is_assignment(other):
            named, bare = (one, other) if _is_assignment(one) else (other, one)
            return self._assigned(named, bare.items)
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
        return _any(self._in_order(map(_without_name, order), items) for order in (named.items, by_name))

    def _distinct(self, items: tuple[Shape, ...]) -> tuple[Shape, ...]:
        by_key = {_spelled(item): item for item in items}
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
        return self._matrices(matrix, Matrix(rows=tuple(tuple(cell.value for cell in row if isinstance(cell, Scalar)) for row in rows)))

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
            return self.same(_resolved(one.general), _resolved(other.general))
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
        ordered = regions.merged(left), regions.merged(right)
        if ordered[0] is not None and ordered[1] is not None:
            left, right = ordered
        if len(left.intervals) != len(right.intervals):
            return False
        return _all(self._intervals(*pair) for pair in zip(left.intervals, right.intervals, strict=True))

    def _intervals(self, one: regions.Interval, other: regions.Interval) -> bool | None:
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
    """Whether one is a decimal numeral long enough to stand for the other, which rounds to it."""
    if one.places is None and other.places is None:
        return False
    most = max(one.places or 0, other.places or 0) + 1
    short, long = sorted((one, other), key=lambda scalar: most if scalar.places is None else scalar.places)
    if short.places is None or min(short.digits, short.places) < MIN_PLACES:
        return False
    number, exact = algebra.constant(short.value), numeric.rational(long.value)
    if number is None or exact is None:
        return False
    return abs(number - exact) <= max(Fraction(1, 2 * 10**short.places), abs(exact) * FLOAT_ERROR)


def _fences_agree(one: Sequenced, other: Sequenced) -> bool:
    """A pair may be an interval, whose brackets count; a longer sequence is a tuple in any brackets."""
    return len(one.items) != _PAIR or one.fence == other.fence


def _is_clock(proportion: Proportion) -> bool:
    """Whether it can only be a time of day, where 1:30 and 2:60 differ."""
    last = algebra.constant(proportion.parts[-1])
    return bool(proportion.unit) or last == 0


def _unmatched(one: tuple[Shape, ...], other: tuple[Shape, ...]) -> tuple[list[Shape], list[Shape]]:
    """Both collections without the members whose canonical spelling they share."""
    waiting: dict[str, list[Shape]] = {}
    for item in other:
        waiting.setdefault(_spelled(item), []).append(item)
    left = []
    for item in one:
        twins = waiting.get(_spelled(item))
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


def _spelled(shape: Shape) -> str:
    """A canonical spelling: equal spellings are equal answers, and mostly the other way round."""
    match shape:
        case Scalar():
            readings = _readings(shape)
            return _spelled_value(readings[-1].value if shape.unit == "%" else readings[0].value)
        case Named():
            return _spelled(shape.shape)
        case Sequenced():
            return f"{shape.fence[0]}{','.join(map(_spelled, shape.items))}{shape.fence[1]}"
        case Bag():
            if shape.joint in {"difference", "builder"}:
                return repr(shape)
            return f"{{{','.join(sorted(map(_spelled, shape.items)))}}}"
        case Matrix():
            return "[" + ";".join(",".join(map(_spelled_value, row)) for row in shape.rows) + "]"
    return repr(shape)


def _spelled_value(value: Value) -> str:
    number = algebra.constant(value)
    return str(number) if number is not None else repr(algebra.key(value))
