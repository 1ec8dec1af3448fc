"""How far a deployment is from golden answers: the same tokens given to it, and greedy answers of its own.

Hashes of answers are never compared: bfloat16 alone changes some of them. What is compared are log-probabilities,
against what faithful deployments differ by, as `papergate golden make` measured it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import comb
from statistics import fmean, stdev
from typing import Any

from papergate import __version__
from papergate.diagnosis.door import Untold
from papergate.diagnosis.drift_readers import Reader, Spoken
from papergate.engines.records import END_OF_THOUGHT, Logprobs
from papergate.errors import EngineError, EngineRefused
from papergate.run_folder.drift import DriftRecord
from papergate.run_folder.golden_answers import GoldenAnswer, GoldenAnswers, Variation
from papergate.run_folder.preflight import Check, State, checked
from papergate.statistics.drift import UNLISTED_NATS, divergence, excess, gap, sharpened, sharpening

NOISE = 4e-5
"""Divergence that bfloat16 costs the embedded model. Faithful deployments are taken to differ by no less: answers
of one arithmetic alone cannot show what another costs."""
WARNED = 5
"""Times the largest divergence of a faithful deployment: measured on the embedded model, no bfloat16, float16, batch,
kernel or vLLM comes near it, and six bits, five bits and fp8 are beyond."""
HARMED = 4
"""The divergence of a copy in four bits, which loses score, is divided by it. Five bits, which lose none, have an
eighth of it; the least harmful mask fault that was seen has a half."""
HARMED_UNMEASURED = 50
"""Times the noise, where no damaged copy was measured: on the embedded model that is the same."""
LEAST_APART = 2
"""Times the warning, at least, so that faithful noise is never near a failure."""
CLEAR_GAP = 0.2
"""Nats between the golden's own token and the one that was chosen. Rounding changed no choice by more than 0.03."""
HARMLESS_GAPS = 0.08
"""Share of greedy answers with a clear gap of noise that costs no score."""
ALPHA = 0.03
"""Chance at most that such a deployment fails by its greedy answers."""
RESCALED = 10
"""Times by which another scale must explain a divergence before it is called one."""
SAME_SCALE = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """From where on a mean divergence is noticed, and from where on it is a failure."""

    warn: float
    fail: float
    measured: bool
    """Whether a damaged copy told where harm begins."""


def thresholds(variations: Sequence[Variation], told: Callable[[Variation], tuple[float, float]]) -> Thresholds:
    """Thresholds for one statistic; ``told`` takes its mean and its 99 % quantile out of a variation."""
    faithful = [told(each) for each in variations if each.faithful]
    damaged = [told(each)[0] for each in variations if not each.faithful]
    noise = max([NOISE, *(mean for mean, _ in faithful)])
    warn = max([WARNED * noise, *(high for _, high in faithful)])
    fail = min(damaged) / HARMED if damaged else HARMED_UNMEASURED * noise
    return Thresholds(warn=warn, fail=max(fail, LEAST_APART * warn), measured=bool(damaged))


def by_divergence(variation: Variation) -> tuple[float, float]:
    """Of the golden's best tokens."""
    return variation.divergence, variation.divergence_q99


def by_excess(variation: Variation) -> tuple[float, float]:
    """Of the given token alone."""
    return variation.excess, variation.excess_q99


def drift(golden: GoldenAnswers, readers: Iterable[Reader], *, deployment: str) -> DriftRecord:
    """Every check of every server, or of the model in this process."""
    began = time.monotonic()
    return DriftRecord(
        deployment=deployment,
        golden=f"{golden.model}, {golden.engine}",
        checks=tuple(check for reader in readers for check in _checks(golden, reader)),
        seconds=round(time.monotonic() - began, 1),
        papergate=__version__,
    )


def _checks(golden: GoldenAnswers, reader: Reader) -> Iterator[Check]:
    for check in (prompts, forced, greedy_answers):
        try:
            found = check(golden, reader)
        except EngineError as error:
            refused = check is greedy_answers and isinstance(error, EngineRefused)
            reason = "temperature-0-refused" if refused else "no-answer"
            found = checked(check.__name__, "unknown", reason=reason, said=str(error))
        yield found.model_copy(update={"server": reader.server})


def prompts(golden: GoldenAnswers, reader: Reader) -> Check:
    """Whether the same user turns become the same tokens: another template or tokenizer costs nothing to find."""
    if _has_other_tokenizer(golden, reader):
        return checked("prompts", "failed", reason="tokenizer", tokens=None, golden=None)
    asked = {answer.prompt: answer.prompt_ids for answer in (*golden.sampled, *golden.greedy)}
    for prompt, ids in asked.items():
        if (found := reader.prompt_ids(prompt)) is None:
            return checked("prompts", "unknown", reason="no-tokenizer")
        if tuple(found) != ids:
            return checked("prompts", "failed", reason="template", tokens=len(found), golden=len(ids))
    return checked("prompts", "ok", prompts=len(asked))


