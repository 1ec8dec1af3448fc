"""English sentences for notes: a template with the note's values, or a function where words depend on them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from papergate.run_folder.notes import AS_WRITTEN
from papergate.words import english_errors, english_inputs, english_page

Values = Mapping[str, Any]

SMALLEST_SHARE = 0.01
"""Chances below it are not told apart: the normal approximation behind them ends there."""
LIKELY = 0.5
"""A distance that more than half of all perfect deployments show needs no words."""
NAMED = 5
"""Moved problems that a sentence names one by one; the report has all."""


def share(chance: float) -> str:
    """A chance in percent, as far as it can be told."""
    return f"at most {chance:.0%}" if chance >= SMALLEST_SHARE else f"fewer than {SMALLEST_SHARE:.0%}"


def _counting(template: str, **nouns: str) -> Callable[[Values], str]:
    """A template whose counts, by name, stand before their nouns: one of a thing is not several."""

    def said(values: Values) -> str:
        counted = {name: f"{values[name]} {noun}{'s' * (values[name] != 1)}" for name, noun in nouns.items()}
        return template.format_map({**values, **counted})

    return said


def _paper_error(values: Values) -> str:
    counted = "counted" if values["counted"] else "not counted"
    error = (
        f"the paper's own error is {values['error_points']:.2f} points (a mean of {values['samples']} samples per "
        f"problem, rounding to 0.1 included), {counted} in the verdict"
    )
    if values["chance"] > LIKELY:
        return error
    return (
        f"{error}; counting it, a perfect deployment misses the paper by this much or more, at any look, in "
        f"{share(values['chance'])} of runs"
    )


def _one_run(values: Values) -> str:
    """Which counts of a vendor's single run pass, and how often a perfect and a damaged deployment would have."""
    problems, k = values["problems"], values["k"]
    perfect, *damaged = values["passes"]
    lost = ", ".join(f"{points:g}" for points, _ in damaged)
    chances = ", ".join(f"{chance:.0%}" for _, chance in damaged)
    others = f", deployments that lost {lost} points in {chances}" if damaged else ""
    return (
        f"a run of {problems} problems x {k} sample{'s' * (k > 1)} passes with {_span(values['accepted'])} correct of "
        f"{problems * k}: a perfect deployment does so in {perfect[1]:.0%} of runs{others}"
    )


def _span(counts: list[int]) -> str:
    if not counts:
        return "no number"
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _moved(values: Values) -> str:
    problems = values["problems"]
    named = ", ".join(f"{name} {before:.0%} to {now:.0%}" for name, before, now in problems[:NAMED])
    more = f" and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
    return f"problems that moved against the golden run beyond chance: {named}{more}"


def _golden_differs(values: Values) -> str:
    apart = "; ".join(f"{name} {theirs}, here {ours}" for name, theirs, ours in values["differences"])
    return f"the golden run was made with other settings: {apart}"


def _other_version(values: Values) -> str:
    seen = f"is {values['seen']}" if values["seen"] else "is not known"
    return f"the {values['what']} {seen}; the target states {values['stated']}"


def _setups(values: Values) -> str:
    return (
        f"the samples were drawn on {values['setups']} set-ups, which differ in {', '.join(values['differ_in'])}; "
        "sessions.jsonl in the run's folder has them"
    )


def _ended_by_server(values: Values) -> str:
    reasons = ", ".join(f"{reason!r} {count}" for reason, count in values["reasons"].items())
    return (
        f"{values['count']} answers were ended by the server for a reason of its own ({reasons}); they count as wrong "
        "and are not asked again"
    )


def _other_model(values: Values) -> str:
    named = ", ".join(map(repr, values["named"]))
    return (
        f"{values['count']} answers name the model {named}, asked was {values['asked']!r}: make sure that the server "
        "or gateway serves the model you mean"
    )


def _other_verdicts(values: Values) -> str:
    named = "; ".join(
        f"{verdict} at {at} ({problems} problems x {k}, {score:.2f} %)"
        for verdict, at, problems, k, score in values["verdicts"]
    )
    return f"this run had other verdicts before: {named}. verdicts.jsonl keeps all of them"


def _changed_terms(values: Values) -> str:
    apart = "; ".join(f"{name} was {then}, is {now or 'not stated'}" for name, then, now in values["changes"])
    return f"the terms of this run were changed after it began: {apart}"


def _reproduced(values: Values) -> str:
    found = ", ".join(f"{percent:g} % ({source})" for percent, source in values["found"])
    told = f"careful repetitions by others give {found}"
    if not values["missed"]:
        return told
    return (
        f"{told}: {values['missed']} of {len(values['found'])} miss the promise by more than {values['tolerance']}. "
        "Compare with a golden run of a trusted platform (--golden RUN) before you call a deployment broken"
    )


_SENT = {
    "batches": "it waits for the slowest of each batch",
    "attempts": "it tries {attempts} times",
    "stream": "it asks for no stream",
}


def _sends_otherwise(values: Values) -> str:
    named = ", ".join(_SENT[name].format_map(values) for name in values["differ"])
    return f"requests are not sent as {values['tool']} sends them: {named} (--letter sends them so)"


def _leaves_open(values: Values) -> str:
    parts = ("; ".join(values["unknown"]), "; ".join(values["otherwise"]))
    named = ("the document does not state (with what was chosen): ", "not done as by its tool: ")
    return ". ".join(name + part for name, part in zip(named, parts, strict=True) if part)


def _not_gating(values: Values) -> str:
    broken = ". The build would have failed without the policy" if values["broken"] else ""
    return f"the policy gives this promise the tier {values['tier']}: it does not gate{broken}"


