"""From tokens to a tree: the grammar of final answers."""

from collections.abc import Callable, Container, Sequence
from fractions import Fraction
from typing import NamedTuple

from papergate.scoring.answers.algebra import spend
from papergate.scoring.answers.remarks import Piece, pieces_of
from papergate.scoring.answers.spelling import Token, Unreadable, tokens
from papergate.scoring.answers.wording import SCALES, number_of

MAX_DEPTH = 60  # nested groups; a deeper answer is noise, and Python's stack is finite
MAX_SIGNS = 4  # plus-minus signs, each of which doubles the values of an answer
_MAX_SHIFT = 1_000  # powers of ten in a numeral like 1.5e3; more is not written out
_DIGITS_AT_ONCE = 4_000  # Python refuses to convert longer strings in one go


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


_SEPARATORS = {",", ";"}
_CONJUNCTIONS = {"and", "or"}
_RELATIONS = {
    "=": "=", "<": "<", ">": ">", "le": "<=", "ge": ">=", "ne": "!=", "in": "in", "equiv": "=", "approx": "~",
    "parallel": "parallel", "perp": "perp", "cong": "cong", "sim": "sim", "subset": "subset", "subseteq": "subset",
}  # fmt: skip
_GREEK = {
    "alpha", "beta", "gamma", "delta", "varepsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
    "xi", "rho", "sigma", "tau", "varphi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi",
    "Psi", "Omega", "ell", "hbar", "vartheta", "varrho", "nabla", "partial", "odot", "prime", "upsilon", "Pi", "Xi",
}  # fmt: skip
_FUNCTIONS = {
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "ln", "lg",
    "exp", "gcd", "lcm", "max", "min", "arccot", "arcsinh", "arccosh", "arctanh", "arg", "Re", "Im", "det", "cis",
}  # fmt: skip
_GREEK_FUNCTIONS = {"Gamma", "zeta"}  # before a bracket
_MANY = {"gcd", "lcm", "max", "min"}
_INVERSES = {
    "sin": "arcsin",
    "cos": "arccos",
    "tan": "arctan",
    "cot": "arccot",
    "sinh": "arcsinh",
    "cosh": "arccosh",
    "tanh": "arctanh",
}
_ACCENTS = {
    "vec", "hat", "bar", "overline", "tilde", "widehat", "overrightarrow", "dot", "ddot", "widetilde",
}  # fmt: skip
_CLOSERS = {"(": (")", "]"), "[": ("]", ")"), "]": ("]",)}
_TURNED, _TURNED_END = {"]": "("}, {"[": ")"}  # `]0,1[` is the open interval
_FENCES = {"lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil"), "langle": ("rangle", "tuple")}
_MATRICES = {"matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array", "vmatrix", "Vmatrix"}
_SETS = {"tuple", "set", "builder", "number set", "cup", "cap", "setminus", "symbol", "parentheses"}
_DENIALS = {  # they change all they touch
    "wrong", "incorrect", "false", "not", "never", "without", "except", "impossible", "most", "least", "fewer", "than",
    "below", "above", "exceeding",
}  # fmt: skip
_RATIOS, _LONGEST_RATIO = {"to", "in", "out of"}, 2  # between two numbers
_ORDINALS = {"th", "st", "nd", "rd"}
_CHOOSE = Node("symbol", name="C")  # C(7, 4) is a binomial coefficient
_SELECTIONS = (Node("symbol", name="C"), Node("symbol", name="P"))
_COUNTS = {"C": "binomial", "P": "arrangements", "A": "arrangements"}
_SERIES = {"sum": "sum", "prod": "product", "int": "integral", "lim": "limit"}
_LIST_ENVIRONMENTS = {"cases", "aligned", "align", "gathered", "gather", "split", "equation", "dcases", "alignedat"}
_TRANSPOSED = {"T", "top", "intercal"}


def parse(text: str, *, numerals: bool = False) -> Tree:
    """The tree of an answer.

    Args:
        text: The answer.
        numerals: Whether `2e-3` is a numeral.

    Raises:
        Unreadable: It is not in the language of answers.
    """
    parser = _Parser([])
    roots = parser.cases(tokens(text, numerals=numerals))
    return Tree(roots[0] if len(roots) == 1 else Node("list", roots), parser.signs)


