r"""Our own problems, written by a program: two benchmarks and an endless stream of worked solutions to train on.

``tiny-aime`` has AIME's shape (30 problems, integer answers from 0 to 999) and ``tiny-math`` has MATH-500's (500
problems, answers written as fractions, decimals, equations, pairs, radicals, degrees, intervals, lists, percentages).

Every exercise is defined by its family and a few numbers. A hash of these decides, before anything is trained, whether
the exercise belongs to the benchmarks, to validation, or to training; so no model trained here has seen a benchmark
problem, not even with its numbers swapped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import gcd
from random import Random
from typing import Literal

from papergate.errors import BenchmarkError

INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."
"""The sentence that follows every problem in a user turn, on a line of its own."""

AIME_LIMIT = 999
"""The largest answer of the AIME."""

SQUARE_FREE = (2, 3, 5, 6, 7, 10, 11, 13, 14, 15)
"""What stays under a root sign."""

Split = Literal["train", "validation", "benchmark"]
SIXTEENTHS: tuple[Split, ...] = ("benchmark",) * 2 + ("validation",) + ("train",) * 13
"""How the exercises are shared out; training needs most, and the benchmarks need room for 500 distinct ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One problem of a benchmark with its gold answer."""

    id: str
    problem: str
    answer: str
    family: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Exercise:
    """A problem with its worked solution.

    ``spellings`` are equivalent ways to write the answer; the first is the gold answer.
    """

    family: str
    numbers: tuple[int, ...]
    problem: str
    steps: str
    spellings: tuple[str, ...]

    @property
    def key(self) -> str:
        """What defines the exercise; the order of the numbers is left out, so 17 x 24 and 24 x 17 are one."""
        return f"{self.family} {sorted(self.numbers)}"

    @property
    def split(self) -> Split:
        """Where the exercise belongs, decided by a hash of its key."""
        return SIXTEENTHS[hashlib.sha256(self.key.encode()).digest()[0] % len(SIXTEENTHS)]


Family = Callable[[Random], Exercise]


def completion(exercise: Exercise, spelling: str) -> str:
    r"""Return what a reasoning model writes after ``<think>\n``: the thought, then one sentence with the answer."""
    return f"{exercise.steps}\n</think>\n\nThe answer is $\\boxed{{{spelling}}}$."


def _term(number: int) -> str:
    """Write a number where an operand stands: negative ones in brackets."""
    return f"({number})" if number < 0 else str(number)


def _minus(number: int) -> str:
    """Write what follows ``x`` in ``x - number``."""
    return f"- {number}" if number >= 0 else f"+ {-number}"


def _integer(family: str, numbers: tuple[int, ...], problem: str, steps: str, answer: int) -> Exercise:
    return Exercise(family=family, numbers=numbers, problem=problem, steps=steps, spellings=(str(answer),))


# ---- integer answers, like the AIME ----


def addition(rng: Random) -> Exercise:
    """Add two three-digit numbers, column by column."""
    a = rng.randint(100, 899)
    b = rng.randint(100, AIME_LIMIT - a)
    ones = a % 10 + b % 10
    tens = a // 10 % 10 + b // 10 % 10 + ones // 10
    steps = (
        f"Ones: {a % 10}+{b % 10}={ones}. Tens: {a // 10 % 10}+{b // 10 % 10}+{ones // 10}={tens}. "
        f"Hundreds: {a // 100}+{b // 100}+{tens // 10}={(a + b) // 100}. So the sum is {a + b}."
    )
    return _integer("addition", (a, b), f"Compute ${a} + {b}$.", steps, a + b)


def subtraction(rng: Random) -> Exercise:
    """Subtract a three-digit number, one digit at a time."""
    a = rng.randint(200, AIME_LIMIT)
    b = rng.randint(100, a)
    hundreds, tens, ones = b // 100 * 100, b // 10 % 10 * 10, b % 10
    first, second = a - hundreds, a - hundreds - tens
    steps = f"Hundreds: {a}-{hundreds}={first}. Tens: {first}-{tens}={second}. Ones: {second}-{ones}={a - b}."
    return _integer("subtraction", (a, b), f"Compute ${a} - {b}$.", steps, a - b)


def multiple(rng: Random) -> Exercise:
    """Multiply a number of two or three digits by a digit, with carries."""
    b = rng.randint(3, 9)
    a = rng.randint(34, AIME_LIMIT // b)
    ones = a % 10 * b
    tens = a // 10 % 10 * b + ones // 10
    steps = (
        f"Ones: {a % 10}*{b}={ones}. Tens: {a // 10 % 10}*{b}+{ones // 10}={tens}. "
        f"Hundreds: {a // 100}*{b}+{tens // 10}={a * b // 100}. So the product is {a * b}."
    )
    return _integer("multiple", (a, b), f"Compute ${a} \\times {b}$.", steps, a * b)


def product(rng: Random) -> Exercise:
    """Multiply two two-digit numbers by splitting the second one."""
    a = rng.randint(11, 80)
    b = rng.randint(11, min(99, AIME_LIMIT // a))
    by_tens, by_ones = a * (b // 10 * 10), a * (b % 10)
    steps = (
        f"Split the second factor: {a}*{b // 10 * 10}={by_tens} and {a}*{b % 10}={by_ones}. "
        f"Add: {by_tens}+{by_ones}={a * b}."
    )
    return _integer("product", (a, b), f"Compute ${a} \\times {b}$.", steps, a * b)


def remainder(rng: Random) -> Exercise:
    """Find a remainder by long division of a three-digit number by a digit."""
    a, b = rng.randint(100, AIME_LIMIT), rng.randint(3, 9)
    lines, rest = [], a // 100
    for digit in (a // 10 % 10, a % 10):
        part = rest * 10 + digit
        lines.append(f"{part}-{b}*{part // b}={part % b}.")
        rest = part % b
    return _integer(
        "remainder",
        (a, b),
        f"What is the remainder when ${a}$ is divided by ${b}$?",
        f"Divide digit by digit. {' '.join(lines)}",
        rest,
    )


def common_divisor(rng: Random) -> Exercise:
    """Find a greatest common divisor by Euclid's algorithm."""
    factor = rng.randint(2, 40)
    larger = rng.randint(3, 12)
    smaller = rng.randint(2, larger - 1)
    a, b = factor * larger, factor * smaller
    lines, x, y = [], a, b
    while y:
        lines.append(f"{x}={y}*{x // y}+{x % y}.")
        x, y = y, x % y
    problem = f"Find the greatest common divisor of ${a}$ and ${b}$."
    return _integer("common divisor", (a, b), problem, f"Use Euclid. {' '.join(lines)}", x)


