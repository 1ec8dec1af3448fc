"""Letters that authors choose freely: a parameter of a family, `j` for the imaginary unit, phi for the golden ratio."""

from papergate.scoring.answers import algebra
from papergate.scoring.answers.names import symbols_of
from papergate.scoring.answers.shapes import GOLDEN, Bag, Conditioned, Matrix, Named, Relation, Scalar, Sequenced, Shape

Renaming = tuple[str, str]

_COUNTERS = {"k", "n", "m", "l", "j"}  # letters of whole numbers
_PARAMETERS = {"t", "s", "r", "u", "v", "k", "lambda", "mu"}  # letters of points on a line
_CONSTANTS = {"c", "C", "k", "K", "a", "A", "m"}  # letters of the constant in a family of functions
_CONSTANTS_OF_INTEGRATION = {"C", "c", "A", "K", "k"}
_UNKNOWNS = {"x", "y", "z", "theta", "alpha", "t", "n"}
_ARROWS = {"vec", "hat", "overrightarrow"}  # other ways to print a vector in bold; a bar is another thing


def renamings(one: Shape, other: Shape) -> list[tuple[Renaming, ...]]:
    """The renamings of letters under which two answers may be the same; rarely any."""
    mine, theirs = symbols_of(one), symbols_of(other)
    if mine == theirs:
        return []
    only_mine, only_theirs = mine - theirs, theirs - mine
    found: list[tuple[Renaming, ...]] = [(("j", "i"),)] if "j" in mine ^ theirs else []
    if "varphi" in mine ^ theirs and len(mine | theirs) == 1:
        found.append((("varphi", GOLDEN),))
    if accented := [name for name in mine ^ theirs if name.partition(" ")[0] in _ARROWS and len(name.split()[-1]) == 1]:
        found.append(tuple((name, name.split()[-1]) for name in accented))
    if len(only_mine) == len(only_theirs) == 1:
        (here,), (there,) = only_mine, only_theirs
        found += [((there, here),)] if _are_parameters(one, other, {here, there}) else []
        found += _renamed_terms(one, other, here, there)
    return found


def _renamed_terms(one: Shape, other: Shape, here: str, there: str) -> list[tuple[Renaming, ...]]:
    """`a_n = 2n` and `a_k = 2k` are one sequence."""
    if not (isinstance(one, Named) and isinstance(other, Named) and {here, there} <= _COUNTERS):
        return []
    is_renamed = one.name.partition("_")[::2] == (other.name.partition("_")[0], here) and other.name.endswith(
        f"_{there}"
    )
    return [((there, here), (other.name, one.name))] if is_renamed else []


def _are_parameters(one: Shape, other: Shape, letters: set[str]) -> bool:
    """Whether two letters only run through a family: said so, or by the form of the answers."""
    if letters & (_declared(one) | _declared(other)):
        return True
    names = {shape.name for shape in map(_bare, (one, other)) if isinstance(shape, Named)}
    if any(name.endswith("()") for name in names):
        return letters <= _CONSTANTS
    if not names and "C" in letters <= _CONSTANTS_OF_INTEGRATION:
        return all(isinstance(shape, Scalar) and _is_added(shape.value, letters) for shape in (one, other))
    if names & _UNKNOWNS:
        return letters <= _COUNTERS or ("y" in names and letters <= _CONSTANTS_OF_INTEGRATION)
    return letters <= _PARAMETERS and all(isinstance(_bare(shape), (Sequenced, Matrix)) for shape in (one, other))


def _is_added(value: algebra.Value, letters: set[str]) -> bool:
    """Whether one of the letters is a separate term beside others, as the constant of an integral is."""
    return len(value.over) > 1 and any(value.over.keys() & algebra.symbol(name).over.keys() for name in letters)


def _bare(shape: Shape) -> Shape:
    return shape.shape if isinstance(shape, Conditioned) else shape


def _declared(shape: Shape) -> set[str]:
    """The letters that a condition gives a domain."""
    if isinstance(shape, Bag):
        return set().union(*map(_declared, shape.items))
    found: set[str] = set()
    for condition in shape.conditions if isinstance(shape, Conditioned) else ():
        if isinstance(condition, Relation) and "in" in condition.signs:
            member = condition.operands[0]
            found |= algebra.symbols(member.value) if isinstance(member, Scalar) else set()
    return found
