"""Where the reading of an answer stands among its tokens, and what may be read again at any depth."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

from papergate.scoring.answers.grammar.commands import DENIALS
from papergate.scoring.answers.nodes import Node
from papergate.scoring.answers.spelling import Token, Unreadable
from papergate.scoring.answers.wording import number_of

_RATIOS, _LONGEST_RATIO = {"to", "in", "out of"}, 2  # between two numbers


class Cursor(ABC):
    """The tokens of one answer, and what its parts read of each other."""

    def __init__(self, found: list[Token], *, signs: int = 0) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self._integrals = 0  # that are open: a `d` begins the end of the last one
        self._bars = 0  # that are open: the next one closes
        self.signs = signs

    def _closing(self) -> int:
        depth = 0
        for at in range(self._at, len(self._tokens)):
            depth += {"(": 1, ")": -1}.get(self._tokens[at].text, 0)
            if depth == 0:
                return at
        return len(self._tokens)

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

    def _is_remark(self) -> bool:
        """Whether only words stand in the brackets that open here: `25 (twenty-five)`."""
        inside = self._tokens[self._at + 1 : self._closing()]
        begins = bool(inside) and inside[0].kind == "word" and not DENIALS & {part.text.lower() for part in inside}
        if begins and any(part.kind == "letter" for part in inside):
            return number_of("".join(part.text for part in inside)) is not None  # `42 (forty-two)`
        return begins and all(part.kind == "word" or part.text == "-" for part in inside)

    def _word_follows(self) -> bool:
        after = self._tokens[self._at + 1 : self._at + 2]
        return bool(after) and after[0].kind == "word"

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next_is(self, *texts: str) -> bool:
        token = self._peek()
        return token is not None and token.kind != "word" and token.text in texts

    def _expect(self, text: str) -> None:
        if not self._next_is(text):
            raise Unreadable(f"{text!r} is missing")
        self._at += 1

    def _until(self, ended: Callable[[], bool]) -> Iterator[None]:
        """A turn for each part up to an end.

        Raises:
            Unreadable: A turn read no token, so no other turn would, and the end never comes.
        """
        while not ended():
            start = self._at
            yield
            if self._at == start:
                raise Unreadable("an end is missing")

    @abstractmethod
    def _sum(self) -> Node:
        """A sum of terms."""

    @abstractmethod
    def _argument(self) -> Node:
        """The argument of a command."""

    @abstractmethod
    def _operand(self) -> Node:
        """What a term is made of."""

    @abstractmethod
    def _before_letter(self) -> Node:
        """What stands before a letter."""

    @abstractmethod
    def _sequence(self, ended: Callable[[], bool]) -> Node:
        """Items up to an end."""

    @abstractmethod
    def _function(self, name: str) -> Node:
        """A function with its arguments."""

    @abstractmethod
    def _series(self, name: str) -> Node:
        """A sum, product, integral or limit."""

    @abstractmethod
    def cases(self, found: list[Token]) -> tuple[Node, ...]:
        """The cases of an answer."""

    @abstractmethod
    def _inside(self, found: Sequence[Token]) -> Node:
        """The answer that some tokens are."""
