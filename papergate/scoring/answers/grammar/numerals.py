"""Numerals: decimals, bases, repeating digits, mixed numbers, degrees with minutes."""

from fractions import Fraction

from papergate.scoring.answers.grammar.cursor import Cursor
from papergate.scoring.answers.nodes import Node
from papergate.scoring.answers.spelling import Token, Unreadable
from papergate.scoring.answers.wording import number_of

_MAX_SHIFT = 1_000  # powers of ten in a numeral like 1.5e3; more is not written out
_DIGITS_AT_ONCE = 4_000  # Python refuses to convert longer strings in one go


class Numerals(Cursor):
    """Reads numerals."""

    def _mixed_number(self, whole: Node) -> Node:
        """`1 5/8`: a whole number, a space, a fraction below one."""
        over, slash, under = (self._tokens[self._at + step : self._at + step + 1] for step in range(3))
        if not (slash and under and slash[0].text == "/" and under[0].kind == "number"):
            raise Unreadable("two numbers side by side")
        self._at += 3
        return _mixed(whole, exact_value(over[0].text), exact_value(under[0].text))

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
        node = Node("number", name=token.text, number=exact_value(token.text))
        return self._fraction_after(node) if token.text.isdecimal() else self._repeating(node)

    def _based(self, digits: str) -> Node:
        return self._numeral(digits, self._subscript())

    def _numeral(self, digits: str, base: str) -> Node:
        base = base.removeprefix("base").strip("()")
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
                return Node("number", number=exact_value(f"{token.text.partition('.')[0]}.{head}0") + tail)
        raise Unreadable("decimals that go on without a period")

    def _with_point(self, token: Token) -> Node:
        r"""`42.` and `0.\overline{3}`."""
        self._at += 1
        node = Node("number", name=token.text, number=exact_value(token.text))
        following = self._peek()
        if following is not None and following.text in {"overline", "dot", "bar"}:
            return self._repeating(Node("number", name=token.text + ".", number=node.number))
        if (inside := self._tokens[self._at : self._at + 3])[2:] and not any(part.spaced for part in inside):
            opening, period, closing = inside  # `0.(3)`
            if opening.text + closing.text == "()" and period.text.isdecimal():
                self._at += 3
                return _with_period(node, period.text)
        return node

    def _repeating(self, node: Node) -> Node:
        r"""`0.\overline{12}`, `0.\dot{3}`, and `0.\dot{1}4\dot{2}` with dots over both ends of the period."""
        token = self._peek()
        if token is None or token.kind != "command" or token.text not in {"overline", "dot", "bar"}:
            return node
        self._at += 1
        return _with_period(node, self._period() + (self._rest_of_period() if token.text == "dot" else ""))

    def _period(self) -> str:
        period = self._argument()
        if period.op != "number" or not period.name.isdecimal():
            raise Unreadable("a strange period")
        return period.name

    def _rest_of_period(self) -> str:
        """The digits up to the second dot, none where one digit repeats."""
        start, between, token = self._at, "", self._peek()
        while token is not None and token.kind == "number" and token.text.isdecimal():
            between += token.text
            self._at += 1
            token = self._peek()
        if self._next_is("dot"):
            self._at += 1
            return between + self._period()
        self._at = start
        return ""

    def _fraction_after(self, whole: Node) -> Node:
        r"""`1\frac{4}{5}` is one and four fifths, not a product."""
        token = self._peek()
        if token is None or (token.kind, token.text) != ("command", "frac"):
            return whole
        start, kept = self._at, self._tokens[self._at :]  # a number within may be split, at any depth
        fraction = self._operand()
        over, under = fraction.parts or (fraction, fraction)  # `dy/dx` is a name
        if over.op == under.op == "number" and over.name.isdecimal() and 0 < over.number < under.number:
            return _mixed(whole, over.number, under.number)
        if over.op == under.op == "number" and over.name.isdecimal() and under.name.isdecimal() and whole.number:
            raise Unreadable("a mixed number above the next whole, or a product")
        self._tokens[start:] = kept
        self._at = start
        return whole

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


def _with_period(node: Node, period: str) -> Node:
    """A numeral whose decimals go on with a period."""
    places = len(node.name.partition(".")[2])
    tail = Fraction(int(period), (10 ** len(period) - 1) * 10**places)
    return Node("number", name="", number=node.number + tail)


def _mixed(whole: Node, over: Fraction, under: Fraction) -> Node:
    if not 0 < over < under:
        raise Unreadable("a mixed number above the next whole")
    return Node("number", name="", number=whole.number + over / under)


def exact_value(text: str) -> Fraction:
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
