"""From the tree of an answer to what it says: a number, a tuple, a set, an interval, an equation, a word."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from itertools import pairwise, product
from math import prod
from typing import NamedTuple

from papergate.scoring.answers import algebra
from papergate.scoring.answers.algebra import Value
from papergate.scoring.answers.grammar.commands import COUNTS
from papergate.scoring.answers.nodes import Node, Tree
from papergate.scoring.answers.spelling import Unreadable
from papergate.scoring.answers.units import unit_of

_FUNCTION_OF_ONE = re.compile(r"(.+)\(([a-z])\)")  # P(A) and P(B) are two numbers, f(x) and f(t) one function
_DOTS = Node("symbol", name="...")
_MIN_TERMS = 3  # of a sum with dots: two that tell the step, and the last
GOLDEN = "golden ratio"  # what a phi may be renamed to
_SIGNS = {"%", "°", "'", "''"}  # units that are no words
_EVERY_REAL = {"real", "number", "value", "all", "any", "every", "each", "the", "for", "of"}  # without "positive"
_BARS = ("/", "per", "每")  # after these units stand below a bar
_PARTS_OF_DEGREE = {"'": Fraction(1, 60), "''": Fraction(1, 3_600)}
MAX_TERMS = 200  # of a sum or product that is written out
MAX_MATRIX_CELLS = 400  # of a product or determinant; bounds their cost


@dataclass(frozen=True, kw_only=True, slots=True)
class Scalar:
    r"""A number or expression.

    Attributes:
        value: Its exact value, without its unit.
        unit: `%`, `°`, a unit in words, or empty.
        places: Digits after the point where it is written as a decimal numeral, None for every other form.
        digits: Significant digits of such a numeral.
        remark: Words after a unit: the increase in `20\% increase`.
    """

    value: Value
    unit: str = ""
    places: int | None = None
    digits: int = 0
    remark: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """An answer in words, in lower case."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Based:
    """A numeral in a stated base, as written without leading zeros."""

    digits: str
    base: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sequenced:
    """A tuple, or an interval: `fence` is the pair of its brackets."""

    items: tuple["Shape", ...]
    fence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Bag:
    """Several answers in no order; as a set, equal members count once."""

    items: tuple["Shape", ...]
    is_set: bool = False
    joint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matrix:
    """Rows of values."""

    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Proportion:
    """`a : b : c`, also a time of day; `unit` is what follows it."""

    parts: tuple[Value, ...]
    unit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A value with its name: `x = 5`, `f(x) = x + 1`, `xy = 1`.

    Attributes:
        name: The name in one spelling.
        shape: The value.
        general: A function's value in a neutral variable.
        quantity: What the name is as an expression, where it is one.
    """

    name: str
    shape: "Shape"
    general: "Shape | None" = None
    quantity: Value | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """A chain of values and relation signs that is not just a named value."""

    operands: tuple["Shape", ...]
    signs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """An interval of the real line; a single point is closed on both sides."""

    low: Value
    high: Value
    closed_low: bool
    closed_high: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A union of intervals and points of the real line."""

    intervals: tuple[Interval, ...]
    variable: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditioned:
    """An answer that holds under conditions: a relation, or words in a fixed order."""

    shape: "Shape"
    conditions: tuple["Shape", ...]


class Reading(NamedTuple):
    """How to read what authors write differently.

    Attributes:
        common_log: A bare log is the common one; otherwise the natural one.
        counting: `C_5^2` and `A_5^2` count selections and arrangements; otherwise they are powers.
        numerals: `2e-3` is a numeral; otherwise a difference.
        renames: Letters that stand for others: a parameter, or `j` for the imaginary unit.
        floors: `[x]` is the whole number below; otherwise brackets only group.
        whole: n, m and k are whole numbers.
        from_zero: The natural numbers begin with zero; otherwise with one.
    """

    common_log: bool = False
    counting: bool = False
    numerals: bool = False
    renames: tuple[tuple[str, str], ...] = ()
    floors: bool = False
    whole: bool = False
    from_zero: bool = False