def _waived(values: Values) -> str:
    effect = "The build would have failed without it" if values["broken"] else "It is not needed: the promise is kept"
    return f"waived until {values['expires']}: {values['reason']}. {effect}"


def _apart(values: Values) -> str:
    return f"{abs(values['points']):.1f} points {'lower' if values['points'] < 0 else 'higher'}"


def _servers_differ(values: Values) -> str:
    return (
        f"the samples are not independent: {values['where']} scores {_apart(values)} than the others "
        f"(p = {values['p']:.1g}). Look at this server or device, mend it or leave it out, and start a new run"
    )


def _time_differs(values: Values) -> str:
    return (
        f"the samples are not independent: after the first {values['where']} samples of each problem the score is "
        f"{_apart(values)} (p = {values['p']:.1g}). Look for what changed during the run, such as a cache, a restart "
        "or another load, and start a new run"
    )


def _looks_differ(values: Values) -> str:
    return (
        f"the samples are not independent: the scores of the looks differ more than by chance (p = {values['p']:.1g}). "
        f"Look {values['where']} is {_apart(values)} than the others. Find what changes from time to time, and start a "
        "new run"
    )


def _all_agree(values: Values) -> str:
    return (
        f"the samples are not independent: no two answers to any of {values['problems']} problems differ. At a score "
        f"of {values['score']:.1f} % this happens in {share(values['p'])} of runs. Is the temperature ignored, or is a "
        "cache in front of the server? Mend it and start a new run. If each problem is certain for this model, show it "
        "with a golden run: --golden"
    )


def _unknown_could_turn(values: Values) -> str:
    causes = (
        (values["undecided"], "grades could not be told"),
        (values["missing"], "samples are missing or failed"),
    )
    named = " and ".join(f"{count} {cause}" for count, cause in causes if count)
    return f"{named}; if they were right, the verdict could change"


def _endpoints_differ(values: Values) -> str:
    apart = "; ".join(f"{name}: {', '.join(found)}" for name, found in values["differ"].items())
    return f"the servers are not one deployment. They differ in {apart}. Give servers of one deployment"


_NO_LIMIT = {
    "uncounted": "the server counts no tokens (usage)",
    "short": "the answer ended before it",
    "no-answer": "an answer of 8 tokens came without text, or not at all",
}


def _limit_untold(values: Values) -> str:
    return f"max_tokens could not be checked: {_NO_LIMIT[values['reason']]}"


def _whole_answer_damaged(values: Values) -> str:
    cause = SENTENCES[f"cause_{values['cause']}"]
    assert isinstance(cause, str), "causes are templates"
    remedy = cause.partition(": ")[2]
    return f"a whole answer is damaged ({values['kind']}): {remedy}"


def _sampling_differs(values: Values) -> str:
    seen, fits = values["seen"], "{draws} draws do not fit temperature {temperature:g} and top_p {top_p:g}"
    if seen == "another distribution":
        return (
            f"{fits.format(**values)}, nor any other known setting, by the log-probabilities that the server tells. "
            "Look for a logit bias, a penalty or another temperature, and whether decoding computes what prefill does "
            "(kernels, KV cache)"
        )
    return (
        f"{fits.format(**values)}; seen: {seen}. Look at the server's defaults, a gateway that rewrites requests, and "
        "the sampler"
    )


_UNSAMPLED = "temperature and top_p could not be checked: "
_NO_SAMPLING = {
    "no-tokenizer": "the server has no /tokenize that gives token ids",
    "no-completions": "the server has no /v1/completions that takes token ids",
    "no-log-probabilities": "the server gives no log-probabilities by token id",
    "log-probabilities-after-temperature": "the server's log-probabilities change with the temperature",
    "no-choice": "the answer that was looked at has no place where several tokens are likely",
}


def _verdict(values: Values) -> str:
    return f"{values['verdict']}: {'; '.join(values['parts'])}"


def _seen(values: Values) -> str:
    (lo, hi), parts = values["interval"], values.get("parts", ())
    seen = f"pass@1 {values['score']} % [{lo}, {hi}] against {_promised(values)}"
    apart = "no difference" if values["apart"] == "0" else f"{values['apart']} points {values['side']}"
    return f"{seen}: {', '.join((apart, *parts))} ({', '.join(_basis(values))})"


def _basis(values: Values) -> Iterator[str]:
    """What the verdict rests on: the samples, and whatever of the rule is not the default."""
    yield f"{values['problems']} problems x {_samples(*values['samples'])}"
    if values["delta"]:
        yield f"delta {values['delta']} points"
    if values["alpha"]:
        yield f"alpha {values['alpha']} %"
    if values["one_sided"]:
        yield "one-sided: no score is too high"


def _promised(values: Values) -> str:
    """The promise in the user's words; a tolerance in problems is said in points too."""
    number = f"{values['reference']} %{' of a golden run' if values['golden'] else ''}"
    tolerance, points = values["tolerance"], f"{values['points']} points"
    if tolerance == "gain":
        return f"more than {number}"
    return f"{number} ± {f'{tolerance} ({points})' if 'problem' in tolerance else points}"


def _samples(fewest: int, most: int) -> str:
    return f"{fewest} sample{'s' * (fewest > 1)}" if fewest == most else f"{fewest} to {most} samples"