def equation(rng: Random) -> Exercise:
    """Solve a x + b = c with a two-digit solution."""
    a, x, b = rng.randint(3, 9), rng.randint(13, 99), rng.randint(2, 99)
    c = a * x + b
    tens = a * (x // 10 * 10)
    steps = (
        f"Subtract: {c}-{b}={c - b}. Divide: {a}*{x // 10 * 10}={tens}, {c - b}-{tens}="
        f"{c - b - tens}, {a}*{x % 10}={c - b - tens}. So x is {x}."
    )
    return _integer("equation", (a, b, c), f"If ${a}x + {b} = {c}$, what is $x$?", steps, x)


def series(rng: Random) -> Exercise:
    """Sum an arithmetic series of an even number of terms, in pairs."""
    start, step, pairs = rng.randint(2, 30), rng.randint(2, 9), rng.randint(2, 5)
    span = step * (2 * pairs - 1)
    last = start + span
    total = pairs * (start + last)
    problem = (
        f"Find the sum of the first ${2 * pairs}$ terms of the arithmetic sequence "
        f"${start}, {start + step}, {start + 2 * step}, \\ldots$"
    )
    steps = (
        f"Step: {step}. Last: {step}*{2 * pairs - 1}={span}, {start}+{span}={last}. "
        f"Pairs: {start}+{last}={start + last}, {start + last}*{pairs}={total}."
    )
    return _integer("series", (start, step, 2 * pairs), problem, steps, total)


# ---- the forms of answer that MATH-500 has ----


def fraction(rng: Random) -> Exercise:
    """Add two proper fractions in lowest terms; coprime denominators keep the sum in lowest terms."""
    b, d = rng.choice([(b, d) for b in range(2, 13) for d in range(2, 13) if gcd(b, d) == 1])
    a = rng.choice([n for n in range(1, b) if gcd(n, b) == 1])
    c = rng.choice([n for n in range(1, d) if gcd(n, d) == 1])
    top, bottom = a * d + c * b, b * d
    steps = f"Bottom: {b}*{d}={bottom}. Top: {a}*{d}={a * d}, {c}*{b}={c * b}, {a * d}+{c * b}={top}."
    return Exercise(
        family="fraction",
        numbers=(a, b, c, d),
        problem=f"Write $\\frac{{{a}}}{{{b}}} + \\frac{{{c}}}{{{d}}}$ as a single fraction in lowest terms.",
        steps=steps,
        spellings=(f"\\frac{{{top}}}{{{bottom}}}", f"\\dfrac{{{top}}}{{{bottom}}}", f"{top}/{bottom}"),
    )


def decimal(rng: Random) -> Exercise:
    """Add two numbers with one decimal place; the sum is not whole."""
    a, b = rng.randint(1, 299), rng.randint(1, 99)
    b += (a + b) % 10 == 0
    tenths = a % 10 + b % 10
    whole, carry, tenth = (a + b) // 10, tenths // 10, tenths % 10
    short = f"{whole}.{tenth}" if whole else f".{tenth}"
    return Exercise(
        family="decimal",
        numbers=(a, b),
        problem=f"Compute ${a // 10}.{a % 10} + {b // 10}.{b % 10}$ as a decimal.",
        steps=f"Tenths: {a % 10}+{b % 10}={tenths}. Wholes: {a // 10}+{b // 10}+{carry}={whole}.",
        spellings=(f"{whole}.{tenth}", f"{whole}.{tenth}0", short),
    )


def solution(rng: Random) -> Exercise:
    """Solve a x - b = c or a x + b = c; the solution is a whole number between -12 and 12."""
    a, b, x = rng.randint(2, 9), rng.choice([*range(-20, 0), *range(1, 21)]), rng.randint(-12, 12)
    c = a * x - b
    return Exercise(
        family="solution",
        numbers=(a, b, c),
        problem=f"Solve ${a}x {_minus(b)} = {c}$ for $x$.",
        steps=f"{a}x={c}{b:+}={c + b}. x={c + b}/{a}={x}.",
        spellings=(f"x={x}", f"x = {x}", str(x)),
    )


def midpoint(rng: Random) -> Exercise:
    """Find the midpoint of a segment; it has whole coordinates."""
    x, y, dx, dy = (rng.randint(-9, 9) for _ in range(4))
    a, b, c, d = x - dx, y - dy, x + dx, y + dy
    return Exercise(
        family="midpoint",
        numbers=(a, b, c, d),
        problem=f"Find the midpoint of the segment from $({a}, {b})$ to $({c}, {d})$ as an ordered pair.",
        steps=f"{a}+{_term(c)}={2 * x}, {2 * x}/2={x}. {b}+{_term(d)}={2 * y}, {2 * y}/2={y}.",
        spellings=(f"({x},{y})", f"({x}, {y})", f"\\left({x},{y}\\right)"),
    )


def radical(rng: Random) -> Exercise:
    """Add two multiples of one square root, the first of them hidden under the root sign."""
    a, b, root = rng.randint(2, 12), rng.randint(2, 40), rng.choice(SQUARE_FREE)
    return Exercise(
        family="radical",
        numbers=(a, b, root),
        problem=f"Simplify $\\sqrt{{{a * a} \\cdot {root}}} + {b}\\sqrt{{{root}}}$.",
        steps=f"The root of {a * a} is {a}. {a}+{b}={a + b}. The root of {root} stays.",
        spellings=(f"{a + b}\\sqrt{{{root}}}", f"{a + b} \\sqrt{{{root}}}"),
    )


def angle(rng: Random) -> Exercise:
    """Find the third angle of a triangle in degrees."""
    a = rng.randint(15, 120)
    b = rng.randint(15, 165 - a)
    third = 180 - a - b
    return Exercise(
        family="angle",
        numbers=(a, b),
        problem=f"Two angles of a triangle are ${a}^\\circ$ and ${b}^\\circ$. Find the third angle.",
        steps=f"{a}+{b}={a + b}. The angles add up to 180. 180-{a + b}={third}.",
        spellings=(f"{third}^\\circ", f"{third}^{{\\circ}}", str(third)),
    )


def interval(rng: Random) -> Exercise:
    """Solve |x - a| <= b."""
    a, b = rng.choice([*range(-20, 0), *range(1, 21)]), rng.randint(1, 30)
    low, high = a - b, a + b
    return Exercise(
        family="interval",
        numbers=(a, b),
        problem=f"Solve $|x {_minus(a)}| \\le {b}$. Give the answer in interval notation.",
        steps=f"The centre is {a}. {a}-{b}={low}. {a}+{b}={high}.",
        spellings=(f"[{low},{high}]", f"[{low}, {high}]", f"\\left[{low},{high}\\right]"),
    )


def roots(rng: Random) -> Exercise:
    """Solve (x - a)^2 = b^2; the answer is an unordered list of two whole numbers."""
    a, b = rng.choice([*range(-25, 0), *range(1, 26)]), rng.randint(1, 12)
    low, high = a - b, a + b
    return Exercise(
        family="roots",
        numbers=(a, b),
        problem=f"Find all solutions of $(x {_minus(a)})^2 = {b * b}$, separated by commas.",
        steps=f"The root of {b * b} is {b}. {a}-{b}={low}. {a}+{b}={high}.",
        spellings=(f"{low},{high}", f"{low}, {high}", f"{high},{low}"),
    )


def percentage(rng: Random) -> Exercise:
    """Turn a part of a class into a percentage."""
    size = rng.choice((20, 25, 50, 100))
    walk = rng.randint(1, size - 2)
    cycle = rng.randint(1, size - 1 - walk)
    part, unit = walk + cycle, 100 // size
    return Exercise(
        family="percentage",
        numbers=(size, walk, cycle),
        problem=f"Of ${size}$ pupils, ${walk}$ walk to school and ${cycle}$ cycle. What percentage is that together?",
        steps=f"{walk}+{cycle}={part}. One pupil is 100/{size}={unit} percent. {part}*{unit}={part * unit}.",
        spellings=(f"{part * unit}\\%", f"{part * unit}"),
    )


def value(rng: Random) -> Exercise:
    """Evaluate a b + c or a b - c; the value is a whole number, perhaps negative."""
    a, b, c = rng.randint(2, 12), rng.randint(2, 12), rng.choice([*range(-60, 0), *range(1, 61)])
    problem = f"Evaluate ${a} \\cdot {b} {_minus(c)}$."
    steps = f"{a}*{b}={a * b}. {a * b}{-c:+}={a * b - c}."
    return _integer("value", (a, b, c), problem, steps, a * b - c)


AIME: tuple[Family, ...] = (
    addition,
    subtraction,
    multiple,
    product,
    remainder,
    common_divisor,
    equation,
    series,
)
MATH: tuple[Family, ...] = (
    fraction,
    decimal,
    solution,
    midpoint,
    radical,
    angle,
    interval,
    roots,
    percentage,
    value,
)
BENCHMARKS: dict[str, tuple[tuple[Family, ...], int]] = {"tiny-aime": (AIME, 30), "tiny-math": (MATH, 500)}
"""The families and the number of problems of each benchmark."""


def _generator(seed: int | str) -> Random:
    return Random(seed)  # noqa: S311 - exercises must repeat; nothing here is secret


def exercises(families: tuple[Family, ...], split: Split, seed: int | str) -> Iterator[Exercise]:
    """Draw exercises of one split without end, the families in turn."""
    rng = _generator(seed)
    while True:
        for family in families:
            exercise = family(rng)
            while exercise.split != split:
                exercise = family(rng)
            yield exercise


def benchmark(name: str) -> tuple[Problem, ...]:
    """Return the problems of ``tiny-aime`` (30) or ``tiny-math`` (500), always the same ones.

    Raises:
        BenchmarkError: for any other name.
    """
    if name not in BENCHMARKS:
        accepted = " and ".join(repr(known) for known in BENCHMARKS)
        raise BenchmarkError(f"no embedded benchmark is called {name!r}; accepted are {accepted}")
    families, size = BENCHMARKS[name]
    chosen = islice(_distinct(exercises(families, "benchmark", name)), size)
    return tuple(
        Problem(
            id=f"{name}-{number:03}",
            problem=exercise.problem,
            answer=exercise.spellings[0],
            family=exercise.family,
        )
        for number, exercise in enumerate(chosen, start=1)
    )


def _distinct(drawn: Iterator[Exercise]) -> Iterator[Exercise]:
    seen: set[str] = set()
    for exercise in drawn:
        if exercise.key not in seen:
            seen.add(exercise.key)
            yield exercise


def training_examples(seed: int) -> Iterator[tuple[str, str]]:
    """Yield (problem, completion) without end; the answer is spelled in one of its ways at random."""
    rng = _generator(f"spelling {seed}")
    for exercise in exercises((*AIME, *MATH), "train", seed):
        yield exercise.problem, completion(exercise, rng.choice(exercise.spellings))
