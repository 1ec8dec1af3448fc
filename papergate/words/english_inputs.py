"""English sentences for what a user gives that cannot be: options, files, and runs to be joined or bundled."""

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
