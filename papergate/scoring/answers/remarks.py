"""What stands around the value of an answer: conditions, which are kept, approximations and sentences."""

from itertools import pairwise
from typing import NamedTuple

from papergate.scoring.answers.spelling import Token, Unreadable
from papergate.scoring.answers.wording import DOMAINS, plain

Tokens = tuple[Token, ...]


class Piece(NamedTuple):
    """One case of an answer: what it says, and under which conditions."""

    value: Tokens
    conditions: tuple[Tokens, ...]


_CONDITIONAL = {
    "for",
    "where",
    "with",
    "such",
    "given",
    "assuming",
    "if",
    "when",
    "whenever",
    "provided",
    "unless",
    "otherwise",
    "当",
    "若",
    "如果",
    "假设",
}
_EVERY = {"all", "any", "every", "each", "some", "that", "所有", "任意"}
_REMARKS = {"since", "because", "respectively", "rounded", "as", "only", "exactly"}  # nothing is said by these
_REMARKS |= {"instead", "rather"}
_ABOUT = {"about", "approximately", "approx", "roughly", "nearly", "约", "大约", "约为", "约等于"}
_TRAILING = {("sign", "."), ("sign", ","), ("sign", ";"), ("sign", ":"), ("command", "\\")}
_TRAILING |= {("command", mark) for mark in ("square", "blacksquare", "qed", "Box", "qedsymbol", "checkmark")}
_LEADING = {
    "therefore",
    "thus",
    "so",
    "hence",
    "then",
    "答",
    "only",
    "exactly",
    "the",
    "just",
    "第",
    "共",
    "共有",
    "一共",
    "等于",
    "点",
    "有",
    "和为",
    "ans",
    "答案",
    "答案是",
    "答案为",
    "结果是",
    "结果为",
    "所以",
    "因此",
    "故",
    "即",
    "解得",
}
_LEADING_SIGNS = {("sign", mark) for mark in ",;:."} | {("command", "Rightarrow"), ("command", "implies")}
_FIGURES = {
    "line",
    "circle",
    "curve",
    "parabola",
    "ellipse",
    "hyperbola",
    "plane",
    "直线",
    "圆",
    "曲线",
    "抛物线",
    "椭圆",
}
_COPULAS = {"is", "are", "equals", "是", "为", "等于"}
_IMPLICATIONS = {"implies", "Rightarrow", "Longrightarrow", "iff", "Leftrightarrow", "Longleftrightarrow"}
_SAYS_NOTHING = {"the", "answer", "answers", "solution", "solutions", "result", "final", "our", "required", "value"}
_SAYS_NOTHING |= {"right", "correct"}
_JOINTS = {",", ";", "and", "or"}
_OPENING, _CLOSING = {"(", "[", "{"}, {")", "]", "}"}  # also as commands: `\\{`
_BOUNDS = {"in", "<", ">", "le", "ge", "ne"}  # relations that only limit a letter which stands before
_RELATIONS = _BOUNDS | {"=", "≤"}


def pieces_of(found: list[Token]) -> list[Piece]:
    """The cases of an answer with their conditions; nearly always one case without any.

    Raises:
        Unreadable: There is nothing.
    """
    if any((token.kind, token.text) == ("command", "begin") for token in found):
        return [Piece(tuple(_trimmed(found)), ())]  # its lines have conditions of their own
    kept = _approximations(_after_copula(_after_implication(_on_one_line(_trimmed(found)))))
    if len(kept) > 1 and kept[0].text.lower() in _FIGURES and kept[1].kind != "word" and "=" in _relations(kept):
        kept = kept[1:]
    if domain := _domain_before(kept):
        piece = _with_bounds(_without_remarks(kept[len(domain) - 1 :]))
        return [Piece(piece.value, (*piece.conditions, domain))]
    words = [at for at, token in enumerate(kept) if token.kind == "word" and token.text.lower() in _CONDITIONAL]
    if not words or words[0] == 0:
        return [_with_bounds(_without_remarks(kept))]
    return _cases(_without_remarks(kept))


