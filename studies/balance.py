"""Which endpoint gets the next request: the fewest requests in flight, or the fewest output tokens outstanding?

``python -m studies.balance`` simulates both, event by event, on replicas that share their speed among what they serve,
some of them slower than others. Outstanding tokens are known exactly (no runner knows them), or guessed: what answers
to the problem had on average, less what this one has so far.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean

PROBLEMS, SAMPLES = 30, 64
MEAN_TOKENS, MOST_TOKENS = 9500, 32_768
TOKENS_PER_S, STREAM_TOKENS_PER_S, IN_FLIGHT = 2500.0, 60.0, 64
SEEDS = 8


@dataclass(kw_only=True, slots=True)
class Answer:
    tokens: float
    guessed: float
    left: float


@dataclass(kw_only=True, slots=True)
class Replica:
    speed: float
    answers: list[Answer] = field(default_factory=list)

    @property
    def each(self) -> float:
        """Tokens per second of one answer."""
        whole, stream = self.speed * TOKENS_PER_S, self.speed * STREAM_TOKENS_PER_S
        return min(stream, whole / max(1, len(self.answers)))

    def next_s(self) -> float:
        return min((answer.left for answer in self.answers), default=float("inf")) / self.each

    def go_on(self, step_s: float) -> int:
        """Let time pass; how many answers ended."""
        tokens, before = self.each * step_s, len(self.answers)
        for answer in self.answers:
            answer.left -= tokens
        self.answers = [answer for answer in self.answers if answer.left > 1e-6]
        return before - len(self.answers)


def in_flight(replica: Replica) -> float:
    return len(replica.answers)


def known_tokens(replica: Replica) -> float:
    return sum(answer.left for answer in replica.answers)


def guessed_tokens(replica: Replica) -> float:
    """An answer that is longer than was guessed is expected to go on for as long as the mean of what is memoryless."""
    return sum(max(answer.guessed - (answer.tokens - answer.left), answer.guessed / 4) for answer in replica.answers)


WAYS: dict[str, Callable[[Replica], float]] = {
    "fewest in flight": in_flight,
    "fewest tokens, known": known_tokens,
    "fewest tokens, guessed": guessed_tokens,
}
FLEETS = {
    "2 alike": (1.0,) * 2,
    "8 alike": (1.0,) * 8,
    "2, one at half the speed": (1.0, 0.5),
    "8, one at half the speed": (*(1.0,) * 7, 0.5),
    "8, two at a quarter": (*(1.0,) * 6, 0.25, 0.25),
}


def answers(seed: int) -> Iterator[Answer]:
    """Problems of unlike length, the long ones first, as from the second look on."""
    dice = random.Random(seed)
    means = sorted((dice.lognormvariate(0, 0.7) * MEAN_TOKENS for _ in range(PROBLEMS)), reverse=True)
    for mean in [mean for _ in range(SAMPLES) for mean in means]:
        tokens = min(MOST_TOKENS, dice.gammavariate(3, mean / 3))
        yield Answer(tokens=tokens, guessed=min(mean, MOST_TOKENS), left=tokens)


def seconds(way: Callable[[Replica], float], speeds: Sequence[float], seed: int) -> float:
    replicas, waiting, now_s = [Replica(speed=speed) for speed in speeds], answers(seed), 0.0
    free = IN_FLIGHT * len(replicas)
    while True:
        for _, answer in zip(range(free), waiting, strict=False):
            min(replicas, key=way).answers.append(answer)
        busy = [replica for replica in replicas if replica.answers]
        if not busy:
            return now_s
        step_s = min(replica.next_s() for replica in busy)
        now_s += step_s
        free = sum(replica.go_on(step_s) for replica in replicas)


def main() -> None:
    print("| replicas | " + " | ".join(WAYS) + " |\n|" + "---|" * (1 + len(WAYS)))
    for name, speeds in FLEETS.items():
        took = [[seconds(way, speeds, seed) for seed in range(SEEDS)] for way in WAYS.values()]
        ratios = [fmean(one / first for one, first in zip(each, took[0], strict=True)) for each in took]
        print(f"| {name} | " + " | ".join(f"{ratio:.3f}" for ratio in ratios) + " |", flush=True)


if __name__ == "__main__":
    main()