def _has_other_tokenizer(golden: GoldenAnswers, reader: Reader) -> bool:
    """Whether a text without template becomes other tokens than the golden's; False where either is not known."""
    if golden.plain_ids is None or (found := reader.plain_ids(golden.plain)) is None:
        return False
    return tuple(found) != golden.plain_ids


def forced(golden: GoldenAnswers, reader: Reader) -> Check:
    """The divergence of the deployment's log-probabilities over the golden's sampled answers."""
    if not golden.sampled:
        return checked("forced", "unknown", reason="no-golden-log-probabilities")
    if _has_other_tokenizer(golden, reader):
        return checked("forced", "unknown", reason="other-tokenizer")
    try:
        found = reader.read([(answer.prompt_ids, answer.ids) for answer in golden.sampled])
    except Untold as untold:
        return checked("forced", "unknown", reason=untold.reason)
    if _names_others(golden, reader):
        return checked("forced", "unknown", reason="other-tokenizer")
    return _weighed(golden, found)


def _names_others(golden: GoldenAnswers, reader: Reader) -> bool:
    """Whether the server's tokens have other texts than the golden's of the same numbers."""
    texts = reader.texts()
    shared = [token for token, text in golden.texts.items() if text and token in texts]
    return sum(golden.texts[token] != texts[token] for token in shared) > MOSTLY_SAME * len(shared)


MOSTLY_SAME = 0.2
"""Servers write some tokens, such as parts of a character, each in its own way."""


def _weighed(golden: GoldenAnswers, found: Sequence[Sequence[Logprobs]]) -> Check:
    whole = all(len(row) > 1 for rows in found for row in rows)
    means, told = (
        (divergences(golden.sampled, found), by_divergence)
        if whole
        else (
            excesses(golden.sampled, found),
            by_excess,
        )
    )
    limits, mean = thresholds(golden.variations, told), pooled(golden.sampled, means)
    values: dict[str, Any] = {
        "divergence": float(f"{mean:.3g}"),
        "error": float(f"{_error(golden.sampled, means):.2g}"),
        "tokens": sum(len(answer.ids) for answer in golden.sampled),
        "answers": len(golden.sampled),
        "warn": float(f"{limits.warn:.3g}"),
        "fail": float(f"{limits.fail:.3g}"),
        "measured": limits.measured,
        "best": whole,
    }
    if mean > limits.warn and whole and (scale := _other_scale(golden.sampled, found, mean)):
        return checked("forced", "unknown", reason="scaled", temperature=round(1 / scale, 2), **values)
    state: State = "failed" if mean > limits.fail else "noted" if mean > limits.warn else "ok"
    return checked("forced", state, **values)


def divergences(answers: Sequence[GoldenAnswer], found: Sequence[Sequence[Logprobs]]) -> list[float]:
    """The summed divergence of each answer."""
    return [
        sum(divergence(one, other) for one, other in zip(answer.best, rows, strict=True))
        for answer, rows in zip(answers, found, strict=True)
    ]


def excesses(answers: Sequence[GoldenAnswer], found: Sequence[Sequence[Logprobs]]) -> list[float]:
    """The same from the given tokens alone."""
    return [
        sum(excess(one[token], other[token]) for token, one, other in zip(answer.ids, answer.best, rows, strict=True))
        for answer, rows in zip(answers, found, strict=True)
    ]


def pooled(answers: Sequence[GoldenAnswer], sums: Sequence[float]) -> float:
    """The mean over tokens."""
    return sum(sums) / sum(len(answer.ids) for answer in answers)


def _error(answers: Sequence[GoldenAnswer], sums: Sequence[float]) -> float:
    """Standard error of the mean over tokens, answers being independent."""
    mean, tokens = pooled(answers, sums), fmean(len(answer.ids) for answer in answers)
    apart = [its - mean * len(answer.ids) for answer, its in zip(answers, sums, strict=True)]
    return stdev(apart) / tokens / len(answers) ** 0.5 if len(answers) > 1 else float("inf")


def _other_scale(answers: Sequence[GoldenAnswer], found: Sequence[Sequence[Logprobs]], mean: float) -> float | None:
    """The factor by which the server scales its log-probabilities, where that explains what was seen; else None."""
    golden, theirs = [row for each in answers for row in each.best], [row for rows in found for row in rows]
    factor = sharpening(golden, theirs)
    if factor is None or factor <= 0 or abs(factor - 1) < SAME_SCALE:
        return None
    left = fmean(divergence(sharpened(one, factor), other) for one, other in zip(golden, theirs, strict=True))
    return factor if RESCALED * left < mean else None


