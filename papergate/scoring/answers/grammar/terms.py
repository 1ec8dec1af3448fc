"""Sums, products and powers, and what hangs from an operand: units, remarks, factorials, subscripts."""

from collections.abc import Callable
from fractions import Fraction

from papergate.scoring.answers.algebra import LONGEST_PRINTED, spend
from papergate.scoring.answers.grammar.commands import (
    ACCENTS,
    CONJUNCTIONS,
    COUNTS,
    DENIALS,
    FENCES,
    FUNCTIONS,
    GREEK,
    INVERSES,
    SERIES,
)
from papergate.scoring.answers.grammar.names import Names
from papergate.scoring.answers.grammar.numerals import exact_value
from papergate.scoring.answers.nodes import Node
from papergate.scoring.answers.spelling import Token, Unreadable
from papergate.scoring.answers.wording import PLURAL_PARTS, SCALES, is_numeral

_SETS = {"tuple", "set", "builder", "number set", "cup", "cap", "setminus", "symbol", "parentheses"}
_ORDERED = {"root", "prime", "power", "multiple", "derivative"}  # after an ordinal another number
_REWRITTEN = {"expressed", "written", "reduced", "simplified"}  # what cannot be so is still the answer
_ORDINALS = {"th", "st", "nd", "rd"}
_CHOOSE = Node("symbol", name="C")  # C(7, 4) is a binomial coefficient
_SELECTIONS = (Node("symbol", name="C"), Node("symbol", name="P"))
_TRANSPOSED = {"T", "top", "intercal"}
MAX_DEPTH = 60  # nested groups; a deeper answer is noise, and Python's stack is finite
MAX_SIGNS = 4  # plus-minus signs, each of which doubles the values of an answer