def _domain_before(found: list[Token]) -> Tokens:
    r"""The words and the letter in `all integers n \ge 3`, empty where no such words stand before a bound."""
    words = 0
    while words < len(found) - 1 and found[words].kind == "word" and plain(found[words].text.lower()) in DOMAINS:
        words += 1
    is_bound = words > 0 and found[words].kind == "letter" and bool(_relations(found[words:]) & _BOUNDS)
    return tuple(found[: words + 1]) if is_bound else ()


def _trimmed(found: list[Token]) -> list[Token]:
    start, stop = 0, len(found)
    while stop > start and (found[stop - 1].kind, found[stop - 1].text) in _TRAILING:
        stop -= 1
    while start < stop and (_is_leading(found[start]) or (found[start].kind, found[start].text) in _LEADING_SIGNS):
        start += 1
    if start == stop:
        raise Unreadable("nothing")
    return found[start:stop]


def _is_leading(token: Token) -> bool:
    return token.kind == "word" and (token.text.lower() in _LEADING or token.text.lower() in _ABOUT)


def _after_copula(found: list[Token]) -> list[Token]:
    """What follows the last "is" of a sentence; in "42 is the answer" what stands before it."""
    for at in range(len(found) - 2, 0, -1):
        if found[at].kind == "word" and found[at].text in _COPULAS and not _is_condition(found[:at]):
            rest = found[at + 1 :]
            return found[:at] if all(token.text.lower() in _SAYS_NOTHING for token in rest) else rest
    return found


def _on_one_line(found: list[Token]) -> list[Token]:
    r"""`x=1 \\ y=2` as a list: a line break between two statements separates, between two values it says nothing."""
    breaks = [at for at, token in enumerate(found) if (token.kind, token.text) == ("command", "\\")]
    edges = [-1, *breaks, len(found)]
    lines = [found[start + 1 : stop] for start, stop in pairwise(edges)]
    if not breaks or not all(_relations(line) for line in lines):
        return found
    return [Token("sign", ",") if at in breaks else token for at, token in enumerate(found)]


def _after_implication(found: list[Token]) -> list[Token]:
    r"""`2x = 10 \implies x = 5`: between two statements, the last one is the answer."""
    for at in range(len(found) - 1, 0, -1):
        token = found[at]
        if (token.kind, token.text) == ("command", "mapsto"):
            return found[at + 1 :]
        if token.kind == "command" and token.text in _IMPLICATIONS:
            sides = (found[:at], found[at + 1 :])
            return sides[1] if all(_relations(side) for side in sides) else found
    return found


def _is_condition(before: list[Token]) -> bool:
    return any(token.kind == "word" and token.text.lower() in _CONDITIONAL for token in before)


def _approximations(found: list[Token]) -> list[Token]:
    r"""`\frac43 (about 1.33)` and `4/3, or approximately 1.33` become the relation `4/3 ≈ 1.33`."""
    kept: list[Token] = []
    closing = 0
    for token in found:
        about = token.kind == "word" and token.text.lower() in _ABOUT
        if about or (token.kind, token.text) == ("command", "approx"):
            while kept and (kept[-1].text in {"(", *_JOINTS} or kept[-1].text == "="):
                closing += kept.pop().text == "("
            if kept and kept[-1].text != "approx":
                kept.append(Token("command", "approx"))
        elif closing and token.text == ")":
            closing -= 1
        else:
            kept.append(token)
    return kept


def _without_remarks(found: list[Token]) -> list[Token]:
    """The tokens up to a word after which nothing is said, and again after the next conjunction."""
    kept: list[Token] = []
    skipping = False
    for token in found:
        word = token.text.lower() if token.kind == "word" else ""
        contrasts = word == "not" and kept and kept[-1].text in {"(", ","}  # `5 (not 6)`
        if kept and (word in _REMARKS or contrasts):
            skipping = True
            while kept and kept[-1].text in {"(", ",", "and"}:
                kept.pop()
        skipping = skipping and word not in {"and", "or"} and token.text != ";"
        if not skipping:
            kept.append(token)
    return kept


