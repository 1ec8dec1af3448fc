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


def _no_application(values: Values) -> str:
    close = f"; did you mean {values['close']}?" if values["close"] else ""
    return f"{values['url']} has no application {values['name']!r}; known: {', '.join(values['known'])}{close}"


def _which_application(values: Values) -> str:
    url, known = values["url"], values["known"]
    several = f"{url} runs {len(known)} applications that may serve {values['model']!r}"
    return f"{several}; say which: --ray {url}#NAME; known: {', '.join(known)}"


def _without_proxy(values: Values) -> str:
    seen = ", ".join(values["seen"]) or "none"
    return (
        f"{values['url']}: no HTTP proxy of Ray Serve is HEALTHY (proxies: {seen}); set `proxy_location` to HeadOnly "
        "or EveryNode"
    )


def _shards_missing(values: Values) -> str:
    more = [f"and {values['more']} more"] if values["more"] else []
    return (
        f"{values['behind']} of {values['shards']} shards have not completed look {values['look']}, and none has moved "
        f"for {values['hours']:.2g} hours: {'; '.join([*values['parts'], *more])}. Run their commands again, and this "
        "one: all goes on where it was"
    )


def _golden_of_one_promise(values: Values) -> str:
    names = ", ".join(values["names"]) or "none"
    place = f"{values['folder']}: a golden run must hold one verdict on {values['benchmark']}"
    remedy = "Give the folder of one finished promise: RUN/PROMISE"
    return "\n  ".join((f"{place}; it holds {names}. {remedy}", *values["unread"]))


def _golden_untrue(values: Values) -> str:
    return (
        f"{values['folder']}: the golden run is not what its record says: {'; '.join(values['parts'])}. Restore its "
        f"files, or judge it again: papergate runs judge {values['run']}"
    )


def _sums_differ(values: Values) -> str:
    return f"its {values['file']} does not fit its files: {values['line'] or 'it ends elsewhere'}"


def _completions_damaged(values: Values) -> str:
    return f"completions are not as papergate wrote them: {'; '.join(values['damages'])}"


