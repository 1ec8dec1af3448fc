"""Golden answers of a trusted deployment, and how far faithful and damaged variations of it are from them."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain

from papergate import __version__
from papergate.diagnosis.door import Untold
from papergate.diagnosis.drift import SAME_SCALE, divergences, excesses, pooled
from papergate.diagnosis.drift_readers import Given, Reader
from papergate.engines.records import Logprobs
from papergate.errors import EngineRefused
from papergate.promises.records import Sampling
from papergate.run_folder.golden_answers import DECIMALS, GoldenAnswer, GoldenAnswers, Variation
from papergate.run_folder.notes import note
from papergate.statistics.drift import sharpening
from papergate.words import worded

RESAMPLES = 1000
QUANTILE = 0.99
PLAIN_CHARACTERS = 2000


def golden_answers(
    reader: Reader,
    prompts: Sequence[str],
    sampling: Sampling,
    *,
    deployment: str,
    model: str,
    engine: str,
    texts: Mapping[int, str] | None = None,
) -> GoldenAnswers:
    """Draw and read the golden answers: one sampled and one greedy answer to each prompt.

    Args:
        reader: The trusted deployment.
        prompts: User turns.
        sampling: How the deployment draws, with the most tokens of an answer.
        deployment: Its name.
        model: Its model's name.
        engine: Name and version of its software.
        texts: Of its tokens, where the reader's own route does not tell them.

    Raises:
        EngineRefused: it does not tell tokens or log-probabilities, or not those before temperature.
        EngineError: it does not answer.
    """
    try:
        sampled = _answers(reader, prompts, sampling)
        greedy = _answers(reader, prompts, sampling.model_copy(update={"temperature": Decimal(0)}))
    except Untold as untold:
        raise worded(EngineRefused, note("golden_answers_untold", reason=untold.reason)) from None
    plain = "\n".join(prompts)[:PLAIN_CHARACTERS]
    ids = reader.plain_ids(plain)
    answers = [answer for answer, _ in chain(sampled, greedy)]
    ends = {answer.ids[-1] for answer, ended in chain(sampled, greedy) if ended}
    named = {token for answer in answers for row in answer.best for token in row}
    told = {**reader.texts(), **(texts or {}), **dict.fromkeys(ends, "")}
    return GoldenAnswers(
        deployment=deployment,
        model=model,
        engine=engine,
        sampled=tuple(answer for answer, _ in sampled),
        greedy=tuple(answer for answer, _ in greedy),
        texts={token: told[token] for token in sorted(named) if token in told},
        plain=plain,
        plain_ids=tuple(ids) if ids else None,
        papergate=__version__,
    )


def _answers(reader: Reader, prompts: Sequence[str], sampling: Sampling) -> list[tuple[GoldenAnswer, bool]]:
    """Each answer, and whether it ended of itself."""
    drawn = reader.draw(prompts, sampling)
    ids = [tuple(reader.prompt_ids(prompt) or ()) for prompt in prompts]
    given = [(prompt, answer.ids) for prompt, answer in zip(ids, drawn, strict=True)]
    rows = _raw(reader, given)
    return [
        (GoldenAnswer(prompt=prompt, prompt_ids=its, ids=answer.ids, best=_rounded(best)), answer.ended)
        for prompt, its, answer, best in zip(prompts, ids, drawn, rows, strict=True)
    ]


def _raw(reader: Reader, given: Sequence[Given]) -> list[list[Logprobs]]:
    """Log-probabilities before temperature.

    Raises:
        Untold: they change with the temperature, or only the given token's are told.
    """
    rows = reader.read(given)
    again = reader.read(given[:1], temperature=0.5)
    scale = sharpening(rows[0], again[0])
    if scale is None or abs(scale - 1) > SAME_SCALE or not all(len(row) > 1 for row in rows[0]):
        raise Untold("log-probabilities-after-temperature")
    return rows


def _rounded(rows: Iterable[Logprobs]) -> tuple[Logprobs, ...]:
    return tuple({token: round(value, DECIMALS) for token, value in row.items()} for row in rows)


def variation(
    golden: GoldenAnswers, name: str, found: Sequence[Sequence[Logprobs]], *, faithful: bool = True
) -> Variation:
    """How far ``found``, log-probabilities of the golden's sampled answers, are from the golden's own."""
    by_best, by_own = (summed(golden.sampled, found) for summed in (divergences, excesses))
    return Variation(
        name=name,
        faithful=faithful,
        divergence=pooled(golden.sampled, by_best),
        excess=pooled(golden.sampled, by_own),
        divergence_q99=_high(golden.sampled, by_best),
        excess_q99=_high(golden.sampled, by_own),
    )


def given_of(golden: GoldenAnswers) -> list[Given]:
    """What a variation is to read."""
    return [(answer.prompt_ids, answer.ids) for answer in golden.sampled]


def _high(answers: Sequence[GoldenAnswer], sums: Sequence[float]) -> float:
    """What 99 % of resamples of whole answers have less of, in the mean over tokens."""
    return sorted(_resampled(answers, sums))[int(QUANTILE * RESAMPLES)]


def _resampled(answers: Sequence[GoldenAnswer], sums: Sequence[float]) -> Iterator[float]:
    rng, tokens = random.Random(0), [len(answer.ids) for answer in answers]  # noqa: S311 - a simulation
    for _ in range(RESAMPLES):
        drawn = rng.choices(range(len(answers)), k=len(answers))
        yield sum(sums[number] for number in drawn) / sum(tokens[number] for number in drawn)