Shape = Scalar | Words | Based | Sequenced | Bag | Matrix | Proportion | Named | Relation | Region | Conditioned

INFINITE = algebra.atom(algebra.INFINITY)
WHOLE_LINE = Interval(low=algebra.negate(INFINITE), high=INFINITE, closed_low=False, closed_high=False)


def shape_of(tree: Tree, reading: Reading) -> Shape:
    """What an answer says; plus-minus signs become both values.

    Raises:
        Unreadable: It says nothing that is understood.
        TooComplex: Its exact value grows beyond the limits.
        Undefined: It has no value.
    """
    if not tree.signs:
        return _Reader((), reading).shape(tree.root)
    shapes = [_Reader(signs, reading).shape(tree.root) for signs in product((1, -1), repeat=tree.signs)]
    equations = [shape for shape in shapes if isinstance(shape, Relation) and all(map(_is_set, shape.operands))]
    if len(equations) == len(shapes):  # `A = \{1 \pm i\}`: the signs belong to the set, not to the equation
        sides = tuple(map(_united, zip(*(equation.operands for equation in equations), strict=True)))
        return replace(equations[0], operands=sides)
    return _united(shapes)


def exact_numeral(text: str) -> Fraction | int:
    """The number that a plain decimal numeral is."""
    return Fraction(text) if "." in text else int(text)


def numeral(text: str) -> Scalar:
    """The number that a plain decimal numeral is, as `shape_of` reads it."""
    _, point, decimals = text.partition(".")
    digits = len(text.removeprefix("-").replace(".", "").lstrip("0")) if point else 0
    return Scalar(value=algebra.rational(exact_numeral(text)), places=len(decimals) if point else None, digits=digits)


def _united(shapes: Iterable[Shape]) -> Bag:
    return Bag(items=tuple(item for shape in shapes for item in _members(shape)), is_set=True)


def _is_set(shape: Shape) -> bool:
    return isinstance(shape, Bag) and shape.is_set


def _members(shape: Shape) -> tuple[Shape, ...]:
    return shape.items if isinstance(shape, Bag) and shape.joint != "negative" else (shape,)


