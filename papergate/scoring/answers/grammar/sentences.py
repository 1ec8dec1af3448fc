"""The answer as a whole: cases, lists, labels, relations, conditions."""

from collections.abc import Callable, Sequence

from papergate.scoring.answers.grammar.commands import CONJUNCTIONS, DENIALS, RELATIONS
from papergate.scoring.answers.grammar.functions import Functions
from papergate.scoring.answers.nodes import Node
from papergate.scoring.answers.remarks import Piece, pieces_of
from papergate.scoring.answers.spelling import Token, Unreadable
from papergate.scoring.answers.wording import NUMBERED, plain

_SEPARATORS = {",", ";"}
_NUMBER_SETS = {("letter", name) for name in "NZQRC"}


class Sentences(Functions):
    """Reads a whole answer."""

    def cases(self, found: list[Token]) -> tuple[Node, ...]:
        """The cases of an answer, each with its conditions."""
        return tuple(self._case(piece) for piece in pieces_of(found))

    def _case(self, piece: Piece) -> Node:
        root = self._inside(piece.value)
        conditions = tuple(map(self._condition, piece.conditions))
        return Node("conditioned", (root, *conditions)) if conditions else root

    def _inside(self, found: Sequence[Token]) -> Node:
        """The answer that some tokens are; its plus-minus signs are counted on from here."""
        parser = Sentences(list(found), signs=self.signs)
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

    def answer(self) -> Node:
        """The answer that the tokens are."""
        if all(token.kind == "word" for token in self._tokens):
            return self._words_only()
        root = self._sequence(lambda: self._peek() is None)
        if self._next_is("over"):
            root = self._over(root)
        if self._peek() is not None:
            raise Unreadable("something is left over")
        return root

    def _words_only(self) -> Node:
        groups: list[list[str]] = [[]]
        for token in self._tokens:
            if token.text in CONJUNCTIONS:
                groups.append([])
            else:
                groups[-1].append(token.text.lower())
        words = tuple(Node("word", name=" ".join(group)) for group in groups if group)
        return words[0] if len(words) == 1 else Node("list", words)

    def _sequence(self, ended: Callable[[], bool]) -> Node:
        """Items between commas, semicolons and conjunctions; semicolons outrank commas."""
        groups: list[list[Node]] = [[]]
        conjunction = ""
        for _ in self._until(ended):
            groups[-1].append(self._item())
            separator = self._separators()
            if separator is None:
                break
            if separator == ";":
                groups.append([])
            conjunction = separator if separator in CONJUNCTIONS else conjunction
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
            if (token.kind == "sign" and text in _SEPARATORS) or (token.kind == "word" and text in CONJUNCTIONS):
                seen = text if seen is None or text in CONJUNCTIONS or text == ";" else seen
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
            operands.append(self._plain_number_set(relation) or self._ratio())
        if not relations:
            return operands[0]
        node = Node("relation", tuple(operands), " ".join(relations))
        if self._next_is("cup", "cap"):
            self._at += 1
            return Node(self._tokens[self._at - 1].text, (node, self._item()))
        return node

    def _plain_number_set(self, relation: str) -> Node | None:
        r"""The integers of `k \in Z`, None where no lone letter of a set of numbers follows."""
        token, following = self._peek(), self._token(self._at + 1)
        if relation != "in" or token is None or (token.kind, token.text) not in _NUMBER_SETS:
            return None
        if following is not None and following.text not in {",", ";", "^", "_", "}"}:
            return None
        self._at += 1
        return self._number_set(token.text)

    def _relation(self) -> str | None:
        token = self._peek()
        if token is None or token.kind == "word":
            return None
        if token.text == "!" and self._is_inequality():
            self._at += 2
            return "!="
        relation = RELATIONS.get(token.text)
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
        while (token := self._peek()) is not None and token.kind == "word" and token.text not in CONJUNCTIONS:
            names.append(token.text)
            self._at += 1
        if names and self._next_is("=", ":"):
            self._at += 1
            if DENIALS & {name.lower() for name in names}:
                raise Unreadable("a denial")
            return " ".join(names)
        if len(names) == 1 and plain(names[0].lower()) in NUMBERED and self._is_last_number():
            return names[0].lower()
        self._at = start
        return self._function_label() if not names else None

    def _is_last_number(self) -> bool:
        token = self._peek()
        return token is not None and token.kind == "number" and self._at + 1 == len(self._tokens)

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

    def _ratio(self) -> Node:
        parts = [self._union()]
        while (size := self._ratio_sign()) > 0:
            self._at += size
            parts.append(self._union())
        return parts[0] if len(parts) == 1 else Node("ratio", tuple(parts))
