"""Whether samples are independent draws of one deployment; where they are not, no verdict rests on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import compress
from pathlib import Path

from papergate.acceptance.records import Acceptance, Case
from papergate.acceptance.refusals import LONG, SHORT, Text, refuse_copies
from papergate.completions.table import column, stretches
from papergate.diagnosis.kinds import ALIKE_BY_DAMAGE
from papergate.run_folder.notes import Note, note
from papergate.run_folder.preflight import read_preflight
from papergate.scoring import Outcome
from papergate.statistics.dependence import Alarm, Drawn, alarm_of, premature_failure
from papergate.verdict import Decision, Verdict

MOST_COPIES = 0.05
"""Share of copies among long answers that changes no verdict: they add so much to its variance at most."""
SET_APART = frozenset({"places", "time", "looks"})
"""Alarms that explain a failure; the others leave it without a meaning."""


def examined(found: Acceptance, *, last: bool) -> Acceptance:
    """``found`` with what its samples show of their independence; ``last`` where no look can follow.

    A clear finding withholds the verdict. A failure of which one server or a part of the time is the cause stays one,
    and the finding is noted.

    Raises:
        EngineError: the samples are copies of each other.
    """
    case, found, texts = found.case, replace(found, further_looks=not last), texts_of(found)
    refuse_copies(texts)
    if case.settings.protocol == "vendor":
        return found
    copies, answers = copies_of(texts)
    if copies > MOST_COPIES * answers:
        return replace(found, withheld=note("dependent_copies", copies=copies, answers=answers), dependent=True)
    if copies:
        found = replace(found, findings=(note("few_copies", copies=copies, answers=answers),))
    alarm = _alarm_of(found, last=last, repeats=bool(texts))
    return found if alarm is None else _with(found, alarm, last=last)


def _alarm_of(found: Acceptance, *, last: bool, repeats: bool) -> Alarm | None:
    """What the samples show, or a failure that further samples must confirm; until then no verdict is due.

    ``repeats``: whether any text is there twice.
    """
    fails = found.judgement.verdict is Verdict.FAIL and not last
    case, drawn = found.case, drawn_of(found, told_apart=fails and repeats)
    premature = premature_failure(drawn, found.counts, case.reference, case.rule) if fails else None
    due = found.decided and premature is None
    seen = alarm_of(drawn, found.counts, case.reference, due=due, last=last, may_agree=case.sampling_known)
    return seen or premature


def with_preflight(case: Case, folder: Path) -> Case:
    """``case`` with what the preflight in ``folder`` saw of the server's sampling."""
    seen = read_preflight(folder)
    return replace(case, sampling_known=case.sampling_known or bool(seen and seen.sampling_known))


def texts_of(found: Acceptance) -> dict[str, list[Text]]:
    """The answers of each problem, loops and empty ones aside; none where no text is there twice."""
    digests = [*found.of_graded("digest")]
    if len({*digests}) == len(digests):
        return {}
    characters = [*found.of_graded("characters")]
    whole = [kind not in ALIKE_BY_DAMAGE for kind in found.of_graded("kind")]
    texts: dict[str, list[Text]] = defaultdict(list)
    for problem, at in stretches(found.grades):
        texts[problem].extend(compress(zip(digests[at], characters[at], strict=True), whole[at]))
    return {problem: each for problem, each in texts.items() if each}


def copies_of(texts: Mapping[str, Iterable[Text]], *, least: int = LONG) -> tuple[int, int]:
    """Answers of ``least`` characters that repeat another one of their problem, and such answers in all."""
    long = [[digest for digest, characters in each if characters >= least] for each in texts.values()]
    return sum(len(each) - len({*each}) for each in long), sum(map(len, long))


def drawn_of(found: Acceptance, *, told_apart: bool = False) -> list[Drawn]:
    """The graded samples of each problem, in the order in which they were asked; their texts ``told_apart`` or not."""
    numbers, correct = _looks_of(found), Outcome.CORRECT
    right = [outcome is correct for outcome in column(found.grades, "outcome")]
    parts = [*stretches(found.grades)]
    mixed = any(0 < sum(right[at]) < len(right[at]) for _, at in parts)
    answers = [] if mixed else [*column(found.grades, "extracted")]
    places = [place or "" for place in found.of_graded("endpoint")]
    samples = [*found.of_graded("sample")]
    texts = _told_apart(found) if told_apart else []
    return [
        Drawn(
            right=tuple(right[at]),
            answers=tuple(answers[at]),
            places=tuple(places[at]),
            looks=tuple(map(numbers[problem].__getitem__, samples[at])),
            texts=tuple(texts[at]),
        )
        for problem, at in parts
    ]


def _told_apart(found: Acceptance) -> list[bytes | int]:
    """The text of each answer; a number of its own for one that others repeat by chance, short or damaged."""
    columns = zip(*map(found.of_graded, ("digest", "characters", "kind")), strict=True)
    return [
        digest if characters >= SHORT and kind not in ALIKE_BY_DAMAGE else number
        for number, (digest, characters, kind) in enumerate(columns)
    ]


def _looks_of(found: Acceptance) -> dict[str, list[int]]:
    """Number of the look, from 1, for which each sample of a problem was asked; all sessions of the run count."""
    case, planned = (
        replace(found.case, stored=0),
        [*zip(found.counts.problems or (), found.counts.samples, strict=True)],
    )
    plans = [*(case.planned(k) for k in case.settings.looks), dict(planned)]
    ends = dict(zip(plans[0], zip(*(plan.values() for plan in plans), strict=True), strict=True))
    numbers = {of_looks: _numbered(of_looks) for of_looks in {*ends.values()}}
    return {problem: numbers[of_looks] for problem, of_looks in ends.items()}


def _numbered(ends: Iterable[int]) -> list[int]:
    """Number of the look of each sample, of looks that plan so many samples."""
    numbers: list[int] = []
    for look, end in enumerate(ends, start=1):
        numbers += [look] * (end - len(numbers))
    return numbers


def _with(found: Acceptance, alarm: Alarm, *, last: bool) -> Acceptance:
    if not alarm.clear:
        return _waiting(found, alarm, last=last)
    said = _note_of(found, alarm)
    if alarm.kind in SET_APART and found.judgement.verdict is Verdict.FAIL and not found.withheld:
        return replace(found, findings=(*found.findings, said))
    return replace(found, withheld=said, dependent=True)


def _waiting(found: Acceptance, alarm: Alarm, *, last: bool) -> Acceptance:
    """What cannot be told yet holds a verdict back; suspicious servers do so only while further samples can tell."""
    if found.judgement.decision is Decision.INCONCLUSIVE or found.withheld or (last and alarm.kind in SET_APART):
        return found
    return replace(found, withheld=note(f"{alarm.kind}_so_far", p=alarm.p_value))


def _note_of(found: Acceptance, alarm: Alarm) -> Note:
    values = {"where": alarm.group, "points": 100 * alarm.difference} if alarm.kind in SET_APART else {}
    score = float(100 * found.counts.score)
    return note(f"dependent_{alarm.kind}", p=alarm.p_value, score=score, problems=found.counts.n, **values)