class _Reader:
    """Evaluates a tree under one choice of the plus-minus signs."""

    def __init__(self, signs: Sequence[int], reading: Reading) -> None:
        self._signs = signs
        self._reading = reading
        self._neutral = ""
        self._bound: dict[str, Value] = {}

    def shape(self, node: Node) -> Shape:
        reader: Callable[[Node], Shape] | None = getattr(self, "_" + node.op.replace(" ", "_").replace("-", "_"), None)
        if reader is None:
            raise Unreadable(f"a {node.op}")
        algebra.spend(1)  # some parts are read in two ways, and parts of parts in four
        return reader(node)

    def value(self, node: Node) -> Value:
        return _value_of(self.shape(node))

    # leaves

    def _number(self, node: Node) -> Shape:
        _, point, decimals = node.name.partition(".")
        digits = len(node.name.replace(".", "").lstrip("0"))
        places = len(decimals) if point and decimals.isdecimal() else None
        return Scalar(value=algebra.rational(node.number), places=places, digits=digits if places else 0)

    def _symbol(self, node: Node) -> Shape:
        if node.name == self._neutral:
            return Scalar(value=algebra.symbol("(argument)"))
        if node.name in self._bound:
            return Scalar(value=self._bound[node.name])
        constants = {"e": algebra.EULER, "i": algebra.IMAGINARY}
        name = dict(self._reading.renames).get(node.name, node.name)
        if name in constants:
            return Scalar(value=algebra.atom(constants[name]))
        if name == GOLDEN:
            root = algebra.power(algebra.rational(5), algebra.rational(Fraction(1, 2)))
            return Scalar(value=algebra.divide(algebra.add(algebra.rational(1), root), algebra.rational(2)))
        return Scalar(value=algebra.symbol(name))

    def _constant(self, node: Node) -> Shape:
        constants = {"pi": algebra.PI, "e": algebra.EULER, "infinity": algebra.INFINITY}
        return Scalar(value=algebra.atom(constants[node.name]))

    def _word(self, node: Node) -> Shape:
        if node.name in {"infinite", "infinity"} or node.name.startswith("infinitely many"):
            return Scalar(value=INFINITE)
        words = {word.removesuffix("s") for word in node.name.split() if len(word) > 1}
        if "real" in words and words <= _EVERY_REAL:
            return Region(intervals=(WHOLE_LINE,))
        return Words(text=node.name)

    def _conditioned(self, node: Node) -> Shape:
        shape, *conditions = self._shapes(node)
        return Conditioned(shape=shape, conditions=tuple(conditions))

    def _based(self, node: Node) -> Shape:
        base = node.parts[0].number
        if base.denominator != 1:
            raise Unreadable("a fractional base")
        return Based(digits=node.name, base=int(base))

    def _number_set(self, node: Node) -> Shape:
        above = Interval(low=algebra.rational(0), high=INFINITE, closed_low=False, closed_high=False)
        below = Interval(low=WHOLE_LINE.low, high=algebra.rational(0), closed_low=False, closed_high=False)
        lines = {
            "R": (WHOLE_LINE,), "R+": (above,), "R>0": (above,), "R-": (below,), "R<0": (below,), "R*": (below, above),
            "R\\{0}": (below, above), "Rne0": (below, above), "R+*": (above,), "R*+": (above,), "R++": (above,),
            "Rge0": (replace(above, closed_low=True),), "R+0": (replace(above, closed_low=True),),
            "Rle0": (replace(below, closed_high=True),),
        }  # fmt: skip
        names = {
            "N": "N0" if self._reading.from_zero else "Z+",
            "N*": "Z+",
            "N+": "Z+",
            "Z>0": "Z+",
            "Zge1": "Z+",
            "Zge0": "N0",
            "N0": "N0",
        }
        if node.name in lines:
            return Region(intervals=lines[node.name])
        return Words(text=f"all {names.get(node.name, node.name)}")

    # arithmetic

    def _sum(self, node: Node) -> Shape:
        if any(part == _DOTS for part in node.parts):
            return self._dotted_sum(node)
        return reduce(_plus, (self.shape(part) for part in node.parts))

    def _dotted_sum(self, node: Node) -> Shape:
        """`1 + 2 + ... + 100` by its first terms and its last."""
        values = [self.value(part) for part in node.parts if part != _DOTS]
        known = [algebra.constant(value) for value in values[:-1]]
        steps = {later - former for former, later in pairwise(known) if former is not None and later is not None}
        if len(values) < _MIN_TERMS or node.parts[-2] != _DOTS or None in known or len(steps) != 1 or 0 in steps:
            raise Unreadable("a sum whose terms are not known")
        first, last = values[0], values[-1]
        apart = algebra.divide(algebra.subtract(last, first), algebra.rational(steps.pop()))
        count = algebra.add(apart, algebra.rational(1))
        number = algebra.constant(count)
        if number is not None and (number < len(values) or number.denominator > 1):
            raise Unreadable("a sum whose last term is not reached")
        return Scalar(value=algebra.divide(algebra.multiply(count, algebra.add(first, last)), algebra.rational(2)))

    def _negative(self, node: Node) -> Shape:
        return _times(Scalar(value=algebra.rational(-1)), self.shape(node.parts[0]))

    def _plus_minus(self, node: Node) -> Shape:
        sign = self._signs[int(node.number)] * (1 if node.name == "pm" else -1)
        return _times(Scalar(value=algebra.rational(sign)), self.shape(node.parts[0]))

    def _product(self, node: Node) -> Shape:
        return _times(*(self.shape(part) for part in node.parts))

    def _quotient(self, node: Node) -> Shape:
        over, under = (self.shape(part) for part in node.parts)
        if not isinstance(under, Scalar):
            raise Unreadable("a division by something else than a number")
        inverse = Scalar(value=algebra.divide(algebra.rational(1), _in_base_unit(under)))
        return _times(inverse, over)

    def _power(self, node: Node) -> Shape:
        selection = self._selection(node) if self._reading.counting else None
        if selection is not None:
            return selection
        base = self.shape(node.parts[0])
        if isinstance(base, Matrix):
            raise Unreadable("the power of a matrix")
        return Scalar(value=algebra.power(_value_of(base), self.value(node.parts[1])))

    def _selection(self, node: Node) -> Shape | None:
        """`C_5^2` as a binomial coefficient, `A_5^2` and `P_5^2` as the number of arrangements; None for a power."""
        base, chosen = node.parts
        if base.op != "symbol" or not base.parts:
            return None
        return self.shape(Node(COUNTS[base.name[0]], (*base.parts, chosen)))

    def _arrangements(self, node: Node) -> Shape:
        total, chosen = (self.value(part) for part in node.parts)
        selections = algebra.function("binomial", total, chosen)
        return Scalar(value=algebra.multiply(selections, algebra.function("factorial", chosen)))

    def _transposed(self, node: Node) -> Shape:
        """A row is a column is a tuple; a matrix changes its sides."""
        shape = self.shape(node.parts[0])
        return Matrix(rows=tuple(zip(*shape.rows, strict=True))) if isinstance(shape, Matrix) else shape

    def _sum_over(self, node: Node) -> Shape:
        return self._series(node, "sum")

    def _product_over(self, node: Node) -> Shape:
        return self._series(node, "product")

    def _series(self, node: Node, kind: str) -> Shape:
        """A sum or product: term by term where its ends are numbers, otherwise an atom of its own."""
        body, *ends = node.parts
        low, high = (self.value(end) for end in ends)
        first, last = algebra.constant(low), algebra.constant(high)
        if first is None or last is None or last - first > MAX_TERMS or (last - first).denominator > 1:
            keys = map(algebra.key, (low, high, self._within(node.name, body)))
            return Scalar(value=algebra.atom(("series", kind, f"#{len(self._bound)}", *keys)))
        total = algebra.rational(0 if kind == "sum" else 1)
        join = algebra.add if kind == "sum" else algebra.multiply
        for at in range(int(last - first) + 1):
            total = join(total, self._within(node.name, body, algebra.rational(first + at)))
        return Scalar(value=total)

    def _within(self, name: str, body: Node, value: Value | None = None) -> Value:
        """The value of a body whose variable is bound: to a value, or to a name that does not tell its spelling."""
        outside = self._bound
        self._bound = {**outside, name: value or algebra.atom(("bound", f"#{len(outside)}"))}
        inside = self.value(body)
        self._bound = outside
        return inside

    def _integral(self, node: Node) -> Shape:
        body, *ends = node.parts
        keys = (algebra.key(part) for part in (*map(self.value, ends), self._within(node.name, body)))
        if len(ends) == 1:
            raise Unreadable("an integral with one end")
        kind = "integral" if ends else "antiderivative"
        return Scalar(value=algebra.atom((kind, f"#{len(self._bound)}", *keys)))

    def _limit(self, node: Node) -> Shape:
        body, end = node.parts
        keys = (algebra.key(part) for part in (self.value(end), self._within(node.name, body)))
        return Scalar(value=algebra.atom(("limit", f"#{len(self._bound)}", *keys)))

    def _compound(self, node: Node) -> Shape:
        r"""`5 feet 6 inches`, `36^\circ 30'`: a sum in the first unit."""
        first, second = (self.shape(part) for part in node.parts)
        if not (isinstance(first, Scalar) and isinstance(second, Scalar)):
            raise Unreadable("a sum of unlike things")
        factor = _PARTS_OF_DEGREE.get(second.unit) if first.unit == "°" else None
        factor = factor or _factor_between(first.unit, second.unit)
        if factor >= 1:
            raise Unreadable("a sum whose second unit is not the smaller one")
        return replace(
            first, value=algebra.add(first.value, algebra.multiply(second.value, algebra.rational(factor))), places=None
        )

    def _root(self, node: Node) -> Shape:
        index = algebra.constant(self.value(node.parts[1]))
        if not index:
            raise Unreadable("a root with a strange index")
        return Scalar(value=algebra.power(self.value(node.parts[0]), algebra.rational(1 / index)))

    def _function(self, node: Node) -> Shape:
        if node.name == "cis":
            return Scalar(value=algebra.turned(self.value(node.parts[0])))
        shapes = self._shapes(node)
        if node.name == "det" and isinstance(shapes[0], Matrix):
            return Scalar(value=_determinant(shapes[0].rows))
        name = "lg" if node.name == "log" and self._reading.common_log else node.name
        return Scalar(value=_function(name, [*map(_value_of, shapes)]))

    def _atom(self, node: Node) -> Shape:
        return Scalar(value=algebra.function(node.op, *(self.value(part) for part in node.parts)))

    _factorial = _binomial = _absolute = _floor = _ceil = _mod = _atom

    def _double_factorial(self, node: Node) -> Shape:
        number = algebra.constant(argument := self.value(node.parts[0]))
        if number is None:
            return Scalar(value=algebra.function("double factorial", argument))
        if number.denominator > 1 or not 0 <= number <= MAX_TERMS:
            raise Unreadable("a double factorial of something else than a small number")
        return Scalar(value=algebra.rational(prod(range(int(number), 0, -2))))

    def _brackets(self, node: Node) -> Shape:
        if self._reading.floors:
            return Scalar(value=algebra.function("floor", self.value(node.parts[0])))
        return self.shape(node.parts[0])

    def _percent(self, node: Node) -> Shape:
        return self._with_unit(node, "%")

    def _degrees(self, node: Node) -> Shape:
        return self._with_unit(node, "°")

    def _quantity(self, node: Node) -> Shape:
        return self._with_unit(node, "rad" if node.name in {"rad", "radian", "radians"} else node.name)

    def _with_unit(self, node: Node, unit: str) -> Shape:
        shape = self.shape(node.parts[0])
        if isinstance(shape, Scalar):
            return _measured(shape, unit)
        if unit in _SIGNS or unit.startswith("mod "):
            raise Unreadable(f"{unit} of something else than a number")
        return replace(shape, unit=unit) if isinstance(shape, Proportion) else shape

    # structures

    def _list(self, node: Node) -> Shape:
        return Bag(items=self._shapes(node), joint=node.name)

    def _group(self, node: Node) -> Shape:
        items = self._shapes(node)
        return items[0] if len(items) == 1 else Bag(items=items, joint="group")

    def _set(self, node: Node) -> Shape:
        return Bag(items=self._shapes(node), is_set=True)

    def _tuple(self, node: Node) -> Shape:
        return Sequenced(items=self._shapes(node), fence=node.name)

    def _point(self, node: Node) -> Shape:
        """`P(5, 2)` is a point with its name, or counts arrangements."""
        shape = self.shape(node.parts[0])
        if self._reading.counting and node.name == "P" and len(node.parts[0].parts) == len(("total", "chosen")):
            return self.shape(Node("arrangements", node.parts[0].parts))
        return Named(name=node.name, shape=shape)

    def _parentheses(self, node: Node) -> Shape:
        return self.shape(node.parts[0])

    def _shapes(self, node: Node) -> tuple[Shape, ...]:
        return tuple(self.shape(part) for part in node.parts)

    def _matrix(self, node: Node) -> Shape:
        return Matrix(rows=tuple(tuple(self.value(cell) for cell in row.parts) for row in node.parts))

    def _determinant(self, node: Node) -> Shape:
        matrix = self.shape(node.parts[0])
        assert isinstance(matrix, Matrix)
        return Scalar(value=_determinant(matrix.rows))

    def _ratio(self, node: Node) -> Shape:
        shapes = self._shapes(node)
        unit = next((shape.unit for shape in shapes[-1:] if isinstance(shape, Scalar)), "")
        return Proportion(parts=tuple(_plain_value(shape) for shape in shapes), unit=unit)

    def _label(self, node: Node) -> Shape:
        shape = self.shape(node.parts[0])
        function = _FUNCTION_OF_ONE.fullmatch(node.name)
        if function is None:
            return Named(name=node.name, shape=shape)
        self._neutral = function[2]
        general = self.shape(node.parts[0])
        self._neutral = ""
        return Named(name=f"{function[1]}()", shape=shape, general=general)

    def _relation(self, node: Node) -> Shape:
        return Relation(operands=self._shapes(node), signs=tuple(node.name.split()))

    def _half_relation(self, node: Node) -> Shape:
        """`> 5` says something about what is not there, and is no number; `= 5` is."""
        (shape,) = self._shapes(node)
        return shape if node.name == "=" else Relation(operands=(Words(text=""), shape), signs=(node.name,))

    # sets of numbers

    def _builder(self, node: Node) -> Shape:
        return Bag(items=(self.shape(node.parts[0]),), is_set=True, joint="builder")

    def _cup(self, node: Node) -> Shape:
        sets = self._shapes(node)
        if all(isinstance(part, Bag) and part.is_set and part.joint in {"", "union"} for part in sets):
            return Bag(items=tuple(item for part in sets if isinstance(part, Bag) for item in part.items), is_set=True)
        return Bag(items=sets, joint="union")

    def _cap(self, node: Node) -> Shape:
        return Bag(items=self._shapes(node), joint="intersection")

    def _setminus(self, node: Node) -> Shape:
        return Bag(items=self._shapes(node), joint="difference")


