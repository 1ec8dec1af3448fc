"""`papergate grade`: a file in, a file out, in the same order."""

import gzip
import json
import os
import subprocess
import sys
import threading

import pytest

from papergate.cli import answers, main


def run(*arguments):
    return main(["grade", *map(str, arguments)])


def graded(tmp_path, rows, *arguments):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    status = run(source, "-o", target, "--workers", 1, *arguments)
    return status, [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def test_bare_answers_are_graded_in_order(tmp_path):
    rows = [{"id": "a", "gold": "1/2", "answer": "0.5"}, {"id": "b", "gold": "1/2", "answer": "2"}]
    status, lines = graded(tmp_path, rows, "--mode", "answer")
    assert status == 0
    assert [(line["id"], line["outcome"], line["extracted"]) for line in lines] == [
        ("a", "correct", "0.5"),
        ("b", "incorrect", "2"),
    ]
    assert {"rule", "reason", "seconds"} <= lines[0].keys()


def test_responses_are_graded_from_other_fields(tmp_path):
    rows = [{"solution": "7", "text": "<think>\\boxed{6}</think>\\boxed{7}"}, {"solution": "7", "text": None}]
    status, lines = graded(
        tmp_path, rows, "--mode", "response", "--gold-field", "solution", "--answer-field", "text", "--thinks"
    )
    assert status == 0
    assert [(line["id"], line["outcome"], line["reason"]) for line in lines] == [
        (1, "correct", None),
        (2, "incorrect", "empty"),
    ]


def test_numbers_are_graded_as_they_are_written(tmp_path):
    assert graded(tmp_path, [{"gold": 25, "answer": 25.0}])[1][0]["outcome"] == "correct"


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ('{"gold": 1e400, "answer": "1e400"}', "correct"),
        ('{"gold": 0.1234567890123456789, "answer": "0.1234567890123456788"}', "correct"),  # 16 digits are
        ('{"gold": 123456789.0123456, "answer": "123456789.012345"}', "incorrect"),
    ],
)
def test_numbers_keep_the_digits_of_the_file(tmp_path, line, outcome):
    (tmp_path / "in.jsonl").write_text(line, encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl") == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["outcome"] == outcome


def test_the_golds_of_gsm8k_are_what_stands_after_their_mark(tmp_path):
    rows = [{"id": 1, "gold": "3 + 4 = <<3+4=7>>7 eggs.\n#### 7", "response": "So \\boxed{7}."}]
    assert [line["outcome"] for line in graded(tmp_path, rows)[1]] == ["correct"]
    log = [{"id": 1, "answer": "3 + 4 = 7 eggs.\n#### 7", "completion": "So \\boxed{7}."}]
    assert [(line["outcome"], line["gold"]) for line in graded(tmp_path, log)[1]] == [("correct", "7")]


def test_a_gold_that_cannot_be_read_and_thoughts_that_never_close_are_told(tmp_path, capsys):
    rows = [
        {"gold": "the set of all x such that something holds", "response": "So \\boxed{7}."},
        {"gold": "7", "response": "\\boxed{7}"},
    ]
    graded(tmp_path, rows)
    told = capsys.readouterr().err
    assert "Answers whose gold cannot be read: 1, such as 'the set of all x such that something holds'" in told
    assert "--thinks" not in told
    assert [line["outcome"] for line in graded(tmp_path, rows[1:] * 2, "--thinks")[1]] == ["incorrect"] * 2
    assert "None of the 2 texts closes its thought" in capsys.readouterr().err
    assert graded(tmp_path, [*rows[1:], {"gold": "7", "response": "</think>\\boxed{7}"}], "--thinks")[0] == 0
    assert "thought" not in capsys.readouterr().err


def test_what_is_told_and_refused_is_in_the_language_of_the_environment(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAPERGATE_LANGUAGE", "zh")
    graded(tmp_path, [{"gold": "7", "response": "7"}], "--thinks")
    assert "请去掉 --thinks" in capsys.readouterr().err
    (tmp_path / "in.jsonl").write_text("{", encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl") == 2
    assert "不是 JSON" in capsys.readouterr().err


def test_all_graders_list_their_disagreements(tmp_path, capsys):
    rows = [{"id": "x", "gold": "\\frac43", "response": "\\boxed{\\frac43}"}]
    status, lines = graded(tmp_path, rows, "--grader", "all")
    assert status == 0
    assert lines[0]["outcomes"] == {"strict": "correct", "aisbench": "incorrect", "math-verify": "correct"}
    assert "x: gold" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "line 1: not JSON"),
        ("[1]", "line 1: a list"),
        ('\n{"gold": "1"}', "line 2: no field 'response' among ['gold']"),
        ('{"answer": "1"}', "no field 'gold'"),
        ('{"gold": "7", "gold": "8", "answer": "8"}', "line 1: the field 'gold' is listed twice"),
        ('{"gold": "7", "answer": ["7"]}', "line 1: 'answer' holds a list"),
        ('{"gold": "7", "response": {"text": "7"}}', "line 1: 'response' holds a dict"),
        ('{"gold": ["7"], "answer": "7"}', "line 1: 'gold' holds a list"),
        ('{"gold": " ", "answer": "7"}', "line 1: the gold ' ' cannot be read"),
        ('{"gold": null, "answer": "7"}', "line 1: the gold '' cannot be read"),
        ('{"gold": NaN, "answer": "7"}', "line 1: the gold '' cannot be read"),
        ("", "no answers in it"),
        ("\n \n", "no answers in it"),
    ],
)
def test_unreadable_file_is_refused_by_line(tmp_path, capsys, content, told):
    source = tmp_path / "in.jsonl"
    source.write_text(content, encoding="utf-8")
    assert run(source, "-o", tmp_path / "out.jsonl") == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_missing_file_and_unwritable_output_are_refused(tmp_path, capsys):
    assert run(tmp_path / "none.jsonl", "-o", tmp_path / "out.jsonl") == 2
    (tmp_path / "in.jsonl").write_text('{"gold": "1", "answer": "1"}', encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "no" / "out.jsonl") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_old_output_stays_when_the_input_is_refused(tmp_path):
    (tmp_path / "in.jsonl").write_text("{", encoding="utf-8")
    (tmp_path / "out.jsonl").write_text("old", encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl") == 2
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == "old"


LINE = '{"id": "a", "gold": "7", "answer": "7"}\n'


def command(*arguments):
    return [sys.executable, "-m", "papergate", "grade", *map(str, arguments)]


def test_a_dash_stands_for_standard_input_and_output():
    done = subprocess.run(
        command("-", "-o", "-", "--workers", 1), input=LINE * 3, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == ["correct"] * 3
    assert done.stderr == "strict: 3 graded: 3 correct, 0 incorrect, 0 undecided\n"


def test_the_name_of_standard_output_is_standard_output(tmp_path):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    told = tmp_path / "told"
    with told.open("w") as output:
        output.write("before\n")
        output.flush()
        subprocess.run(command(tmp_path / "in.jsonl", "-o", "/dev/stdout"), stdout=output, check=True)
        output.seek(0, os.SEEK_END)
        output.write("after\n")
    before, line, after = told.read_text(encoding="utf-8").splitlines()
    assert (before, json.loads(line)["outcome"], after) == ("before", "correct", "after")


@pytest.mark.parametrize(
    ("given", "closed", "told"),
    [
        (("-", "-o", "out"), "<&-", "standard input is closed; name a file"),
        (("in.jsonl", "-o", "-"), ">&-", "standard output is closed; name a file with -o"),
    ],
)
def test_a_closed_stream_is_told(tmp_path, given, closed, told):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    shell = ["sh", "-c", f'"$@" {closed}', "sh", *command(*given)]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"papergate: {told}\n")


def test_a_file_is_graded_where_nobody_reads_what_is_told(tmp_path):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    shell = ["sh", "-c", '"$@" 2>&-', "sh", *command("in.jsonl", "-o", "out")]
    assert subprocess.run(shell, cwd=tmp_path, check=False).returncode == 0
    assert json.loads((tmp_path / "out").read_text())["outcome"] == "correct"


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_the_input_is_never_written_over(tmp_path, capsys, link):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    link(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl") == 2
    assert "the output is a file that is read" in capsys.readouterr().err
    assert (tmp_path / "in.jsonl").read_text() == LINE


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(answers, "MOST_LINE", 100)
    (tmp_path / "in.jsonl").write_text(LINE + "0" * 101, encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl") == 2
    assert "in.jsonl, line 2: more than 0 MiB" in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()


def test_a_link_to_itself_is_no_output(tmp_path, capsys):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    (tmp_path / "out").symlink_to("out")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out") == 2
    assert "a link that leads to itself" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_told_and_is_no_verdict(tmp_path):
    (tmp_path / "in.jsonl").write_text(LINE * 20_000, encoding="utf-8")
    read, write = os.pipe()
    with subprocess.Popen(command(tmp_path / "in.jsonl", "-o", "-"), stdout=write, stderr=subprocess.PIPE) as process:
        os.close(write)
        assert os.read(read, 10)
        os.close(read)
        told = process.communicate()[1].decode()
    assert process.returncode == 2
    assert "-: cannot be written (Broken pipe)" in told
    assert "Exception ignored" not in told


def test_a_fifo_is_written_through_and_stays_one(tmp_path):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    fifo = tmp_path / "out"
    os.mkfifo(fifo)
    read = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()))
    reader.start()
    assert run(tmp_path / "in.jsonl", "-o", fifo) == 0
    reader.join()
    assert json.loads(read[0])["outcome"] == "correct"
    assert fifo.is_fifo()


def test_a_link_stays_and_what_it_names_is_written(tmp_path):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    (tmp_path / "real.jsonl").write_text("old", encoding="utf-8")
    (tmp_path / "real.jsonl").chmod(0o640)
    (tmp_path / "out.jsonl").symlink_to("real.jsonl")
    (tmp_path / "new.jsonl").symlink_to("not-there-yet.jsonl")
    for name, target in (("out.jsonl", "real.jsonl"), ("new.jsonl", "not-there-yet.jsonl")):
        assert run(tmp_path / "in.jsonl", "-o", tmp_path / name) == 0
        assert (tmp_path / name).is_symlink()
        assert json.loads((tmp_path / target).read_text())["outcome"] == "correct"
    assert (tmp_path / "real.jsonl").stat().st_mode & 0o777 == 0o640


def test_a_planted_link_beside_the_output_is_not_followed(tmp_path):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    (tmp_path / "victim").write_text("kept", encoding="utf-8")
    (tmp_path / "out.jsonl.part").symlink_to("victim")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl") == 0
    assert (tmp_path / "victim").read_text() == "kept"


def test_a_folder_is_no_output(tmp_path, capsys):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path) == 2
    assert "cannot be written (a folder where a plain file is expected)" in capsys.readouterr().err


