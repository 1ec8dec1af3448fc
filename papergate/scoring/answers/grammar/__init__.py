"""From tokens to a tree: the grammar of final answers, by recursive descent."""

from papergate.scoring.answers.grammar.sentences import Sentences
from papergate.scoring.answers.nodes import Node, Tree
from papergate.scoring.answers.spelling import tokens

__all__ = ["parse"]


def parse(text: str, *, numerals: bool = False) -> Tree:
    """The tree of an answer.

    Args:
        text: The answer.
        numerals: Whether `2e-3` is a numeral.

    Raises:
        Unreadable: It is not in the language of answers.
    """
    parser = Sentences([])
    roots = parser.cases(tokens(text, numerals=numerals))
    return Tree(roots[0] if len(roots) == 1 else Node("list", roots), parser.signs)
