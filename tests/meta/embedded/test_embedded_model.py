import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from math import gcd, isqrt

import pytest

from papergate.embedded import MODEL_DIR
from papergate.embedded.problems import (
    AIME,
    BENCHMARKS,
    INSTRUCTION,
    MATH,
    Problem,
    benchmark,
    exercises,
    training_examples,
)
from papergate.errors import BenchmarkError

DIGESTS = {
    "tiny-aime": "3adfd23549a04fbebf1d6b3c3f8a62b85868096cf81e8d5a5fa2c42e086f02cc",
    "tiny-math": "78b56a2dcc2eaa4ce1dc272b133043110aa5e0a56205d7c9f90d2b589093a5a6",
}
LARGEST_FOLDER = 4_000_000
TRAINING_SAMPLE = 20_000


def both_benchmarks() -> list[Problem]:
    return [problem for name in BENCHMARKS for problem in benchmark(name)]


# ---- the benchmarks ----


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_never_changes(name):
    rows = json.dumps([asdict(problem) for problem in benchmark(name)], sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(rows.encode()).hexdigest() == DIGESTS[name]


@pytest.mark.parametrize(("name", "rows"), [("tiny-aime", 30), ("tiny-math", 500)])
def test_benchmark_has_the_size_of_its_model(name, rows):
    assert len(benchmark(name)) == rows


def test_unknown_benchmark_is_refused_with_the_accepted_names():
    with pytest.raises(BenchmarkError, match="'aime2024'; accepted are 'tiny-aime' and 'tiny-math'"):
        benchmark("aime2024")


def test_no_two_problems_share_a_text_or_an_id():
    problems = both_benchmarks()
    assert len({problem.problem for problem in problems}) == len(problems)
    assert len({problem.id for problem in problems}) == len(problems)


def test_answers_of_tiny_aime_are_integers_up_to_999():
    assert all(problem.answer == str(int(problem.answer)) for problem in benchmark("tiny-aime"))
    assert all(0 <= int(problem.answer) <= 999 for problem in benchmark("tiny-aime"))


def test_training_never_shows_a_benchmark_problem():
    trained_on = {problem for problem, _ in islice(training_examples(0), TRAINING_SAMPLE)}
    assert trained_on.isdisjoint(problem.problem for problem in both_benchmarks())


def test_splits_share_no_exercise_even_with_its_numbers_swapped():
    families = (*AIME, *MATH)
    train, validation, held_out = (
        {exercise.key for exercise in islice(exercises(families, split, 0), TRAINING_SAMPLE)}
        for split in ("train", "validation", "benchmark")
    )
    assert train.isdisjoint(held_out)
    assert train.isdisjoint(validation)
    assert validation.isdisjoint(held_out)


# ---- every answer, worked out anew from the text of its problem ----


def numbers_in(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"-?\d+", text.replace("- ", "-"))]


def whole(value: Fraction) -> int:
    assert value.denominator == 1
    return value.numerator


def series_sum(terms: int, first: int, second: int, _third: int) -> str:
    return str(sum(first + (second - first) * index for index in range(terms)))


def fraction_sum(a: int, b: int, c: int, d: int) -> str:
    total = Fraction(a, b) + Fraction(c, d)
    return f"\\frac{{{total.numerator}}}{{{total.denominator}}}"


def radical_sum(square: int, root: int, count: int, same_root: int) -> str:
    assert root == same_root
    assert isqrt(square) ** 2 == square
    return f"{isqrt(square) + count}\\sqrt{{{root}}}"


def two_roots(minus_centre: int, _exponent: int, square: int) -> str:
    low, high = -minus_centre - isqrt(square), -minus_centre + isqrt(square)
    assert all((root + minus_centre) ** 2 == square for root in (low, high))
    return f"{low},{high}"


GOLD: dict[str, Callable[..., str]] = {
    "addition": lambda a, b: str(a + b),
    "subtraction": lambda a, minus_b: str(a + minus_b),
    "multiple": lambda a, b: str(a * b),
    "product": lambda a, b: str(a * b),
    "remainder": lambda a, b: str(a % b),
    "common divisor": lambda a, b: str(gcd(a, b)),
    "equation": lambda a, b, c: str(whole(Fraction(c - b, a))),
    "series": series_sum,
    "fraction": fraction_sum,
    "decimal": lambda a, b, c, d: str(Decimal(f"{a}.{b}") + Decimal(f"{c}.{d}")),
    "solution": lambda a, b, c: f"x={whole(Fraction(c - b, a))}",
    "midpoint": lambda a, b, c, d: f"({whole(Fraction(a + c, 2))},{whole(Fraction(b + d, 2))})",
    "radical": radical_sum,
    "angle": lambda a, b: f"{180 - a - b}^\\circ",
    "interval": lambda minus_centre, radius: f"[{-minus_centre - radius},{-minus_centre + radius}]",
    "roots": two_roots,
    "percentage": lambda size, walk, cycle: f"{whole(Fraction(100 * (walk + cycle), size))}\\%",
    "value": lambda a, b, c: str(a * b + c),
}


