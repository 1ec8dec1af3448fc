"""English sentences for what breaks before a verdict: by the kind of error, and where more is known, in detail."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]


def _listed(lines: Sequence[str], more: int = 0) -> str:
    """Lines under a sentence, and how many were left out."""
    return "".join(f"\n  - {line}" for line in lines) + (f"\n  - and {more} more" if more else "")


def _other_scheme(values: Values) -> str:
    spoken = "plain HTTP" if values["plain"] else "TLS"
    return f"{values['url']}: the server speaks {spoken} on this port; give the address {values['address']}"


def _wants_key(values: Values) -> str:
    key = values["key"]
    sent = f"the key in {key} was sent" if values["sent"] else f"no key was sent; set {key}"
    return " ".join(filter(None, (values["url"], f"answered {values['status']} {values['said']}: {sent}")))


def _serves_others(values: Values) -> str:
    names, more = values["names"], values["more"]
    shown = ", ".join(map(repr, names)) + (f" and {more} more" if more else "")
    close = f"; did you mean {values['close']}?" if values["close"] else ""
    one = names[0] if len(names) == 1 else "NAME, one of them"
    return f"{values['url']} does not serve {values['model']!r}{close}; it serves {shown}; give --model={one}"


def _ended_early(values: Values) -> str:
    remedy = f": {values['remedy']}" if values["remedy"] else ""
    return f"{values['server']} ended before it was ready{remedy}; its last words:\n{values['log']}"


def _requests_lost(values: Values) -> str:
    return (
        f"{values['lost']} of {values['samples']} samples never came, so no score can be stated:"
        f"{_listed(values['named'], values['more'])}\n"
        f"  What came is kept; mend the engine: the same command with --run={values['run']} asks only for these"
    )


def _store_damaged(values: Values) -> str:
    return (
        f"{values['file']} is not as papergate wrote it:{_listed(values['damages'], values['more'])}\n"
        "restore it from a copy, or keep the records that are whole and ask for the others again: "
        f"papergate runs check {values['folder']} --repair"
    )


def _other_run(values: Values) -> str:
    apart = "\n  ".join(values["differences"])
    return (
        f"{values['folder']} holds another run:\n  {apart}\n"
        "resume with the stored settings, or give this run a folder of its own"
    )


def _not_fetched(values: Values) -> str:
    tried = _listed(values["tried"] or ["no public origin is known"])
    return (
        f"{values['title']}: its problems could not be fetched.{tried}\n"
        f"  Remedy: --data {values['benchmark']}=FILE with a local copy, or set HF_ENDPOINT to a mirror."
    )


def _other_answers(values: Values) -> str:
    return (
        f"{values['file']}: text and answers differ from every accepted {values['title']} (its digest: "
        f"{values['digest']}).\n"
        f"  Accepted:{_listed(values['accepted'])}\n"
        "  Some gold answer is wrong or belongs to another problem; fetch the file again from a listed origin."
    )


KINDS = (
    "other",
    "options",
    "promise",
    "benchmark",
    "hardware",
    "engine",
    "preflight",
    "store",
    "evidence",
    "workload",
    "requests_lost",
    "answers_damaged",
    "predictions",
)

SENTENCES: Mapping[str, str | Callable[[Values], str]] = {
    # by kind: the message says all
    **{f"error_{kind}": "{message}" for kind in KINDS},
    # this machine
    "hardware_missing": "{target} demands {hardware}; {seen}. Run on that machine, or attach to a server there: "
    "pytest -m {target} --endpoint http://HOST:PORT",
    "package_missing": "the {engine} engine needs {package}; {install}",
    "model_not_loaded": "{model}: transformers cannot load it: {said}",
    "prompt_too_long": "{model}: its context holds {context} tokens, but the longest prompt has {longest} and "
    "max_tokens is {max_tokens}, {needed} together; lower max_tokens in the target file",
    # a server that papergate starts
    "server_ended_early": _ended_early,
    "server_not_ready": "{server} was not ready in time; its last words:\n{log}",
    "server_ended": "{server} ended during the run; its last words:\n{log}",
    "server_unwell": "the server in {folder} is not well; its last words:\n{log}",
    # a server at an address
    "endpoint_silent": "{url} did not answer within {seconds:g} s; look at the server's log",
    "endpoint_unreached": "{url} cannot be reached ({said}); is the server started, and the address right?",
    "endpoint_other_scheme": _other_scheme,
    "endpoint_unwell": "{url} is not well: /health answered {said}; look at the server's log",
    "endpoint_wants_key": _wants_key,
    "endpoint_without_models": "{url} cannot list its models: /v1/models answered {said}; look at its log",
    "endpoint_of_another_kind": "{url} is not OpenAI-compatible: /v1/models answered {said}; give the address of a "
    "server, such as http://host:8000",
    "endpoint_serves_others": _serves_others,
    "endpoints_other_templates": "{urls} use {templates} chat templates; give endpoints of one deployment",
    "endpoint_context_short": "{url} has room for {context} tokens; the longest prompt ({prompt} tokens) and "
    "max_tokens = {max_tokens} need {needed}; start the server with a longer context (vLLM: --max-model-len)",
    "endpoint_draws_otherwise": "{url} draws with {settings} of its own, which are not the run's; start it with "
    "settings that do nothing (llama.cpp: --top-k 0 --min-p 0)",
    "endpoint_echoes": "{url} sends the prompt back as the beginning of the answer: its parser of answers does not "
    "know the model's chat template (transformers serve: put a `response_template` into the model's "
    "tokenizer_config.json, see docs/asking.md)",
    # while it is asked
    "no_progress": "no answer finished for {seconds:g} s with {in_flight} requests in flight; look at the server's log",
    "lost_in_a_row": "{count} requests in a row were lost, the last with: {said}",
    "words_withheld": "the engine failed on {title}; its words are withheld, as they may quote a problem that must not "
    "be shown: see the server's own log",
    "samples_copied": "samples of {copied} of {repeated} problems are the same text: copies, not independent draws. "
    "Is the temperature 0, a cache in front, the seed ignored, or `do_sample` missing from the model's "
    "generation_config.json (transformers serve)? One run of this deployment is: --protocol vendor",
    "asking_stopped": "asking was stopped after {answers} answers: {parts[0]}. So much damage costs the promise, "
    "however many samples follow; a run that can bear its damage is stopped in at most {alpha:.0%} of cases. The "
    "answers are kept. Mend the deployment, then start a new run",
    "requests_lost": _requests_lost,
    # the folder of the run
    "store_damaged": _store_damaged,
    "store_full": "{file} cannot be written: {reason}; the {kept} completions stored before are kept; make room and "
    "run the same command again",
    "store_locked": "{folder} is being written by another process (it holds {lock}); wait for it, or give this run a "
    "folder of its own",
    "other_run": _other_run,
    "samples_beyond": "{place} holds more than {most} samples of every problem, and a verdict on a part of them would "
    "be a choice; leave out --samples, --max-samples and --protocol vendor, or give a new run a folder of its own",
    "samples_removed": "{folder}: {problems} problems lack samples of an earlier look than their last: records were "
    "removed, or the run was begun with other looks. Restore the file; or resume with the --samples, --max-samples and "
    "--golden that it was begun with; or give a new run a folder of its own",
    "verdict_not_written": "{folder}: the verdict cannot be written: {reason}; what was asked is kept: make room, and "
    "run the same command with --run={run}. It is: {parts[0]}",
    # promises and benchmarks
    "golden_needed": "{promise}: nobody published this score; its reference is a golden run: {source}. Make that run "
    "with papergate, then give its folder: --golden RUN. The base of a gain can be asked in the same session: "
    "--gain-over MODEL",
    "endpoint_of_no_promise": "{option} is given, but no selected promise is about a server; name it: -m a100",
    "benchmark_not_fetched": _not_fetched,
    "benchmark_no_file": "{file}: no such file; give {formats}",
    "benchmark_other_count": "{file}: {rows} rows where {title} has {problems}; give {formats} with all of them (a "
    "quick trial of the set-up is --limit, which cannot pass)",
    "benchmark_other_answers": _other_answers,
}
"""By code."""
