"""Names: symbols, letters of Greek, accents, sets of numbers, and commands that begin something longer."""

from collections.abc import Callable, Container

from papergate.scoring.answers.grammar.brackets import Brackets
from papergate.scoring.answers.grammar.commands import ACCENTS, COUNTS, FENCES, FUNCTIONS, GREEK, SERIES
from papergate.scoring.answers.nodes import Node
from papergate.scoring.answers.spelling import Token, Unreadable

_GREEK_FUNCTIONS = {"Gamma", "zeta"}  # before a bracket


class Names(Brackets):
    """Reads names."""

    def _symbol(self) -> Node:
        """A letter with its subscript and primes."""
        token = self._tokens[self._at]
        self._at += 1
        name = token.text
        total: tuple[Node, ...] = ()
        while (following := self._peek()) is not None and following.text in {"_", "'"} and following.kind == "sign":
            self._at += 1
            if following.text == "_" and token.text in COUNTS and not total:
                total = self._total()
            name += "'" if following.text == "'" else f"_{self._subscript()}"
        return Node("symbol", total, name)

    def _total(self) -> tuple[Node, ...]:
        """The subscript that follows as an expression, such as the `2n` of `C_{2n}^n`, or nothing."""
        start, kept = self._at, self._tokens[self._at :]
        try:
            return (self._argument(),)
        except Unreadable:
            return ()
        finally:
            self._tokens[start:] = kept
            self._at = start

    def _named(self, token: Token) -> Node:
        self._at += 1
        name = token.text
        if name in _GREEK_FUNCTIONS and self._next_is("("):
            return self._function(name)
        if name in GREEK:
            self._at -= 1
            return self._symbol()
        if name.startswith("mathbb "):
            return self._number_set(name.removeprefix("mathbb "))
        families: tuple[tuple[Container[str], Callable[[str], Node]], ...] = (
            (FUNCTIONS, self._function),
            (ACCENTS, self._accented),
            (FENCES, self._fenced),
            (SERIES, self._series),
        )
        for names, operand in families:
            if name in names:
                return operand(name)
        operands: dict[str, Callable[[], Node]] = {
            "frac": self._fraction,
            "binom": lambda: Node("binomial", (self._argument(), self._argument())),
            "sqrt": self._root,
            "pi": lambda: Node("constant", name="pi"),
            "e": lambda: Node("constant", name="e"),
            "infty": lambda: Node("constant", name="infinity"),
            "ldots": lambda: Node("symbol", name="..."),
            "emptyset": lambda: Node("set"),
            "{": self._set,
            "begin": self._matrix,
            "|": self._norm,
        }
        if name not in operands:
            raise Unreadable(f"the command {name!r}")
        return operands[name]()

    def _number_set(self, name: str) -> Node:
        r"""`\mathbb{R}^+`, `\mathbb{Z}_{\ge 0}`: the suffix is part of the name."""
        while self._next_is("^", "_"):
            self._at += 1
            name += self._subscript()
        return Node("number set", name=name)

    def _accented(self, accent: str) -> Node:
        accent = {"overline": "bar", "overrightarrow": "vec"}.get(accent, accent)
        if self._next_is("{"):
            name = self._subscript()
            if name.isdecimal():
                raise Unreadable("an accent over a number")
            return Node("symbol", name=f"{accent} {name}")
        token = self._peek()
        if token is None or token.kind == "number":
            raise Unreadable("an accent over nothing")
        self._at += 1
        return Node("symbol", name=f"{accent} {token.text}")