def test_the_log_of_another_tool_is_graded_and_its_failures_are_no_wrong_answers(tmp_path, capsys):
    rows = [
        {"unique_id": "a", "answer": "7", "response": "<think>6?</think>\\boxed{7}", "finish_reason": "stop"},
        {"unique_id": "a", "answer": "7", "response": "so \\boxed{7}", "finish_reason": "length"},
        {"unique_id": "b", "answer": "8", "response": "so", "finish_reason": "abort"},
    ]
    status, lines = graded(tmp_path, rows, "--thinks", "--mode", "response")
    assert status == 0
    assert [(line["id"], line["outcome"]) for line in lines] == [
        ("a", "correct"),
        ("a", "incorrect"),
        ("b", "failed"),
    ]
    assert "2 graded: 1 correct, 1 incorrect, 0 undecided, 1 failed and not graded" in capsys.readouterr().err


def test_golds_may_come_from_the_file_of_the_benchmark(tmp_path, capsys):
    row = {"id": "a", "response": "\\boxed{7}"}
    (tmp_path / "golds.jsonl").write_text('{"unique_id": "a", "problem": "3+4?", "answer": "7"}\n', encoding="utf-8")
    assert graded(tmp_path, [row], "--golds", tmp_path / "golds.jsonl")[1][0]["outcome"] == "correct"
    (tmp_path / "out.jsonl").unlink()
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl") == 2
    assert "give the golds by id" in capsys.readouterr().err


