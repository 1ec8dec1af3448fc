"""Functions and their arguments; sums, products and integrals with bounds."""

from fractions import Fraction

from papergate.scoring.answers.grammar.commands import FUNCTIONS, INVERSES, SERIES
from papergate.scoring.answers.grammar.terms import Terms
from papergate.scoring.answers.nodes import Node
from papergate.scoring.answers.spelling import Unreadable

_MANY = {"gcd", "lcm", "max", "min"}


class Functions(Terms):
    """Reads functions and series."""

    def _series(self, name: str) -> Node:
        r"""A sum, product, integral or limit; its bound variable is its name."""
        low = high = None
        while self._next_is("_", "^"):
            self._at += 1
            if self._tokens[self._at - 1].text == "^":
                high = self._exponent()
            else:
                low = self._bound_variable()
        if name == "int":
            return self._integral(low, high)
        if low is None or low.op != "relation" or low.parts[0].op != "symbol" or (name == "lim") != (low.name == "to"):
            raise Unreadable("a sum without its variable")
        variable, start = low.parts
        body = self._term()
        if name == "lim":
            return Node("limit", (body, start), variable.name)
        if high is None:
            raise Unreadable("a sum without its end")
        return Node(f"{SERIES[name]} over", (body, start, high), variable.name)

    def _bound_variable(self) -> Node:
        r"""What stands below a sum or limit: `k=1`, `x \to 0`, or the lower end of an integral."""
        if not self._next_is("{"):
            return self._exponent()
        self._at += 1
        left = self._sum()
        if self._next_is("=", "to"):
            sign = self._tokens[self._at].text
            self._at += 1
            left = Node("relation", (left, self._sum()), sign)
        self._expect("}")
        return left

    def _integral(self, low: Node | None, high: Node | None) -> Node:
        """The integrand up to its differential, which the product holds as `d` times the variable."""
        self._integrals += 1
        factors = _factors_of(self._sum())
        self._integrals -= 1
        at = next((at for at, factor in enumerate(factors) if factor == Node("symbol", name="d")), -1)
        if at < 0 or at + 2 != len(factors) or factors[at + 1].op != "symbol":
            raise Unreadable("an integral without its differential")
        body = factors[0] if at else Node("number", name="1", number=Fraction(1))
        for factor in factors[1:at]:
            body = Node("product", (body, factor))
        ends = tuple(end for end in (low, high) if end is not None)
        return Node("integral", (body, *ends), factors[at + 1].name)

    def _function(self, name: str) -> Node:
        if name in {"max", "min"} and self._next_is("=", ":"):
            return Node("symbol", name=name)
        base = power = None
        for _ in range(2):
            if self._next_is("_"):
                self._at += 1
                base = self._base_of_log()
            elif self._next_is("^"):
                self._at += 1
                power = self._argument()
        if power is not None and power.op == "negative" and name in INVERSES:
            name, power = INVERSES[name], None
        if name in {"max", "min"} and base is None and not self._next_is("(", "{", "["):
            of = self._term()
            return Node("symbol", name=name) if self._next_is("=") else Node("label", (of,), name)
        arguments = self._function_arguments(name)
        node = Node("function", arguments if base is None else (*arguments, base), name if base is None else "log base")
        if base is not None and name not in {"log", "lg"}:
            raise Unreadable("a function with a subscript")
        return node if power is None else Node("power", (node, power))

    def _base_of_log(self) -> Node:
        r"""`\log_10 x`, but `\log_28` is the binary logarithm of eight: a base without argument is its first digit."""
        token, following = self._peek(), self._tokens[self._at + 1 : self._at + 2]
        if (
            token is None
            or token.kind != "number"
            or not following
            or (following[0].kind == "sign" and following[0].text != "(")
        ):
            return self._argument()
        return self._exponent()

    def _function_arguments(self, name: str) -> tuple[Node, ...]:
        token = self._peek()
        if token is None:
            raise Unreadable("a function of nothing")
        if token.text in {"(", "[", "{"} or (token.kind, token.text) == ("command", "{"):
            inner = self._operand()
            return inner.parts if name in _MANY and inner.op in {"tuple", "set"} else (inner,)
        return (self._tight_product(),)

    def _tight_product(self) -> Node:
        r"""The argument of `\sin 2x`: factors up to the next sign or function."""
        node = self._signed_factor()
        while (token := self._peek()) is not None and self._starts_factor(token) and token.text not in FUNCTIONS:
            if token.text == "(" or (self._integrals and self._is_differential()):
                break
            node = self._implicit_product(node, token)
        return node

    def _is_differential(self) -> bool:
        r"""Whether the `dx` of an integral stands here, where the argument of `\sin x\,dx` ends."""
        following = self._token(self._at + 1)
        return self._next_is("d") and following is not None and following.kind in {"letter", "command"}


def _factors_of(node: Node) -> list[Node]:
    """The factors of a product, the first one first; of a sum that ends with a differential, the sum is one of them."""
    if node.op == "product":
        return [*_factors_of(node.parts[0]), node.parts[1]]
    return [node]
