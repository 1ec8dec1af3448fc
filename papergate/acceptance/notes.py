"""What stands beside a verdict: notes a reader must know, and what the numbers can and cannot show."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from papergate.acceptance.judging import regraded
from papergate.acceptance.records import Acceptance, Case
from papergate.acceptance.shipped import own
from papergate.completions.manifest import REPAIR
from papergate.completions.table import column
from papergate.engines import Finish
from papergate.engines.hardware import differences
from papergate.promises import Promise
from papergate.run_folder.notes import Note, note
from papergate.scoring import Outcome
from papergate.statistics.panels import beta_panel, golden_panel
from papergate.statistics.plan import single_run
from papergate.statistics.power import Gate
from papergate.statistics.rule import confirming_samples
from papergate.verdict import Judgement, Verdict

ELSEWHERE = ("remote", "ray")
"""Engines that run on other machines, so that their hardware was not probed here."""
SIZES = ("tensor_parallel", "pipeline_parallel", "data_parallel")
"""Fields of a deployment that an engine may tell too."""
NAMED = 5
"""Finish reasons, or names of models, that a note names."""


def notes_of(acceptance: Acceptance) -> list[Note]:
    """What a reader must know beside the verdict; what a part would warn of, a whole run may not show."""
    of_the_verdict = () if acceptance.case.partial else acceptance.judgement.notes
    return [
        *of_the_verdict,
        *_notes_of_promise(acceptance.case.promise),
        *_notes_of_reference(acceptance.case),
        *_how_to_confirm(acceptance),
        *_notes_of_policy(acceptance),
        *acceptance.findings,
        *_notes_of_samples(acceptance.tally),
        *_notes_of_answers(acceptance),
        *_notes_of_attempts(acceptance),
        *_notes_of_setup(acceptance.case),
        *_notes_of_source(acceptance),
        *_notes_of_own_rules(acceptance),
        *_notes_of_sessions(acceptance),
    ]


def _notes_of_promise(promise: Promise) -> Iterator[Note]:
    """A promise of the user's own is as good as its author: nothing of papergate's was held against its source."""
    if promise.id not in own().promises:
        yield note("own_promise", tolerance=promise.tolerance.text, source=promise.score.source)


def _notes_of_reference(case: Case) -> Iterator[Note]:
    """A golden run that misses the printed score itself: a pass beside it does not show that score."""
    printed, reference = case.promise.score.fraction, case.reference
    if printed is None or not reference.is_golden or case.rule.above:
        return
    difference = reference.score - printed
    if not case.rule.holds(difference):
        scores = {"golden": float(100 * reference.score), "printed": float(100 * printed)}
        yield note("golden_off_the_print", **scores, tolerance=case.rule.words)


def _notes_of_policy(acceptance: Acceptance) -> Iterator[Note]:
    """What the policy lets pass, in the open."""
    standing = acceptance.case.settings.standing
    if standing is None:
        return
    broken = not acceptance.accepted
    if standing.tier != "must":
        yield note("not_gating", tier=standing.tier, broken=broken)
    if standing.reason is not None:
        code = "waiver_expired" if standing.expired else "waived"
        yield note(code, reason=standing.reason, expires=standing.expires, broken=broken)


def _how_to_confirm(acceptance: Acceptance) -> Iterator[Note]:
    """How a failure is confirmed: by one run of fixed size whose samples nobody has seen."""
    case, judgement = acceptance.case, acceptance.judgement
    whole = not case.partial and not acceptance.withheld and case.settings.protocol == "paper"
    if not whole or judgement.verdict is not Verdict.FAIL or not judgement.blocks or case.identity.engine == "replay":
        return
    if (k := confirming_samples(acceptance.counts, case.reference, case.rule)) is None:
        return
    alpha = float(case.rule.alpha)
    yield note("confirm_failure", k=k, seed=case.settings.run_seed + 1, alpha=alpha, both=alpha**2)


def _notes_of_samples(tally: Mapping[str, int]) -> Iterator[Note]:
    counted = {
        "grades_undecided": tally["undecided"],
        "answers_elsewhere": tally["present_not_extracted"],
        "samples_never_came": tally["failed"] + tally["missing"],
    }
    return (note(code, count=count) for code, count in counted.items() if count)


def _notes_of_answers(acceptance: Acceptance) -> Iterator[Note]:
    """What the server itself said of its answers: refusals, ends of its own, and a model of another name."""
    finishes, said, models = (column(acceptance.receipts, name) for name in ("finish", "finish_reason", "model"))
    ends = Counter(zip(finishes, said, strict=True))
    if refused := sum(count for (finish, _), count in ends.items() if finish is Finish.REFUSED):
        yield note("answers_refused", count=refused)
    reasons = Counter[str]()
    for (finish, reason), count in ends.items():
        if finish is Finish.OTHER:
            reasons[reason or "unknown"] += count
    if reasons:
        yield note("answers_ended_by_server", count=reasons.total(), reasons=dict(reasons.most_common(NAMED)))
    asked = acceptance.case.identity.model
    others = Counter(model for model in models if model not in (None, asked))
    if others and acceptance.case.identity.engine != "replay":
        named = [str(name) for name, _ in others.most_common(NAMED)]
        yield note("answers_name_other_model", count=others.total(), asked=asked, named=named)


def _notes_of_attempts(acceptance: Acceptance) -> Iterator[Note]:
    """Answers that were drawn anew after a failed request, where a pass rests on them.

    A request that fails by its answer, such as a long one behind a gateway with a time limit, is drawn until it does
    not: those that are left are not a fair sample.
    """
    attempts = zip(acceptance.receipts, column(acceptance.receipts, "attempts"), strict=True)
    again = [key for key, count in attempts if count > 1 and key in acceptance.grades]
    if not again or not acceptance.accepted or acceptance.case.settings.trial:
        return
    wrong = {key: replace(acceptance.grades[key], outcome=Outcome.INCORRECT) for key in again}
    if not regraded(acceptance, {**acceptance.grades, **wrong}).accepted:
        yield note("answers_drawn_again", count=len(again), answers=len(acceptance.grades))


def _notes_of_setup(case: Case) -> Iterator[Note]:
    benchmark = case.benchmark
    if not benchmark.known:
        yield note(
            "other_benchmark_text",
            benchmark=benchmark.spec.title,
            variant=benchmark.variant,
            digest=benchmark.digest,
        )
    if case.identity.engine in ELSEWHERE:
        yield note("attached", hardware=case.promise.hardware.title)
        if not case.settings.preflight:
            yield note("no_preflight")
    if "hardware" in case.identity.environment:
        for one in differences(case.promise.hardware, case.identity.environment):
            yield note("other_version", what=one.name, seen=one.seen, stated=one.stated)
    yield from _notes_of_software(case)
    yield from _notes_of_sizes(case)
    if case.settings.grader not in ("strict", case.task and case.task.grader):
        yield note("other_grader", grader=case.settings.grader)
    yield from _notes_of_the_document(case)
    paper = case.promise.score.sampling.max_tokens
    if case.settings.protocol == "paper" and case.sampling.max_tokens < paper:
        yield note("lower_token_limit", max_tokens=case.sampling.max_tokens, paper=paper)


def _notes_of_the_document(case: Case) -> Iterator[Note]:
    """How this run differs from the one that the document describes, and what the document leaves open."""
    tool, task = case.promise.tool, case.task
    if tool is None or task is None:
        return
    if task.variant not in ("", case.benchmark.variant):
        yield note("document_asks_other_text", tool=tool.title, stated=task.variant, seen=case.benchmark.variant)
    if not case.settings.letter:
        others = {"batches": tool.batches, "attempts": tool.attempts != case.settings.policy.attempts, "stream": True}
        differ = [name for name, does in others.items() if does]
        yield note("document_sends_otherwise", tool=tool.title, differ=differ, attempts=tool.attempts)
    unknown = (*tool.unknown, *case.promise.deployment.unknown)
    if unknown or tool.otherwise:
        told = [f"{one.fact}: {one.chosen}" for one in unknown]
        yield note("document_leaves_open", unknown=told, otherwise=list(tool.otherwise))


def _notes_of_own_rules(acceptance: Acceptance) -> Iterator[Note]:
    own, case = acceptance.own, acceptance.case
    if own is None:
        return
    yield note(
        "own_rules",
        grader=case.settings.grader,
        percent=100 * float(own.score),
        differ=own.differ,
        count=len(acceptance.grades),
    )
    if own.refused:
        n = len(case.problems)
        yield note(
            "golds_refused", grader=case.settings.grader, refused=own.refused, problems=n, points=100 * own.refused / n
        )


def _notes_of_software(case: Case) -> Iterator[Note]:
    """Versions that the document states, where the run tells others; a remote server tells its own alone."""
    identity = case.identity
    servers = dict(pair for part in identity.version.split(", ") if len(pair := part.split(" ")) == len(("name", "v")))
    told = {identity.engine: identity.version, **servers, **identity.environment}
    for name, stated in case.promise.deployment.software.items():
        seen = told.get(name, "")
        if seen and seen.partition("+")[0] != stated and not seen.startswith(f"{stated}."):
            yield note("other_version", what=name, seen=seen, stated=stated)


def _notes_of_sizes(case: Case) -> Iterator[Note]:
    """Parallel sizes that the target states, where the application behind a server has others."""
    deployment, told = case.promise.deployment, case.identity.environment
    for name in SIZES:
        seen, stated = told.get(name, ""), str(getattr(deployment, name))
        if name in deployment.model_fields_set and seen and seen != stated:
            yield note("other_version", what=name, seen=seen, stated=stated)


def _notes_of_sessions(acceptance: Acceptance) -> Iterator[Note]:
    """A run may go on elsewhere, on another release or driver; the reader of its score has to know."""
    for repaired in (session[REPAIR] for session in acceptance.sessions if REPAIR in session):
        yield note("store_repaired", what=repaired)
    sessions = [session for session in acceptance.sessions if REPAIR not in session]
    names = sorted({name for session in sessions for name in session})
    changed = [name for name in names if len({session.get(name) for session in sessions}) > 1]
    if changed:
        yield note("setups_differ", setups=len(sessions), differ_in=changed)


def _notes_of_source(acceptance: Acceptance) -> Iterator[Note]:
    """Where completions that nobody asked for here come from."""
    case, checked = acceptance.case, acceptance.source_notes
    yield from checked
    if case.identity.engine != "replay":
        return
    if not any(one.code == "log_of_own_run" for one in checked):
        yield note("from_file")
    written, promised = case.identity.model, case.promise.deployment.model
    if written and written.rpartition("/")[2] != promised.rpartition("/")[2]:
        yield note("file_names_other_model", named=written, promised=promised)
    if case.identity.environment.get("thoughts"):
        yield note("thoughts_stripped")


def remarks_of(acceptance: Acceptance) -> list[Note]:
    """What the reference and the protocol can show."""
    return list(_remarks(acceptance))


def _remarks(acceptance: Acceptance) -> Iterator[Note]:
    settings, measured = acceptance.case.settings, acceptance.case.promise.measured
    if not acceptance.case.partial:
        yield from _paper_error(acceptance.judgement)
    if measured:
        yield note("document_measured", percent=float(measured.percent), source=measured.source)
    yield from reproduced(acceptance.case.promise, problems=acceptance.case.benchmark.spec.problems)
    if settings.protocol == "vendor":
        yield from _one_run(acceptance)
    if settings.fail_alpha is not None:
        yield note("holm_threshold", p=settings.fail_alpha)


def reproduced(promise: Promise, *, problems: int) -> Iterator[Note]:
    """What careful repetitions by others measured of the promised number; nothing where none is known."""
    if promise.reproductions:
        missed = promise.missed_by(problems=problems)
        yield note(
            "reproduced",
            found=[[float(one.percent), one.source] for one in promise.reproductions],
            missed=len(missed),
            tolerance=promise.tolerance.text,
        )


def _paper_error(judgement: Judgement) -> Iterator[Note]:
    """The printed score's own error, whether the verdict counts it or not; nothing where it is not known."""
    if judgement.se_paper is not None and judgement.paper_noise_chance is not None:
        yield note(
            "paper_error",
            error_points=100 * judgement.se_paper,
            samples=judgement.reference.samples,
            counted=bool(judgement.evidence.se_reference),
            chance=judgement.paper_noise_chance,
        )


def _one_run(acceptance: Acceptance) -> Iterator[Note]:
    """How often a perfect and a damaged deployment would have passed a run like this one."""
    case, counts = acceptance.case, acceptance.counts
    if case.rule.above:
        return  # how good the deployment is meant to be, a gain does not say
    golden = case.reference.counts
    panel = golden_panel(golden) if golden else beta_panel(float(case.reference.score), problems=counts.n)
    gate = Gate.of(case.rule, case.reference)
    yield single_run(gate, panel, promised=case.reference.score, k=counts.fewest).note
