"""Finding the final answer in a completion.

Rules, in the order they are tried, each named in the grade: `boxes` (several final boxes that together answer one
question), `box` (the last balanced box), `answer-is` (an announced answer), and for a model that does not think
`whole`, `last-math` and `last-number`. A thinking model had room to conclude, so nothing is guessed for it.
"""

import re
from collections.abc import Iterator

from papergate.scoring.records import AnswerKind, Extraction

THOUGHT_OPENS, THOUGHT_CLOSES = "<think>", "</think>"
MAX_BOXES = 50  # more final boxes than any question has answers; bounds the walk over 10,000 of them
MAX_JOINT = 100  # characters between two boxes that answer together; bounds the regular expression
MAX_UNBALANCED = 20  # boxes that never close, each read to the end of the text; bounds the walk over 100,000 of them
MAX_WHOLE = 200  # characters; a longer text is an argument, not an answer
MAX_TAIL = 6_000  # characters of plain text searched for an announced answer; bounds the regular expressions

_BRACE = re.compile(r"(?:ed)?\s*\{")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_BARE_BOX = re.compile(r"ed\s*(-?[\d.,]*\d|(?<=\s)\\?\w+)")
_SPECIAL_TOKEN = re.compile(r"<[|｜][^<>|｜\s]{1,40}[|｜]>")
_BETWEEN_BOXES = re.compile(
    r"(?:[\s$,;.、，；]|\\[\]\[()]|\\q?quad|\\[,;! ]|\\text\{\s*(?:and|or)\s*,?\s*\}|and|or|和|或|与|[A-Za-z]\w*\s*=)*"
)
_ANCHOR = re.compile(
    r"(?:\b(?:final\s+answer|answer|solution|réponse)\b[\s*_]*(?:[:：=]|\bis\b|\bare\b|\best\b)|答案\s*(?:[:：是为]|$))"
    r"(?:[\s*_:：]|\bis\b(?!\s+not)|是|为)*",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(r"\s*I hope (?:it|this) is correct\.?\s*$", re.IGNORECASE)
_MATH = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|\$([^$]+?)\$(?!\d)", re.DOTALL)
_PROSE = re.compile(r"(?<![\\A-Za-z{])[a-z]{2,},?\s+[a-z]{2,}")  # between two prices, not in a formula
_COPULA = re.compile(r".*(?:\b(?:is|are|equals|est|was|be)\b(?: de\b)?|是|为)[\s:：]*", re.DOTALL)
_SENTENCE_ENDS = re.compile(r"(?<=[^\s\d])\.(?=\s|$)|(?<=\d)\.(?=\s|$)|。|\n")
_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+,\d{1,2}(?!\d)|\d+(?:\.\d+)?|\.\d+)(?:\s*\\?%)?")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}$)")
_WORDS = re.compile(r"(?<!\\)\b[^\W\d_]{4,}\b")
_LETTER_ANSWER = r"[(\[*\s]*(?:\\(?:text|mathrm|mathbf|textbf)\{{)?\s*[(\[]?([{letters}])(?![\w'])"


def extract(text: str | None, *, kind: AnswerKind, thinks: bool, letters: str = "ABCD") -> Extraction:
    """The final answer of a completion.

    Args:
        text: The completion, None where none came.
        kind: What sort of answer is asked for.
        thinks: Whether the model thinks; then a completion without `</think>` is truncated and has no answer.
        letters: The options of a multiple-choice problem.

    Returns:
        The answer with the rule that found it, or the reason why there is none: `empty`, `truncated`, `unanswered`.
    """
    if text is None or not text.strip():
        return Extraction(answer=None, rule="none", reason="empty")
    conclusion = conclusion_of(text, thinks=thinks)
    if conclusion is None:
        return Extraction(answer=None, rule="none", reason="truncated")
    found = _boxed(conclusion) or _announced(conclusion, kind, letters)
    if found is None and not (thinks or THOUGHT_CLOSES in text):
        found = _guessed(conclusion, kind)
    if found is None or not found.answer:
        return Extraction(answer=None, rule="none", reason="unanswered")
    return _as_letter(found, letters) if kind is AnswerKind.CHOICE else found


def conclusion_of(text: str, *, thinks: bool) -> str | None:
    """The text after the last `</think>`, up to the first special token; None where the thought is never closed."""
    _, closed, conclusion = text.rpartition(THOUGHT_CLOSES)
    if not closed and (thinks or THOUGHT_OPENS in text):
        return None
    conclusion = conclusion.lstrip()
    special = _SPECIAL_TOKEN.search(conclusion, 1)
    return conclusion[: special.start()] if special else conclusion


