"""What has an end: brackets, groups, sets, matrices, environments, arguments of commands."""

from fractions import Fraction

from papergate.scoring.answers.grammar.commands import FENCES, RELATIONS
from papergate.scoring.answers.grammar.numerals import Numerals
from papergate.scoring.answers.nodes import Node
from papergate.scoring.answers.spelling import Token, Unreadable

_CLOSERS = {"(": (")", "]"), "[": ("]", ")"), "]": ("]",)}
_TURNED, _TURNED_END = {"]": "("}, {"[": ")"}  # `]0,1[` is the open interval
_MATRICES = {"matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array", "vmatrix", "Vmatrix"}
_LIST_ENVIRONMENTS = {"cases", "aligned", "align", "gathered", "gather", "split", "equation", "dcases", "alignedat"}
_DIFFERENTIALS = {Node("symbol", name="d"), Node("symbol", name="partial")}


class Brackets(Numerals):
    """Reads what has an end."""

    def _over(self, over: Node) -> Node:
        r"""`a \over b` takes all that stands in its group."""
        self._at += 1
        return Node("quotient", (over, self._sum()))

    def _bracketed(self, token: Token) -> Node:
        self._at += 1
        if token.text in _CLOSERS:
            return self._parenthesised(token.text)
        if token.text == "{":
            return self._braced()
        if token.text in {"_", "^"}:
            self._at -= 1
            return self._before_letter()
        if token.text == "|":
            self._bars += 1
            inner = self._sum()
            self._expect("|")
            self._bars -= 1
            return Node("absolute", (inner,))
        raise Unreadable(f"the sign {token.text!r}")

    def _parenthesised(self, opening: str) -> Node:
        inner = self._sequence(lambda: self._next_is(*_CLOSERS[opening]))
        closing = self._peek()
        if closing is None or closing.text not in (*_CLOSERS[opening], "["):
            raise Unreadable("a bracket that never closes")
        self._at += 1
        opening, closing = (
            _TURNED.get(opening, opening),
            closing._replace(text=_TURNED_END.get(closing.text, closing.text)),
        )
        if inner.op == "list":
            return Node("tuple", inner.parts, opening + closing.text)
        if opening + closing.text == "[]":
            return Node("tuple", (inner,), "[]") if inner.op == "tuple" else Node("brackets", (inner,))
        if opening + closing.text not in {"()", "[]"}:
            raise Unreadable("brackets that do not match")
        return Node("parentheses", (inner,)) if inner.op == "relation" else inner

    def _braced(self) -> Node:
        """A LaTeX group; `{1, 2}` written without backslashes is a set."""
        if self._next_is("}"):
            self._at += 1
            return self._before_letter()
        if (described := self._plain_described_set()) is not None:
            return described
        inner = self._sequence(lambda: self._next_is("}"))
        if self._next_is("choose"):
            self._at += 1
            inner = Node("binomial", (inner, self._sum()))
        elif self._next_is("over"):
            inner = self._over(inner)
        self._expect("}")
        return Node("set", inner.parts) if inner.op == "list" else inner

    def _norm(self) -> Node:
        inner = self._sum()
        self._expect("|")
        return Node("absolute", (inner,))

    def _fenced(self, name: str) -> Node:
        closing, op = FENCES[name]
        inner = self._sequence(lambda: self._next_is(closing))
        self._expect(closing)
        if op == "tuple":
            return Node("tuple", inner.parts if inner.op == "list" else (inner,), "()")
        return Node(op, (inner,))

    def _fraction(self) -> Node:
        r"""A quotient; `\frac{dy}{dx}` is a name."""
        over, under = self._argument(), self._argument()
        if all(_is_differential(part) for part in (over, under)):
            return Node("symbol", name=f"d{over.parts[1].name}/d{under.parts[1].name}")
        return Node("quotient", (over, under))

    def _root(self) -> Node:
        index = Node("number", name="2", number=Fraction(2))
        if self._next_is("["):
            self._at += 1
            index = self._sum()
            self._expect("]")
        return Node("root", (self._argument(), index))

    def _set(self) -> Node:
        r"""`\{1, 2\}` or `\{x \mid x > 2\}`."""
        if self._next_is("}"):
            self._at += 1
            return Node("set")
        described = self._described_set()
        if described is not None:
            return described
        inner = self._sequence(lambda: self._next_is("}"))
        self._expect("}")
        return Node("set", inner.parts if inner.op == "list" else (inner,))

    def _plain_described_set(self) -> Node | None:
        """`{x | x > 2}` without backslashes."""
        member, following = self._peek(), self._token(self._at + 1)
        if member is None or following is None or member.kind != "letter":
            return None
        return self._described_set() if following.text in {"|", ":", "in"} else None

    def _described_set(self) -> Node | None:
        r"""`\{x \mid x > 2\}`, `\{2k+1 : k \in \mathbb{Z}\}`; None where no bar or colon stands before a relation."""
        depth, bar, at = 0, -1, self._at
        while at < len(self._tokens) and (depth or self._tokens[at].text != "}"):
            text = self._tokens[at].text
            depth += (text in {"{", "(", "["}) - (text in {"}", ")", "]"})
            bar = at if depth == 0 and bar < 0 and at > self._at and text in {"|", ":"} else bar
            at += 1
        member, condition = self._tokens[self._at : bar], self._tokens[bar + 1 : at]
        if bar < 0 or not any(token.text in RELATIONS for token in condition if token.kind != "letter"):
            return None
        self._at = at
        self._expect("}")
        cases = self.cases(condition)
        if len(cases) > 1:
            raise Unreadable("a set with several cases")
        if member[0].kind == "letter" and len(member) == 1:
            return Node("builder", cases)
        if member[0].kind == "letter" and member[1].text == "in":
            return Node("builder", (Node("conditioned", (*cases, self._inside(member))),))
        return Node("conditioned", (self._inside(member), *cases))

    def _matrix(self) -> Node:
        name = self._environment()
        if name not in _MATRICES | _LIST_ENVIRONMENTS:
            raise Unreadable(f"the environment {name!r}")
        if name == "array":
            self._subscript()
        if name in _LIST_ENVIRONMENTS:
            return self._listed(is_cases="cases" in name)
        rows = [self._row() for _ in self._until(lambda: self._next_is("end"))]
        self._at += 1
        if self._environment() != name:
            raise Unreadable("an environment that ends as another")
        if not rows or len({len(row) for row in rows}) != 1:
            raise Unreadable("a ragged matrix")
        matrix = Node("matrix", tuple(Node("row", row) for row in rows))
        return Node("determinant", (matrix,)) if name == "vmatrix" else matrix

    def _environment(self) -> str:
        self._expect("{")
        name = ""
        while (token := self._peek()) is not None and token.text != "}":
            name += token.text
            self._at += 1
        self._expect("}")
        return name.rstrip("*")

    def _row(self) -> tuple[Node, ...]:
        cells = [self._sum()]
        while self._next_is("&"):
            self._at += 1
            cells.append(self._sum())
        if self._next_is("\\"):
            self._at += 1
        return tuple(cells)

    def _listed(self, *, is_cases: bool) -> Node:
        """An environment of equations or cases; a line that begins with a relation goes on with the one before."""
        lines: list[list[Token]] = []
        for _ in self._until(lambda: self._next_is("end")):
            line = self._line(is_cases=is_cases)
            if lines and line and line[0].text in RELATIONS and line[0].kind != "letter":
                lines[-1] += line
            elif line:
                lines.append(line)
        self._at += 1
        self._environment()
        items = tuple(item for line in lines for item in self.cases(line))
        if not items:
            raise Unreadable("an empty environment")
        return items[0] if len(items) == 1 else Node("list", items)

    def _line(self, *, is_cases: bool) -> list[Token]:
        """The tokens of a line without their alignment; the second cell of a case is its condition."""
        found: list[Token] = []
        depth = 0
        while (token := self._peek()) is not None and (depth or not self._next_is("\\", "end")):
            depth += {"begin": 1, "end": -1}.get(token.text, 0) if token.kind == "command" else 0
            self._at += 1
            if token.text != "&":
                found.append(token)
            elif is_cases and self._is_condition_here():
                found.append(Token("word", "if"))
        if self._next_is("\\"):
            self._at += 1
        return found

    def _is_condition_here(self) -> bool:
        """Whether a cell without an "if" says when the one before holds; in `x &= 1` a relation goes on."""
        cell = self._peek()
        if cell is None or cell.text == "otherwise":
            return True
        return cell.kind != "word" and (cell.text not in RELATIONS or cell.kind == "letter")

    def _argument(self) -> Node:
        """The argument of a command: a group, or a single sign."""
        token = self._peek()
        if token is None:
            raise Unreadable("an argument is missing")
        if token.kind == "sign" and token.text == "{":
            self._at += 1
            return self._braced()
        if token.kind == "number":
            digit = self._first_digit()
            return Node("number", name=digit, number=Fraction(int(digit)))
        if token.text == "-":
            self._at += 1
            return Node("negative", (self._argument(),))
        return self._operand()


def _is_differential(node: Node) -> bool:
    return node.op == "product" and node.parts[0] in _DIFFERENTIALS and node.parts[1].op == "symbol"