class _Parser:
    """Recursive descent over the tokens of one answer."""

    def __init__(self, found: list[Token], *, signs: int = 0) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self.signs = signs

    def cases(self, found: list[Token]) -> tuple[Node, ...]:
        """The cases of an answer, each with its conditions."""
        return tuple(self._case(piece) for piece in pieces_of(found))

    def _case(self, piece: Piece) -> Node:
        root = self._inside(piece.value)
        conditions = tuple(map(self._condition, piece.conditions))
        return Node("conditioned", (root, *conditions)) if conditions else root

    def _inside(self, found: Sequence[Token]) -> Node:
        """The answer that some tokens are; its plus-minus signs are counted on from here."""
        parser = _Parser(list(found), signs=self.signs)
        node = parser.answer()
        self.signs = parser.signs
        return node

    def _condition(self, condition: tuple[Token, ...]) -> Node:
        """A condition that is a relation, or its words in an order of their own."""
        try:
            node = self._inside(condition)
        except Unreadable:
            node = Node("word")
        if node.op == "number":
            raise Unreadable("a condition that says nothing")
        if node.op == "relation":
            return node
        return Node("word", name=" ".join(sorted(token.text.lower() for token in condition)))

    # the answer as a whole

    def answer(self) -> Node:
        if all(token.kind == "word" for token in self._tokens):
            return self._words_only()
        root = self._sequence(lambda: self._peek() is None)
        if self._next_is("over"):
            root = self._over(root)
        if self._peek() is not None:
            raise Unreadable("something is left over")
        return root

    def _over(self, over: Node) -> Node:
        r"""`a \over b` takes all that stands in its group."""
        self._at += 1
        return Node("quotient", (over, self._sum()))

    def _words_only(self) -> Node:
        groups: list[list[str]] = [[]]
        for token in self._tokens:
            if token.text in _CONJUNCTIONS:
                groups.append([])
            else:
                groups[-1].append(token.text.lower())
        words = tuple(Node("word", name=" ".join(group)) for group in groups if group)
        return words[0] if len(words) == 1 else Node("list", words)

    def _sequence(self, ended: Callable[[], bool]) -> Node:
        """Items between commas, semicolons and conjunctions; semicolons outrank commas."""
        groups: list[list[Node]] = [[]]
        conjunction = ""
        while not ended():
            groups[-1].append(self._item())
            separator = self._separators()
            if separator is None:
                break
            if separator == ";":
                groups.append([])
            conjunction = separator if separator in _CONJUNCTIONS else conjunction
        groups = [group for group in groups if group]
        if not groups:
            raise Unreadable("an empty sequence")
        if len(groups) > 1 and any(len(group) > 1 for group in groups):
            return Node("list", tuple(Node("group", tuple(group)) for group in groups), conjunction)
        items = tuple(item for group in groups for item in group)
        return items[0] if len(items) == 1 else Node("list", items, conjunction)

    def _separators(self) -> str | None:
        """Skip separators and tell which one counts, None where there is none."""
        seen = None
        while (token := self._peek()) is not None:
            text = token.text
            if (token.kind == "sign" and text in _SEPARATORS) or (token.kind == "word" and text in _CONJUNCTIONS):
                seen = text if seen is None or text in _CONJUNCTIONS or text == ";" else seen
                self._at += 1
            else:
                return seen
        return seen

    def _item(self) -> Node:
        """A relation between ratios, or one ratio."""
        label = self._label()
        if label is not None:
            return Node("label", (self._item(),), label)
        half = self._relation()
        if half is not None:
            return Node("half relation", (self._ratio(),), half)
        operands = [self._ratio()]
        relations = []
        while (relation := self._relation()) is not None:
            relations.append(relation)
            operands.append(self._ratio())
        if not relations:
            return operands[0]
        node = Node("relation", tuple(operands), " ".join(relations))
        if self._next_is("cup", "cap"):
            self._at += 1
            return Node(self._tokens[self._at - 1].text, (node, self._item()))
        return node

    def _relation(self) -> str | None:
        token = self._peek()
        if token is None or token.kind == "word":
            return None
        if token.text == "!" and self._is_inequality():
            self._at += 2
            return "!="
        relation = _RELATIONS.get(token.text)
        if relation is None or token.kind == "letter":
            return None
        self._at += 1
        if relation == "=" and self._next_is("<"):
            self._at += 1
            return "<="
        following = self._peek()
        if following is not None and following.text == "=" and relation in {"<", ">"}:
            self._at += 1
            return relation + "="
        return relation

    def _label(self) -> str | None:
        """`f(x) =`, `T(10) =`, `Area =`, `Minimum:` and the like, None for anything else."""
        start, names = self._at, []
        while (token := self._peek()) is not None and token.kind == "word" and token.text not in _CONJUNCTIONS:
            names.append(token.text)
            self._at += 1
        if names and self._next_is("=", ":"):
            self._at += 1
            if _DENIALS & {name.lower() for name in names}:
                raise Unreadable("a denial")
            return " ".join(names)
        self._at = start
        return self._function_label() if not names else None

    def _function_label(self) -> str | None:
        start = self._at
        token = self._peek()
        if token is None or token.kind != "letter":
            return None
        name = self._symbol().name
        if self._next_is("("):
            close = self._closing()
            inside = self._tokens[self._at + 1 : close]
            simple = inside and all(part.kind in {"letter", "number"} or part.text == "," for part in inside)
            simple = simple or token.text.isupper()  # P(X = 2), E(X + Y)
            if simple and close + 1 < len(self._tokens) and self._tokens[close + 1].text == "=":
                self._at = close + 2
                return f"{name}({''.join(part.text for part in inside)})"
        self._at = start
        return None

    def _closing(self) -> int:
        depth = 0
        for at in range(self._at, len(self._tokens)):
            depth += {"(": 1, ")": -1}.get(self._tokens[at].text, 0)
            if depth == 0:
                return at
        return len(self._tokens)

    def _ratio(self) -> Node:
        parts = [self._union()]
        while (size := self._ratio_sign()) > 0:
            self._at += size
            parts.append(self._union())
        return parts[0] if len(parts) == 1 else Node("ratio", tuple(parts))

    def _ratio_sign(self) -> int:
        """How many tokens stand here for a ratio: `:`, or `to`, `in`, `out of` before a number; zero for none."""
        if self._next_is(":") and self._tokens[self._at].kind == "sign":
            return 1
        words = 0
        while (token := self._token(self._at + words)) is not None and token.kind == "word" and words < _LONGEST_RATIO:
            words += 1
        following = self._token(self._at + words)
        spoken = " ".join(token.text for token in self._tokens[self._at : self._at + words])
        return words if spoken in _RATIOS and following is not None and following.kind == "number" else 0

    def _token(self, at: int) -> Token | None:
        return self._tokens[at] if at < len(self._tokens) else None

    def _union(self) -> Node:
        left = self._sum()
        while left.op in _SETS and self._next_is("cup", "cap", "setminus"):
            self._at += 1
            left = Node(self._tokens[self._at - 1].text, (left, self._sum()))
        return left

    # arithmetic

    def _sum(self) -> Node:
        terms = [self._signed_term(first=True)]
        while (token := self._peek()) is not None and token.text in {"+", "-", "pm", "mp"} and token.kind != "word":
            terms.append(self._signed_term(first=False))
        return terms[0] if len(terms) == 1 else Node("sum", tuple(terms))

    def _signed_term(self, *, first: bool) -> Node:
        token = self._peek()
        if token is None:
            raise Unreadable("an operand is missing")
        if token.text in {"+", "-", "pm", "mp"} and token.kind != "word":
            self._at += 1
            return self._with_sign(token.text, self._signed_term(first=True))
        assert first
        return self._term()

    def _with_sign(self, sign: str, term: Node) -> Node:
        if sign == "+":
            return term
        if sign == "-":
            return Node("negative", (term,))
        if sign == "pm" or self.signs == 0:
            self.signs += 1
        if self.signs > MAX_SIGNS:
            raise Unreadable("too many plus-minus signs")
        return Node("plus-minus", (term,), sign, Fraction(self.signs - 1))

    def _term(self) -> Node:
        node = self._factor()
        while (token := self._peek()) is not None:
            if token.kind == "sign" and token.text in {"*", "/"}:
                self._at += 1
                other = self._signed_factor()
                node = Node("product" if token.text == "*" else "quotient", (node, other))
            elif token.kind == "command" and token.text == "mod":
                self._at += 1
                node = Node("mod", (node, self._factor()))
            elif self._starts_factor(token):
                node = self._implicit_product(node, token)
            else:
                break
        return node

    def _implicit_product(self, node: Node, token: Token) -> Node:
        if node.op == "product" and node.parts[-1] in _SELECTIONS and node.parts[0].op == "number":
            return Node(_COUNTS[node.parts[-1].name], (node.parts[0], self._factor()))  # 10C3
        if token.kind == "number" and self._tokens[self._at - 1].kind == "number":
            if node.op == "number":
                return self._mixed_number(node)
            last = node.parts[-1] if node.op == "product" else node
            if last.op not in {"power", "factorial"}:
                raise Unreadable("two numbers side by side")
        other = self._factor()
        if node.op in {"quantity", "degrees", "compound"} and other.op == "quantity":
            return Node("compound", (node, other))
        if node.op == "symbol" and node.name.isupper() and node != _CHOOSE and other.op == "tuple":
            return Node("point", (other,), node.name)
        if node == _CHOOSE and other.op == "tuple" and [part.op for part in other.parts] == ["number", "number"]:
            return Node("binomial", other.parts)
        return Node("product", (node, other))

    def _mixed_number(self, whole: Node) -> Node:
        """`1 5/8`: a whole number, a space, a fraction below one."""
        over, slash, under = (self._tokens[self._at + step : self._at + step + 1] for step in range(3))
        if not (slash and under and slash[0].text == "/" and under[0].kind == "number"):
            raise Unreadable("two numbers side by side")
        self._at += 3
        return _mixed(whole, _number(over[0].text), _number(under[0].text))

    def _signed_factor(self) -> Node:
        if self._next_is("-"):
            self._at += 1
            return Node("negative", (self._signed_factor(),))
        if self._next_is("+"):
            self._at += 1
        return self._factor()

    def _starts_factor(self, token: Token) -> bool:
        if token.kind in {"number", "letter"}:
            return True
        if token.kind == "sign":
            return token.text in {"(", "{"}
        return token.kind == "command" and (
            token.text in _GREEK
            or token.text in _FUNCTIONS
            or token.text in _ACCENTS
            or token.text in _FENCES
            or token.text in _SERIES
            or token.text in {"frac", "sqrt", "binom", "pi", "infty", "begin", "{", "ldots", "emptyset", "e"}
        )

    def _factor(self) -> Node:
        """An operand with what is attached to it: powers, factorials, degrees, percents, units."""
        spend(1)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
        node = self._operand()
        while (token := self._peek()) is not None and (attach := self._attachment(token)) is not None:
            self._at += 1
            node = attach(node)
        self._depth -= 1
        return node

    def _attachment(self, token: Token) -> Callable[[Node], Node] | None:
        if token.kind == "word":
            return self._unit if token.text not in _CONJUNCTIONS and not self._ratio_sign() else None
        if token.kind == "currency":
            return lambda node: Node("quantity", (node,), token.text)
        if token.text == "(" and self._is_remark():
            return self._remark
        if token.text == "(" and [part.text for part in self._tokens[self._at + 1 : self._at + 2]] == ["mod"]:
            return self._modulus_in_brackets
        attachments: dict[tuple[str, str], Callable[[Node], Node]] = {
            ("sign", "^"): self._power,
            ("sign", "_"): self._late_subscript,
            ("sign", "%"): lambda node: Node("percent", (node,)),
            ("sign", "°"): self._degrees,
            ("sign", "'"): self._minutes,
            ("command", "pmod"): self._modulus,
            ("command", "circ"): self._degrees,
        }
        if (token.kind, token.text) == ("sign", "!") and not self._is_inequality():
            return self._factorial
        return attachments.get((token.kind, token.text))

    def _factorial(self, node: Node) -> Node:
        if self._next_is("!") and not self._is_inequality():
            self._at += 1
            return Node("double factorial", (node,))
        return Node("factorial", (node,))

    def _is_inequality(self) -> bool:
        """Whether `!=` stands here, which after a number is a factorial and its value: `5!=120`."""
        here, following = self._tokens[self._at], self._tokens[self._at + 1 : self._at + 2]
        if not following or following[0].text != "=" or following[0].spaced:
            return False
        return here.spaced or self._tokens[self._at - 1].kind == "letter"

    def _degrees(self, node: Node) -> Node:
        """An angle, or a temperature where its scale follows."""
        token = self._peek()
        scale = {"c": "C", "celsius": "C", "f": "F", "fahrenheit": "F"}.get(token.text.lower()) if token else None
        if token is None or scale is None or token.kind not in {"letter", "word"}:
            return Node("degrees", (node,))
        self._at += 1
        return Node("quantity", (node,), f"°{scale}")

    def _minutes(self, node: Node) -> Node:
        """`30'` is thirty minutes of arc, or feet."""
        if node.op not in {"number", "quantity"}:
            raise Unreadable("a prime after something else than a number")
        if self._next_is("'"):
            self._at += 1
            return Node("quantity", (node,), "''")
        return Node("quantity", (node,), "'")

    def _power(self, base: Node) -> Node:
        if self._is_raised("circ"):
            return self._degrees(base)
        following = self._tokens[self._at : self._at + 2]
        if [token.kind for token in following] == ["sign", "word"] and following[0].text == "{":
            return self._raised_word(base)
        if following and following[0].kind == "word":
            self._at += 1
            return base
        if base.op in {"tuple", "matrix"} and self._is_raised(*_TRANSPOSED):
            return Node("transposed", (base,))
        exponent = self._exponent()
        if base.op == "function" and exponent.op == "negative" and base.name in _INVERSES:
            return Node("function", base.parts, _INVERSES[base.name])
        return Node("power", (base, exponent))

    def _exponent(self) -> Node:
        """The power after `^`: without braces it is the whole number that follows, as authors mean it."""
        token = self._peek()
        if token is not None and token.text in {"-", "+"} and token.kind == "sign":
            self._at += 1
            power = self._exponent()
            return Node("negative", (power,)) if token.text == "-" else power
        if token is not None and token.kind == "number":
            self._at += 1
            return Node("number", name=token.text, number=_number(token.text))
        return self._argument()

    def _late_subscript(self, node: Node) -> Node:
        """`v^2_0` is the square of `v_0`."""
        if node.op in {"number", "parentheses"} or node.op == "product":
            return self._based(_digits_of(node))
        if node.op != "power" or node.parts[0].op != "symbol":
            raise Unreadable("a subscript without a symbol")
        return Node("power", (Node("symbol", name=f"{node.parts[0].name}_{self._subscript()}"), node.parts[1]))

    def _is_raised(self, *names: str) -> bool:
        texts = [token.text for token in self._tokens[self._at : self._at + 3]]
        for spelling in (spelling for name in names for spelling in ([name], ["{", name, "}"])):
            if texts[: len(spelling)] == spelling:
                self._at += len(spelling)
                return True
        return False

    def _raised_word(self, base: Node) -> Node:
        r"""`12^{\text{th}}`: an ordinal is its number."""
        if self._tokens[self._at + 1].text not in _ORDINALS:
            raise Unreadable("a word as a power")
        self._at += 2
        self._expect("}")
        return base

    def _unit(self, node: Node) -> Node:
        r"""The words after a number; `\text{cm}^2` keeps its power."""
        if self._tokens[self._at - 1].text == "base" and node.op == "number" and self._peek() is not None:
            return self._based(node.name)
        words = [self._tokens[self._at - 1].text]
        while (token := self._peek()) is not None:
            is_word = token.kind == "word" and token.text not in _CONJUNCTIONS
            if is_word or (token.text in {"/", "*"} and self._word_follows()):
                words.append(token.text)
            elif token.text == "^" and token.kind == "sign":
                if words[-1].startswith("^"):
                    raise Unreadable("a unit with two powers")
                words.append(self._unit_power())
                continue
            elif token.text != ".":
                break
            self._at += 1
        return _measured(node, [word for word in words if word not in _ORDINALS])

    def _unit_power(self) -> str:
        self._at += 1
        power = self._exponent()
        sign, power = ("-", power.parts[0]) if power.op == "negative" else ("", power)
        if power.op != "number" or not power.number:
            raise Unreadable("a unit with a strange power")
        return f"^{sign}{power.number}"

    def _is_remark(self) -> bool:
        """Whether only words stand in the brackets that open here: `5 (five)`."""
        inside = self._tokens[self._at + 1 : self._closing()]
        return bool(inside) and all(part.kind == "word" for part in inside)

    def _remark(self, node: Node) -> Node:
        self._at -= 1
        self._at = self._closing() + 1
        return node

    def _modulus(self, node: Node) -> Node:
        modulus = self._argument() if self._next_is("{") else self._operand()
        return Node("quantity", (node,), f"mod {modulus.number or modulus.name}")

    def _modulus_in_brackets(self, node: Node) -> Node:
        self._at += 1
        node = self._modulus(node)
        self._expect(")")
        return node

    def _word_follows(self) -> bool:
        after = self._tokens[self._at + 1 : self._at + 2]
        return bool(after) and after[0].kind == "word"

    # operands

    def _operand(self) -> Node:
        token = self._peek()
        if token is None:
            raise Unreadable("an operand is missing")
        if token.kind == "number":
            return self._number_operand()
        if token.kind == "letter":
            return self._symbol()
        if token.kind == "sign":
            return self._bracketed(token)
        if token.kind == "command":
            return self._named(token)
        if token.kind == "currency":
            self._at += 1
            return Node("quantity", (self._factor(),), token.text)
        return self._phrase()

    def _phrase(self) -> Node:
        words = []
        while (token := self._peek()) is not None and token.kind == "word" and token.text not in _CONJUNCTIONS:
            words.append(token.text.lower())
            self._at += 1
        if not words:
            raise Unreadable("a conjunction out of place")
        if words in (["negative"], ["minus"]) and (token := self._peek()) is not None and self._starts_factor(token):
            return Node("negative", (self._factor(),))
        return Node("word", name=" ".join(words))

    def _before_letter(self) -> Node:
        r"""`{}_{10}C_3` and `^{10}C_3`: a count of selections."""
        if not self._next_is("_", "^"):
            raise Unreadable("an empty group")
        self._at += 1
        total = self._argument()
        letter = self._peek()
        if letter is None or letter.text not in _COUNTS or letter.kind != "letter":
            raise Unreadable("a subscript before nothing")
        self._at += 1
        if not self._next_is("_", "^"):
            raise Unreadable("a selection of nothing")
        self._at += 1
        return Node(_COUNTS[letter.text], (total, self._argument()))

    def _number_operand(self) -> Node:
        token = self._tokens[self._at]
        self._at += 1
        if "." in token.text and (repeated := self._with_dots(token)) is not None:
            return repeated
        if self._next_is("."):
            return self._with_point(token)
        if self._next_is("_"):
            self._at += 1
            return self._based(token.text)
        node = Node("number", name=token.text, number=_number(token.text))
        return self._fraction_after(node) if token.text.isdecimal() else self._repeating(node)

    def _based(self, digits: str) -> Node:
        base = self._subscript()
        number = Fraction(base) if base.isdecimal() else number_of(base)
        if number is None or not digits.isalnum():
            raise Unreadable("a number with a strange subscript")
        return Node("based", (Node("number", number=number),), digits.lstrip("0") or "0")

    def _with_dots(self, token: Token) -> Node | None:
        """`0.333...`: the shortest period that the decimals end with, a single digit three times."""
        decimals = token.text.partition(".")[2]
        if not self._next_is("ldots"):
            return None
        for size in range(1, len(decimals) // 2 + 1):
            period = decimals[-size:]
            if decimals.endswith(period * (3 if size == 1 else 2)):
                self._at += 1
                head = decimals[: len(decimals) - size]
                tail = Fraction(int(period), (10**size - 1) * 10 ** len(head))
                return Node("number", number=_number(f"{token.text.partition('.')[0]}.{head}0") + tail)
        raise Unreadable("decimals that go on without a period")

    def _with_point(self, token: Token) -> Node:
        r"""`42.` and `0.\overline{3}`."""
        self._at += 1
        node = Node("number", name=token.text, number=_number(token.text))
        following = self._peek()
        if following is not None and following.text in {"overline", "dot", "bar"}:
            return self._repeating(Node("number", name=token.text + ".", number=node.number))
        return node

    def _repeating(self, node: Node) -> Node:
        token = self._peek()
        if token is None or token.kind != "command" or token.text not in {"overline", "dot", "bar"}:
            return node
        self._at += 1
        period = self._argument()
        if period.op != "number" or not period.name.isdecimal():
            raise Unreadable("a strange period")
        places = len(node.name.partition(".")[2])
        tail = Fraction(int(period.name), (10 ** len(period.name) - 1) * 10**places)
        return Node("number", name="", number=node.number + tail)

    def _fraction_after(self, whole: Node) -> Node:
        r"""`1\frac{4}{5}` is one and four fifths, not a product."""
        token = self._peek()
        if token is None or (token.kind, token.text) != ("command", "frac"):
            return whole
        start, kept = self._at, list(self._tokens[self._at : self._at + 3])
        fraction = self._operand()
        over, under = fraction.parts
        if over.op == under.op == "number" and over.name.isdecimal() and 0 < over.number < under.number:
            return _mixed(whole, over.number, under.number)
        if over.op == under.op == "number" and over.name.isdecimal() and under.name.isdecimal() and whole.number:
            raise Unreadable("a mixed number above the next whole, or a product")
        self._tokens[start : start + 3] = kept
        self._at = start
        return whole

    def _symbol(self) -> Node:
        """A letter with its subscript and primes."""
        token = self._tokens[self._at]
        self._at += 1
        name = token.text
        while (following := self._peek()) is not None and following.text in {"_", "'"} and following.kind == "sign":
            self._at += 1
            name += "'" if following.text == "'" else f"_{self._subscript()}"
        return Node("symbol", name=name)

    def _subscript(self) -> str:
        if not self._next_is("{"):
            token = self._peek()
            if token is None:
                raise Unreadable("a subscript is missing")
            self._at += 1
            return token.text
        start = self._at
        self._at += 1
        depth = 1
        while depth:
            token = self._peek()
            if token is None:
                raise Unreadable("a brace that never closes")
            depth += {"{": 1, "}": -1}.get(token.text, 0)
            self._at += 1
        return "".join(token.text for token in self._tokens[start + 1 : self._at - 1])

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
            inner = self._sum()
            self._expect("|")
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
        inner = self._sequence(lambda: self._next_is("}"))
        if self._next_is("choose"):
            self._at += 1
            inner = Node("binomial", (inner, self._sum()))
        elif self._next_is("over"):
            inner = self._over(inner)
        self._expect("}")
        return Node("set", inner.parts) if inner.op == "list" else inner

    def _named(self, token: Token) -> Node:
        self._at += 1
        name = token.text
        if name in _GREEK_FUNCTIONS and self._next_is("("):
            return self._function(name)
        if name in _GREEK:
            self._at -= 1
            return self._symbol()
        if name.startswith("mathbb "):
            return self._number_set(name.removeprefix("mathbb "))
        families: tuple[tuple[Container[str], Callable[[str], Node]], ...] = (
            (_FUNCTIONS, self._function),
            (_ACCENTS, self._accented),
            (_FENCES, self._fenced),
            (_SERIES, self._series),
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
        return Node(f"{_SERIES[name]} over", (body, start, high), variable.name)

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
        factors = _factors_of(self._sum())
        at = next((at for at, factor in enumerate(factors) if factor == Node("symbol", name="d")), -1)
        if at < 0 or at + 2 != len(factors) or factors[at + 1].op != "symbol":
            raise Unreadable("an integral without its differential")
        body = factors[0] if at else Node("number", name="1", number=Fraction(1))
        for factor in factors[1:at]:
            body = Node("product", (body, factor))
        ends = tuple(end for end in (low, high) if end is not None)
        return Node("integral", (body, *ends), factors[at + 1].name)

    def _norm(self) -> Node:
        inner = self._sum()
        self._expect("|")
        return Node("absolute", (inner,))

    def _accented(self, accent: str) -> Node:
        accent = "bar" if accent == "overline" else accent
        if self._next_is("{"):
            return Node("symbol", name=f"{accent} {self._subscript()}")
        token = self._peek()
        if token is None:
            raise Unreadable("an accent over nothing")
        self._at += 1
        return Node("symbol", name=f"{accent} {token.text}")

    def _fenced(self, name: str) -> Node:
        closing, op = _FENCES[name]
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

    def _described_set(self) -> Node | None:
        r"""`\{x \mid x > 2\}`, `\{2k+1 : k \in \mathbb{Z}\}`; None where no bar or colon stands before a relation."""
        depth, bar, at = 0, -1, self._at
        while at < len(self._tokens) and (depth or self._tokens[at].text != "}"):
            text = self._tokens[at].text
            depth += (text in {"{", "(", "["}) - (text in {"}", ")", "]"})
            bar = at if depth == 0 and bar < 0 and at > self._at and text in {"|", ":"} else bar
            at += 1
        member, condition = self._tokens[self._at : bar], self._tokens[bar + 1 : at]
        if bar < 0 or not any(token.text in _RELATIONS for token in condition if token.kind != "letter"):
            return None
        self._at = at
        self._expect("}")
        cases = self.cases(condition)
        if len(cases) > 1:
            raise Unreadable("a set with several cases")
        if member[0].kind == "letter" and (len(member) == 1 or member[1].text == "in"):
            return Node("builder", cases)
        return Node("conditioned", (self._inside(member), *cases))

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
        if power is not None and power.op == "negative" and name in _INVERSES:
            name, power = _INVERSES[name], None
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
        while (token := self._peek()) is not None and self._starts_factor(token) and token.text not in _FUNCTIONS:
            if token.text == "(":
                break
            node = self._implicit_product(node, token)
        return node

    def _matrix(self) -> Node:
        name = self._environment()
        if name not in _MATRICES | _LIST_ENVIRONMENTS:
            raise Unreadable(f"the environment {name!r}")
        if name == "array":
            self._subscript()
        rows: list[tuple[Node, ...]] = []
        if name in _LIST_ENVIRONMENTS:
            return self._listed(is_cases="cases" in name)
        while not self._next_is("end"):
            rows.append(self._row())
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
        while not self._next_is("end"):
            if self._peek() is None:
                raise Unreadable("an environment that never ends")
            line = self._line(is_cases=is_cases)
            if lines and line and line[0].text in _RELATIONS and line[0].kind != "letter":
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
        while (token := self._peek()) is not None and (depth or token.text not in {"\\", "end"}):
            depth += {"begin": 1, "end": -1}.get(token.text, 0) if token.kind == "command" else 0
            self._at += 1
            if token.text != "&":
                found.append(token)
            elif is_cases and ((cell := self._peek()) is None or cell.kind != "word" or cell.text == "otherwise"):
                found.append(Token("word", "if"))
        if self._next_is("\\"):
            self._at += 1
        return found

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

    def _first_digit(self) -> str:
        r"""The first digit of a number, whose other digits stay: `\frac43` is four thirds."""
        token = self._tokens[self._at]
        if not token.text[0].isdecimal():
            raise Unreadable("a decimal as an argument")
        if len(token.text) == 1:
            self._at += 1
        else:
            self._tokens[self._at] = Token("number", token.text[1:])
        return token.text[0]

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next_is(self, *texts: str) -> bool:
        token = self._peek()
        return token is not None and token.kind != "word" and token.text in texts

    def _expect(self, text: str) -> None:
        if not self._next_is(text):
            raise Unreadable(f"{text!r} is missing")
        self._at += 1


def _is_differential(node: Node) -> bool:
    return node.op == "product" and node.parts[0] == Node("symbol", name="d") and node.parts[1].op == "symbol"


def _factors_of(node: Node) -> list[Node]:
    """The factors of a product, the first one first; of a sum that ends with a differential, the sum is one of them."""
    if node.op == "product":
        return [*_factors_of(node.parts[0]), node.parts[1]]
    return [node]


def _measured(node: Node, words: list[str]) -> Node:
    """A number with the words after it: `5 million dollars`, `5 squared`, `5 cm`, `1011 base 2`."""
    lowered = [word.lower() for word in words]
    if _DENIALS & set(lowered):
        raise Unreadable("a denial")
    while lowered and lowered[0].removesuffix("s") in SCALES:
        scale = SCALES[lowered.pop(0).removesuffix("s")]
        words = words[1:]
        node = Node("product", (node, Node("number", number=Fraction(scale))))
    if any(word.removesuffix("s") in SCALES for word in lowered):
        raise Unreadable("a scale after a unit")
    if lowered == ["factorial"]:
        return Node("factorial", (node,))
    if lowered in (["squared"], ["cubed"]):
        return Node("power", (node, Node("number", number=Fraction(2 if lowered == ["squared"] else 3))))
    return Node("quantity", (node,), " ".join(words)) if words else node


def _digits_of(node: Node) -> str:
    """The digits of a numeral in brackets, from which a base hangs."""
    if node.op != "number" or not node.name.isdecimal():
        raise Unreadable("a subscript without a symbol")
    return node.name


def _mixed(whole: Node, over: Fraction, under: Fraction) -> Node:
    if not 0 < over < under:
        raise Unreadable("a mixed number above the next whole")
    return Node("number", name="", number=whole.number + over / under)


def _number(text: str) -> Fraction:
    """The exact value of a decimal numeral of any length, `1.5e3` too."""
    numeral, _, exponent = text.lower().partition("e")
    whole, _, decimals = numeral.partition(".")
    digits = whole + decimals
    value = 0
    for start in range(0, len(digits), _DIGITS_AT_ONCE):
        part = digits[start : start + _DIGITS_AT_ONCE]
        value = value * 10 ** len(part) + int(part)
    shift = int(exponent or 0) - len(decimals)
    if abs(shift) > _MAX_SHIFT + len(digits):
        raise Unreadable("a numeral with a huge exponent")
    return value * Fraction(10) ** shift
