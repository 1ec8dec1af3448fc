"""Pairs of drawn and mutated answers through the whole checker: extraction, every layer in the process, votes.

    python studies/fuzzing.py PAIRS [--seed N] [--answers FILE.jsonl ...]

Draws answers from a grammar, mutates and joins them with the recorded cases (and with the golds and answers of the
files), and lists every pair that raised, that ended in the rule `error`, that took over a CPU second or never ended,
that is graded otherwise the other way round, or whose answer is not its own equal.
"""

import argparse
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from papergate.scoring import AnswerKind, equivalent, extract, vote_key

CASES = Path(__file__).parents[1] / "tests" / "scoring" / "cases" / "equivalence.jsonl"
ENDLESS_S = 20.0  # CPU seconds after which a pair is ended and listed
SLOW_S = 1.0  # CPU seconds; the promise to a caller is five seconds of wall time
SHOWN = 40  # faults listed of each kind
PROGRESS = 50_000  # pairs after which the counts so far are printed
LEAVES = r"""
0 1 2 7 10 -3 0.5 1.333333 12,345 1\,234.5 \frac12 \frac{3}{4} 1/3 x y n k \pi e i \infty \sqrt{2} \sqrt[3]{5}
5\% 90^\circ 2^{20000} 10^{5000} x^{10} a_1 a_{12} \sin x \ln 2 \log_2 8 |x| \lfloor x\rfloor \text{cm} 5\text{
cm} \$3 \text{even} \emptyset 10^{-10^{9}} 9^{9^{9}} 99! \binom{10}{3} C_5^2 0.\overline{3} 1011_2 \mathbb{R}
\mathbb{Z} \ldots 3:4 \{1,2\} (1,2) [0,1) seven \sum_{k=1}^{10}k \sum_{k=1}^nk^2 \int_0^1x\,dx \lim_{x\to0}x
\max(x,3) \arcsin(x) \begin{pmatrix}1\\2\end{pmatrix} \vec{v} f(x) 三 ② ½ 1e-3 3! 2^{10} \theta
"""
JOINS = r"""
+ - * / = < > \le \ge \ne , ; : ^ _ \cdot \times \pm \cup \cap \setminus \in \to \implies \approx \text{and}
\text{or} \text{for} \text{if} \parallel \mid \pmod | ! ' \% ^\circ \over \\ & \quad
"""
WRAPS = (
    r"({})", r"\left({}\right)", r"[{}]", r"\{{{}\}}", r"\frac{{{}}}{{2}}", r"\sqrt{{{}}}", r"|{}|", r"x={}",
    r"f(x)={}",
    r"{}^2",
    r"{}!", r"\sin({})", r"\text{{{}}}", r"\boxed{{{}}}", r"${}$", r"\[{}\]", r"{{{}}}", r"\ln({})", r"e^{{{}}}",
    r"{}, k\in\mathbb{{Z}}", r"{} \text{{ for }} x>0", r"\begin{{cases}}{}\end{{cases}}", r"\overline{{{}}}",
    r"{}_8",
    r"\begin{{pmatrix}}{}\end{{pmatrix}}", r"\lfloor {} \rfloor", r"{} million",
    r"\textcolor{{red}}{{{}}}", r"]{}[",
    r"\max({},1)", r"-{}", r"{}\text{{ m/s}}", "**{}**",
    "not {}", "{} is wrong, so", "is it {}?", "~~{}~~", "<del>{}</del>", "<!-- {} -->", r"\cancel{{{}}}",
    "{}. Wait, no:",
    "suppose the answer is {}", "a format such as {}, and", "it would be {} if", "不是{}而是", "{}是错误的", "❌ {}",
    "the answer is {}", "Answer: {}\n", "答案是{}。", "{}</think>",
)  # fmt: skip
ODD_SIGNS = r"\{}()[]|^_,;:.=<>+-*/!'%$& 0123456789xynkeiπ°½²√∞≤≠、。，①三" + "\n\x00\ud800"
SIGNS = [*ODD_SIGNS, *LEAVES.split(), *JOINS.split()]


