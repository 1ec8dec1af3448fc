"""The rules of other graders: a document is repeated with those of its tool, and a difference in score is explained.

`aisbench` follows AISBench's published configurations: AIME by equality of normalised strings, MATH-500 by math-verify
with their switches and their order of arguments; the thought is not stripped. `opencompass` is the same rule for
MATH-500, on what follows the thought. `open-r1` is its evaluation of February 2025: AIME's gold as an expression,
MATH-500's as LaTeX, both read from anywhere in the text. `math-verify` is that library with its defaults. Where a gold
is a whole worked solution, they read it as their tools do. The installed math-verify stands in for the version that
they pin (0.5.2), so a run of theirs can still differ on completions with several boxes, of which 0.5.2 took any.

`first-capital` and `first-option` are OpenCompass 0.4.1's rules for letters (CLUEWSC, MMLU).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from papergate.scoring.letters_of_peers import first_capital, first_option
from papergate.scoring.reading.boxes import boxes_backwards
from papergate.scoring.records import AnswerKind, Comparison

_SENTENCE_OF_ANSWER = re.compile(r"(?i)(?:final answer|answer is)")
_ENCLOSED = re.compile(r"\\(?:text|mbox|overline)\{(.*?)\}|\\boxed\{(.*)\}|\$(.*?)\$", re.DOTALL)
_REMOVED = re.compile(
    r"(?<![a-z])an? |\\\$|\\ | |\\!|\\left|\\right|\\%|%|\^\\circ|\^\{\\circ\}|\\text\{and\}|and|degrees?|units?|"
    r"square|dollars?|cents?|meters?|inches|feet|hours?|minutes?|days?|points|mph|ways|integers"
)
PRECISION = 5
"""Decimals that open-r1 compares."""
_POINT_ZERO = re.compile(r"(\d)\.0+(?!\d)")


def compare(gold: str, text: str, kind: AnswerKind, grader: str) -> Comparison:
    """Grade a whole completion by the rules of a tool; ``gold`` may be a worked solution."""
    if grader == "aisbench" and kind is AnswerKind.INTEGER:
        return _aime_strings(gold, text)
    if grader == "open-r1":
        return _open_r1(gold, text, kind)
    return _aisbench_math(gold, text) if grader in ("aisbench", "opencompass") else _math_verify(gold, text)


def _aime_strings(gold: str, text: str) -> Comparison:
    """Equality of strings after normalisation: `025` is not `25`, `25.0` is, and `70 and 5` is `705`."""
    given = _normalised(_aime_answer(text))
    return Comparison(equal=given == _normalised(gold), rule="aisbench strings", extracted=given)


def _aime_answer(text: str) -> str:
    """The last box, else the sentence that announces an answer, else the first sentence."""
    box = next(boxes_backwards(text), None)
    if box is not None:
        return box[2].removeprefix("{").removesuffix("}") if box[2].startswith("{") else box[2]
    sentences = text.split(".")
    return next((sentence for sentence in sentences if _SENTENCE_OF_ANSWER.search(sentence)), sentences[0])


def _normalised(answer: str) -> str:
    answer = _ENCLOSED.sub(lambda match: next(part for part in match.groups() if part is not None), answer)
    answer = _REMOVED.sub("", answer.partition("=")[2] or answer)
    answer = _POINT_ZERO.sub(r"\1", answer.replace("\n", "").rstrip(".")).replace("j", "i")
    return answer.replace(",", "") if answer.replace(",", "").isdigit() else answer


def _aisbench_math(gold: str, text: str) -> Comparison:
    from latex2sympy2_extended import NormalizationConfig
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    plain = [LatexExtractionConfig(), ExprExtractionConfig()]
    parsed_gold = _gold_in(gold, extraction_mode="first_match", extraction_config=plain)
    switches = NormalizationConfig(
        basic_latex=True, units=True, malformed_operators=False, nits=False, boxed="all", equations=True
    )
    boxed_only = LatexExtractionConfig(
        normalization_config=switches, boxed_match_priority=0, try_extract_without_anchor=False
    )
    parsed = parse(text, extraction_mode="first_match", extraction_config=[boxed_only], parsing_timeout=None)
    equal = bool(parsed_gold) and verify(parsed, parsed_gold, timeout_seconds=None)
    return Comparison(equal=bool(equal), rule="aisbench math-verify", extracted=_last(parsed))


def _gold_in(gold: str, **switches: Any) -> list[object]:  # noqa: ANN401 - math-verify's own
    """The right answer in a worked solution, or in the answer alone."""
    from math_verify import parse

    in_text: list[object] = parse(gold, parsing_timeout=None, **switches) if "\\boxed" in gold else []
    return in_text or list(parse(f"${gold}$", parsing_timeout=None, **switches))


def _open_r1(gold: str, text: str, kind: AnswerKind) -> Comparison:
    """Lighteval's extractive match as open-r1 sets it up: the first match of any pattern, five decimals."""
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    anywhere = [ExprExtractionConfig(), LatexExtractionConfig(boxed_match_priority=0)]
    if kind is AnswerKind.INTEGER:
        parsed_gold = parse(gold, extraction_config=[ExprExtractionConfig()], parsing_timeout=None)
    else:
        parsed_gold = _gold_in(gold, extraction_config=[LatexExtractionConfig()])
    parsed = parse(text, extraction_config=anywhere, parsing_timeout=None)
    equal = bool(parsed_gold) and verify(parsed_gold, parsed, float_rounding=PRECISION, timeout_seconds=None)
    return Comparison(equal=bool(equal), rule="open-r1", extracted=_last(parsed))


def _math_verify(gold: str, text: str) -> Comparison:
    from math_verify import parse, verify

    parsed_gold, parsed = (parse(part, parsing_timeout=None) for part in (f"${gold}$", text))
    equal = verify(parsed_gold, parsed, timeout_seconds=None)
    return Comparison(equal=bool(equal), rule="math-verify", extracted=_last(parsed))


def _last(parsed: list[object]) -> str | None:
    """The text that math-verify read, which it keeps after the parsed expression."""
    return str(parsed[-1]) if parsed else None


LETTERS: Mapping[str, Callable[[str, str], str]] = {"first-capital": first_capital, "first-option": first_option}
"""What a tool's rule reads in a text, from the letters that are options; empty where it reads none."""
