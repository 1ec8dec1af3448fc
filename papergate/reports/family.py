"""All promises of one run together."""

from collections.abc import Sequence

from papergate.run_folder.verdict import VerdictRecord
from papergate.statistics.family import holm
from papergate.statistics.rule import ALPHA
from papergate.verdict import Family


def family_of(records: Sequence[VerdictRecord]) -> Family | None:
    """The promises of one run together; None where fewer than two were judged by the rule, or none failed."""
    judged = _judged(records)
    if len(judged) < 2 or not any(record.judgement.failed for record in judged):  # noqa: PLR2004 - one is no family
        return None
    return Family(
        alpha=float(ALPHA),
        adjusted=holm([record.judgement.p_value for record in judged]),
        failed=tuple(record.judgement.failed for record in judged),
    )


def standing(records: Sequence[VerdictRecord]) -> dict[str, bool]:
    """Whether each failure stands among all promises of the run together (Holm)."""
    family = family_of(records)
    judged = [record.promise for record in _judged(records)]
    if family is None:
        return {}
    table = zip(judged, family.failed, family.stands, strict=True)
    return {promise: stands for promise, failed, stands in table if failed}


def _judged(records: Sequence[VerdictRecord]) -> list[VerdictRecord]:
    """Those that gate, by the rule and its interval: a part, or a trial, fails no promise."""
    return [record for record in records if record.protocol == "paper" and not record.partial and record.gates]