def boxes_backwards(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and content of each balanced box, the last one first."""
    end, unbalanced = len(text), 0
    while (end := text.rfind("box", 0, end)) >= 0 and unbalanced < MAX_UNBALANCED:
        start = end - 2 if text.startswith("\\f", max(end - 2, 0)) else end - 1
        if not text.startswith("\\", max(start, 0)):
            continue
        if (box := _box_at(text, end + len("box"))) is None:
            unbalanced += 1
        else:
            yield (start, *box)


def _box_at(text: str, start: int) -> tuple[int, str] | None:
    """End and content of the box whose name ends before or after "ed" at `start`."""
    brace = _BRACE.match(text, start)
    if brace is None:
        bare = _BARE_BOX.match(text, start)
        return (bare.end(), bare[1]) if bare else None
    depth = 1
    for mark in _BRACES.finditer(text, brace.end()):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth == 0:
            return mark.end(), text[brace.end() : mark.start()].strip()
    return None


def _boxed(text: str) -> Extraction | None:
    answers: list[str] = []
    previous = None
    for start, end, content in boxes_backwards(text):
        if previous is not None and not _are_joined(text, end, previous):
            break
        if content not in answers:
            answers.append(content)
        previous = start
        if len(answers) > MAX_BOXES:
            break
    if not answers:
        return None
    if len(answers) > 1 and all(answers):
        return Extraction(answer=", ".join(reversed(answers)), rule="boxes")
    return Extraction(answer=answers[0], rule="box")


def _are_joined(text: str, end: int, start: int) -> bool:
    """Whether nothing but separators, names and conjunctions stands between two boxes."""
    return start - end <= MAX_JOINT and _BETWEEN_BOXES.fullmatch(text, end, start) is not None


def _announced(text: str, kind: AnswerKind, letters: str) -> Extraction | None:
    tail = _BOILERPLATE.sub("", text[-MAX_TAIL:])
    anchors = list(_ANCHOR.finditer(tail))
    if not anchors:
        return None
    segment = tail[anchors[-1].end() :].strip()
    if kind is AnswerKind.CHOICE:
        letter = re.match(_LETTER_ANSWER.format(letters=letters), segment)
        return Extraction(answer=letter[1], rule="answer-is") if letter else None
    answer = _answer_of_sentence(segment)
    return Extraction(answer=answer, rule="answer-is") if answer else None


def _answer_of_sentence(segment: str) -> str:
    """The answer in what follows "the answer is": a formula, or what stands after the last "is"."""
    segment = segment.removesuffix("\\[").removesuffix("\\(").strip()  # a formula that was cut off before it began
    starts_with_math = _MATH.match(segment)
    if starts_with_math:
        return _unwrapped(starts_with_math)
    sentence = _SENTENCE_ENDS.split(segment, maxsplit=1)[0].strip(" *")
    copula = _COPULA.match(sentence)
    answer = sentence[copula.end() :] if copula else sentence
    formulas = _formulas(answer)
    if formulas:
        return formulas[-1]
    number = _NUMBER.search(answer)
    if number and _WORDS.search(answer):
        return number[0]
    return answer.strip()


def _guessed(text: str, kind: AnswerKind) -> Extraction | None:
    """An answer of a plain text that announces none: the whole of a short one, its last formula, its last number."""
    tail = _BOILERPLATE.sub("", text[-MAX_TAIL:]).strip()
    if kind is AnswerKind.CHOICE:
        return Extraction(answer=tail, rule="whole") if len(tail) <= MAX_WHOLE else None
    if len(tail) <= MAX_WHOLE and not _WORDS.search(tail):
        return Extraction(answer=tail, rule="whole")
    sentences = [part for part in _SENTENCE_ENDS.split(tail) if part.strip()]
    for sentence in reversed(sentences):
        if formulas := _formulas(sentence):
            return Extraction(answer=formulas[-1], rule="last-math")
        if numbers := _NUMBER.findall(sentence):
            return Extraction(answer=_DECIMAL_COMMA.sub(".", numbers[-1]), rule="last-number")
    return Extraction(answer=tail, rule="whole") if len(tail) <= MAX_WHOLE else None


def _formulas(text: str) -> list[str]:
    return [formula for match in _MATH.finditer(text) if not _PROSE.search(formula := _unwrapped(match))]


def _unwrapped(formula: re.Match[str]) -> str:
    return next(part for part in formula.groups() if part is not None).strip()


def _as_letter(found: Extraction, letters: str) -> Extraction:
    match = re.match(_LETTER_ANSWER.format(letters=letters), found.answer or "")
    if match is None:
        return Extraction(answer=None, rule="none", reason="unanswered")
    return Extraction(answer=match[1], rule=found.rule)