class Terms(Names):
    """Reads what is added, multiplied and raised."""

    def _union(self) -> Node:
        left = self._sum()
        while left.op in _SETS and self._next_is("cup", "cap", "setminus"):
            self._at += 1
            left = Node(self._tokens[self._at - 1].text, (left, self._sum()))
        return left

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
            if token.text == "/" and node.op == "quantity" and self._word_follows():
                self._at += 2
                node = self._unit_after("/", node)
            elif token.kind == "sign" and token.text in {"*", "/"}:
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
            return Node(COUNTS[node.parts[-1].name], (node.parts[0], self._factor()))  # 10C3
        if token.kind == "number" and (beside := self._number_beside(node)) is not None:
            return beside
        other = self._factor()
        if node.op in {"quantity", "degrees", "compound"} and other.op == "quantity":
            return Node("compound", (node, other))
        if node.op == "symbol" and node.name.isupper() and node != _CHOOSE and other.op == "tuple":
            return Node("point", (other,), node.name)
        if node == _CHOOSE and other.op == "tuple" and [part.op for part in other.parts] == ["number", "number"]:
            return Node("binomial", other.parts)
        return Node("product", (node, other))

    def _number_beside(self, node: Node) -> Node | None:
        """What a number makes that stands beside another one or after a unit, None where it is a factor."""
        before = self._tokens[self._at - 1]
        last = node.parts[-1] if node.op == "product" else node
        if before.kind == "word" or last.op in {"degrees", "percent", "quantity"}:
            if (part := self._factor()).op != "quantity":
                raise Unreadable("a number after a unit")
            return Node("compound", (node, part))
        if before.kind != "number":
            return None
        if node.op == "number":
            return self._mixed_number(node)
        if last.op not in {"power", "factorial"}:
            raise Unreadable("two numbers side by side")
        return None

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
            return token.text in {"(", "{"} or (token.text == "|" and not self._bars)
        return token.kind == "command" and (
            token.text in GREEK
            or token.text in FUNCTIONS
            or token.text in ACCENTS
            or token.text in FENCES
            or token.text in SERIES
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
            return self._unit if token.text not in CONJUNCTIONS and not self._ratio_sign() else None
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
        if base.op == "function" and exponent.op == "negative" and base.name in INVERSES:
            return Node("function", base.parts, INVERSES[base.name])
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
            return Node("number", name=token.text, number=exact_value(token.text))
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
        return self._unit_after("", node)

    def _unit_after(self, bar: str, node: Node) -> Node:
        """A quantity with the words here, the first of which is read, and with the bar before them."""
        words = [word for word in (bar, self._tokens[self._at - 1].text) if word]
        while (token := self._peek()) is not None:
            is_word = token.kind == "word" and token.text not in CONJUNCTIONS
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
        if words[:2] == ["to", "the"] or (words[0] in _ORDINALS and words[-1] in _ORDERED):
            raise Unreadable("a power or a root in words, or a prime by its place")
        return _measured(node, [word for word in words if word not in _ORDINALS])

    def _unit_power(self) -> str:
        self._at += 1
        power = self._exponent()
        sign, power = ("-", power.parts[0]) if power.op == "negative" else ("", power)
        if power.op != "number" or not power.number:
            raise Unreadable("a unit with a strange power")
        return f"^{sign}{_printed(power.number)}"

    def _remark(self, node: Node) -> Node:
        self._at -= 1
        self._at = self._closing() + 1
        return node

    def _modulus(self, node: Node) -> Node:
        modulus = self._argument() if self._next_is("{") else self._operand()
        return Node("quantity", (node,), f"mod {_printed(modulus.number) if modulus.number else modulus.name}")

    def _modulus_in_brackets(self, node: Node) -> Node:
        self._at += 1
        node = self._modulus(node)
        self._expect(")")
        return node

    def _operand(self) -> Node:
        token = self._peek()
        if token is None:
            raise Unreadable("an operand is missing")
        readers: dict[str, Callable[[], Node]] = {
            "number": self._number_operand,
            "based": self._numeral_in_base,
            "letter": self._symbol,
            "sign": lambda: self._bracketed(token),
            "command": lambda: self._named(token),
            "currency": self._price,
            "word": self._phrase,
        }
        return readers[token.kind]()

    def _numeral_in_base(self) -> Node:
        self._at += 1
        return self._numeral(*self._tokens[self._at - 1].text.split("_"))

    def _price(self) -> Node:
        self._at += 1
        currency = self._tokens[self._at - 1].text
        return Node("quantity", (self._factor(),), currency)

    def _phrase(self) -> Node:
        words = []
        while (token := self._peek()) is not None and token.kind == "word" and token.text not in CONJUNCTIONS:
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
        if letter is None or letter.text not in COUNTS or letter.kind != "letter":
            raise Unreadable("a subscript before nothing")
        self._at += 1
        if not self._next_is("_", "^"):
            raise Unreadable("a selection of nothing")
        self._at += 1
        return Node(COUNTS[letter.text], (total, self._argument()))


def _measured(node: Node, words: list[str]) -> Node:
    """A number with the words after it: `5 million dollars`, `5 squared`, `5 cm`, `1011 base 2`."""
    lowered = [word.lower() for word in words]
    denials = DENIALS - {"cannot"} if _REWRITTEN.intersection(lowered) else DENIALS
    if any(
        word in denials or word.startswith(("不", "非")) or (word.startswith("的") and word != "的") for word in lowered
    ):
        raise Unreadable("a denial")
    while lowered and lowered[0].removesuffix("s") in SCALES:
        scale = SCALES[lowered.pop(0).removesuffix("s")]
        words = words[1:]
        node = Node("product", (node, Node("number", number=Fraction(scale))))
    if lowered and lowered[0] in PLURAL_PARTS:
        node = Node("quotient", (node, Node("number", number=Fraction(PLURAL_PARTS[lowered.pop(0)]))))
        words = words[1:]
    if any(map(is_numeral, lowered)):
        raise Unreadable("a number after a number")
    if any(word.removesuffix("s") in SCALES for word in lowered):
        raise Unreadable("a scale after a unit")
    if lowered == ["factorial"]:
        return Node("factorial", (node,))
    if lowered in (["squared"], ["cubed"]):
        return Node("power", (node, Node("number", number=Fraction(2 if lowered == ["squared"] else 3))))
    return Node("quantity", (node,), " ".join(words)) if words else node


def _printed(number: Fraction) -> str:
    if max(abs(number.numerator), number.denominator) >= LONGEST_PRINTED:
        raise Unreadable("a modulus or a power of a unit that is too long")
    return str(number)


def _digits_of(node: Node) -> str:
    """The digits of a numeral in brackets, from which a base hangs."""
    if node.op != "number" or not node.name.isdecimal():
        raise Unreadable("a subscript without a symbol")
    return node.name