def greedy_answers(golden: GoldenAnswers, reader: Reader) -> Check:
    """How clearly the golden preferred its own token where the deployment's greedy answers part from its own."""
    if not golden.greedy:
        return checked("greedy_answers", "unknown", reason="no-golden-answers")
    spoken = reader.greedy([(answer.prompt, len(answer.ids)) for answer in golden.greedy])
    pairs = [*zip(golden.greedy, spoken, strict=True)]
    if not all(_can_part(answer, said, golden) for answer, said in pairs):
        return checked("greedy_answers", "unknown", reason="no-golden-texts")
    ends = {n: end for n, pair in enumerate(pairs) if (end := cut_after(*pair, golden)) is not None}
    gaps = [None if n in ends else parting(*pair, golden) for n, pair in enumerate(pairs)]
    parted = [each for each in gaps if each is not None]
    clear = sum(each > CLEAR_GAP for each in parted)
    fail = most_harmless(len(gaps)) + 1
    values: dict[str, Any] = {"answers": len(gaps), "parted": len(parted), "clear": clear, "fail": fail}
    values["largest"] = round(max(parted, default=0.0), 2)
    if ends and clear < fail:
        cut = {"cut": len(ends), "tokens": max(ends.values())}
        return checked("greedy_answers", "failed", reason="server-cap", **cut, **values)
    return checked("greedy_answers", "failed" if clear >= fail else "noted" if clear else "ok", **values)


def _can_part(answer: GoldenAnswer, spoken: Spoken, golden: GoldenAnswers) -> bool:
    """Whether both answers can be compared, as numbers or as texts. Without texts every answer would seem equal."""
    return bool(spoken.ids) or golden.texts.keys() >= set(answer.ids)


def cut_after(answer: GoldenAnswer, spoken: Spoken, golden: GoldenAnswers) -> int | None:
    """Tokens after which a limit ended an answer that agreed so far, though as many as the golden's were asked."""
    if not spoken.cut:
        return None
    agreed = _agreed_ids(answer, spoken.ids) if spoken.ids else _agreed_text(answer, spoken.text, golden)
    return agreed if agreed is not None and agreed < len(answer.ids) - 1 else None


def _agreed_ids(answer: GoldenAnswer, ids: Sequence[int]) -> int | None:
    return len(ids) if answer.ids[: len(ids)] == tuple(ids) else None


def _agreed_text(answer: GoldenAnswer, text: str, golden: GoldenAnswers) -> int | None:
    """The golden's tokens that a text is made of, blanks at its end left out; None where it has other ones."""
    left, agreed = _bare(text), 0
    for number, token in enumerate(answer.ids, 1):
        said = _bare(golden.texts.get(token, ""))
        if said and not left:
            return agreed
        if not left.startswith(said):
            return None
        left, agreed = left.removeprefix(said), number if said else agreed
    return None if left else len(answer.ids)


def most_harmless(answers: int) -> int:
    """Clear partings that a deployment with `HARMLESS_GAPS` of them exceeds with a chance of `ALPHA` at most."""
    chance, most = 1.0, -1
    while chance > ALPHA and most < answers:
        most += 1
        chance -= comb(answers, most) * HARMLESS_GAPS**most * (1 - HARMLESS_GAPS) ** (answers - most)
    return most


def parting(answer: GoldenAnswer, spoken: Spoken, golden: GoldenAnswers) -> float | None:
    """Nats by which the golden preferred its own token at the first one that differs; None where none does."""
    return _by_ids(answer, spoken.ids) if spoken.ids else _by_text(answer, spoken.text, golden)


def _by_ids(answer: GoldenAnswer, ids: Sequence[int]) -> float | None:
    for own, other, row in zip(answer.ids, ids, answer.best, strict=False):
        if own != other:
            return gap(row, own, other)
    at = len(ids)
    return None if at >= len(answer.ids) - 1 else gap(answer.best[at], answer.ids[at], answer.ids[-1])


def _by_text(answer: GoldenAnswer, text: str, golden: GoldenAnswers) -> float | None:
    """The same where tokens have no numbers: the golden's token whose text the answer goes on with is taken.

    Where several would do the likeliest is: never more is called clear than is sure.
    """
    left = _bare(text)
    for own, row in zip(answer.ids, answer.best, strict=True):
        said = _bare(golden.texts.get(own, ""))
        if not left.startswith(said):
            others = [token for token in row if token != own and _goes_on(left, _bare(golden.texts.get(token, "")))]
            return min((gap(row, own, token) for token in others), default=UNLISTED_NATS)
        left = left.removeprefix(said)
    return None


def _goes_on(text: str, token: str) -> bool:
    return text.startswith(token) if token else not text


def _bare(text: str) -> str:
    return "".join(text.replace("<think>", "").replace(END_OF_THOUGHT, "").split())
