"""English sentences for what a user gives that cannot be: options, files, logs, runs to be read, joined or bundled."""

from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, Any]

_SHARD = "write I/N with I from 0 to N-1, such as 0/8; auto in a Slurm array; or auto/N in a Kubernetes Indexed Job"


def _close(values: Values) -> str:
    return f"; did you mean {values['close']}?" if values["close"] else ""


def _run_no_folder(values: Values) -> str:
    kind = "special file" if values["special"] else "file"
    return f"--run {values['given']}: {values['place']} is a {kind}; give the folder of a run, or the name of a new one"


def _log_of_no_promise(values: Values) -> str:
    how = "To judge them: --model NAME as a target writes it, --data BENCHMARK=FILE, or your own --targets DIR."
    if values["benchmarks"]:
        how = (
            "The model has promises; the ids are of none of their benchmarks. Name the file that was asked: "
            f"--data BENCHMARK=FILE, BENCHMARK one of {', '.join(values['benchmarks'])}."
        )
    return (
        f"{values['log']}: its {values['problems']} problems (ids such as {values['first']}) of model "
        f"{values['model']!r} belong to no selected promise.\n  {how}\n"
        "  To grade them without any promise: write {gold, response} lines, then papergate grade FILE -o OUT"
    )


def _deployment_unknown(values: Values) -> str:
    accepted = "an address, a file, or a deployment" if values["option"] == "--baseline" else "a deployment"
    engines, known = " or ".join(values["engines"]), "".join(f"\n  {each}" for each in values["known"])
    return (
        f"{values['option']} {values['name']}: accepted is {accepted} with the engine {engines}{_close(values)}; "
        f"known:{known}"
    )


def _shard_unset(values: Values) -> str:
    seen = ", ".join(f"{name}={value}" for name, value in values["given"].items()) or "none of them is set"
    return f"--shard {values['shard']} reads {' or '.join(values['names'])}: {seen}; {_SHARD}"


def _merge_outside_fleet(values: Values) -> str:
    named = f"names it with {values['named']}" if values["named"] else "does not name it"
    return (
        f"{values['folder']}: {values['promise']} was asked with protocol {', '.join(values['asked'])}; the matrix "
        f"file {named}. Leave this run out, or mend the file"
    )


def _merge_missing(values: Values) -> str:
    more = f" and {values['more']} more" if values["more"] else ""
    return f"missing of {values['count']} shards: {', '.join(map(str, values['named']))}{more}"


def _merge_of_another_plan(values: Values) -> str:
    (shards, look), (other_shards, other_look) = values["plan"], values["others"]
    return (
        f"{values['folder']} has another plan than {values['first']} ({', '.join(values['apart'])} differ): "
        f"{shards} shards up to {look} samples, and {other_shards} up to {other_look}"
    )


_GRADED = "one JSON object a line with a gold and a given answer, or a log as --predictions takes it"
_ATTENTION = "the huggingface engine cannot keep in its cache; serve this model with vLLM and attach with --endpoint"


