"""What stands beside a verdict in words: notes a reader must know, and what the numbers can and cannot show."""

from collections.abc import Iterator, Mapping, Sequence

from papergate.acceptance import Acceptance, Case
from papergate.reports.files import Summary
from papergate.statistics.family import holm
from papergate.statistics.panels import beta_panel, golden_panel
from papergate.statistics.plan import single_run
from papergate.statistics.power import Gate
from papergate.statistics.rule import ALPHA
from papergate.verdict import Decision, Family, Judgement

SMALLEST_SHARE = 0.01
"""Chances below it are not told apart: the normal approximation behind them ends there."""


def notes_of(acceptance: Acceptance) -> list[str]:
    """What a reader must know beside the verdict; what a part would warn of, a whole run may not show."""
    warnings = () if acceptance.case.partial else acceptance.judgement.warnings
    return [
        *warnings,
        *_notes_of_samples(acceptance.tally),
        *_notes_of_setup(acceptance.case),
        *_notes_of_sessions(acceptance),
    ]


def _notes_of_samples(tally: Mapping[str, int]) -> Iterator[str]:
    if tally["undecided"]:
        yield f"{tally['undecided']} grades could not be told within their limits; they count as not correct"
    if tally["truncated"]:
        yield f"{tally['truncated']} completions end inside the thought: the token limit may be too low"
    if tally["present_not_extracted"]:
        yield f"{tally['present_not_extracted']} incorrect completions hold the right answer elsewhere"
    if never := tally["failed"] + tally["missing"]:
        yield f"{never} of the planned samples never came; they count as not correct"
    if tally["empty"]:
        yield f"{tally['empty']} completions are empty; whoever wrote them may have stored errors as empty texts"


def _notes_of_setup(case: Case) -> Iterator[str]:
    if not case.benchmark.known:
        yield f"{case.benchmark.spec.title}: {case.benchmark.variant}; its digest is {case.benchmark.digest}"
    if case.identity.engine == "replay":
        yield from _notes_of_a_file(case)
    if case.identity.engine == "remote":
        yield f"attached to a server: that it runs on {case.promise.hardware.title} is as its owner says"
    if case.settings.grader != "strict":
        yield f"graded by the rules of {case.settings.grader}, not by papergate's: to explain a difference, not to gate"
    paper = case.promise.score.sampling.max_tokens
    if case.settings.protocol == "paper" and case.sampling.max_tokens < paper:
        yield f"max_tokens is {case.sampling.max_tokens}, the deployment's own limit; the paper used {paper}"


def _notes_of_sessions(acceptance: Acceptance) -> Iterator[str]:
    """A run may go on elsewhere, on another release or driver; whoever reads the score has to know."""
    sessions = acceptance.sessions
    names = sorted({name for session in sessions for name in session})
    changed = [name for name in names if len({session.get(name) for session in sessions}) > 1]
    if changed:
        yield (
            f"the samples were drawn on {len(sessions)} set-ups, which differ in {', '.join(changed)}; "
            "sessions.jsonl in the run's folder has them"
        )


def _notes_of_a_file(case: Case) -> Iterator[str]:
    yield "the completions come from a file: their sampling and hardware are as its owner says"
    written, promised = case.identity.model, case.promise.deployment.model
    if written and written.rpartition("/")[2] != promised.rpartition("/")[2]:
        yield f"the file names the model {written!r}; that it is {promised} is as its owner says"
    if case.identity.environment.get("thoughts"):
        yield "thoughts were cut off before, says its owner: whether the token limit cut off an answer cannot be told"


def remarks_of(acceptance: Acceptance) -> list[str]:
    """What the reference and the protocol can show, a sentence each."""
    remarks = [] if acceptance.case.partial else [paper_error(acceptance.judgement)]
    settings = acceptance.case.settings
    if settings.protocol == "vendor":
        remarks.append(one_run_shows(acceptance))
    if settings.fail_alpha is not None:
        remarks.append(f"among the promises of its session this one fails at p = {settings.fail_alpha:.2g} (Holm)")
    return [remark for remark in remarks if remark]


def paper_error(judgement: Judgement) -> str:
    """The printed score's own error, whether the verdict counts it or not; empty where it is not known."""
    if judgement.se_paper is None or judgement.paper_noise_chance is None:
        return ""
    error, samples = 100 * judgement.se_paper, judgement.reference.samples
    counted = "counted" if judgement.evidence.se_reference else "not counted"
    return (
        f"the paper's own error is {error:.2f} points (a mean of {samples} samples per problem, rounding to 0.1 "
        f"included), {counted} in the verdict; with it a perfect deployment lies this far off or farther in "
        f"{_share(judgement.paper_noise_chance)} of such runs"
    )


def one_run_shows(acceptance: Acceptance) -> str:
    """How often a perfect and a damaged deployment would have passed a run like this one."""
    case, counts = acceptance.case, acceptance.counts
    if case.rule.above:
        return ""  # how good the deployment is meant to be, a gain does not say
    golden = case.reference.counts
    panel = golden_panel(golden) if golden else beta_panel(float(case.reference.score), problems=counts.n)
    gate = Gate.of(case.rule, case.reference)
    return single_run(gate, panel, promised=case.reference.score, k=counts.fewest).sentence


def family_of(summaries: Sequence[Summary]) -> Family | None:
    """The promises of one run together; None where fewer than two were judged by the rule and its interval."""
    judged = [summary for summary in summaries if summary["protocol"] == "paper"]
    if len(judged) < 2:  # noqa: PLR2004 - one promise is no family
        return None
    failures = (Decision.FAIL_LOW, Decision.FAIL_HIGH)
    return Family(
        alpha=float(ALPHA),
        adjusted=holm([summary["judgement"]["p_value"] for summary in judged]),
        failed=tuple(summary["judgement"]["verdict"] in failures for summary in judged),
    )


def standing(summaries: Sequence[Summary]) -> dict[str, bool]:
    """Whether each failure stands among all promises of the run together (Holm)."""
    family = family_of(summaries)
    judged = [summary["promise"] for summary in summaries if summary["protocol"] == "paper"]
    if family is None:
        return {}
    table = zip(judged, family.failed, family.stands, strict=True)
    return {promise: stands for promise, failed, stands in table if failed}


def _share(chance: float) -> str:
    return f"{chance:.0%}" if chance >= SMALLEST_SHARE else f"fewer than {SMALLEST_SHARE:.0%}"