def _cases(found: list[Token]) -> list[Piece]:
    """Each value with what follows its "for" or "if"; the last separator before the next one ends it."""
    marks = [at for at, token in enumerate(found) if token.kind == "word" and token.text.lower() in _CONDITIONAL]
    if not marks:
        return [_with_bounds(found)]
    starts, joints = marks[:1], []
    for mark in marks[1:]:
        if (joint := _last_joint(found, starts[-1], mark)) is not None:
            starts.append(mark)
            joints.append(joint)
    pieces, start = [], 0
    for mark, stop in zip(starts, [*joints, len(found)], strict=True):
        value = _without_open_bracket(found[start:mark])
        condition = _condition(found[mark:stop])
        piece = _with_bounds(_trimmed(value))
        pieces.append(Piece(piece.value, (*piece.conditions, condition)))
        start = stop + 1
    return pieces


def _last_joint(found: list[Token], start: int, stop: int) -> int | None:
    return next((at for at in range(stop - 1, start, -1) if found[at].text in _JOINTS), None)


def _without_open_bracket(found: list[Token]) -> list[Token]:
    """`n (for even n)`: the bracket belongs to the condition."""
    while found and found[-1].text in {"(", ",", ";"}:
        found = found[:-1]
    return found


def _condition(found: list[Token]) -> Tokens:
    if [token.text for token in found if token.text not in _JOINTS | {".", ")"}] == ["otherwise"]:
        return (found[0],)
    kept = [token for token in found if token.kind != "word" or token.text.lower() not in _CONDITIONAL | _EVERY]
    while kept and (kept[-1].text in {",", ".", ";", "and"} or (kept[-1].text == ")" and _depth(kept) != 0)):
        kept.pop()
    if not kept:
        raise Unreadable("a condition that says nothing")
    return tuple(kept)


def _depth(found: list[Token]) -> int:
    return sum((token.text in _OPENING) - (token.text in _CLOSING) for token in found)


def _with_bounds(found: list[Token]) -> Piece:
    r"""Split off what only limits the letters of an answer: `k\pi, k \in \mathbb{Z}`, `y = 2x (x > 0)`."""
    conditions: list[Tokens] = []
    while (at := _start_of_bound(found)) is not None:
        bound = [token for token in found[at:] if token.text not in _JOINTS]
        if bound[0].text == "(":
            bound = bound[1:-1]
        conditions.append(tuple(bound))
        found = found[:at]
        while found[-1].text in _JOINTS:
            found = found[:-1]
    return Piece(tuple(found), tuple(conditions))


def _start_of_bound(found: list[Token]) -> int | None:
    """Where a last segment starts that only limits a letter of what stands before, None where there is none."""
    at = _last_separator(found)
    if at is None or at == 0:
        return None
    inside = found[at + 1 : -1] if found[at].text == "(" else found[at + 1 :]
    before = found[:at]
    if len(inside) < 3 or inside[0].kind not in {"letter", "command"} or not _relations(inside) & _BOUNDS:  # noqa: PLR2004
        return None
    if _relations(before) & _BOUNDS or not any(token.text == inside[0].text for token in before):
        return None
    if found[at].text == "(" and any(token.text == "," for token in inside):
        return None
    while at > 1 and before[-1].kind == "letter" and len(before) > 2 and before[-2].text == ",":  # noqa: PLR2004
        at, before = at - 2, before[:-2]  # `k, m \in Z` limits both
    return at


def _relations(found: list[Token]) -> set[str]:
    return {token.text for token in found if token.kind in {"sign", "command"}} & _RELATIONS


def _last_separator(found: list[Token]) -> int | None:
    """The last comma outside of brackets, or the bracket that opens the last group."""
    depth = 0
    for at in range(len(found) - 1, -1, -1):
        token = found[at]
        if token.text in _CLOSING:
            depth += 1
        elif token.text in _OPENING:
            depth -= 1
            if depth == 0 and token.text == "(" and found[-1].text == ")":
                return at
        elif depth == 0 and token.text in {",", ";"}:
            return at
    return None
