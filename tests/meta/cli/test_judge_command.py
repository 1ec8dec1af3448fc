"""``papergate judge``: results made elsewhere, judged from options or a file."""

import json

import pytest

from papergate.cli import main

ONE_RUN = ("--correct", "24", "--problems", "30", "--samples", "1", "--paper", "79.8", "--tolerance", "1 problem")
GOLDEN = {"counts": [16] * 24 + [0] * 6, "k": 16, "ref_counts": [64] * 24 + [0] * 6, "ref_k": 64}
FRACTIONS = {"tol_fraction": "1/30", "delta_fraction": "1/60", "alpha": 0.05, "two_sided": True}


@pytest.fixture
def ask(capsys):
    def run(*arguments):
        code = main(["judge", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def file(tmp_path):
    def write(**fields):
        path = tmp_path / "result.json"
        path.write_text(json.dumps(fields))
        return path

    return write


def test_one_run_of_aime_is_inconclusive(ask):
    code, out, _ = ask(*ONE_RUN, "--paper-samples", "64")
    assert code == 1
    assert out.startswith("inconclusive: pass@1 80.0 % [44.3, 100.0] against 79.8 % ± 1 problem (3.33 points)")


def test_json_has_the_numbers_that_force_the_verdict(ask):
    code, out, _ = ask(*ONE_RUN, "--json")
    seen = json.loads(out)
    assert code == 1
    assert (seen["verdict"], seen["literal"], seen["runs_needed"]) == ("INCONCLUSIVE", True, 8)
    assert {"d", "se_measured", "se_ref", "radius", "lo", "hi"} <= set(seen)


def test_a_paper_counted_as_sampled_has_an_error(ask):
    exact = json.loads(ask(*ONE_RUN, "--paper-samples", "64", "--json")[1])
    sampled = json.loads(ask(*ONE_RUN, "--paper-samples", "64", "--reference", "sampled", "--json")[1])
    assert exact["se_ref"] == 0
    assert sampled["se_ref"] == exact["se_paper"] > 0


def test_a_kept_promise_exits_with_0(ask, file):
    code, out, _ = ask(file(**GOLDEN, **FRACTIONS))
    assert code == 0
    assert out.startswith("pass: ")


def test_a_broken_promise_exits_with_1(ask, file):
    result = file(**GOLDEN | {"counts": [16] * 20 + [0] * 10}, **FRACTIONS)
    code, out, _ = ask(result)
    assert code == 1
    assert out.startswith("fail: ")
    assert "\nwarning: only counts are known, so copies among the answers cannot be looked for" in out
    assert json.loads(ask(result, "--json")[1])["warning_codes"] == ["counts_alone"]


def test_a_score_too_high_for_a_paper_warns_and_exits_with_0(ask, file):
    code, out, _ = ask(file(counts=[64] * 28 + [0] * 2, k=64, ref_percent="79.8", tolerance="1 problem"))
    assert code == 0
    assert out.startswith("fail: ")
    assert "\nwarning: the score is higher than the paper's" in out


def test_one_sided_a_score_above_the_paper_passes(ask):
    options = (
        "--correct",
        "1800",
        "--problems",
        "30",
        "--samples",
        "64",
        "--paper",
        "79.8",
        "--tolerance",
        "1 problem",
    )
    assert ask(*options, "--one-sided")[1].startswith("pass: ")


def test_run_lengths_say_the_same_as_counts(ask, file):
    runs = GOLDEN | {"counts_rle": [[16, 24], [0, 6]]}
    del runs["counts"]
    assert ask(file(**runs, **FRACTIONS)) == ask(file(**GOLDEN, **FRACTIONS))


def test_samples_may_differ_from_problem_to_problem(ask, file):
    code, out, _ = ask(file(counts=[20, 40, 0], k=[20, 40, 80], ref_percent=66.7, tolerance="1 problem"))
    assert "(3 problems x 20 to 80 samples)" in out
    assert code == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"counts": [1, 2.5, None], "kk": 3}, "counts.1: Input should be a valid integer; counts.2: "),
        ({"k": 1, "ref_percent": 70, "tolerance": "1 problem"}, "give the counts once"),
        ({"counts": [3], "k": 2, "ref_percent": 70, "tolerance": "1 problem"}, "seen problem 1: 3 of 2"),
        ({"counts": [1], "k": 2, "tolerance": "1 problem"}, "give one reference"),
        ({"counts": [1], "k": 2, "ref_counts": [1], "tolerance": "1 problem"}, "ref_counts need ref_k"),
        (
            {"counts": [1], "k": 2, "ref_percent": 70, "ref_k": [1], "tolerance": "1 problem"},
            "ref_k of a printed score",
        ),
        ({"counts": [1], "k": 2, "ref_percent": "x", "tolerance": "1 problem"}, "'x' is not a number"),
        ({"counts": [1], "k": 2, "ref_percent": "1/0", "tolerance": "1 problem"}, "'1/0' is not a number"),
        ({"counts": [1], "k": 2, "ref_percent": 170, "tolerance": "1 problem"}, "the reference is 170.0%"),
        ({"counts": [1], "k": 2, "ref_percent": 70, "tolerance": "a bit"}, "'a bit' is not a tolerance"),
        ({"counts": [1], "k": 2, "ref_percent": 70, "tolerance": "0 points"}, "give a delta above 0"),
        ({"counts": [1], "k": 2, "ref_percent": 70, "tol_fraction": "1/30"}, "tol_fraction and delta_fraction"),
        ({"counts": [1], "k": 2, "ref_percent": 70, "tolerance": "5 points", "alpha": 0.7}, "alpha is 0.7"),
        ({"counts": [1], "k": 2, "ref_percent": 70, "tolerance": "5 points", "alpha": "1e-17"}, "alpha is 1e-17"),
        (
            {"counts": [1], "k": 2, "ref_percent": 70, "tolerance": "5 points", "alpha": "0.4999999999999999999"},
            "alpha is 0.5",
        ),
        (
            {"counts": [1], "k": 2, "ref_counts": [1, 1], "ref_k": 2, "tolerance": "5 points"},
            "golden run asked something",
        ),
        (
            {"counts": [1], "k": 2, "problems": ["a"], "ref_counts": [1], "ref_k": 2, "ref_problems": ["b"]}
            | FRACTIONS,
            "1 of 1 problems are others",
        ),
    ],
)
def test_a_file_that_cannot_be_judged_is_refused_in_one_message(ask, file, fields, said):
    code, out, err = ask(file(**fields))
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"counts": [1], "k": 2, "ref_percent": 70, "tolerance": "1 problem", "counts": [2]}', "'counts'"),
        ('{"k": 2, "k": 2}', "'k'"),
        ('{"counts": [1], "deep": {"a": 1, "a": 2}}', "'a'"),
    ],
)
def test_a_field_that_stands_twice_is_refused(ask, tmp_path, text, field):
    (tmp_path / "result.json").write_text(text)
    code, out, err = ask(str(tmp_path / "result.json"))
    assert (code, out) == (2, "")
    assert f"the field {field} is listed twice; keep one" in err