class Source:
    """A seeded stream of answers."""

    def __init__(self, seed: int, known: list[str]) -> None:
        self._random = random.Random(seed)
        self._known = known
        self._leaves, self._joins = LEAVES.split(), JOINS.split()

    def pairs(self, count: int) -> Iterator[tuple[str, str]]:
        for _ in range(count):
            one = self._answer()
            yield one, self._mutated(one) if self._random.randrange(2) else self._answer()

    def _answer(self) -> str:
        draw = self._random.randrange(10)
        if draw < 6:
            known = self._random.choice(self._known)
            return known if draw < 4 else self._mutated(known)
        return self._drawn(self._random.randrange(1, 5))

    def _drawn(self, depth: int) -> str:
        draw = self._random.randrange(10)
        if depth == 0 or draw < 2:
            return self._random.choice(self._leaves)
        if draw < 6:
            return self._random.choice(WRAPS).format(self._drawn(depth - 1))
        return f"{self._drawn(depth - 1)} {self._random.choice(self._joins)} {self._drawn(depth - 1)}"

    def _mutated(self, text: str) -> str:
        for _ in range(self._random.randrange(1, 4)):
            at, end = sorted(self._random.randrange(len(text) + 1) for _ in range(2))
            sign = self._random.choice(SIGNS)
            changes = (
                text[:at] + sign + text[at:],
                text[:at] + text[at + 1 :],
                text[:at] + sign + text[at + 1 :],
                text[:at] + text[at:end] * 2 + text[end:],
                text[:end] + text[at:],
                self._random.choice(WRAPS).format(text),
            )
            text = self._random.choice(changes)
        return text[:2_000]


def known_answers(paths: list[Path]) -> list[str]:
    rows = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted({str(row[name])[:1_000] for row in rows for name in ("gold", "answer") if row.get(name)})


def faults_of(one: str, other: str) -> Iterator[str]:
    """What is wrong with how a pair is graded."""
    results = (equivalent(one, other), equivalent(other, one))
    rules = {result.rule for result in results}
    if "error" in rules:
        yield f"error: {results[0].reason or results[1].reason}"
    if results[0].equal is not results[1].equal and not rules & {"unreadable", "letter", "base"}:
        yield "not symmetric"
    itself = equivalent(one, f" {one} ")
    if itself.equal is not True and one.strip():
        yield f"not its own equal: {itself.rule}"
    vote_key(one)
    for kind in AnswerKind:
        extract(f"thought</think>{other} \\boxed{{{one}}} {other}", kind=kind, thinks=True)
        extract(f"{other} the answer is {one}", kind=kind, thinks=False)


class NeverEnded(BaseException):
    """A pair took longer than any may; no boundary of the checker takes it for a fault of its own."""


def never_ended(_signal: int, _frame: FrameType | None) -> None:
    raise NeverEnded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answers", nargs="*", type=Path, default=[])
    args = parser.parse_args()
    counts: Counter[str] = Counter()
    slowest = 0.0
    pairs = Source(args.seed, known_answers([CASES, *args.answers])).pairs(args.pairs)
    signal.signal(signal.SIGVTALRM, never_ended)
    for done, (one, other) in enumerate(pairs, 1):
        started = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, ENDLESS_S)
        try:
            faults = list(faults_of(one, other))
        except (Exception, NeverEnded) as error:  # noqa: BLE001 - the fault that is looked for
            faults = [f"raised {type(error).__name__}"]
        seconds = time.process_time() - started
        slowest = max(slowest, seconds)
        faults += ["slow"] if seconds > SLOW_S else []
        for fault in faults:
            counts[fault] += 1
            if counts[fault] <= SHOWN:
                print(f"{fault}: {one!r} | {other!r} ({seconds:.2f} s)", flush=True)
        if done % PROGRESS == 0:
            print(f"{done:,} pairs, slowest {slowest:.2f} CPU s, faults: {dict(counts) or 'none'}", flush=True)
    print(f"{args.pairs:,} pairs, slowest {slowest:.2f} CPU s, faults: {dict(counts) or 'none'}")


if __name__ == "__main__":
    main()