def _measured(scalar: Scalar, unit: str) -> Scalar:
    """A number with its unit; words after a unit are a remark, a second unit is none."""
    if not scalar.unit or not unit:
        return replace(scalar, unit=unit or scalar.unit)
    for first, second in ((scalar.unit, unit), (unit, scalar.unit)):
        if second.startswith(("/ ", "per ")) and first not in _SIGNS:
            return replace(scalar, unit=f"{first} {second}")  # a price per pound
    if unit in _SIGNS or (unit_of(unit).known and unit_of(unit).measures):
        raise Unreadable("two units")
    return replace(scalar, remark=unit)


def _value_of(shape: Shape) -> Value:
    """The value of what stands inside an expression."""
    if isinstance(shape, Scalar):
        return _in_base_unit(shape)
    raise Unreadable(f"arithmetic with a {type(shape).__name__}")


def _in_base_unit(shape: Scalar) -> Value:
    """The value of a percentage or an angle inside an expression."""
    if shape.unit in {"'", "''"}:
        raise Unreadable("a prime inside an expression")
    if shape.unit == "%":
        return algebra.divide(shape.value, algebra.rational(100))
    if shape.unit == "°":
        return algebra.multiply(shape.value, algebra.divide(algebra.atom(algebra.PI), algebra.rational(180)))
    return shape.value


