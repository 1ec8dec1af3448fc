"""Whether samples are independent draws of one deployment; where they are not, no verdict rests on them."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from papergate.acceptance.records import Acceptance, Case
from papergate.acceptance.refusals import LONG
from papergate.completions.table import Key, column
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
    """
    case, found = found.case, replace(found, further_looks=not last)
    if case.settings.protocol == "vendor":
        return found
    copies, answers = copies_of(found)
    if copies > MOST_COPIES * answers:
        return replace(found, withheld=note("dependent_copies", copies=copies, answers=answers), dependent=True)
    if copies:
        found = replace(found, findings=(note("few_copies", copies=copies, answers=answers),))
    alarm = _alarm_of(found, last=last)
    return found if alarm is None else _with(found, alarm, last=last)


def _alarm_of(found: Acceptance, *, last: bool) -> Alarm | None:
    """What the samples show, or a failure that further samples must confirm; until then no verdict is due."""
    case, drawn = found.case, drawn_of(found)
    fails = found.judgement.verdict is Verdict.FAIL and not last
    premature = premature_failure(drawn, found.counts, case.reference, case.rule) if fails else None
    due = found.decided and premature is None
    seen = alarm_of(drawn, found.counts, case.reference, due=due, last=last, may_agree=case.sampling_known)
    return seen or premature


def with_preflight(case: Case, folder: Path) -> Case:
    """``case`` with what the preflight in ``folder`` saw of the server's sampling."""
    seen = read_preflight(folder)
    return replace(case, sampling_known=case.sampling_known or bool(seen and seen.sampling_known))


def copies_of(found: Acceptance) -> tuple[int, int]:
    """Long answers that repeat another one of their problem, and long answers in all; blanks and case do not count."""
    texts: dict[str, list[bytes]] = defaultdict(list)
    fields = [found.of_graded(name) for name in ("characters", "kind", "digest")]
    for (problem, _), characters, kind, digest in zip(found.grades, *fields, strict=True):
        if characters >= LONG and kind not in ALIKE_BY_DAMAGE:
            texts[problem].append(digest)
    answers = sum(map(len, texts.values()))
    return answers - sum(len({*each}) for each in texts.values()), answers


def drawn_of(found: Acceptance) -> list[Drawn]:
    """The graded samples of each problem, in the order in which they were asked."""
    looks = _looks_of(found)
    columns = column(found.grades, "outcome"), column(found.grades, "extracted"), found.of_graded("endpoint")
    samples = zip(found.grades, *columns, strict=True)
    return [_drawn(each, looks[problem]) for problem, each in groupby(samples, key=lambda sample: sample[0][0])]


def _drawn(samples: Iterable[tuple[Key, Outcome, str | None, str | None]], looks: list[int]) -> Drawn:
    """The samples of one problem: key, outcome, answer as it was read, and endpoint of each."""
    keys, outcomes, answers, places = zip(*samples, strict=True)
    right = tuple(outcome is Outcome.CORRECT for outcome in outcomes)
    return Drawn(
        right=right,
        answers=tuple("right" if correct else answer for correct, answer in zip(right, answers, strict=True)),
        places=tuple(place or "" for place in places),
        looks=tuple(1 + bisect_right(looks, sample) for _, sample in keys),
    )


def _looks_of(found: Acceptance) -> dict[str, list[int]]:
    """The planned samples of each problem at every look of the run, of all its sessions."""
    case = replace(found.case, stored=0)
    plans = [case.planned(k) for k in case.settings.looks]
    return {problem: [plan[problem] for plan in plans] for problem in (plans[0] if plans else ())}


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
