"""Near misses of real gold answers: changes that make another answer of a right one, none of which is accepted."""

import json
import random
import re

from papergate.scoring import AnswerKind, equivalent
from tests.scoring.test_cases import OWN

COUNT = 3_000
OTHERS = (  # what makes another answer of every answer but zero
    "{} \\text{{ million}}", "{} thousand", "\\text{{not }}{}", "\\ne {}", "{} \\text{{ is wrong}}",
    "{}\\text{{ at most}}", "\\text{{at least }}{}", "<{}", "\\ge {}", "{}\\to 1", "{}'", "{}+1", "2+{}",
    "{}, 10001", "{} or 10001", "{} \\\\ 10001", "10001 \\\\ {}", "10001\\to {}", "{}\\oplus 1", "{}\\#1",
    "{} | 10001", "{}\\approx 10001", "{}=10001", "e^{{{}}}", "\\sin({})", "\\sin {}", "17^{{{}}}",
    "10001_{{{}}}", "{}\\ldots", "x^{{{}}}", "{}\\cdot x", "10001\\text{{ of }}{}", "\\binom{{10001}}{{{}}}",
    "{}:10001", "\\text{{incorrect: }}{}", "{}+C", "{}+\\ldots", "{},\\text{{ where }}6", "{}?",
)  # fmt: skip
STAY_THE_SAME = {"0", "1", "-1"}  # powers and products leave them as they are


def golds_of(shared):
    rows = [
        json.loads(line)
        for name in ("math_500", "aime_2022", "aime_2023", "aime_2024", "aime_2025")
        for line in (shared / "datasets" / f"{name}.jsonl").read_text().splitlines()
    ]
    return sorted({str(row["answer"]) for row in rows if not row["answer"].endswith("= 0")} - STAY_THE_SAME)


def near_misses_of(gold):
    """Answers that differ from a gold answer for certain."""
    yield from (other.format(gold) for other in OTHERS)
    yield from _with_one_part_changed(gold)
    if re.fullmatch(r"-?\d+", gold):
        for at, digit in enumerate(gold):
            if digit.isdecimal():
                yield f"{gold[:at]}{(int(digit) + 1) % 10}{gold[at + 1 :]}"
        yield from (
            f"{gold}0",
            f"{gold}.5",
            f"-({gold})",
            f"{gold}/2",
            f"\\sqrt{{{gold}}}",
            f"({gold},{gold})",
            f"{gold}_{{36}}",
        )


def _with_one_part_changed(gold):
    """Another number, the other sign, the reciprocal, the radicand without its root, a member less."""
    for number in re.finditer(r"\d+", gold):
        yield f"{gold[: number.start()]}{int(number[0]) + 1}{gold[number.end() :]}"
    for sign in re.finditer(r"(?<=[\w) }])[+-]", gold):
        yield f"{gold[: sign.start()]}{'-' if sign[0] == '+' else '+'}{gold[sign.end() :]}"
    for change in (
        (r"\\frac\{(\d+)\}\{(\d+)\}", r"\\frac{\2}{\1}"),
        (r"\\sqrt\{(\d+)\}", r"\1"),
        (r", ?[^,]+(?=[)}]|$)", ""),
    ):
        changed = re.sub(*change, gold, count=1)
        if changed != gold:
            yield changed


def test_no_near_miss_of_a_gold_answer_is_accepted(shared):
    pairs = [(gold, other) for gold in golds_of(shared) for other in near_misses_of(gold)]
    chosen = random.Random(2024).sample(pairs, COUNT)
    accepted = [pair for pair in chosen if equivalent(*pair).equal]
    assert accepted == []


def test_no_near_miss_of_an_integer_is_accepted():
    pairs = [(str(gold), other) for gold in (2, 25, 204, 721) for other in near_misses_of(str(gold))]
    accepted = [pair for pair in pairs if equivalent(*pair, AnswerKind.MATH).equal]
    assert accepted == []


def test_a_pair_is_graded_alike_from_both_sides():
    """Except where the gold answer states what the answer may leave out: a letter with its text, or a base."""
    pairs = [(case["gold"], case["answer"]) for case in OWN]
    results = {pair: (equivalent(*pair), equivalent(*reversed(pair))) for pair in pairs}
    differing = [
        pair
        for pair, (one, other) in results.items()
        if one.equal is not other.equal and not {one.rule, other.rule} & {"unreadable", "letter", "base"}
    ]
    assert differing == []
