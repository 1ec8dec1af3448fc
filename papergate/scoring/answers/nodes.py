"""Trees of answers: operations on parts, down to leaves with a value."""

from fractions import Fraction
from typing import NamedTuple


class Node(NamedTuple):
    """A node of the tree: an operation on its parts, or a leaf with a value."""

    op: str
    parts: tuple["Node", ...] = ()
    name: str = ""
    number: Fraction = Fraction(0)


class Tree(NamedTuple):
    """A parsed answer and the number of plus-minus signs in it."""

    root: Node
    signs: int
