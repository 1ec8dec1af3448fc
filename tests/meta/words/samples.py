"""Values of every sentence, by code: each is said in every language by `test_words`."""

from papergate.errors import PapergateError


def kinds_of_error(base):
    """Every kind of error that the library itself declares."""
    yield base
    for kind in base.__subclasses__():
        yield from kinds_of_error(kind)


LIMIT = {"percent": 19.0, "tokens": 4096, "asked": 32_768}
DAMAGE = (
    "stop-string",
    "loops",
    "garbled",
    "other-language",
    "empty-answers",
    "thought-lost",
    "mark-lost",
    "no-thought",
    "answer-lost",
    "refusals",
    "server-filter",
    "server-ended",
)
PASSES = [[0.0, 0.52], [1.0, 0.47], [3.0, 0.31]]
DRAWS = {"draws": 640, "temperature": 0.6, "top_p": 0.95}

SEEN = {
    "score": "65.1",
    "interval": ["60.2", "70.0"],
    "reference": "79.8",
    "golden": False,
    "tolerance": "1 problem",
    "points": "3.33",
    "apart": "14.7",
    "side": "low",
    "problems": 30,
    "samples": [4, 4],
    "delta": None,
    "alpha": None,
    "one_sided": False,
}


DIVERGED = {
    "divergence": 3.1e-4,
    "error": 6e-5,
    "tokens": 2939,
    "answers": 60,
    "warn": 2.7e-4,
    "fail": 3.3e-3,
    "measured": True,
    "best": True,
}
PARTED = {"answers": 60, "parted": 8, "clear": 7, "fail": 10, "largest": 1.52}
SAMPLES = {
    "as_written": [{"text": "graded 3 of 4"}],
    # the verdict
    "verdict": [{"verdict": verdict, "parts": ["1", "2"]} for verdict in ("pass", "fail", "inconclusive")],
    "seen": [
        SEEN,
        {**SEEN, "parts": ["about 12 further"], "side": "high", "samples": [4, 6]},
        {**SEEN, "golden": True, "tolerance": "0.5 points", "points": "0.5"},
        {**SEEN, "tolerance": "", "apart": "0", "delta": "1.67", "alpha": "1", "one_sided": True},
        {**SEEN, "tolerance": "gain", "samples": [1, 1]},
    ],
    "so_far": [{"parts": ["1"]}],
    "likely_cause": [{"parts": ["1"]}],
    "further_samples": [{"samples": 12}],
    "reference_too_noisy": [{}],
    "undecidable_difference": [{}],
    "tolerance": [{"tolerance": words} for words in ("1 problem", "2 problems", "0.5 points", "1 point")],
    "family": [{"promises": 14, "alpha": 0.05, "expected": 0.7, "chance": 0.51, "stand": 1, "failed": 2}],
    "score_above_paper": [{}],
    "could_be_paper_noise": [{"samples": 4, "error_points": 1.234, "chance": 0.31}],
    "confirm_failure": [{"k": 9, "seed": 1, "alpha": 0.05, "both": 0.0025}],
    "partial_by_limit": [{"asked": 5, "problems": 30}],
    "partial_by_file": [{"asked": 5, "problems": 30}],
    "worst_problem": [{"problem": "p-7", "correct": 0, "samples": 16, "truncated": 12}],
    "next_more_samples": [{"option": "--max-samples", "samples": 21, "run": "runs/x"}],
    "next_look": [{"page": "runs/x/report.html", "folder": "runs/x/p"}],
    "next_judge": [{"run": "runs/x"}],
    "unjudged": [{"run": "runs/x"}],
    "next_resume": [{"run": "runs/x"}],
    "trial_good": [{"asked": 2, "problems": 30, "samples": 4, "answered": 3, "correct": 1}],
    "trial_without_answer": [{"asked": 2, "problems": 30, "samples": 4, "answered": 0, "correct": 0}],
    "unknown_could_turn": [
        {"undecided": 3, "missing": 0},
        {"undecided": 0, "missing": 29},
        {"undecided": 3, "missing": 29},
    ],
    "other_verdicts_before": [
        {
            "verdicts": [
                ["fail", "2026-11-26T10:00:00Z", 30, 8, 71.25],
                ["inconclusive", "2026-11-27T10:00:00Z", 30, 9, 72],
            ]
        }
    ],
    "terms_changed": [{"changes": [["tolerance", "1 problem", "2 problems"], ["alpha", "0.05", ""]]}],
    "not_gating": [{"tier": "should", "broken": True}, {"tier": "record", "broken": False}],
    "waived": [
        {"reason": "driver 570", "expires": "2026-12-31", "broken": True},
        {"reason": "driver 570", "expires": "2026-12-31", "broken": False},
    ],
    "waiver_expired": [{"reason": "driver 570", "expires": "2026-01-31", "broken": True}],
    "dependent_copies": [{"copies": 31, "answers": 120}],
    "dependent_unanimous": [{"p": 0.0021, "problems": 30, "score": 66.7}],
    "dependent_places": [{"p": 0.0004, "where": "http://b:8000", "points": -12.3, "problems": 30, "score": 60.0}],
    "dependent_time": [
        {"p": 0.0004, "where": 4, "points": -12.3, "problems": 30, "score": 60.0},
        {"p": 0.0004, "where": 1, "points": 3.25, "problems": 30, "score": 60.0},
    ],
    "dependent_looks": [{"p": 0.0004, "where": 3, "points": 12.3, "problems": 30, "score": 60.0}],
    "unanimous_so_far": [{"p": 0.06}],
    "places_so_far": [{"p": 0.06}],
    "side_by_side_so_far": [{"p": 0.06}],
    "few_copies": [{"copies": 2, "answers": 120}],
    "not_sure_in_the_family": [{"p": 0.021, "most": 0.0036}],
    "tokens_not_counted": [{}],
    "tokens_spent": [{"most": 1349, "spent": 1080, "needed": 270.4}],
    "hours_spent": [{"most": 1.5, "spent": 1.21, "needed": 0.414}],
    # the samples
    "grades_undecided": [{"count": 3}],
    "answers_elsewhere": [{"count": 3}],
    "answers_refused": [{"count": 3}],
    "answers_drawn_again": [{"count": 12, "answers": 360}],
    "answers_ended_by_server": [{"count": 5, "reasons": {"repetition": 4, "abort": 1}}],
    "answers_name_other_model": [{"count": 7, "asked": "r1", "named": ["qwen3", "r2"]}],
    "samples_never_came": [{"count": 6}],
    # causes
    **{f"cause_{code}": [LIMIT] for code in ("server-cap", "context-cap", "token-limit")},
    **{f"cause_{code}": [{"percent": 4.2}] for code in (*DAMAGE, "answer-elsewhere")},
    "cause_one-group": [{"group": "level 5", "score": [61, 83], "others": [93, 94]}],
    # the set-up
    "other_benchmark_text": [{"benchmark": "AIME 2024", "variant": "unknown text variant", "digest": "ab12"}],
    "no_preflight": [{}],
    "golden_off_the_print": [{"golden": 63.3, "printed": 69.7, "tolerance": "1 problem"}],
    "own_promise": [{"tolerance": "1 problem", "source": "release notes of 2026-11"}],
    "attached": [{"hardware": "8 x A100"}],
    "other_version": [
        {"what": "driver", "seen": "550.1", "stated": "560.2"},
        {"what": "driver", "seen": "", "stated": "560.2"},
    ],
    "other_grader": [{"grader": "aisbench"}],
    "document_asks_other_text": [{"tool": "AISBench v3.0", "stated": "OpenCompass", "seen": "AI-MO"}],
    "document_sends_otherwise": [
        {"tool": "AISBench v3.0", "differ": ["batches", "attempts", "stream"], "attempts": 2},
        {"tool": "open-r1", "differ": ["stream"], "attempts": 1},
    ],
    "document_leaves_open": [
        {"unknown": ["the time-out: papergate's own"], "otherwise": ["a client stands in"]},
        {"unknown": [], "otherwise": ["a client stands in"]},
    ],
    "own_rules": [{"grader": "aisbench", "percent": 94.6, "differ": 6, "count": 500}],
    "golds_refused": [{"grader": "aisbench", "refused": 8, "problems": 500, "points": 1.6}],
    "lower_token_limit": [{"max_tokens": 8192, "paper": 32_768}],
    "setups_differ": [{"setups": 2, "differ_in": ["engine version", "driver"]}],
    "store_repaired": [{"what": "completions.jsonl was repaired: 12 records kept"}],
    "from_file": [{}],
    "log_of_own_run": [{"promise": "cpu-huggingface-papergate-tiny-tiny-aime", "engine": "huggingface"}],
    "log_without_manifest": [{}],
    "log_judged_before": [{"verdict": "fail", "at": "2026-11-26T10:00:00Z", "times": 2}],
    "golden_not_recounted": [{}],
    "file_names_other_model": [{"named": "r1-distill", "promised": "R1-Distill-Llama-8B"}],
    "thoughts_stripped": [{}],
    # beside a golden run
    "golden_differs": [{"differences": [["temperature", 0.6, 0.7], ["grader", "strict", "aisbench"]]}],
    "length_outside_band": [{"percent": 78.34, "low": 90.0, "high": 110.0}],
    "lengths_unknown": [{}],
    "truncation_differs": [{"percent": 4.25, "golden_percent": 1.5}],
    "problems_moved": [
        {"problems": [["p1", 0.9, 0.2]]},
        {"problems": [[f"p{number}", 0.9, 0.2] for number in range(7)]},
    ],
    # what the numbers can show
    "average": [{"title": "CLUEWSC avg", "percent": 96.33, "stated": 96.225, "source": "model zoo"}],
    "reproduced": [
        {"found": [[93.0, "evalhub, vLLM"], [93.6, "another"]], "missed": 1, "tolerance": "0.5 points"},
        {"found": [[93.8, "evalhub, vLLM"]], "missed": 0, "tolerance": "0.5 points"},
    ],
    "document_measured": [{"percent": 97.6, "source": "best practice, part five"}],
    "paper_error": [
        {"counted": counted, "error_points": 1.2, "samples": 64, "chance": chance}
        for counted in (True, False)
        for chance in (0.62, 0.31, 0.004)
    ],
    "one_run": [
        {"problems": 30, "k": 1, "accepted": [23, 24, 25], "passes": PASSES},
        {"problems": 30, "k": 2, "accepted": [47], "passes": PASSES[:1]},
        {"problems": 7, "k": 1, "accepted": [], "passes": PASSES},
    ],
    "holm_threshold": [{"p": 0.0036}],
    # runs side by side
    "changes_rule": [{"count": 6, "percent": 5.0}],
    "changes_moved": [{"group": "aime2024", "run": "r1", "count": 1, "problems": [["p1", 0.9, 0.2]]}],
    "changes_refused": [{"group": "aime2024", "run": "r1", "why": "another text"}],
    # a bundle that was checked
    "verify_grades_differ": [{"count": 3, "problem": "p1", "sample": 2, "stated": "correct", "computed": "incorrect"}],
    "verify_field_differs": [{"name": "judgement.score", "stated": "0.8", "computed": "0.7"}],
    "verify_more_differ": [{"count": 4}],
    "verify_not_the_last": [{"file": "grades.jsonl"}],
    "verify_no_history": [{}],
    "verify_earlier_verdicts": [{"count": 2, "verdicts": "fail (2026-01-31T12:00:00Z, papergate 2026.11.0)"}],
    "verify_other_golds": [{"benchmark": "AIME 2024"}],
    "verify_options_absent": [{"count": 3}],
    "verify_no_completions": [{}],
    "verify_no_verdict": [{}],
    "verify_grades_limited": [{"count": 2, "samples": "p1 0, p2 3"}],
    "verify_own_promise": [{"tolerance": "1 problem", "source": "table 5"}],
    "verify_text_absent": [{"benchmark": "aime2024", "digest": "0f3a"}],
    "verify_golden_taken": [{"promise": "a100-vllm-r1-aime2024"}],
    "verify_other_release": [{"judged": "2026.10.0", "here": "2026.11.0"}],
    "verify_proves": [
        {
            "files": 9,
            "root": "0f3a",
            "completions": 120,
            "here": "2026.11.0",
            "grades": 120,
            "verdicts": 1,
            "judged": "2026.11.0",
        }
    ],
    "verify_quoted": [{"by": "--root"}],
    "signature_of": [{"name": "release@example.com"}],
    "verify_unquoted": [{}],
    "verify_cannot": [{}],
    # how a session ends
    **{code: [{"parts": ["1"]}] for code in ("note", "warning")},
    "report_at": [{"path": "runs/1/report.html"}],
    "resume": [{"run": "runs/1"}],
    "resume_shard": [{"run": "runs/1"}],
    "shard_complete": [{"shard": "2/4", "samples": 120, "look": 8, "count": 4}],
    "not_tested": [{"promises": promises, "reason": "no A100"} for promises in (1, 4)],
    "unreached": [{"run": "runs/1"}],
    "worker_killed": [{"run": "runs/1"}],
    "skipped": [{}],
    "of_promises": [{"promises": ["a-1", "b-2"]}],
    "lines_left_out": [{"shown": 12, "lines": 40}],
    "preflight_begins": [{"deployment": "a100-r1"}],
    "preflight_found": [{"fine": 7, "checks": 9, "seconds": 41.3}],
    "preflight_refuses": [{}],
    # errors
    **{f"error_{kind.code}": [{"message": "503"}] for kind in kinds_of_error(PapergateError)},
    # plans
    "pooled": [{"difference": -41.2, "interval": [-90.1, 8.0], "each": [-51, 2.2], "tolerance": 62.0, "alpha": 5.0}],
    "plan_head": [
        {"problems": 30, "looks": [2, 3, 4], "allocates": allocates, "parts": ["1"]} for allocates in (True, False)
    ],
    "plan_truth": [{}],
    "plan_exact": [{"samples": 64}],
    "plan_own_error": [{"kind": "golden", "samples": 16}],
    "plan_beta": [{"share": 0.42}],
    "plan_golden": [{"samples": 16}],
    "plan_loss": [{"points": points} for points in (0.0, 1.0, 3.0)],
    "plan_attempts": [{"attempts": 3, "chances": [[0.0, 0.98], [1.0, 0.7]]}],
    "plan_promised": [
        {
            "percent": 79.8,
            "golden": golden,
            "tolerance": "1 problem",
            "temperature": "0.6",
            "top_p": "0.95",
            "max_tokens": 32_768,
            "protocol": "paper",
        }
        for golden in (True, False)
    ],
    "plan_cost": [
        {"tokens": 123.4, "measured": measured, "tokens_per_s": speed}
        for measured, speed in ((True, 1000.0), (False, None))
    ],
    "plan_price": [{"samples": 30, "tokens": 300_000.0, "hours": hours} for hours in (0.17, None)],
    "plan_gain": [
        {"percent": percent, "golden": golden, "samples": 64, "looks": [2, 3, 4]}
        for percent, golden in ((50.0, False), (41.7, True))
    ],
    "plan_base": [{"samples": 1920, "tokens": 19_200_000.0, "hours": hours} for hours in (2.2, None)],
    "plan_gained": [
        {"points": points, "passes": 0.9, "fails": 0.01, "samples": 960, "tokens": 9_600_000.0, "hours": hours}
        for points, hours in ((0.0, 1.1), (3.0, None))
    ],
    "no_plan": [{"message": "a gain"}],
    "planned": [{"promises": 3, "without": without} for without in (0, 1)],
    # speed
    **{code: [{"parts": ["1", "2"]}] for code in ("run_unfit", "comparison_unfit")},
    "of_start": [{"number": 2, "side": side, "parts": ["1"]} for side in ("deployment", "baseline")],
    "slowdown": [{"change": 0.105, "interval": [0.09, 0.12], "comparisons": 16, "clusters": 8}],
    "client_untold": [{}],
    "client_late": [{"seen_ms": 20.04, "most_ms": 5.0}],
    "client_busy": [{"share": 0.86, "most": 0.85}],
    "requests_late": [{"seen_ms": 250.0, "most_ms": 5.0}],
    "outputs_short": [{"short": 1, "outputs": 2}],
    # checks of a preflight, with their state
    "no_answer_failed": [{"check": "limit", "said": "503"}],
    "endpoints_failed": [{"differ": {"weights": ["a", "b"], "version": ["0.9.1", "0.9.2"]}}],
    "limit_failed": [{"asked": 8, "tokens": 9, "finish": "stop"}],
    "limit_unknown": [{"reason": "uncounted"}, {"reason": "short"}, {"reason": "no-answer"}],
    "whole_answer_failed": [{"kind": "garbled", "cause": "garbled"}],
    "whole_answer_noted": [{"kind": "loop", "cause": "loops"}],
    "time_out_noted": [{"ends_after_s": 3600, "tokens": 31232, "needed": 8.7, "seen": 5.1}],
    "time_out_unknown": [{"ends_after_s": 3600, "tokens": 31232, "needed": 8.7}],
    "token_counts_noted": [{"reason": "absent"}],
    "asked_again_noted": [{"count": 7, "said": "500"}],
    "greedy_noted": [{"texts": 2, "repeats": 3}],
    "greedy_unknown": [{"said": "400"}],
    "streaming_noted": [{}],
    "streaming_unknown": [{"said": "404"}],
    "sampling_failed": [{"seen": "temperature halved", **DRAWS}, {"seen": "another distribution", **DRAWS}],
    "sampling_unknown": [
        {"reason": reason}
        for reason in (
            "no-tokenizer",
            "no-completions",
            "no-log-probabilities",
            "log-probabilities-after-temperature",
            "no-choice",
        )
    ],
    "draws_noted": [{"pairs": 8, "temperature": 2}],
    "draws_unknown": [{"pairs": 8, "temperature": 2, "said": "400"}],
    "seeds_noted": [{"differ": 3, "pairs": 8}],
    "concurrency_noted": [{"count": 8, "together_s": 7.9, "alone_s": 1.02}],
    "server_changed": [{"url": "http://host:8000", "then": "vllm 0.32.0", "now": "vllm 0.33.0"}],
    # speed
    "speed_held_back": [{"count": 9, "of": 10}],
    "speed_bursts": [{"percent": 80, "tokens_per_chunk": 1.3}],
    "speed_limit": [{"most": 4, "asked": 16}],
    "speed_not_counted": [{"count": 9, "of": 10}],
    "speed_counted_by_tokenizer": [{"count": 9, "of": 10}],
    # while it runs
    "progress_begins": [{"missing": 32, "total": 40, "problems": 10, "stored": 8}],
    "progress": [
        {"done": 12, "total": 40, "problems": 10, "in_flight": 4, "left": "0:01:30", "tokens_per_s": 1234.0},
        {"done": 0, "total": 40, "problems": 10, "in_flight": 4, "left": "", "tokens_per_s": 0.0},
        {"done": 40, "total": 40, "problems": 10, "tokens_per_s": 1234.0},
    ],
    "progress_errors": [{"failed": 1, "retries": 3, "last": "503"}],
    "progress_retry": [{"error": "503", "seconds": 4.0}],
    "running": [
        {"percent": 66.7, "promised": 74.0, "tolerance": "2 problems", "interval": [60.1, 73.2], "look": [4, 64]},
        {"percent": 66.7, "promised": 74.0, "tolerance": "", "interval": [], "look": []},
    ],
    # what breaks, in detail
    "hardware_missing": [{"target": "a100", "hardware": "one A100", "seen": "no nvidia-smi"}],
    "package_missing": [{"engine": "huggingface", "package": "torch", "install": "pip install"}],
    "model_not_loaded": [{"model": "r1", "said": "no weights"}],
    "prompt_too_long": [{"model": "r1", "context": 512, "longest": 300, "max_tokens": 400, "needed": 700}],
    "server_ended_early": [
        {"server": "vLLM", "remedy": "install it", "log": "last words"},
        {"server": "vLLM", "remedy": "", "log": "last words"},
    ],
    "server_not_ready": [{"server": "vLLM", "log": "last words"}],
    "server_ended": [{"server": "vLLM", "log": "last words"}],
    "server_unwell": [{"folder": "runs/x", "log": "last words"}],
    "endpoint_silent": [{"url": "http://h:8000", "seconds": 30.0}],
    "endpoint_unreached": [{"url": "http://h:8000", "said": "refused"}],
    "endpoint_other_scheme": [
        {"url": "http://h:8000", "plain": False, "address": "https://h:8000"},
        {"url": "https://h:8000", "plain": True, "address": "http://h:8000"},
    ],
    "endpoint_unwell": [{"url": "http://h:8000", "said": "503"}],
    "endpoint_wants_key": [
        {"url": "http://h:8000", "status": 401, "said": "no", "key": "KEY", "sent": True},
        {"url": "", "status": 403, "said": "no", "key": "KEY", "sent": False},
    ],
    "endpoint_without_models": [{"url": "http://h:8000", "said": "500"}],
    "endpoint_of_another_kind": [{"url": "http://h:9000", "said": "404"}],
    "endpoint_serves_others": [
        {"url": "http://h:8000", "model": "r1", "close": "", "names": ["a"], "more": 0},
        {"url": "http://h:8000", "model": "r1", "close": "r-1", "names": ["a", "r-1"], "more": 7},
    ],
    "endpoints_other_templates": [{"urls": "http://a, http://b", "templates": 2}],
    "endpoint_context_short": [
        {"url": "http://h:8000", "context": 512, "prompt": 300, "max_tokens": 400, "needed": 700}
    ],
    "endpoint_draws_otherwise": [{"url": "http://h:8000", "settings": "top_k 40"}],
    "endpoint_echoes": [{"url": "http://h:8000"}],
    "no_progress": [{"seconds": 600.0, "in_flight": 12}],
    "lost_in_a_row": [{"count": 16, "said": "503"}],
    "words_withheld": [{"title": "AIME 2024"}],
    "samples_copied": [{"copied": 3, "repeated": 5}],
    "asking_stopped": [{"answers": 120, "alpha": 0.01, "parts": ["cause"]}],
    "requests_lost": [
        {"lost": 2, "samples": 40, "named": ["a sample 0: 503", "b sample 1: 503"], "more": 0, "run": "runs/x"},
        {"lost": 7, "samples": 40, "named": ["a sample 0: 503"], "more": 6, "run": "runs/x"},
    ],
    "store_damaged": [{"file": "c", "damages": ["line 3: bad"], "more": more, "folder": "runs/x"} for more in (0, 2)],
    "store_full": [{"file": "c", "reason": "no space", "kept": 12}],
    "store_locked": [{"folder": "runs/x", "lock": ".lock"}],
    "other_run": [{"folder": "runs/x", "differences": ["seed: 1, this run 2"]}],
    "samples_beyond": [{"place": "runs/x", "most": 4}],
    "samples_removed": [{"folder": "runs/x", "problems": 3}],
    "verdict_not_written": [{"folder": "runs/x/p", "reason": "no space", "run": "runs/x", "parts": ["pass"]}],
    "golden_needed": [{"promise": "p", "source": "none"}],
    "endpoint_of_no_promise": [{"option": "--endpoint"}],
    "benchmark_not_fetched": [
        {"title": "AIME", "tried": tried, "benchmark": "aime2024"} for tried in (["hub: offline"], [])
    ],
    "benchmark_no_file": [{"file": "f", "formats": "JSON"}],
    "benchmark_other_count": [{"file": "f", "rows": 29, "title": "AIME", "problems": 30, "formats": "JSON"}],
    "benchmark_other_answers": [{"file": "f", "title": "AIME", "digest": "d1", "accepted": ["strict: d2"]}],
    # shards and their coordinator
    "other_than_shards": [{"folder": "runs/x/p"}],
    "coordinator_gave_up": [{"why": "no room"}],
    "coordinator_silent": [{"look": 8, "hours": 6.0}],
    "shard_gave_up": [{"shard": "1/2", "why": "no room"}],
    "shards_missing": [
        {"behind": 7, "shards": 8, "look": 4, "hours": 6.0, "more": more, "parts": ["1", "2"]} for more in (0, 2)
    ],
    "shard_ended": [{"index": 1, "why": "no room"}],
    "shard_absent": [{"index": 1, "folder": "shared/shard-1"}],
    "shard_behind": [{"index": 1, "look": 2}],
    "not_written": [{"file": "runs/x/p/drift.json", "reason": "No space left on device"}],
    "waiting_for_shards": [{"shards": 8, "look": 2}],
    "waiting_for_look": [{"shards": 8, "look": 4, "parts": ["1"]}],
    "nothing_graded": [{}],
    "progress_kept": [{"kept": 3, "samples": 8, "missing": 5, "folder": "runs/x/p", "run": "runs/x"}],
    "progress_longest": [{"model": "r1", "benchmark": "AIME 2024"}],
    # a stored run, a golden run
    "no_completions": [{"folder": "runs/x"}],
    "no_sample_of_benchmark": [{"promise": "p"}],
    "shard_judges_nothing": [{"folder": "runs/x/p", "shard": "1/2"}],
    "other_than_stated": [{"place": "runs/x", "differences": "temperature: 0.6, now 0.7"}],
    "samples_unplanned": [{"folder": "runs/x/p", "count": 3, "samples": 4}],
    "golden_given_before": [{"folder": "runs/x/p", "promise": "p"}],
    "golden_of_itself": [{"golden": "runs/x", "run": "runs/y"}],
    "golden_of_one_promise": [
        {"folder": "runs/x", "benchmark": "aime2024", "names": names, "unread": unread}
        for names, unread in (([], ["verdict.json is damaged"]), (["p", "q"], []))
    ],
    "golden_partial": [{"folder": "runs/x", "promise": "p", "partial": "5 of 30 problems"}],
    **{
        f"golden_{what}_differs": [{"folder": "runs/x", "promise": "p", "digest": "ab", "now": "cd"}]
        for what in ("prompt", "text")
    },
    "golden_lacks_problems": [{"folder": "runs/x", "problem": "p-7", "others": 2}],
    "golden_untrue": [{"folder": "runs/x/p", "run": "runs/x", "parts": ["1", "2"]}],
    "golden_file_changed": [{"file": "grades.jsonl"}],
    "golden_not_of_manifest": [{"name": "prompt's digest", "file": "manifest.json"}],
    "golden_not_of_grades": [{"count": 2, "file": "grades.jsonl", "problem": "'x'", "correct": 3, "graded": 16}],
    "golden_not_of_counts": [{"stated": 0.5, "counted": 0.51}],
    # what a user gives
    "option_not_above_zero": [{"option": "--budget-hours", "number": -2}],
    "option_not_counting": [{"option": "--samples", "number": 0}],
    "option_above_most": [{"option": "--samples", "number": 99999, "most": 4096}],
    "option_unshown": [{"option": "--model", "value": "r\ud800"}],
    "ca_file_missing": [{"file": "ca.pem"}],
    "asks_and_reads": [{"option": "--endpoint"}],
    "trial_and_predictions": [{}],
    "golden_no_folder": [{"golden": "runs/x"}],
    "samples_and_most": [{}],
    "letter_without_vendor": [{}],
    "holm_of_vendor": [{}],
    "budget_of_one_look": [{"option": "--samples"}],
    "shard_without_plan": [{}],
    "shard_with_judging": [{"option": "--holm"}],
    "coordinating_without_folder": [{"option": "--shards"}],
    "coordinate_alone": [{}],
    "coordinate_with_asking": [{"option": "--endpoint"}],
    "gain_with_other_reference": [{"option": "--golden"}],
    "data_unnamed": [{"entry": "x"}],
    "base_is_model": [{"model": "r1"}],
    "base_of_same_revision": [{"base": "a", "checkpoint": "b", "revision": "ab12"}],
    "base_of_same_weights": [{"base": "a", "checkpoint": "b", "digest": "ab12"}],
    "merge_into_old": [{"folder": "runs/x"}],
    "merge_changed": [{"runs": "runs/a, runs/b", "damage": "line 3"}],
    "merge_not_written": [{"folder": "runs/x", "reason": "no space"}],
    "merge_twice": [{"run": "runs/x"}],
    "merge_of_nothing": [{"run": "runs/x"}],
    "merge_whole_and_part": [{"whole": "a", "promise": "p", "part": "b"}],
    "merge_of_no_shards": [{"promise": "p", "count": 3, "runs": "runs/a, runs/b"}],
    "merge_incomplete": [{"folder": "a", "shard": "0/2"}],
    "merge_other_shard": [{"folder": "a", "index": 1, "count": 4, "shard": "0/4"}],
    "merge_other_samples": [{"folder": "a", "shard": "0/2", "missing": 3, "planned": 40, "others": 2}],
    "bundle_no_file": [{"file": "out"}],
    "bundle_not_written": [{"file": "x.zip", "reason": "no space"}],
    "bundle_report_unread": [{"file": "x.xml", "reason": "no such file"}],
    "bundle_of_no_verdict": [{"run": "runs/x"}],
    "bundle_without_promise": [{"run": "runs/x", "promise": "p", "file": "promise.json"}],
    "bundle_odd_name": [{"run": "runs/x", "name": "a b"}],
    "bundle_changed": [{"file": "runs/x/p"}],
    "bundle_not_signed": [{"bundle": "x.zip", "said": "no such key"}],
    "starts_and_attaches": [{}],
    "restarts_too_few": [{"restarts": 1, "fewest": 2}],
    "baseline_alone": [{}],
    "baseline_of_other_model": [{"baseline": "a", "seen": "r1", "judged": "b", "asked": "r2"}],
    "workloads_called_alike": [{"name": "a-b"}],
    "latency_of_several": [{"count": 2}],
    "endpoint_without_model": [{}],
    "speed_not_written": [{"workload": "w", "run": "runs/x", "reason": "no space"}],
    "drift_without_golden": [{}],
    "golden_answers_of_several": [{"target": "cpu", "names": "a, b"}],
    "not_asked_here": [{"target": "a100"}],
    "log_of_several_models": [{"log": "x.jsonl", "count": 2}],
    "too_few_in_flight": [{"in_flight": 2, "workers": 4}],
    "no_deployment_here": [{"target": "a100"}],
    "no_server_of_target": [{"target": "cpu"}],
    "run_no_folder": [{"given": "runs/x/y", "place": "runs/x", "special": special} for special in (True, False)],
    "option_of": [{"option": "--endpoint", "parts": ["no address"]}],
    "data_unknown": [{"name": "aime", "known": ["aime2024", "math500"], "close": close} for close in ("aime2024", "")],
    "log_of_no_promise": [
        {"log": "x.jsonl", "problems": 3, "first": "'a'", "model": "r1", "benchmarks": benchmarks}
        for benchmarks in ([], ["aime2024"])
    ],
    "deployment_unknown": [
        {"option": option, "name": "a", "engines": ["vllm", "sglang"], "known": ["b", "c"], "close": close}
        for option, close in (("--baseline", "b"), ("--deployment", ""))
    ],
    "shard_malformed": [{"shard": "1"}],
    "shard_impossible": [{"shard": "8/8", "index": 8, "count": 8}],
    "shards_uneven": [{"shard": "auto"}],
    "shard_unset": [{"shard": "auto", "names": ["A", "B"], "given": given} for given in ({}, {"A": "1", "B": "x"})],
    "merge_outside_fleet": [
        {"folder": "runs/x", "promise": "p", "asked": ["paper", "vendor"], "named": named} for named in ("paper", "")
    ],
    "merge_leaves_nothing": [{"parts": ["1", "2"]}],
    "merge_refused": [{"promise": "p", "parts": ["1", "2"]}],
    "merge_doubled": [{"shard": 1, "times": 2}],
    "merge_missing": [{"count": 8, "named": [1, 2], "more": more} for more in (0, 3)],
    "merge_of_another_run": [{"folder": "runs/x", "first": "runs/y", "difference": "seed: 1, this run 2"}],
    "merge_of_another_plan": [
        {"folder": "runs/x", "first": "runs/y", "apart": ["look"], "plan": [8, 4], "others": [8, 2]}
    ],
    "never_came": [{}],
    # a Ray cluster
    **{
        f"ray_{code}": [{"url": "http://h:8265", "path": "/api/version", "said": "404 'none'"}]
        for code in ("no_dashboard", "without_serve", "not_taken")
    },
    "ray_dashboard_failed": [{"url": "http://h:8265", "said": "503 'busy'"}],
    "ray_no_applications": [{"url": "http://h:8265"}],
    "ray_no_application": [
        {"url": "http://h:8265", "name": "r2", "known": ["other", "r1"], "close": close} for close in ("r1", "")
    ],
    "ray_which_application": [{"url": "http://h:8265", "model": "r1", "known": ["a", "b"]}],
    "ray_of_another_run": [{"url": "http://h:8265", "name": "papergate-tiny"}],
    "ray_deploy_failed": [{"told": "r1: DEPLOY_FAILED no GPU"}],
    "ray_unhealthy": [{"told": "r1: DEPLOYING"}],
    "ray_not_running": [{"seconds": 3600.0, "told": "r1: DEPLOYING"}],
    "ray_replicas_missing": [{"application": "r1: RUNNING 1 of 2"}],
    "ray_without_proxy": [{"url": "http://h:8265", "seen": seen} for seen in (["10.0.0.5 STARTING"], [])],
    "ray_without_route": [{"application": "r1"}],
    "ray_proxies_local": [{"url": "http://h:8265", "host": "127.0.0.1"}],
    "ray_deployed_anew": [{"application": "r1", "now": "rev 2", "before": "rev 1"}],
    "ray_not_replaced": [{"said": "500 'dead'", "seconds": 3600.0, "application": "r1: DEPLOYING"}],
    "ray_not_removed": [{"url": "http://h:8265", "told": "r1: DELETING"}],
    # a bundle
    "bundle_unread": [{"reason": "Permission denied"}],
    **{code: [{}] for code in ("bundle_cut_off", "bundle_list_outside", "bundle_list_damaged", "bundle_out_of_order")},
    "bundle_without_head": [{"file": "bundle.json"}],
    "bundle_head_malformed": [{"file": "bundle.json"}],
    "bundle_newer": [{"format": 7, "here": 1}],
    "bundle_bytes_differ": [{"place": 130}],
    "bundle_goes_on": [{"count": 3}],
    "bundle_list_too_long": [{"size": 2_000_000, "most": 1_048_576}],
    "bundle_too_many_members": [{"most": 10_000}],
    "bundle_members_too_large": [{"total": 900, "length": 400}],
    **{f"bundle_member_{code}": [{"name": "../x"}] for code in ("absolute", "leads_out", "link", "unknown")},
    "bundle_member_compressed": [{"name": "x", "packed": 12, "size": 9000}],
    "bundle_member_repeated": [{"name": "x", "times": 2}],
    "bundle_member_too_large": [{"file": "junit.xml", "size": 900, "most": 400}],
    "bundle_sums_differ": [{"file": "SHA256SUMS", "line": "ab12  p/x"}, {"file": "SHA256SUMS", "line": ""}],
    "bundle_other_root": [
        {"report": "accept.xml", "root": "ab12", "files": "cd34"},
        {"report": "the junit.xml of the bundle", "root": "ab12", "files": "cd34"},
    ],
    "root_malformed": [{"root": "ab12"}],
    "promise_altered": [{"promise": "p", "parts": ["damaged"]}],
    "promise_not_together": [{"promise": "p", "error": "KeyError('x')"}],
    "completions_damaged": [{"damages": ["line 3", "line 4"]}],
    "completions_unseeded": [{"count": 3}],
    "report_malformed": [{"report": "accept.xml", "said": "syntax error: line 1"}],
    "report_with_document_type": [{"report": "accept.xml"}],
    "report_without_root": [{"report": "accept.xml"}],
    "report_miscounts": [{"report": "accept.xml", "stated": "0", "name": "failures", "found": 2, "tag": "failure"}],
    "report_of_another_promise": [{"report": "accept.xml", "promise": "p"}],
    "report_differs": [{"report": "accept.xml", "promise": "p", "name": "n", "value": "30"}],
    "report_ends_otherwise": [
        {"report": "accept.xml", "promise": "p", "seen": seen, "verdict": "fail"} for seen in ("<skipped>", "")
    ],
    "signature_of_no_signer": [{"signature": "r1.zip.sig", "signers": "signers", "said": "no principal matched"}],
    "signature_of_another": [{"signature": "r1.zip.sig", "bundle": "r1.zip", "said": "incorrect signature"}],
    "ssh_keygen_missing": [{"reason": "No such file or directory"}],
    # drift
    "drift_result": [{"deployment": "d", "golden": "r1, vllm 0.32.0", "result": "pass", "seconds": 3.0}],
    "prompts_ok": [{"prompts": 60}],
    "prompts_failed": [{"reason": reason, "tokens": 44, "golden": 45} for reason in ("template", "tokenizer")],
    "prompts_unknown": [{"reason": "no-tokenizer"}],
    "forced_ok": [DIVERGED],
    "forced_noted": [DIVERGED | {"best": False}],
    "forced_failed": [DIVERGED | {"measured": False}],
    "forced_unknown": [
        {"reason": "no-log-probabilities"},
        {"reason": "scaled", "temperature": 0.6, **DIVERGED},
        {"reason": "other-tokenizer"},
        {"reason": "no-golden-log-probabilities"},
        {"reason": "no-answer", "said": "503"},
    ],
    "greedy_answers_ok": [PARTED],
    "greedy_answers_noted": [PARTED],
    "greedy_answers_failed": [PARTED, {**PARTED, "reason": "server-cap", "cut": 31, "tokens": 48}],
    "greedy_answers_unknown": [
        {"reason": "temperature-0-refused", "said": "400"},
        {"reason": "no-golden-answers"},
        {"reason": "no-golden-texts"},
        {"reason": "no-answer", "said": "503"},
    ],
}