_UNFORCED = "log-probabilities of given tokens could not be compared: "
_NO_DRIFT = {
    "no-log-probabilities": "the server gives none (vLLM does, by prompt_logprobs). Drift that greedy answers do not "
    "show stays unseen",
    "other-tokenizer": "its tokenizer is another than the golden's",
    "no-golden-log-probabilities": "the golden answers hold none",
    "no-answer": "the server gave no answer",
}
_PARTED = (
    "{clear} of {answers} greedy answers differ from the golden's at a token that the golden clearly preferred (by up "
    "to {largest:g} nats). Rounding causes no such difference; {fail} of them are a failure"
)
_NO_GREEDY = {
    "temperature-0-refused": "the server refuses temperature 0. Faults of decoding stay unseen",
    "no-golden-answers": "the golden holds none",
    "no-golden-texts": "the server gives texts alone, and the golden lacks the texts of its tokens. Make "
    "the golden with vLLM or in process",
    "no-answer": "the server gave no answer",
}


def _greedy_answers_failed(values: Values) -> str:
    if values.get("reason") == "server-cap":
        return (
            f"a limit of the server ended {values['cut']} of {values['answers']} greedy answers, the longest after "
            f"{values['tokens']} tokens; more were asked for. Raise the server's limit"
        )
    return (
        _PARTED
        + ". Look at the weights; where log-probabilities of given tokens agree, at decoding: cache, positions, "
        "batches"
    ).format_map(values)


def _other_prompt(values: Values) -> str:
    if values["reason"] == "tokenizer":
        return "the tokenizer is another than the golden's: the same text becomes other tokens. Use the model's own"
    return (
        f"the chat template is another than the golden's: a prompt has {values['tokens']} tokens instead of "
        f"{values['golden']} (a missing prefill, a system prompt, a doubled first token); use the model's own template"
    )


def _drifted(what: str) -> Callable[[Values], str]:
    """The divergence with its error, beside the thresholds; `what` follows from it."""

    def said(values: Values) -> str:
        best = "the best 20 tokens" if values["best"] else "the given tokens alone"
        how = "measured on damaged weights" if values["measured"] else "assumed from the golden's noise"
        return (
            f"log-probabilities diverge by {values['divergence']:.2g} +- {values['error']:.1g} nats per token "
            f"({values['tokens']} tokens, {best}); a warning begins at {values['warn']:.2g}, a failure at "
            f"{values['fail']:.2g} ({how}){what}"
        )

    return said


def _unforced(values: Values) -> str:
    if values["reason"] == "scaled":
        return (
            f"{_UNFORCED}they look divided by a temperature of {values['temperature']:g} (divergence "
            f"{values['divergence']:.2g}); let the server give raw ones (vLLM: --logprobs-mode raw_logprobs)"
        )
    return _UNFORCED + _NO_DRIFT[values["reason"]]


def _pooled(values: Values) -> str:
    (lo, hi), each = values["interval"], ", ".join(f"{part:+.0f} %" for part in values["each"])
    return (
        f"{len(values['each'])} promises together differ by {values['difference']:+.0f} % of their margins "
        f"[{lo:+.0f}, {hi:+.0f}] on average (each: {each}); {values['tolerance']:.0f} % are allowed, and each wrong "
        f"verdict on a common loss has a chance of at most {values['alpha']:g} %"
    )


def _plan_head(values: Values) -> str:
    spread = " on average, more where the golden run's answers vary" if values["allocates"] else ""
    looks = ", ".join(map(str, values["looks"]))
    return f"{values['problems']} problems, looks at {looks} samples{spread}; {values['parts'][0]}"


def _plan_promised(values: Values) -> str:
    whose = " of the golden run" if values["golden"] else ""
    return (
        f"promised {values['percent']:.1f} %{whose} ± {values['tolerance']}, drawn with temperature "
        f"{values['temperature']}, top_p {values['top_p']}, max_tokens {values['max_tokens']} "
        f"(protocol {values['protocol']})"
    )


def _plan_loss(values: Values) -> str:
    points = values["points"]
    return f"{points:g} point{'s' * (points != 1)}" if points else "nothing"


def _plan_attempts(values: Values) -> str:
    chances = ", ".join(f"{_plan_loss({'points': points})} {chance:.0%}" for points, chance in values["chances"])
    return f"one of {values['attempts']} fresh runs passes, by the loss: {chances}; so a run is resumed, never repeated"


_NO_SPEED = "speed not known (--tokens-per-s)"


def _plan_cost(values: Values) -> str:
    length = "measured in the golden run" if values["measured"] else "a rough figure of the benchmark file"
    speed = f"{values['tokens_per_s']:g} tokens/s" if values["tokens_per_s"] else _NO_SPEED
    return f"{values['tokens']:.0f} tokens a sample, {length}; {speed}"


def _amounts(values: Values) -> str:
    time = f"{values['hours']:.2g} hours" if values["hours"] else _NO_SPEED
    return f"{values['samples']} samples, about {values['tokens']:.0f} tokens, {time}"


def _plan_price(values: Values) -> str:
    return f"it takes {_amounts(values)}"


def _plan_gain(values: Values) -> str:
    looks, percent = ", ".join(map(str, values["looks"])), values["percent"]
    base = (
        f"the golden run's base, which scored {percent:.1f} % with {values['samples']} samples of each problem"
        if values["golden"]
        else f"a base that is asked first, {values['samples']} samples of each problem; its score is not known, and "
        f"planned as {percent:.0f} %, where answers vary most"
    )
    return f"gain over {base}; the checkpoint is looked at after {looks} samples of each problem"


def _plan_base(values: Values) -> str:
    return f"the base takes {_amounts(values)}"