def test_a_gold_by_id_counts_before_that_of_the_line(tmp_path):
    (tmp_path / "golds.jsonl").write_text('{"id": "a", "answer": "7"}\n', encoding="utf-8")
    row = {"id": "a", "gold": "8", "response": "\\boxed{7}"}
    assert graded(tmp_path, [row], "--golds", tmp_path / "golds.jsonl")[1][0]["outcome"] == "correct"


def test_two_golds_of_one_id_are_refused(tmp_path, capsys):
    golds = '{"id": 1, "index": 0, "answer": "7"}\n{"id": 2, "index": 1, "answer": "8"}\n'
    (tmp_path / "golds.jsonl").write_text(golds, encoding="utf-8")
    assert run("-", "-o", tmp_path / "out.jsonl", "--golds", tmp_path / "golds.jsonl") == 2
    assert "golds.jsonl, line 2: '1' has another gold answer in a line before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--answer-field", "respons"), "no field 'respons'"),
        (("--gold-field", "answr"), "no field 'answr'"),
        (("--gold-field", "answer"), "no field 'response'"),
        (("--gold-field", "answer", "--answer-field", "answer"), "'answer' is the field of the right and of the given"),
        (("--gold-field", "answer", "--mode", "answer"), "'answer' is the field of the right and of the given"),
        (("--compare", "strict", "strict"), "give two different graders"),
    ],
)
def test_no_other_field_is_read_in_place_of_a_named_one(tmp_path, capsys, options, told):
    row = {"id": "a", "answer": "7", "prediction": "\\boxed{7}"}
    (tmp_path / "in.jsonl").write_text(json.dumps(row), encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", *options) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()


def test_a_log_has_fields_of_its_own(tmp_path, capsys):
    (tmp_path / "in.json").write_text('[{"id": "a", "answer": "7", "prediction": "\\\\boxed{7}"}]', encoding="utf-8")
    assert run(tmp_path / "in.json", "-o", tmp_path / "out.jsonl", "--answer-field", "prediction") == 2
    assert "a log has fields of its own" in capsys.readouterr().err
    assert run(tmp_path / "in.json", "-o", tmp_path / "out.jsonl") == 0


def test_a_file_that_is_read_is_never_written_over(tmp_path, capsys):
    row = json.dumps({"id": "a", "answer": "7", "response": "\\boxed{7}"})
    for name in ("golds.jsonl", "log/part.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(row, encoding="utf-8")
        assert run(tmp_path / "log", "-o", tmp_path / name, "--golds", tmp_path / "golds.jsonl") == 2
        assert "the output is a file that is read" in capsys.readouterr().err
        assert (tmp_path / name).read_text(encoding="utf-8") == row
    assert run(tmp_path / "log", "-o", tmp_path / "log" / "grades.jsonl") == 0


def test_packed_lines_are_known_by_their_first_bytes(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(gzip.compress(LINE.encode()))
    (tmp_path / "plain.jsonl.gz").write_text(LINE, encoding="utf-8")
    for name in ("in.jsonl", "plain.jsonl.gz"):
        assert run(tmp_path / name, "-o", tmp_path / "out.jsonl") == 0
        assert json.loads((tmp_path / "out.jsonl").read_text())["outcome"] == "correct"
    packed = gzip.compress(LINE.encode())
    done = subprocess.run(command("-", "-o", "-"), input=packed, capture_output=True, check=True)
    assert json.loads(done.stdout)["outcome"] == "correct"


def test_the_line_at_which_a_packed_file_ends_early_is_named(tmp_path, capsys):
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(LINE.encode() * 3)[:-8])
    assert run(tmp_path / "in.jsonl.gz", "-o", tmp_path / "out.jsonl") == 2
    assert "in.jsonl.gz, line 4: Compressed file ended" in capsys.readouterr().err


def test_what_nobody_reads_any_more_changes_no_exit_code(tmp_path):
    (tmp_path / "in.jsonl").write_text(LINE, encoding="utf-8")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        assert (
            subprocess.run(command(tmp_path / "in.jsonl", "-o", tmp_path / "out"), stderr=gone, check=False).returncode
            == 0
        )
        assert (
            subprocess.run(command(tmp_path / "none", "-o", tmp_path / "out"), stderr=gone, check=False).returncode == 2
        )


def test_packed_lines_with_a_mark_of_their_encoding_are_read(tmp_path):
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + LINE.encode()))
    assert run(tmp_path / "in.jsonl.gz", "-o", tmp_path / "out.jsonl") == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["outcome"] == "correct"