def _ends_otherwise(values: Values) -> str:
    seen = values["seen"] or "no <failure> or <error>"
    verdict = values["verdict"]
    return f"{values['report']}: the test of {values['promise']} has {seen}, which does not fit its verdict ({verdict})"


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
    # a Ray cluster
    "ray_no_dashboard": "{url} is no dashboard of Ray: {path} answered {said}; give the address that `ray start` "
    "prints for the dashboard, such as http://HEAD:8265",
    "ray_dashboard_failed": "{url}: the dashboard answered {said}",
    "ray_without_serve": "{url} does not list the applications of Ray Serve: {path} answered {said}; Ray from 2.10 on "
    "does (checked: 2.60.0)",
    "ray_no_applications": "{url} runs no application of Ray Serve; deploy one: serve deploy FILE",
    "ray_no_application": _no_application,
    "ray_which_application": _which_application,
    "ray_of_another_run": "{url} has an application {name} already, which this run did not deploy as it is stated now: "
    "another run uses it, or a run that was killed left it. Attach to it: --ray {url}#{name}; or remove it there: "
    "serve.delete({name!r})",
    "ray_not_taken": "{url} does not take the applications: {path} answered {said}",
    "ray_deploy_failed": "Ray Serve could not deploy the application {told}",
    "ray_unhealthy": "the application is not well, and Ray Serve does not mend it:\n{told}\nRepair it (`serve status`, "
    "logs of its replicas), or test what is left of it without its dashboard: --endpoint URL",
    "ray_not_running": "after {seconds:g} s the application is not RUNNING:\n{told}",
    "ray_replicas_missing": "fewer replicas run than the application is to have: {application}; wait until all run, or "
    "lower its num_replicas",
    "ray_without_proxy": _without_proxy,
    "ray_without_route": "the application {application} has no route_prefix: nobody can ask it over HTTP",
    "ray_proxies_local": "the HTTP proxies of {url} listen on {host} of their own machines only; run papergate there, "
    "start Serve with `http_options: {{host: 0.0.0.0}}`, or say where a proxy is reached: --endpoint URL",
    "ray_deployed_anew": "the application {application} was deployed anew during the run: {now} in place of {before}; "
    "begin a new run",
    "ray_not_replaced": "{said}; after {seconds:g} s nothing has taken the place of what died: {application}",
    "ray_not_removed": "{url} still runs the application {told}; remove it there",
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
    # shards and their coordinator
    "other_than_shards": "{folder} holds other completions than the shards; give this run a folder of its own: "
    "--run DIR",
    "coordinator_gave_up": "the coordinator gave this promise up: {why}",
    "coordinator_silent": "this shard is complete up to look {look}, and its coordinator has been silent for "
    "{hours:.2g} hours; start papergate gate TARGET --coordinate DIR --shards N, then run this command again",
    "shard_gave_up": "shard {shard} gave up: {why}",
    "shards_missing": _shards_missing,
    "shard_ended": "shard {index}: {why}",
    "shard_absent": "shard {index}: it never came: {folder} is not there",
    "shard_behind": "shard {index}: complete up to look {look}",
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
    "not_written": "{file} cannot be written: {reason}; make room",
    "verdict_not_written": "{folder}: the verdict cannot be written: {reason}; what was asked is kept: make room, and "
    "run the same command with --run={run}. It is: {parts[0]}",
    "no_completions": "{folder} holds no completions to judge; give the folder of a run: runs/TIME",
    "no_sample_of_benchmark": "{promise}: the run holds no sample of a problem of its benchmark",
    "shard_judges_nothing": "{folder} is shard {shard} of a run, which judges nothing; join all of them: "
    "papergate merge RUN .. -o RUN",
    "other_than_stated": "{place} holds another run than the promise and the benchmark state now:\n  {differences}\n"
    "give the files that were asked: --data BENCHMARK=FILE, --targets DIR",
    "samples_unplanned": "{folder} holds {count} samples that {samples} samples of a problem do not plan; give the "
    "--samples, --limit and --golden that it was asked with, or give a new run a folder of its own",
    # promises and benchmarks
    "golden_given_before": "{folder}: its verdict was given beside the golden run {promise}; give the folder of that "
    "run again: --golden RUN",
    "golden_of_itself": "{golden} and {run} begin with the same completion: a run is no golden run of itself, "
    "also not as it was earlier; give another",
    "golden_of_one_promise": _golden_of_one_promise,
    "golden_partial": "{folder}: {promise} is a partial run ({partial}), which is no reference",
    "golden_prompt_differs": "{folder}: {promise} was asked with another prompt (digest {digest}, now {now}); make the "
    "golden run anew with this papergate",
    "golden_text_differs": "{folder}: {promise} was asked another text of the benchmark (digest {digest}, now {now}); "
    "give both runs the same file",
    "golden_lacks_problems": "{folder}: the golden run has no problem {problem!r}, nor {others} others of this run; "
    "give both runs the same file, so that ids agree",
    "golden_untrue": _golden_untrue,
    "golden_file_changed": "{file} was changed after the verdict",
    "golden_not_of_manifest": "its {name} is not that of {file}",
    "golden_not_of_grades": "{count} of its counts are not those of {file}, first of {problem}: {correct} correct, "
    "{graded} by its grades",
    "golden_not_of_counts": "its score is {stated:.4%}, {counted:.4%} by its counts",
    "golden_needed": "{promise}: nobody published this score; its reference is a golden run: {source}. Make that run "
    "with papergate, then give its folder: --golden RUN. The base of a gain can be asked in the same session: "
    "--gain-over MODEL",
    "endpoint_of_no_promise": "{option} is given, but no selected promise is about a server; name it: -m a100",
    "benchmark_not_fetched": _not_fetched,
    "benchmark_no_file": "{file}: no such file; give {formats}",
    "benchmark_other_count": "{file}: {rows} rows where {title} has {problems}; give {formats} with all of them (a "
    "quick trial of the set-up is --limit, which cannot pass)",
    "benchmark_other_answers": _other_answers,
    # a bundle
    "bundle_unread": "it cannot be read: {reason}",
    "bundle_cut_off": "it does not end as a bundle does: it was cut off, or is another kind of file",
    "bundle_without_head": "it holds no {file}: another kind of zip file; give what papergate bundle wrote",
    "bundle_head_malformed": "its {file} is not as papergate writes it",
    "bundle_newer": "it has the format {format}, and this papergate reads {here}: verify it with a later release",
    "bundle_bytes_differ": "from byte {place} on it is not as papergate writes a bundle: changed, or packed by another "
    "tool",
    "bundle_goes_on": "{count} bytes follow the end of the bundle",
    "bundle_list_too_long": "its list of members has {size} bytes, and papergate reads {most}",
    "bundle_list_outside": "its list of members lies outside of it: it was cut off or put together",
    "bundle_list_damaged": "its list of members is damaged",
    "bundle_too_many_members": "it has more than {most} members",
    "bundle_members_too_large": "its members state {total} bytes in all, and the file has {length}",
    "bundle_out_of_order": "its members are not in the order of a bundle, or one is missing",
    "bundle_member_absolute": "the member {name} has an absolute name, which would be written outside of the folder",
    "bundle_member_leads_out": "the member {name} leads out of the folder",
    "bundle_member_link": "the member {name} is a link",
    "bundle_member_compressed": "the member {name} is compressed ({packed} bytes that unpack to {size}). Bundles are "
    "not compressed, and papergate unpacks nothing; ask for the file that papergate bundle wrote",
    "bundle_member_repeated": "the member {name} is there {times} times",
    "bundle_member_unknown": "the member {name} is none that this papergate bundles",
    "bundle_member_too_large": "its {file} has {size} bytes, and a bundle's has {most} at most",
    "bundle_sums_differ": _sums_differ,
    "bundle_other_root": "{report} quotes the root {root}, and the files have {files}: they are not the run that was "
    "reported, or it went on afterwards",
    "root_malformed": "--root {root}: a root has 64 digits of 0-9 and a-f",
    "promise_altered": "{promise}: {parts[0]}",
    "promise_not_together": "{promise}: its files do not belong together ({error})",
    "completions_damaged": _completions_damaged,
    "completions_unseeded": "{count} completions do not state the seed that they were drawn with",
    "report_malformed": "{report} is no JUnit report: {said}",
    "report_with_document_type": "{report} declares a document type, as no JUnit report does",
    "report_without_root": "{report} quotes no root; give the JUnit report of the session that ended the run",
    "report_miscounts": "{report} does not fit itself: a suite counts {stated} {name} and has {found} <{tag}> elements",
    "report_of_another_promise": "{report} has a verdict on {promise}, the bundle none",
    "report_differs": "{report} and the record of {promise} differ in {name} (one states {value})",
    "report_ends_otherwise": _ends_otherwise,
    "signature_of_no_signer": "{signature} is of none of the signers in {signers}: {said}",
    "signature_of_another": "{signature} is no signature of {bundle}: {said}",
    "ssh_keygen_missing": "ssh-keygen cannot be run ({reason}); install OpenSSH 8.1 or later",
}
"""By code."""