@pytest.mark.parametrize("family", GOLD)
def test_gold_answers_follow_from_the_problems(family):
    problems = [problem for problem in both_benchmarks() if problem.family == family]
    assert problems
    for problem in problems:
        assert problem.answer == GOLD[family](*numbers_in(problem.problem)), problem


def test_training_boxes_the_answer_after_the_thought():
    for problem, completion in islice(training_examples(0), 1_000):
        thought, answer = completion.split("\n</think>\n\n")
        assert "boxed" not in thought
        assert re.fullmatch(r"The answer is \$\\boxed\{.+\}\$\.", answer), (problem, completion)


# ---- the shipped model ----


@pytest.fixture(scope="module")
def tokenizer():
    return pytest.importorskip("transformers").AutoTokenizer.from_pretrained(MODEL_DIR)


@pytest.fixture(scope="module")
def model():
    pytest.importorskip("torch")
    return pytest.importorskip("transformers").AutoModelForCausalLM.from_pretrained(MODEL_DIR)


def chat(tokenizer, problem: str) -> str:
    turn = {"role": "user", "content": f"{problem}\n{INSTRUCTION}"}
    return tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True)


def test_model_folder_is_small_enough_to_ship():
    assert sum(path.stat().st_size for path in MODEL_DIR.iterdir()) <= LARGEST_FOLDER


def test_generation_prompt_opens_the_thought(tokenizer):
    assert chat(tokenizer, "Compute $1 + 1$.").endswith("<think>\n")


def test_chat_template_gives_the_prompt_the_model_was_trained_on(tokenizer):
    from studies.tokenizer import prompt_text

    assert chat(tokenizer, "Compute $1 + 1$.") == prompt_text("Compute $1 + 1$.")


def test_digits_are_tokens_of_their_own(tokenizer):
    assert tokenizer.convert_ids_to_tokens(tokenizer("2026")["input_ids"]) == ["2", "0", "2", "6"]


def test_marks_of_the_thought_survive_skip_special_tokens(tokenizer):
    ids = tokenizer("<think>\n1\n</think>\n\n2<|end|>")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "<think>\n1\n</think>\n\n2"


def test_tokenizer_gives_back_every_text(tokenizer):
    for problem, completion in islice(training_examples(0), 200):
        assert tokenizer.decode(tokenizer(problem + completion)["input_ids"]) == problem + completion


def test_greedy_completions_close_the_thought_and_box_an_answer(model, tokenizer):
    from studies.train import answers, boxed

    problems = [problem.problem for problem in benchmark("tiny-math")[:10]]
    assert None not in [boxed(text) for text in answers(model, tokenizer, problems)]


# ---- the training ----


def test_muon_directions_are_nearly_orthogonal():
    torch = pytest.importorskip("torch")
    from studies.train import orthogonalise

    gradient = torch.randn(2, 48, 16, generator=torch.Generator().manual_seed(0))
    singular_values = torch.linalg.svdvals(orthogonalise(gradient))
    assert singular_values.min() > 0.6
    assert singular_values.max() < 1.3


def test_learning_rate_rises_then_falls_to_zero():
    from studies.train import WARM_UP_STEPS, Cycle, rate_at

    rates = [rate_at(step, Cycle(steps=1_000, peak=0.5)) for step in range(1_001)]
    assert rates.index(max(rates)) == WARM_UP_STEPS - 1
    assert rates[-1] == 0


def test_only_the_completion_counts_in_the_loss():
    pytest.importorskip("torch")
    from studies.train import Sequence, padded

    _, targets = padded([Sequence(ids=[5, 6, 7, 8], prompt=2), Sequence(ids=[5, 6], prompt=1)], pad=0)
    assert targets.tolist() == [[-100, -100, 7, 8], [-100, 6, -100, -100]]