@pytest.mark.parametrize(
    "content", [b'{"gold": "\xff"', b"\x1f\x8b\x08 no gzip", b"[" * 200_000, '{"é'.encode("utf-16")]
)
def test_bytes_that_are_no_text_are_refused_with_the_line(tmp_path, capsys, content):
    for name in ("in.jsonl", "in.jsonl.gz"):
        (tmp_path / name).write_bytes(content)
        assert run(tmp_path / name, "-o", tmp_path / "out.jsonl") == 2
        assert f"{name}, line " in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()


def test_numbers_of_any_length_are_read(tmp_path):
    (tmp_path / "in.jsonl").write_text(f'{{"gold": 7, "answer": {"7" * 9_000}}}\n', encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", "--workers", 1) == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["outcome"] == "incorrect"


def test_two_graders_are_compared_in_a_table(tmp_path, capsys):
    rows = [
        {"id": "same", "gold": "7", "response": "\\boxed{7}"},
        {"id": "differs", "gold": "\\frac43", "response": "\\boxed{\\frac43}"},
    ]
    status, lines = graded(tmp_path, rows, "--compare", "aisbench", "strict")
    assert status == 0
    assert [line["outcome"] for line in lines] == ["correct", "incorrect"]
    assert lines[1]["outcomes"] == {"aisbench": "incorrect", "strict": "correct"}
    told = capsys.readouterr().err
    table = [line.split() for line in told.splitlines()]
    assert ["aisbench", "strict:", "correct", "incorrect", "undecided"] in table
    assert ["correct", "1", "0", "0"] in table
    assert ["incorrect", "1", "0", "0"] in table
    assert "differs: gold" in told


@pytest.mark.parametrize("gold", ["B", "b", "(B)", "B. blue", "Option B"])
def test_the_gold_of_a_choice_may_be_written_in_any_way_that_is_read(tmp_path, gold):
    rows = [{"gold": gold, "response": "Answer: B"}, {"gold": gold, "response": "Answer: C"}]
    assert [line["outcome"] for line in graded(tmp_path, rows, "--kind", "choice")[1]] == ["correct", "incorrect"]


def test_letters_options_and_marks_are_read(tmp_path):
    row = {"gold": "B", "response": "<<A?>>It is blue.\n\nAnswer: blue", "choices": ["red", "blue"]}
    options = ("--kind", "choice", "--letters", "AB", "--thinks", "--thought-marks", "<<", ">>")
    assert graded(tmp_path, [row], *options)[1][0]["outcome"] == "correct"


def test_memory_does_not_grow_with_the_number_of_lines(tmp_path):
    def peak(lines):
        (tmp_path / "in.jsonl").write_text(LINE * lines, encoding="utf-8")
        program = (
            "import resource, sys; from papergate.cli import main; status = main(sys.argv[1:]);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(status)"
        )
        arguments = ("grade", tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", "--workers", "1")
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    few, many = peak(1_000), peak(30_000)
    assert many < few + 8_000  # KiB: held whole, 29,000 more lines would take some 30 MiB


@pytest.mark.parametrize("workers", ["0", "-1"])
def test_fewer_than_one_worker_is_refused(tmp_path, workers, capsys):
    assert main(["grade", "in.jsonl", "-o", str(tmp_path / "out.jsonl"), "--workers", workers]) == 2
    assert "give a number from 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--letters", "ABCA"), "--letters is 'ABCA'"),
        (("--letters", "A"), "--letters is 'A'"),
        (("--letters", "A,B"), "--letters is 'A,B'"),
        (("--letters", ""), "--letters is ''"),
        (("--thought-marks", "", "</t>"), "--thought-marks are empty"),
        (("--thought-marks", "<t>", "<t>"), "or the same"),
    ],
)
def test_letters_and_marks_that_mean_nothing_are_refused(tmp_path, capsys, options, told):
    assert main(["grade", "in.jsonl", "-o", str(tmp_path / "out.jsonl"), *options]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "gold"), [("integer", "1/2"), ("integer", ""), ("choice", "42"), ("choice", "AB"), ("choice", "E")]
)
def test_a_gold_that_its_kind_cannot_hold_is_refused_by_line(tmp_path, capsys, kind, gold):
    rows = [{"gold": "7" if kind == "integer" else "B", "answer": "7"}, {"gold": gold, "answer": "7"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert main(["grade", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.jsonl"), "--kind", kind]) == 2
    assert f"line 2: the gold {gold!r} cannot be read as {kind}" in capsys.readouterr().err