def _plan_gained(values: Values) -> str:
    ends = f"passes in {values['passes']:.0%}, fails in {values['fails']:.0%} of runs"
    return f"a checkpoint that gained {_plan_loss(values)} {ends}; it takes {_amounts(values)}"


def _planned(values: Values) -> str:
    promises, left = values["promises"], values["without"]
    part = f"{promises - left} of " if left else ""
    return f"{part}{promises} promise{'s' * (promises != 1)} planned; nothing was asked and nothing was tested"


def _changes_moved(values: Values) -> str:
    named = "; ".join(f"{name} {before:.0%} to {now:.0%}" for name, before, now in values["problems"])
    return f"{values['group']}, {values['run']}: {values['count']} problems moved (Fisher, Holm): {named}"


def _not_tested(values: Values) -> str:
    promises = values["promises"]
    return f"not tested here: {promises} promise{'s' * (promises != 1)}, {values['reason']}"


def _running(values: Values) -> str:
    promised, tolerance = f"{values['promised']:.1f} %", values["tolerance"]
    interval = " [{:.1f}, {:.1f}]".format(*values["interval"]) if values["interval"] else ""
    parts = [
        f"score {values['percent']:.1f} %{interval}",
        f"promised {promised} ± {tolerance}" if tolerance else f"promised > {promised}",
        *(["look {} of {}".format(*values["look"])] if values["look"] else []),
    ]
    return ", ".join(parts)


def _progress(values: Values) -> str:
    done = f"{values['done']}/{values['total']} samples of {values['problems']} problems"
    rate = f"{values['tokens_per_s']:,.0f} tok/s"
    if "in_flight" not in values:
        return f"{done}, {rate}"
    left = f"about {values['left']} left" if values["left"] else "time left unknown"
    return f"{done}, {left}, {values['in_flight']} in flight, {rate}"


def _listed(head: str) -> Callable[[Values], str]:
    return lambda values: head + "; ".join(values["parts"])