def test_what_is_not_the_default_of_the_rule_stands_in_the_sentence_and_always_in_json(ask, file):
    wide = {"counts": [2] * 20 + [0] * 10, "k": 2, "ref_percent": 69.7, "tol_fraction": "1/30", "delta_fraction": "0.9"}
    assert "(30 problems x 2 samples, delta 90 points)" in ask(file(**wide))[1]
    strict = {"counts": [1], "k": 2, "ref_percent": 70, "tolerance": "5 points", "alpha": "0.001", "two_sided": False}
    assert "2 samples, alpha 0.1 %, one-sided: no score is too high)" in ask(file(**strict))[1]
    found = json.loads(ask(file(**strict), "--json")[1])
    assert (found["alpha"], found["delta"], found["two_sided"], found["looks"]) == (0.001, 0.05, False, 1)
    assert "alpha" not in ask(file(counts=[1], k=2, ref_percent=70, tolerance="5 points"))[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--correct", "24"), "--problems, --paper, --tolerance missing"),
        ((*ONE_RUN[2:], "--correct", "31"), "31 correct of 30 problems x 1 samples; 0 to 30 are possible"),
        ((*ONE_RUN, "--paper", "high"), "--paper: 'high' is not a number"),
        ((*ONE_RUN, "--paper", "0.798"), "--paper: 0.798 is below 1 %; write 79.8"),
        ((*ONE_RUN, "--tolerance", "gain"), "'gain' is not a tolerance here; write '1 problem' or '0.5 points'"),
        ((*ONE_RUN, "--reference", "sampled"), "a sampled reference needs the samples"),
        ((*ONE_RUN, "--problems", "0"), "0 to 0 are possible"),
        (("no-such-file.json",), "no-such-file.json cannot be read"),
        (("no-such-file.json", *ONE_RUN), "state the result once"),
    ],
)
def test_options_that_cannot_be_judged_are_refused(ask, options, said):
    code, out, err = ask(*options)
    assert (code, out) == (2, "")
    assert said in err