def _factor_between(large: str, small: str) -> Fraction:
    one, other = unit_of(large), unit_of(small)
    if not (one.known and one.measures == other.measures):
        raise Unreadable("a sum of unlike units")
    return other.size / one.size


def _plain_value(shape: Shape) -> Value:
    if isinstance(shape, Scalar):
        return shape.value
    raise Unreadable("a ratio of something else than numbers")


def _function(name: str, values: list[Value]) -> Value:
    if not values:
        raise Unreadable(f"{name} of nothing")
    one = values[0]
    if name == "exp":
        return algebra.power(algebra.atom(algebra.EULER), one)
    if name in {"log base", "lg"}:
        base = values[1] if name == "log base" else algebra.rational(10)
        return algebra.divide(algebra.function("ln", one), algebra.function("ln", base))
    if name == "log":
        return algebra.function("ln", one)
    return algebra.function(name, *values)


def _plus(left: Shape, right: Shape) -> Shape:
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        if left.unit == right.unit:
            return Scalar(value=algebra.add(left.value, right.value), unit=left.unit)
        if left.unit and right.unit and all(unit_of(part.unit).known for part in (left, right)):
            factor = _factor_between(left.unit, right.unit)
            return Scalar(
                value=algebra.add(left.value, algebra.multiply(right.value, algebra.rational(factor))), unit=left.unit
            )
        return Scalar(value=algebra.add(_in_base_unit(left), _in_base_unit(right)))
    if isinstance(left, Matrix) and isinstance(right, Matrix) and _size(left) == _size(right):
        pairs = zip(left.rows, right.rows, strict=True)
        return Matrix(rows=tuple(tuple(map(algebra.add, one, other)) for one, other in pairs))
    if isinstance(right, Bag) and right.joint == "negative":
        return Bag(items=(left, replace(right, joint="")), joint="difference")
    raise Unreadable("a sum of unlike things")