SENTENCES: Mapping[str, str | Callable[[Values], str]] = {
    AS_WRITTEN: "{text}",
    # the verdict
    "verdict": _verdict,
    "seen": _seen,
    "so_far": "so far {parts[0]}",
    "likely_cause": "likely cause: {parts[0]}",
    "further_samples": "not decided; about {samples} further samples per problem are expected to decide",
    "reference_too_noisy": "not decided; the reference is too noisy for any number of samples, a golden run is needed",
    "undecidable_difference": "not decided; this very difference lies where no number of samples decides",
    "tolerance": "{tolerance}",
    "family": "{promises} promises, and each fails a perfect deployment as too low in at most {alpha:.0%} of runs. So "
    "at most {expected:.1f} such failures are expected, one or more with a chance of at most {chance:.0%}. {stand} of "
    "{failed} failures stand when all promises together may err in {alpha:.0%} (Holm)",
    "score_above_paper": "the score is higher than the paper's by more than the tolerance: look for leaked answers, "
    "voting, a laxer grader, a longer limit or other weights",
    "counts_alone": "only counts are known, so copies among the answers cannot be looked for; they make a failure less "
    "sure. Where the answers are kept, judge those: pytest tests/accuracy --predictions FILE",
    "could_be_paper_noise": "this could be the paper's own noise: a mean of {samples} samples per problem has an error "
    "of {error_points:.2f} points. With it, a perfect deployment differs by this much or more, at any look, in up to "
    "{chance:.0%} of runs. Compare with a golden run",
    "confirm_failure": "to confirm this failure, run it once more with fresh seeds and {k} samples of every problem: "
    "--run NEW_FOLDER --run-seed {seed} --samples {k}. A perfect deployment fails that run in at most {alpha:.0%} of "
    "cases, and both runs in at most {both:.2%}. A pass there does not undo this failure",
    "other_verdicts_before": _other_verdicts,
    "terms_changed": _changed_terms,
    # what next
    "worst_problem": "{problem}: {correct} of {samples} right, {truncated} cut off",
    "next_more_samples": "for a verdict: the same command with {option} {samples} --run={run}; it asks only for what "
    "is missing",
    "next_look": "look at: {page}; every answer and grade is in {folder}",
    "next_judge": "judge again, offline: papergate runs judge {run}",
    "unjudged": "no verdict yet: papergate runs judge {run} judges what is stored; the gate with --run={run} goes on",
    "next_resume": "mend it, then type the same command with --run={run}: it asks only for what is missing",
    # why the verdict is not the judgement's alone
    "partial_by_limit": "partial run, {asked} of {problems} problems, which cannot pass: run without --limit for a "
    "verdict",
    "partial_by_file": "partial run, {asked} of {problems} problems, which cannot pass: give the samples of every "
    "problem for a verdict",
    "trial_good": "the set-up works: {samples} samples were asked ({asked} of {problems} problems); {answered} hold an "
    "answer, {correct} the right one. No promise was judged: run without --trial for a verdict",
    "trial_without_answer": "the set-up does not work: {samples} samples were asked ({asked} of {problems} problems), "
    "and none holds an answer. Look at the completions in the run's folder",
    "unknown_could_turn": _unknown_could_turn,
    "not_gating": _not_gating,
    "waived": _waived,
    "waiver_expired": "the waiver of this promise expired on {expires}: {reason}",
    "dependent_copies": "the samples are not independent: {copies} of {answers} long answers repeat another one of "
    "their problem. Look for a cache in front of the server, ignored seeds, or doubled lines of a log, and "
    "start a new run",
    "dependent_unanimous": _all_agree,
    "dependent_places": _servers_differ,
    "dependent_time": _time_differs,
    "dependent_looks": _looks_differ,
    "unanimous_so_far": "no two answers to any problem differ so far, so the noise within problems cannot be seen: "
    "take more samples of each problem",
    "places_so_far": "the servers may differ (p = {p:.2g}): further samples tell",
    "side_by_side_so_far": "the score is outside the tolerance, but answers of one look, or of one text, may share "
    "their noise (p = {p:.2g} if they do): further samples tell",
    "few_copies": "{copies} of {answers} long answers repeat another one of their problem: look for a cache in front "
    "of the server, or ignored seeds",
    "not_sure_in_the_family": "judged alone it fails (p = {p:.2g}), but among the promises of this session p = "
    "{most:.2g} is needed (Holm)",
    "tokens_not_counted": "stopped by --budget-tokens: the engine does not count its tokens, so the budget cannot be "
    "kept",
    "tokens_spent": "stopped by --budget-tokens {most}: {spent} tokens are spent, and the next look takes about "
    "{needed:.0f} more",
    "hours_spent": "stopped by --budget-hours {most:g}: {spent:.2g} hours are spent, and the next look takes about "
    "{needed:.2g} more",
    # the samples
    "grades_undecided": "{count} grades could not be told within their limits; they count as not correct",
    "answers_elsewhere": "{count} incorrect completions hold the right answer elsewhere",
    "answers_refused": "{count} answers are refusals of the server; they count as wrong",
    "answers_drawn_again": "{count} of {answers} answers came only after a request for them had failed, and the pass "
    "rests on them: with these answers wrong, the promise would not pass. If requests fail because of the answer (a "
    "gateway cuts off long answers), the score is too high; look for the failures in the server's log",
    "answers_ended_by_server": _ended_by_server,
    "answers_name_other_model": _other_model,
    "samples_never_came": "{count} of the planned samples never came; they count as not correct",
    # why wrong answers may be wrong
    "cause_server-cap": "{percent:g} % of answers stop at {tokens:,} tokens: the server's limit; raise it there, "
    "this run asks for {asked:,}",
    "cause_context-cap": "{percent:g} % of answers stop where prompt and answer fill {tokens:,} tokens: the "
    "server's context; start it with a longer one (vLLM: --max-model-len)",
    "cause_token-limit": "{percent:g} % of answers reach {tokens:,} tokens, the limit that this run asks for",
    "cause_stop-string": "{percent:g} % of answers end inside the thought, before any limit: look for a stop "
    "string or a wrong end token in the server's settings",
    "cause_loops": "{percent:g} % of answers repeat themselves to the end: look at sampling, quantization and the "
    "server's cache",
    "cause_garbled": "{percent:g} % of answers are garbled: look at the weights, the kernels, the cache and each "
    "replica",
    "cause_other-language": "{percent:g} % of answers change into another script than the prompt's: look at the "
    "weights and the chat template",
    "cause_empty-answers": "{percent:g} % of answers are empty: look at the server's log; a log may hold errors as "
    "empty texts",
    "cause_thought-lost": "{percent:g} % of answers arrive without their thought, though its tokens were counted: "
    "a gateway or a reasoning parser drops it; let it through",
    "cause_mark-lost": "{percent:g} % of answers have no mark that closes the thought: a gateway or a parser "
    "removes it; configure the model's reasoning parser, or send the text as it is",
    "cause_no-thought": "{percent:g} % of answers have an empty thought: the chat template turns thinking off; use "
    "the model's own template",
    "cause_answer-lost": "{percent:g} % of answers end with the thought: a parser or a stop string drops what "
    "follows it",
    "cause_refusals": "{percent:g} % of answers are refusals: remove the system prompt or filter that asks for them",
    "cause_server-filter": "{percent:g} % of answers were ended by the server's content filter: turn it off",
    "cause_answer-elsewhere": "{percent:g} % of answers hold the right answer in a box that is not read as the answer: "
    "look at what follows it (a second box, a question back), and at the prompt",
    "cause_one-group": "{group} scores {score[0]:g} %, and {score[1]:g} % in the golden run; all others "
    "{others[0]:g} % and {others[1]:g} %: look at what these problems have in common, such as their length",
    "cause_server-ended": "{percent:g} % of answers were ended by the server for a reason of its own: see "
    "`finish_reason` in completions.jsonl",
    # the set-up
    "other_benchmark_text": "{benchmark}: {variant}; its digest is {digest}",
    "no_preflight": "the server was not checked before it was asked (--no-preflight)",
    "golden_off_the_print": "the golden run itself scores {golden:.1f} %, {printed:.1f} % ± {tolerance} is printed: a "
    "pass says that both runs agree, not that the printed score is reached",
    "own_promise": "papergate ships no such promise. Not verified: that {source} promises it within {tolerance}",
    "attached": "attached to a server. Not verified: that it runs on {hardware}",
    "other_version": _other_version,
    "other_grader": "graded by the rules of {grader}, not by papergate's: this explains a difference and is no gate",
    "document_asks_other_text": "{tool} asks the text {stated!r}; this run asked {seen!r}",
    "document_sends_otherwise": _sends_otherwise,
    "document_leaves_open": _leaves_open,
    "own_rules": "graded by the rules of {grader}; papergate's own rules give {percent:.2f} %: {differ} of {count} "
    "answers are graded otherwise",
    "golds_refused": "the rules of {grader} call {refused} of the benchmark's {problems} right answers wrong, which "
    "can cost {points:.1f} points",
    "lower_token_limit": "max_tokens is {max_tokens}, the deployment's own limit; the paper used {paper}",
    "setups_differ": _setups,
    "store_repaired": "the stored completions were damaged and repaired: {what}",
    "from_file": "the completions come from a file. Not verified: how they were sampled, and on which hardware",
    "log_of_own_run": "the log is of papergate's run {promise} on {engine}: its seals, seeds and manifest fit. Not "
    "verified: on which hardware",
    "log_without_manifest": "the log is of a run of papergate, and manifest.json is not beside it. Not verified: "
    "model, seeds and prompts",
    "log_judged_before": "the run that the log is of was judged {times} times before, last as {verdict} at {at}",
    "file_names_other_model": "the file names the model {named!r}. Not verified: that it is {promised}",
    "thoughts_stripped": "the command says that thoughts were cut off before: whether the token limit cut off an "
    "answer cannot be told",
    # beside a golden run
    "golden_differs": _golden_differs,
    "golden_without_history": "verdicts.jsonl is not beside the golden run. Not verified: that its record and its "
    "grades are those of its verdict",
    "golden_not_recounted": "grades.jsonl is not beside the golden run. Not verified: that its counts are those of its "
    "answers",
    "length_outside_band": "the mean output has {percent:.1f} % of the golden run's length, outside {low:.0f} to "
    "{high:.0f} %",
    "lengths_unknown": "output lengths cannot be compared with the golden run's: tokens were not counted in both",
    "truncation_differs": "truncated completions: {percent:.2f} %, in the golden run {golden_percent:.2f} %: a "
    "difference larger than chance",
    "problems_moved": _moved,
    # what the numbers can show
    "average": "{title}: {percent:.2f} % here, {stated:g} % in the document ({source}); the mean of its "
    "parts; no promise is about it",
    "document_measured": "the document itself measured {percent:g} % ({source})",
    "reproduced": _reproduced,
    "paper_error": _paper_error,
    "one_run": _one_run,
    "holm_threshold": "among the promises of its session this one fails at p = {p:.2g} (Holm)",
    # runs side by side
    "changes_rule": "compared problem by problem. Marked *: larger than chance among all {count} comparisons of "
    "scores and lengths here (Holm). Where nothing changed, at most {percent:g} % of such tables have a mark. "
    "Lengths: an exact sign test over the problems. Speeds were measured once each, and are not marked",
    "changes_moved": _changes_moved,
    "changes_refused": "{group}, {run}: not compared, {why}",
    # a bundle that was checked
    "verify_grades_differ": "grades that are not those of their completions: {count}. The first: {problem} sample "
    "{sample}, stated {stated}, computed {computed}",
    "verify_misplaced": "the folder {folder} holds the verdict on {stated}",
    "verify_field_differs": "{name} is stated as {stated}; the completions give {computed}",
    "verify_more_differ": "values of the verdict that differ, too: {count}",
    "verify_not_the_last": "{file} is not the file that the last verdict in verdicts.jsonl was made with",
    "verify_no_history": "verdicts.jsonl is missing: which verdicts came before cannot be told",
    "verify_earlier_verdicts": _counting("the promise had {count} in this run before: {verdicts}", count="verdict"),
    "verify_other_golds": "the right answers are not those that {benchmark} publishes",
    "verify_options_absent": _counting(
        "{count} could not be computed here: the options of the questions are not in the bundle. Give the benchmark's "
        "file: --data BENCHMARK=FILE",
        count="grade",
    ),
    "verify_no_completions": "the bundle has no completions of this promise: it was judged from a file of another "
    "tool. Grades and verdict could not be computed",
    "verify_no_verdict": "no verdict: its test ended in an error",
    "verify_grades_limited": "grades that a limit of time or memory ended, here or there: {count}. They are not "
    "compared: {samples}",
    "verify_own_promise": "this papergate has no such promise, or states it otherwise. Not verified: that the paper "
    "says so. The bundle states: within {tolerance}, {source}",
    "verify_text_absent": "the text of {benchmark} is not in the bundle: the grades rest on the right answers alone. "
    "Its digest is {digest}",
    "verify_golden_taken": "the golden run {promise} is taken as its record states it; verify it from its own bundle",
    "verify_other_release": "judged by papergate {judged} and verified by {here}, whose rules may differ",
    "verify_proves": _counting(
        "Proven: the {files} fit each other, with the root {root}; from the {completions} papergate {here} computes "
        "the same {grades} and {verdicts} that papergate {judged} stated.",
        files="file",
        completions="stored completion",
        grades="grade",
        verdicts="verdict",
    ),
    "verify_quoted": "The same root is quoted by {by}: the files are those that were reported there.",
    "signature_of": "the signature of {name}",
    "verify_unquoted": "Not proven: that these are the files of the run. A person who computes all files and sums "
    "again gets a bundle that fits. Compare the root with the JUnit report that you hold (--junit, --root), or ask for "
    "a signature.",
    "verify_cannot": "Not proven by any bundle: that the deployment named in it wrote the completions, on the hardware "
    "named in it.",
    # how a session ends
    "note": "note: {parts[0]}",
    "warning": "warning: {parts[0]}",
    "report_at": "report: {path}",
    "resume": "resume: --run={run}",
    "resume_shard": "resume: --run={run}    when all shards are complete: papergate merge RUN .. -o RUN",
    "shard_complete": "shard {shard} is complete: {samples} samples, up to {look} of a problem in the whole; it judges "
    "nothing: papergate merge joins all {count}",
    "worker_killed": "no verdict: the worker that tested it was killed or crashed; what came is kept: the same command "
    "with --run={run} goes on with it",
    "not_tested": _not_tested,
    "unreached": "no verdict: the session ended before it; the same command with --run={run} goes on with it",
    "skipped": "skipped, but a selected promise needs a verdict",
    "of_promises": lambda values: f"of: {', '.join(values['promises'])}",
    "lines_left_out": "({shown} of {lines} lines; the report has all)",
    "preflight_begins": "preflight of {deployment}: a few hundred short requests (--no-preflight leaves it out)",
    "preflight_found": "preflight: {fine} of {checks} checks in order, {seconds:.0f} s",
    "preflight_refuses": "the preflight failed, so nothing was asked",
    # while it runs
    "waiting_for_shards": "waiting for {shards} shards up to look {look}",
    "waiting_for_look": "look {look}: waiting for {shards} shards; {parts[0]}",
    "nothing_graded": "nothing is graded yet",
    "progress_kept": "{kept} of {samples} samples are kept in {folder}; the same command with --run={run} asks "
    "for the other {missing}",
    "progress_longest": "checking {model} with the longest prompt of {benchmark}",
    "progress_begins": "asking {missing} of {total} samples of {problems} problems; {stored} stored before",
    "running": _running,
    "progress": _progress,
    "progress_errors": "{failed} failed, {retries} retries (last: {last})",
    "progress_retry": "{error}; again in {seconds:.0f} s",
    **english_errors.SENTENCES,
    **english_inputs.SENTENCES,
    # plans
    "pooled": _pooled,
    "plan_head": _plan_head,
    "plan_truth": "the promised score is the truth",
    "plan_exact": "the printed score, a mean of {samples} samples, is taken as the truth",
    "plan_own_error": "{kind} reference of {samples} samples, its own error counted",
    "plan_beta": "simulated on Beta-distributed rates, {share:.0%} of the binomial variance within problems",
    "plan_golden": "simulated on rates of the golden run, {samples} samples per problem",
    "plan_loss": _plan_loss,
    "plan_attempts": _plan_attempts,
    "plan_promised": _plan_promised,
    "plan_cost": _plan_cost,
    "plan_price": _plan_price,
    "plan_gain": _plan_gain,
    "plan_base": _plan_base,
    "plan_gained": _plan_gained,
    "no_plan": "no plan: {message}",
    "planned": _planned,
    # speed
    "run_unfit": _listed("the run cannot be used: "),
    "comparison_unfit": _listed("the comparison cannot be used: "),
    "of_start": "start {number} of the {side}: {parts[0]}",
    "slowdown": "{change:+.1%} latency [{interval[0]:+.1%}, {interval[1]:+.1%}] against the baseline ({comparisons} "
    "comparisons in {clusters} clusters)",
    "client_untold": "the run was too short to see whether the client keeps up",
    "client_late": "the client's event loop was late by (p99) {seen_ms:.1f} ms, below {most_ms:.0f} ms is accepted",
    "client_busy": "the client used {share:.0%} of a core, {most:.0%} at most may be used",
    "requests_late": "requests were sent later than intended by (p99) {seen_ms:.1f} ms, below {most_ms:.0f} ms is "
    "accepted",
    "outputs_short": "{short} of {outputs} outputs ended early although the server accepts ignore_eos",
    # checks of a preflight, with their state
    "no_answer_failed": "the check {check} got no answer: {said}",
    "endpoints_failed": _endpoints_differ,
    "limit_failed": "max_tokens = {asked} was asked for; {tokens} tokens came (finish reason {finish}): the server "
    "or a gateway changes max_tokens; let it through",
    "limit_unknown": _limit_untold,
    "whole_answer_failed": _whole_answer_damaged,
    "whole_answer_noted": _whole_answer_damaged,
    "time_out_noted": "the server ends an answer after {ends_after_s:g} s: {tokens:,} tokens need {needed:g} tokens "
    "per second, and one request alone got {seen:g}; raise e2eTimeout and tokenTimeout, or longer answers are lost",
    "time_out_unknown": "the server ends an answer after {ends_after_s:g} s, so that {tokens:,} tokens need {needed:g} "
    "tokens per second; the trial answer was too short to tell its speed",
    "token_counts_noted": "the token counts of the server do not fit its texts, or are missing: speeds and limits "
    "cannot be trusted",
    "asked_again_noted": "{count} requests failed and were answered when they were sent again, as a run would; the "
    "last error: {said}",
    "greedy_noted": "temperature 0 gave {texts} different texts in {repeats} requests: batch noise of the server, "
    "or the temperature is ignored",
    "greedy_unknown": "the server refuses temperature 0, so that whether it repeats itself is not known: {said}",
    "streaming_noted": "a streamed answer and one that is not streamed differ at temperature 0: look at the "
    "gateway and the reasoning parser",
    "streaming_unknown": "an answer that is not streamed could not be compared with a streamed one: {said}",
    "sampling_failed": _sampling_differs,
    "sampling_unknown": lambda values: _UNSAMPLED + _NO_SAMPLING[values["reason"]],
    "draws_noted": "two seeds drew the same text from each of {pairs} prompts at temperature {temperature:g}: the "
    "server does not use the temperature, or one seed draws all. Look at do_sample in the model's "
    "generation_config.json (transformers serve), at the server's defaults, and for a cache in front of it",
    "draws_unknown": "whether two seeds draw two texts at temperature {temperature:g} could not be told: {said}",
    "seeds_noted": "{differ} of {pairs} requests with the same seed drew another token: the run cannot be "
    "repeated exactly; its score is as good",
    "concurrency_noted": "{count} requests took {together_s:g} s together, one alone {alone_s:g} s: they are "
    "answered one after the other; look for a limit of the server or a gateway",
    "server_changed": "nothing was asked: {url} changed after its preflight. It was: {then}. It is: {now}. Make sure "
    "that it is not restarted or switched during a run, then start again",
    # speed
    "speed_held_back": "{count} of {of} answers came whole, at their end: a gateway holds the stream back. TTFT is "
    "then the time of the whole answer; turn buffering off (nginx: proxy_buffering off)",
    "speed_bursts": "chunks came in bursts ({percent} % within 1 ms of the last, {tokens_per_chunk:g} tokens each): "
    "a gateway or the server gathers them. TPOT holds, ITL and TTFT are those of the bursts; turn buffering off",
    "speed_limit": "at most {most} answers ran at once, {asked} were asked for: look for a limit of the server "
    "(vLLM: --max-num-seqs), of a gateway, or of open files on this machine",
    "speed_not_counted": "{count} of {of} answers have no token count: the server sends no usage and has no tokenizer "
    "route. TPOT and throughput lack them; let usage through (stream_options)",
    "speed_counted_by_tokenizer": "the server sent no usage for {count} of {of} answers: their tokens were counted by "
    "its tokenizer, without those that leave no text",
    "drift_result": "drift of {deployment} from {golden}: {result} ({seconds:.0f} s)",
    # drift from golden answers, with its state
    "prompts_ok": "{prompts} prompts become the golden's tokens",
    "prompts_failed": _other_prompt,
    "prompts_unknown": "whether prompts become the golden's tokens cannot be told: the server has no /tokenize that "
    "gives token ids. Another template stays unseen where greedy answers agree",
    "forced_ok": _drifted(""),
    "forced_noted": _drifted(": another arithmetic than the golden's, or fewer bits. Let the score decide"),
    "forced_failed": _drifted(
        ": as large as damage causes. Look at weights, quantization, position encoding, attention masks and kernels"
    ),
    "forced_unknown": _unforced,
    "greedy_answers_ok": _PARTED,
    "greedy_answers_noted": _PARTED,
    "greedy_answers_failed": _greedy_answers_failed,
    "greedy_answers_unknown": lambda values: "greedy answers could not be compared: " + _NO_GREEDY[values["reason"]],
}
"""By code."""

