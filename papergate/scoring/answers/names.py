"""What an answer says once its equations are understood: which are values with a name, and which are statements."""

from fractions import Fraction

from papergate.scoring.answers import algebra, numeric, regions
from papergate.scoring.answers.algebra import Value
from papergate.scoring.answers.shapes import Bag, Named, Proportion, Relation, Scalar, Sequenced, Shape, Words

_FUNCTION_NAMES = {"f", "g", "h"}  # in front of a bracket these are functions, never factors
_PAIR = 2


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
    return shape


def _resolved_relation(relation: Relation) -> Shape:
    if "in" in relation.signs:
        return resolved(relation.operands[-1]) if len(relation.signs) == 1 else relation
    if set(relation.signs) != {"="}:
        return relation
    operands = list(relation.operands)
    while len(operands) > _PAIR and _equal(operands[-_PAIR], operands[-1]):
        del operands[-_PAIR]
    return _resolved_equation(operands[0], operands[1]) if len(operands) == _PAIR else _resolved_chain(operands)


def _resolved_chain(operands: list[Shape]) -> Shape:
    """`x = y = 3` names its last side."""
    names = list(map(_name_of, operands[:-1]))
    if all(names):
        return Named(name="=".join(names), shape=operands[-1])
    return Relation(operands=tuple(operands), signs=("=",) * (len(operands) - 1))


def _resolved_equation(left: Shape, right: Shape) -> Shape:
    """A named value, a number computed (`10^3 = 1000`), or an equation that says something."""
    for name, value in ((left, right), (right, left)):
        if _name_of(name) and not _shares_symbol(name, value):
            return _resolved_name(Named(name=_name_of(name), shape=value))
    if _equal(left, right) and not (_symbols_of(left) | _symbols_of(right)):
        return right
    return Relation(operands=(left, right), signs=("=",))


def _resolved_name(named: Named) -> Shape:
    """`(x, y) = (1, 2)` becomes two named values; a chain of equal values becomes its last."""
    shape = named.shape
    if isinstance(shape, Relation) and _equal(*shape.operands[-_PAIR:]):
        shape = shape.operands[-1]
    names = named.name[1:-1].split(",") if named.name.startswith("(") else []
    items = shape.items if isinstance(shape, (Sequenced, Bag)) else ()
    if len(names) > 1 and len(names) == len(items) and isinstance(shape, Sequenced):
        return Bag(items=tuple(Named(name=name, shape=item) for name, item in zip(names, items, strict=True)))
    return Named(name=named.name, shape=resolved(shape), general=named.general)


def _resolved_bag(bag: Bag) -> Shape:
    if bag.joint in {"union", "intersection", "difference", "builder"}:
        return bag
    items = tuple(map(resolved, bag.items))
    if bag.joint == "group":
        return Sequenced(items=tuple(map(without_name, items)), fence="()")
    names = {item.name for item in items if isinstance(item, Named)}
    if len(names) == 1 and isinstance(items[0], Named) and not (len(items) > 1 and regions.is_region(bag)):
        items = tuple(map(without_name, items))
    elif bag.items and isinstance(items[0], Bag) and is_assignment(items[0]) and not is_assignment(bag):
        items = tuple(_as_tuple(item) for item in items)
    if len(items) == 1 and not bag.is_set:
        return items[0]
    return Bag(items=items, is_set=bag.is_set, joint=bag.joint)


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


def _shares_symbol(name: Shape, value: Shape) -> bool:
    """Whether a value speaks of its own name; the argument of a function is not its name."""
    if isinstance(name, Sequenced) and isinstance(value, Sequenced):
        return any(map(_shares_symbol, name.items, value.items))
    own = {_name_of(name).removesuffix("()")} if _name_of(name).endswith("()") else _symbols_of(name)
    return bool(own & _symbols_of(value))


def _equal(one: Shape, other: Shape) -> bool:
    """Whether two sides of an equation are certainly the same number or expression."""
    if not (isinstance(one, Scalar) and isinstance(other, Scalar)):
        return False
    return numeric.decide(one.value, other.value)[0] is True