def _times(left: Shape, right: Shape) -> Shape:
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return _scalar_product(left, right)
    if isinstance(left, Matrix) and isinstance(right, Matrix):
        return _matrix_product(left, right)
    if isinstance(right, Matrix) and isinstance(left, Scalar):
        return Matrix(rows=tuple(tuple(algebra.multiply(left.value, cell) for cell in row) for row in right.rows))
    if isinstance(right, Bag) and right.is_set and isinstance(left, Scalar) and algebra.constant(left.value) == -1:
        return replace(right, joint="negative")
    raise Unreadable("a product of unlike things")


def _scalar_product(left: Scalar, right: Scalar) -> Scalar:
    factor = algebra.constant(left.value)
    if left.unit and right.unit and not {left.unit, right.unit} & _SIGNS:
        factors = (left, right) if set(_BARS) & set(right.unit.split()) else (right, left)  # a bar reaches to the end
        return Scalar(value=algebra.multiply(left.value, right.value), unit=" * ".join(part.unit for part in factors))
    if right.unit and right.unit not in "%°":
        return Scalar(value=algebra.multiply(left.value, right.value), unit=right.unit)
    if factor is not None and abs(factor) == 1 and not left.unit:
        return replace(right, value=algebra.multiply(left.value, right.value))
    if right.unit == "°" and not left.unit:
        return Scalar(value=algebra.multiply(left.value, right.value), unit="°")
    return Scalar(value=algebra.multiply(_in_base_unit(left), _in_base_unit(right)))