SENTENCES: Mapping[str, str | Callable[[Values], str]] = {
    # options
    "option_not_above_zero": "{option} {number}: give a number above 0",
    "option_not_counting": "{option} {number}: give a whole number of at least 1",
    "option_above_most": "{option} {number}: give at most {most}",
    "option_unshown": "{option} {value!r}: holds bytes that are no UTF-8 or no letters; rename it",
    "ca_file_missing": "--ca-file {file}: no such file; give the authority's certificate as PEM",
    "asks_and_reads": "{option} asks a server, --predictions reads a file: give one of them",
    "trial_and_predictions": "--trial tries a server or an engine, --predictions reads a file: give one of them",
    "golden_no_folder": "--golden {golden}: no such folder; give the folder of a stored run",
    "samples_and_most": "--samples fixes the number that --max-samples bounds: give one of them",
    "letter_without_vendor": "--letter sends as the document's tool does, which --protocol vendor follows: give both",
    "holm_of_vendor": "--holm adjusts an error rate; with --protocol vendor the literal rule alone decides",
    "budget_of_one_look": "a budget is looked at between looks, and {option} has one look only: give one of them",
    "shard_without_plan": "--shard asks a part of a fixed number of samples, or of looks that a coordinator takes: "
    "give --samples K, or --coordinate DIR",
    "shard_with_judging": "--shard judges nothing: give {option} to papergate merge or to the coordinator, or "
    "leave it out",
    "coordinating_without_folder": "{option} is about the shards of a coordinated run: give --coordinate DIR",
    "coordinate_alone": "--coordinate DIR: give --shard I/N to ask a part there, or --shards N to judge the N "
    "parts that others ask",
    "coordinate_with_asking": "--coordinate judges what shards ask: leave out {option}",
    "gain_with_other_reference": "--gain-over asks the whole base in this session, as the reference: leave out "
    "{option}",
    "data_unnamed": "--data {entry}: write BENCHMARK=FILE, for example --data math500=/data/math_500.jsonl",
    "base_is_model": "--gain-over {model}: this is the model that is tested; give its base",
    "base_of_same_revision": "--gain-over {base}: the server says that {base} and {checkpoint} are the same "
    "weights ({revision}); give the base of the model that is tested",
    "base_of_same_weights": "--gain-over {base}: its weights are those of {checkpoint}, the model that is tested "
    "(sha256 {digest}); give its base",
    "starts_and_attaches": "--deployment starts a server, --endpoint attaches to one: give one of them",
    "restarts_too_few": "--restarts {restarts}: give at least {fewest} starts of each side",
    "baseline_alone": "--baseline NAME starts both sides anew, in turns: name the other side: --deployment",
    "baseline_of_other_model": "--baseline {baseline} serves {seen}, --deployment {judged} serves {asked}: not "
    "comparable; name a deployment of the same model",
    "workloads_called_alike": "{name} names two workloads; let names differ by more than `_` and `-`",
    "latency_of_several": "{count} endpoints: latency belongs to one of them; give one --endpoint",
    "endpoint_without_model": "--endpoint is given without --model; name the model as the server serves it",
    "speed_not_written": "the record of {workload} cannot be written into {run}: {reason}",
    "drift_without_golden": "drift is measured from golden answers: --golden FOLDER, as `papergate golden make` "
    "wrote it",
    "golden_answers_of_several": "{target}: golden answers are made of one deployment; this target has {names}",
    "not_asked_here": "{target}: its deployment cannot be asked here; see papergate doctor",
    "log_of_several_models": "{log}: the file fits {count} promises and does not say which model wrote it; give "
    "--model NAME",
    "too_few_in_flight": "{in_flight} requests in flight cannot be shared by {workers} workers; give a larger "
    "--concurrency, or fewer workers: -n {in_flight}",
    "no_deployment_here": "{target}: no deployment of this target can be asked here; see papergate doctor",
    "no_server_of_target": "{target}: no promise of this target is about a server; see papergate doctor",
    "run_no_folder": _run_no_folder,
    "option_of": "{option}: {parts[0]}",
    "data_unknown": lambda values: (
        f"--data {values['name']}=...: no such benchmark; known: {', '.join(values['known'])}{_close(values)}"
    ),
    "log_of_no_promise": _log_of_no_promise,
    "deployment_unknown": _deployment_unknown,
    "shard_malformed": f"--shard {{shard}}: {_SHARD}",
    "shard_impossible": f"--shard {{shard}}: shard {{index}} of {{count}} cannot be; {_SHARD}",
    "shards_uneven": "--shard {shard}: the tasks of this array are not evenly numbered; write --shard I/N",
    "shard_unset": _shard_unset,
    # golden answers
    "logprobs_of_stored": "log-probabilities are told by a server or a model in this process; stored texts have none",
    "golden_answers_of_servers": "golden answers are made of one server: give one --endpoint",
    "golden_answers_of_other": "the golden answers are of {golden}, the deployment is of {asked}; make golden "
    "answers of it",
    "golden_answers_missing": "{folder} holds no {file}: a stored run has no log-probabilities. Make them on the "
    "trusted platform: papergate golden make TARGET -o {folder}",
    "golden_answers_confidential": "{deployment}: its benchmarks are confidential, and golden answers hold their text",
    "logprobs_untold": "{url} does not tell log-probabilities of given tokens ({reason})",
    "golden_answers_untold": "golden answers need a server that tells tokens by number and log-probabilities of "
    "given tokens, as vLLM does ({reason}); make them there, or with transformers in process",
    # logs that are judged
    "own_log_damaged": "{file} is not as papergate wrote it: {damage}; {count} such places. Give the folder of the "
    "run, or restore the file",
    "log_of_other_problems": "{log}: {unknown} of its {problems} problems, first {first}, are not in {source}; "
    "give the log of one benchmark, and the file that was asked: --data {benchmark}=FILE. Numbers of rows stand for "
    "its order where the log has all golds",
    "log_of_other_golds": "{log}: {other} of its {golds} gold answers differ from the benchmark's, first for "
    "{first}: its ids are those of another file or order; give that file: --data BENCHMARK=FILE",
    "run_of_no_target": "{folder}: the run is about {promise}, which no target file promises; give the folder of "
    "its target: --targets DIR",
    # benchmarks
    "benchmark_of_no_format": "{file}: not a format papergate reads; give {formats}",
    "benchmark_unread": "{file}: cannot be read: {reason}; give {formats}",
    "benchmark_malformed": "{file}: not a {kind} file: {error}",
    "benchmark_needs_pyarrow": "{file}: reading parquet needs pyarrow; {install}",
    "archive_other_digest": "its md5 is {found}, expected is {expected}: another archive, or a page of a proxy",
    "archive_not_fetched": "not fetched yet",
    "archive_members": "{count} of its members are called {name}, one is expected",
    "archive_member_large": "{name} unpacks to {size} bytes, more than is read",
    "archive_large": "it has more than {most} bytes, as no known archive has",
    "benchmark_text_refused": "{source}: this is the text {variant!r}, which must not be used: {why}",
    "benchmark_repeats": "{source}: problems or ids are listed more than once (ids {ids}); keep one of each",
    "benchmark_own_name": "{file}: benchmark {name!r} is one of papergate's own; rename the file",
    "benchmark_row_malformed": "{source}: row {row} is no row of {title}: {reason}",
    "shots_missing": "{title}: the document's tool shows {shots} solved problems of {subject!r}, and {found} are "
    "here; give a folder that holds test/*_test.csv and dev/*_dev.csv: --data {benchmark}=FOLDER",
    # answers that are graded
    "line_too_long": "{place}, line {line}: more than {most} MiB; one JSON object a line is accepted",
    "gold_unread": "{place}: the gold {gold!r} cannot be read as {kind}; name another --gold-field or --kind",
    "gold_missing": "{file}: no gold answer for {problem!r}; give the golds by id, such as the benchmark's file: "
    "--golds FILE.jsonl",
    "answers_unread": f"{{file}}: cannot be read ({{reason}}); accepted: {_GRADED}",
    "answers_none": f"{{place}}: no answers in it; accepted: {_GRADED}",
    "answers_undecoded": f"{{place}}: {{error}}; UTF-8 text is accepted: {_GRADED}",
    "answer_malformed": f"{{place}}: not JSON ({{error}}); {_GRADED}",
    "answer_no_object": f"{{place}}: a {{kind}}; {_GRADED}",
    "answer_no_text": "{place}: {field!r} holds a {kind}; one text is accepted. Write each sample on a line of its own",
    "answer_field_twice": "{place}: the field {field!r} is listed twice; keep one",
    "gold_of_two": "{file}, line {line}: {id} has another gold answer in a line before; give each row one id",
    "fields_of_log": "{log}: a log has fields of its own; leave out --gold-field and --answer-field",
    "golds_not_understood": "Answers whose gold cannot be read: {times}, such as {gold!r}. Only the same text equals "
    "such a gold. Give the value alone, for example with --gold-field or --golds",
    "thoughts_all_open": "None of the {times} texts closes its thought, so none has an answer. If they hold no "
    "thoughts, leave out --thinks. If the model has marks of its own, give --thought-marks",
    # names and numbers of the commands
    "html_no_file": "--html {file} is no plain file; give the name of a new one: --html FILE",
    "html_not_written": "--html {file} cannot be written: {reason}; give another place",
    "run_named_twice": "a run is named twice; name each once",
    "output_not_written": "{file} cannot be written: {reason}",
    "workers_malformed": "--workers is {workers}; give a number from 1",
    "letters_malformed": "--letters is {letters!r}; give the letters of the options, each once, such as ABCD",
    "fields_are_one": "{field!r} is the field of the right and of the given answer; name another --gold-field or "
    "--answer-field",
    "graders_are_one": "--compare {grader} {grader}: give two different graders",
    "marks_malformed": "--thought-marks are empty or the same; give the two marks of a thought",
    "grades_not_written": "{file}: cannot be written ({reason}); name another file with -o",
    "output_is_input": "{file}: the output is a file that is read, which would be lost; name another file with -o",
    "output_closed": "standard output is closed; name a file with -o",
    "input_closed": "standard input is closed; name a file",
    # a result that is judged
    "result_missing": "{missing} missing; give a JSON file, or --{options}",
    "result_too_large": "--problems and --samples are at most {most}",
    "tolerance_malformed": "{words!r} is not a tolerance here; write '1 problem' or '0.5 points' (any number of "
    "either){gain}",
    "result_stated_twice": "{file} and --{given} are given; state the result once",
    "counts_twice": "give the counts once, as counts or as counts_rle",
    "counts_too_many": "counts_rle: more than {most} problems; no benchmark has so many",
    "references_two": "give one reference: ref_percent, or ref_counts of a golden run",
    "ref_k_malformed": "ref_k of a printed score is one number: the samples behind it",
    "ref_k_missing": "ref_counts need ref_k, the planned samples of each problem of the golden run",
    "tolerances_two": "give either tolerance in words, or tol_fraction and delta_fraction",
    "file_unread": "{file} cannot be read: {reason}",
    "result_field_twice": "{file} is not a result: the field {field} is listed twice; keep one",
    "result_malformed": "{file} is not a result: {mistakes}; see papergate judge --help",
    # a plan
    "replicas_alone": "--replicas needs --tokens-per-sample and --tokens-per-s, the speed of one replica",
    "reference_without_samples": "--reference {kind} needs --paper-samples, the samples per problem behind the score",
    "plan_out_of_range": "--{option} is {value}; 1 to {most} can be simulated",
    "plan_not_above_zero": "--{option} is {value:g}; give a number above 0",
    # runs
    "runs_none": "{folder} holds no run; give the folder that holds runs",
    "run_none": "{folder} holds no run; papergate runs list DIR lists those of a folder",
    "run_not_there": "{run}: no run is there; give the folder of a run, such as runs/20260131-120000",
    "runs_unread": "{folder} cannot be read: {reason}; give the folder that holds runs",
    "statement_name": "-o {output}: give a name that ends in .md or .pdf",
    "statement_not_written": "-o {output} cannot be written: {reason}; give another place",
    "signature_alone": "--signature and --signers belong together: the signature, and whom you trust",
    # a store
    "repair_of_another_run": "{file}: its first record was not written under this {manifest}: restore the "
    "{manifest}, or the records of this run; records of another run are not taken over",
    "repair_failed": "{folder} cannot be repaired: {reason}; nothing was changed",
    "run_without_manifest": "{folder} holds no run: {file} is missing",
    "store_closed": "{folder} is closed",
    "runs_not_written": "{folder} cannot be written: {error}; choose another folder for runs",
    "answerer_changed": "{folder}: who answers changed while this run asked, its completions may be of both; begin "
    "a new run:\n{differences}",
    "completions_without_manifest": "{folder} holds {completions} but no {manifest}; restore it or move the folder",
    "manifest_unread": "{file} cannot be read: {mistakes}. Was it edited or cut off? Restore it from a copy, or "
    "give this run a folder of its own: without it, what its answers mean is not known",
    # engines
    "model_incomplete": "{folder}: the folder lacks {missing}; copy the model's files completely{found}",
    "checkpoint_broken": "{folder}: the checkpoint is not whole: {broken}. Save or copy it again",
    "model_no_folder": "{folder}: no such folder; --model takes a folder of weights or a hub id",
    "settings_unread": "{file}: cannot be read: {error}; restore the file of the model",
    "generation_failed": "generation failed: {kind}: {error}{remedy}",
    "sizes_differ": "{deployment}: {name} is {size}, and its flags say {stated}; correct one of them",
    "server_of_another_run": "{folder} runs another server: {command}; use another folder",
    "engine_unknown": "{promise}: engine {engine!r} is unknown; known: {known}",
    "server_file_damaged": "{file} is not as papergate wrote it ({why}): {remedy}, then remove this file",
    "run_not_written": "{folder} cannot be written: {reason}; give another folder: --run DIR",
    "attention_of_its_own": f"{{model}} has an attention of its own, which {_ATTENTION}",
    "attention_in_some_layers": f"{{model}} attends in {{attending}} of {{layers}} layers; what the others do "
    f"{_ATTENTION}",
    "attention_unknown": lambda values: f"the model's attention has {', '.join(values['asked'])}, which {_ATTENTION}",
    # logs of tools
    "log_text_unread": "{log}: cannot be read: {said}; give a whole file of UTF-8 text",
    "log_unpacks": "{log}: unpacks to {size:.0f} MiB, more than texts do; unpack it",
    "log_missing": "{log}: no such file; give a file or folder of completions",
    "log_needs_pyarrow": "{log}: reading parquet needs pyarrow; {install}",
    "log_parquet_unread": "{log}: cannot be read: {error}; give a whole parquet file",
    "log_malformed": "{place}: not JSON ({error}); give a whole file: was its tool stopped?",
    "log_archive_unread": "{log}: cannot be read: {error}. If it is a whole log, either of these makes it "
    "readable: {install}, or inspect log convert {log} --to json --output-dir FOLDER",
    "log_of_several_runs": "{folder}: problem {problem} is in {first} and in {log}, so these are logs of several "
    "runs or benchmarks; give the one file that is meant",
    "log_rows_ambiguous": "{log}: its rows repeat prompts, but neither each problem {repeats} times in its place "
    "nor all problems in turn, so which problem a row is about cannot be told; give one completion a line, with ids",
    "log_is_shard": "{log} is shard {shard} of a run; join all of them first: papergate merge",
    "sample_malformed": "{place}: sample {sample} is no whole number from 0; number the samples of a problem",
    "row_no_object": "{place}: {kind} where an object is expected; give a file of completions",
    "row_other_columns": "{place} has the columns {columns}; give {accepts}",
    "log_of_models": "{log}: completions of {count} models ({models}); give one file per model",
    "log_without_thoughts": "{log}: no completion closes its thought with </think> or another known mark, so none "
    "has an answer. If the thoughts were cut off when the file was written, say so: --thoughts-stripped grades the "
    "texts whole. If the model has marks of its own, state them in the target: thought_marks",
    "log_with_thoughts": "{log}: {marked} of {count} completions hold a thought: they were not cut off; leave out "
    "--thoughts-stripped",
    "samples_numbered_from": "{log}: its samples are numbered from {lowest}; number those of a problem from 0",
    "sample_twice": "{log}: sample {sample} of {problem} is there twice; keep one of each",
    # workloads
    "prompt_not_made": "no text of {tokens} tokens could be made (off by {gap:+}); choose another length or text",
    "prompts_empty": "{file}: the file holds no words",
    "prompts_too_few": "{file}: {found} of its conversations fit the workload, {count} are needed",
    "answers_uncounted": "recorded answers give the output lengths, but the server has no /tokenize to count them",
    "workload_too_long": "{workload} needs {needed} tokens of context, the server has {context}; start it with a "
    "longer context, or choose a smaller workload (--workload tiny-online)",
    "prompts_unread": "{file}: cannot be read: {error}; give a file of UTF-8 text",
    "open_loop_turns": "{workload}: an open loop cannot take turns between two servers; give concurrency",
    "short_request_failed": "{url} does not answer a short request: {error}",
    "proxy_in_the_way": "{url} is reached through the proxy {host}, whose time would count; name it in NO_PROXY",
    "connection_not_taken": "{url} does not take a connection ({error})",
    "load_requests_failed": "{workload}: {failed} of {requests} requests failed: {errors}",
    "outputs_unequal": "{unequal} of {prompts} prompts got outputs of different lengths from the two servers; both "
    "must take ignore_eos",
    "clusters_too_few": "{count} clusters of pairs; at least {fewest} are needed to see how far they spread: more "
    "requests, or more restarts",
    "baseline_lacks": "the baseline holds nothing of {test}; it holds {known}",
    "baseline_without_latencies": "the baseline holds no latencies of single requests; write it with "
    "--benchmark-json FILE",
    "baseline_other_outputs": "the baseline's outputs have {stored} tokens, this run's {seen}: not comparable",
    "baseline_differs": "the baseline of {test} has the {what} {stored!r}, this run {seen!r}: not comparable; "
    "record the baseline anew",
    "baseline_malformed": "{file}: no stored run ({kind}: {error}); accepted: an address such as http://host:8000, "
    "or a file that --benchmark-json wrote",
    "workload_needs_prompts": "{workload}: its conversations are a file of yours; give it: --prompts FILE",
    "workload_no_file": "{workload}: {file}: no such file",
    "workload_malformed": "{file}: a workload cannot be read from this file:\n{mistakes}",
    # reports
    "runs_unfinished": "{folder} holds no finished run; give the folder that holds the folders of runs: runs",
    "compare_without_verdict": "{run} holds no verdict to compare; give the folder of a finished run: runs/TIME",
    "compare_other_text": "another text of the benchmark: {now}, before {before}",
    "junit_not_written": "{file} cannot be written: {reason}; give another file: --junitxml FILE",
    "page_not_written": "the page cannot be written into {run}: {reason}; make room, or give another folder: --run DIR",
    "page_failed": "there is no page: a fault in papergate itself, please report it ({kind}: {error}); verdicts "
    "and JUnit do not depend on it",
    "statement_without_verdict": "{run} holds no verdict to state; give the folder of a finished run: runs/TIME",
    "pdf_needs_reportlab": "a PDF needs reportlab: pip install 'papergate[statement]'; Markdown needs nothing",
    "plan_of_vendor_gain": "under the protocol vendor, two runs of a gain are compared as they are; plan it with "
    "--protocol paper",
    # addresses and proxies
    "address_with_secrets": "endpoint on {host!r} carries a user, a password or a query; a key belongs in the "
    "environment, in {key}; write the endpoint like http://host:8000",
    "address_malformed": "endpoint {endpoint!r} is no address; write it like http://host:8000",
    "key_malformed": "{key} holds a line break or another character that no header can carry; set the bare key",
    "proxy_of_another_kind": "the proxy of the environment is one of {scheme}; only http:// proxies are used, to "
    "https endpoints too: give one, or name the endpoint in NO_PROXY",
    "proxy_malformed": "the proxy of the environment is no address; write it like http://user:password@host:3128",
    "ca_file_unread": "{file}: no certificates can be read ({error}); give PEM, as openssl writes",
    "trial_request_unanswered": "{error} to a trial request; look at the server's log and at its queue",
    "tokens_uncounted": "{url} has neither /tokenize nor usage: no prompt can be made to length",
    # what a promise states
    "reference_samples_missing": "a sampled reference needs the samples behind it; give them, or take it as exact",
    "reference_out_of_range": "the reference is {score:.1%}; a score lies between 0 % and 100 %",
    "reference_of_no_samples": "the reference is a mean of {samples} samples; at least 1 is needed",
    "golden_asked_otherwise": "the golden run asked something else: {seen}; take a golden run of this very benchmark",
    "rule_out_of_range": "tolerance is {tolerance:g} and delta {delta:g} of a whole score; each is at least 0 and "
    "below 1",
    "rule_without_margin": "tolerance and delta are both 0, which no number of samples can prove; give a delta above 0",
    "counts_malformed": "these counts cannot be a result: {mistakes}",
    "pool_of_gain": "a gain has no margin to lose; pool promises with a tolerance",
    "options_file_malformed": "{file}: {said}",
    "answer_without_field": "{place}, line {line}: no field {field!r} among {fields}; name it with --gold-field or "
    "--answer-field, or give the golds by id with --golds",
    "gold_without_id": "{file}, line {line}: fields {fields}; an id ({ids}) and a gold answer ({golds}) are accepted",
    "inspect_without_id": "{log}: sample {sample} has no id; give {accepts}",
    "lighteval_without_id": "{place}: no doc.id or no texts in it; give {accepts}",
    "lm_eval_other_responses": "{place}: its resps are no list of one request's texts; give {accepts}",
    "log_without_completions": "{log}: no completions in it; accepted are {accepts}",
    "folder_without_log": "{folder}: no log in it; accepted are files of{accepted}",
    "log_of_other_shape": "{log}: not what {tool} writes ({kind}: {error}); accepted are {accepts}",
    "log_other_finish": "{problem}: finish {finish!r} is none of {known}",
    # runs that are joined
    "merge_into_old": "{folder} is there already; a merge makes a new folder: give another name to -o",
    "merge_changed": "a record of {runs} changed while it was merged: {damage}",
    "merge_not_written": "{folder} cannot be written: {reason}; make room, or give another folder",
    "merge_twice": "{run} is given twice; give each run once",
    "merge_of_nothing": "{run} holds no completions; give the folders of runs that were asked with --shard",
    "merge_whole_and_part": "{whole} holds all of {promise}, and {part} a part: two runs are two tries",
    "merge_of_no_shards": "{promise} is in {count} runs that are no shards ({runs}): each is a try of its own",
    "merge_incomplete": "{folder}: shard {shard} is not complete; run its command again, then merge",
    "merge_other_shard": "{folder}: its record is of shard {index}/{count}, not of {shard}",
    "merge_other_samples": "{folder}: shard {shard} lacks {missing} of its {planned} samples and holds {others} "
    "that are not its own, or of a later look; run its command again until it is complete",
    "merge_outside_fleet": _merge_outside_fleet,
    "merge_leaves_nothing": lambda values: "\n".join(
        ("no promise can be joined, and nothing is left to judge:", *values["parts"])
    ),
    "merge_refused": lambda values: "\n  - ".join((f"{values['promise']} cannot be merged:", *values["parts"])),
    "merge_doubled": "shard {shard} is given {times} times",
    "merge_missing": _merge_missing,
    "merge_of_another_run": "{folder} is of another run than {first}: {difference}",
    "merge_of_another_plan": _merge_of_another_plan,
    "never_came": "no run holds this promise: its job never reported; run it, and merge again into a new folder",
    # a bundle that is made
    "bundle_no_file": "{file} is no plain file; give the name of a new one: -o FILE.zip",
    "bundle_not_written": "{file} cannot be written: {reason}; give another place: -o FILE.zip",
    "bundle_report_unread": "{file} cannot be read: {reason}; give the report of the run: --junit FILE",
    "bundle_of_no_verdict": "{run} holds no verdict; give the folder of a finished run: runs/TIME",
    "bundle_without_promise": "{run}: {promise} has no {file}, as an earlier papergate judged it; judge it again "
    "first: papergate runs judge {run}",
    "bundle_odd_name": "{run}: the name {name} cannot be in a bundle; give the folder letters, digits, dots, "
    "dashes and underscores only",
    "bundle_changed": "{file} changed while it was bundled; wait for the end of the run, then bundle it",
    "bundle_not_signed": "{bundle} is written, and not signed: {said}; give a key of OpenSSH: --sign KEY",
}
"""By code."""