LABELS: Mapping[str, str] = {
    "colon": ": ",
    "language": "English",
    # verdicts and states
    "pass": "pass",
    "fail": "fail",
    "inconclusive": "inconclusive",
    "error": "error",
    "trial": "trial",
    "asked": "asked",
    "recorded": "recorded",
    "ok": "ok",
    "noted": "noted",
    "failed": "failed",
    "drifted": "drifted",
    "cannot tell": "cannot tell",
    "unknown": "unknown",
    "yes": "yes",
    "no": "no",
    "holds": "holds",
    "broken": "broken",
    # columns and rows of verdicts
    "verdict": "verdict",
    "score": "score",
    "interval": "interval",
    "promised": "promised",
    "n_x_k": "n x k",
    "tokens": "tokens",
    "promise": "promise",
    "problems": "problems",
    "problem": "problem",
    "samples": "samples",
    "measured": "measured",
    "protocol": "protocol",
    "reference": "reference",
    "tolerance": "tolerance",
    "output_tokens": "output tokens",
    "times": "times",
    "benchmark": "benchmark",
    "engine": "engine",
    "weights": "weights",
    "template": "template",
    "environment": "environment",
    "hardware_promised": "hardware promised",
    "not_known": "not known",
    "what": "what",
    "note": "note",
    "likely_cause": "likely cause",
    "notes": "notes",
    "worst_problems": "worst problems",
    "what_next": "what next",
    "samples_k": "samples k",
    "seed": "seed",
    "grader": "grader",
    "version": "version",
    # plans
    "lost": "lost",
    "undecided": "incon.",
    "completions": "completions",
    "hours": "hours",
    "not_known_cell": "unknown",
    # the golden run
    "golden_run": "golden run",
    "here": "here",
    "output_length": "output length",
    "truncated": "truncated",
    "problem_moved": "problem that moved",
    "p_adjusted": "p, adjusted (Holm)",
    # runs side by side
    "run": "run",
    "difference": "difference, points",
    "tokens_per_sample": "tokens a sample",
    "length": "length",
    "moved": "moved",
    "compare_heading": "Runs side by side",
    "history_heading": "Releases over time",
    "scores_in_order": "Scores with their intervals, in the order of the table",
    "scores_in_order_caption": "A dot is a score, its bar the interval; the colour is the verdict.",
    "place_in_table": "row of the table",
    # the statement
    "statement": "Statement of acceptance",
    "official": "official",
    "official_source": "official score by",
    "error_points": "error, points",
    "the junit.xml of the bundle": "the junit.xml of the bundle",
    "model": "model",
    "judged_at": "judged at",
    "waivers": "Findings and limits",
    "evidence": "Evidence",
    "root": "root (sha256)",
    "outcome": "result",
    # a bundle that was checked
    "result": "result",
    "verified": "verified",
    "contradicted": "contradicted",
    "incomplete": "incomplete",
    # speed
    "speed": "speed",
    "valid": "valid",
    "workload": "workload",
    "load": "load",
    "client": "client",
    "count": "count",
    "window": "window",
    "requests": "requests",
    "requests_per_s": "requests / s",
    "output_tokens_per_s": "output tokens / s",
    "all_tokens_per_s": "all tokens / s",
    "goodput_per_s": "goodput, requests / s",
    "tokens_per_chunk": "tokens per chunk",
    **english_page.LABELS,
}
"""By name: headings, columns, rows and states of the terminal and the page."""