def _size(matrix: Matrix) -> tuple[int, int]:
    return len(matrix.rows), len(matrix.rows[0])


def _matrix_product(left: Matrix, right: Matrix) -> Matrix:
    (rows, inner), (other, columns) = _size(left), _size(right)
    if inner != other or rows * inner * columns > MAX_MATRIX_CELLS:
        raise Unreadable("matrices that do not multiply")
    return Matrix(
        rows=tuple(
            tuple(
                reduce(
                    algebra.add, (algebra.multiply(left.rows[row][at], right.rows[at][column]) for at in range(inner))
                )
                for column in range(columns)
            )
            for row in range(rows)
        )
    )


def _determinant(rows: tuple[tuple[Value, ...], ...]) -> Value:
    if len(rows) != len(rows[0]) or len(rows) > 4:  # noqa: PLR2004 - beyond four the expansion explodes
        raise Unreadable("a large determinant")
    if len(rows) == 1:
        return rows[0][0]
    total = algebra.rational(0)
    for column, cell in enumerate(rows[0]):
        minor = tuple(row[:column] + row[column + 1 :] for row in rows[1:])
        signed = algebra.multiply(algebra.rational(Fraction((-1) ** column)), cell)
        total = algebra.add(total, algebra.multiply(signed, _determinant(minor)))
    return total
