"""Speed on the page and in the terminal: what was measured, "-" where nothing was, and never a 0 in its place."""

import re
import sys
from dataclasses import asdict, replace

import pytest

from papergate.acceptance.saving import save
from papergate.performance.metrics import ServiceLevel, summary
from papergate.performance.records import ClientLoad, LoadRun, TimedRequest
from papergate.performance.regression.rule import Slowdown
from papergate.performance.series import over_time
from papergate.performance.validity import fitness
from papergate.reports.page import write_page
from papergate.reports.pictures import HEIGHT, WIDTH, pictures_of, sweep_pictures
from papergate.reports.speed import (
    Speed,
    by_name,
    duration,
    latency_rows,
    number,
    rate_rows,
    speed_of,
    times_words,
)
from papergate.reports.speed_table import print_speeds
from papergate.run_folder.files import SWEEP_FILE, speed_file
from papergate.run_folder.speed import SpeedRecord, read_speeds, write_speed
from papergate.verdict import Verdict
from papergate.words import say
from tests.meta.tiny_runs import accepted, case_of, completions_of, like_the_paper

REQUESTS = tuple(
    TimedRequest(
        prompt=n,
        intended_s=float(n),
        sent_s=float(n),
        chunks_s=(n + 0.25, n + 0.5, n + 0.75),
        last_s=n + 0.75,
        prompt_tokens=10,
        output_tokens=3,
    )
    for n in range(4)
)
SLOWDOWN = Slowdown(ratio=1.105, lower=1.09, upper=1.12, comparisons=16, clusters=8, verdict=Verdict.FAIL)


def record(name="mine", requests=REQUESTS, *, concurrency=1, late_s=0.0, level=None, slowdown=None, **changes):
    """What tests/perf leaves of a workload."""
    client = ClientLoad(wall_s=4.0, cpu_s=0.1, lateness_s=(late_s,))
    run = LoadRun(
        workload=name,
        digest="d1",
        model="m<b>",
        server="s 1",
        salt="s4lt",
        origin_ns=0,
        requests=requests,
        client=client,
    )
    fit = fitness(run, open_loop=not concurrency)
    stored = {
        "papergate": "1",
        "workload": name,
        "title": "my title",
        "concurrency": concurrency,
        "requests_per_s": None if concurrency else 2.0,
        "digest": run.digest,
        "deployment": None,
        "model": run.model,
        "engine": run.server,
        "salt": run.salt,
        "settings": {"ignore_eos": True},
        "metrics": summary(run, level) if fit.valid else None,
        "client": {
            **asdict(fit),
            "reconnects": 0,
            "loop": "uvloop",
            "stamps": "kernel",
        },
        "slowdown": {**asdict(slowdown), "said": slowdown.note, "sentence": say(slowdown.note)} if slowdown else None,
        "baseline": None,
        "series": over_time(run) if fit.valid else None,
    }
    return SpeedRecord.model_validate(stored | changes)


def stored(folder, *records):
    for each in records:
        write_speed(folder, each)
    return by_name(map(speed_of, read_speeds(folder).records))


def page(folder, *records, more=()):
    return write_page([], [], folder, [*stored(folder, *records), *more]).read_text()


def uncounted(*requests):
    return tuple(replace(each, output_tokens=None) for each in requests)


def test_every_latency_has_its_percentiles_and_count():
    rows = dict(latency_rows(record().metrics))
    assert list(rows) == ["TTFT", "TPOT", "ITL", "e2e"]
    assert rows["e2e"] == ["750 ms", "750 ms", "750 ms", "4"]
    assert rows["ITL"][-1] == "8"


def test_what_is_undefined_is_a_dash_everywhere():
    nobody_counted = record(requests=uncounted(*REQUESTS))
    assert dict(latency_rows(nobody_counted.metrics))["TPOT"] == ["-", "-", "-", "0"]
    rates = dict(rate_rows(nobody_counted.metrics))
    assert (rates["output_tokens_per_s"], rates["tokens_per_chunk"]) == ("-", "-")
    assert "goodput_per_s" not in rates
    assert (duration(None), number(None)) == ("-", "-")


def test_goodput_stands_where_bounds_were_given():
    assert dict(rate_rows(record(level=ServiceLevel(e2e_s=1.0)).metrics))["goodput_per_s"] == "1.07"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0 ms"), (0.01234, "12.3 ms"), (0.9996, "1 s"), (4.1333, "4.13 s"), (4133.0, "4,133 s")]
)
def test_durations_have_three_figures_and_a_unit(seconds, text):
    assert duration(seconds) == text


def test_page_of_speed_alone_says_what_was_measured_and_how(tmp_path):
    text = page(tmp_path, record(slowdown=SLOWDOWN, baseline={"name": "old", "engine": "s 0"}, deployment="mine-a"))
    for said in (
        "Speed of m&lt;b&gt;",
        "my title",
        "digest d1",
        "salt s4lt",
        "ignore_eos true",
        "1 in flight",
        "stamps of the kernel",
    ):
        assert said in text
    assert "m&lt;b&gt; on s 1, started as mine-a; baseline old on s 0" in text
    assert say(SLOWDOWN.note) in text
    assert "Promises:" not in text
    assert text.count("<polyline") == 2
    assert text.count("<circle") == 2 * len(REQUESTS) + 2
    assert "http:" not in text


def test_figures_of_an_unfit_client_are_not_shown_but_why_is(tmp_path):
    speeds = stored(tmp_path, record(late_s=0.1))
    text = page(tmp_path)
    assert speeds[0].verdict == "inconclusive"
    assert "the run cannot be used: the client&#39;s event loop was late by (p99) 100.0 ms" in text
    assert "750 ms" not in text
    assert "<svg" not in text


def test_series_without_points_says_so(tmp_path):
    empty = {"step_s": None, "output_tokens_per_s": None, "concurrency": [], "requests": []}
    assert all(picture.empty for picture in pictures_of(record(series=empty).series))
    assert page(tmp_path, record(series=empty)).count("nothing was measured to draw") == 3


def test_every_point_lies_inside_the_axes():
    throughput, concurrency, latency = pictures_of(record().series)
    for picture in (throughput, concurrency, latency):
        for curve in picture.curves:
            assert curve.points
            assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in curve.points)
    assert [tick.label for tick in latency.rows] == ["0", "0.2", "0.4", "0.6", "0.8"]
    e2e, ttft = latency.curves
    assert all(high[1] < low[1] for high, low in zip(e2e.points, ttft.points, strict=True))


def test_latency_against_concurrency_joins_the_runs_of_one_sweep_alone():
    sweep = [record(f"sweep-c{c}", concurrency=c) for c in (16, 1, 4)]
    latency, throughput = sweep_pictures([*sweep, record("other", concurrency=8), record("open", concurrency=None)])
    assert latency.title.texts["en"] == "sweep: latency, seconds"
    assert [curve.name.texts["en"] for curve in latency.curves] == ["e2e p50", "e2e p99", "TTFT p50", "TTFT p99"]
    assert [x for x, _ in throughput.curves[0].points] == sorted(x for x, _ in throughput.curves[0].points)
    assert len(throughput.curves[0].points) == 3
    assert sweep_pictures(sweep[:1]) == []


def test_point_of_a_sweep_without_a_figure_is_left_out():
    found, *_ = sweep_pictures([record("s-c1"), record("s-c2", concurrency=2, requests=uncounted(*REQUESTS))][::-1])
    assert len(found.curves[0].points) == 2
    throughput = sweep_pictures([record("s-c1"), record("s-c2", concurrency=2, requests=uncounted(*REQUESTS))])[1]
    assert len(throughput.curves[0].points) == 1


def test_terminal_table_has_a_row_for_each_and_says_what_must_be_said(capsys):
    speeds = [
        Speed(workload="good", verdict="recorded", record=record("good")),
        Speed(workload="slow", verdict="fail", record=record("slow", slowdown=SLOWDOWN)),
        Speed(workload="late", verdict="inconclusive", record=record("late", late_s=0.1)),
        Speed(workload="lost", verdict="error", error="4 of 4 requests failed\nand more"),
    ]
    print_speeds(speeds, sys.stdout, width=160, colour=False)
    lines = capsys.readouterr().out.splitlines()
    rows = [re.split(r"  +", line.rstrip()) for line in lines[:5]]
    assert rows[0] == ["verdict", "valid", "TTFT p50 / p99", "TPOT p50 / p99", "e2e p50 / p99", "tok/s", "workload"]
    assert rows[1] == ["recorded", "yes", "250 ms / 250 ms", "250 ms / 250 ms", "750 ms / 750 ms", "3.2", "good"]
    assert rows[3] == ["inconclusive", "no", "-", "-", "-", "-", "late"]
    assert rows[4] == ["error", "-", "-", "-", "-", "-", "lost"]
    assert f"slow: {say(SLOWDOWN.note)}" in lines
    assert "lost: error: 4 of 4 requests failed" in lines
    assert not any(line.startswith("good:") for line in lines)


def test_error_stands_on_the_page_in_place_of_figures(tmp_path):
    text = page(tmp_path, more=[Speed(workload="lost", verdict="error", error="4 of 4 requests failed")])
    assert "Nothing was measured" in text
    assert "4 of 4 requests failed" in text


def test_foreign_files_in_the_folder_are_no_records(tmp_path):
    assert [speed.workload for speed in stored(tmp_path, record("a-c16"), record("a-c4"))] == ["a-c4", "a-c16"]
    folder = speed_file(tmp_path, "x").parent
    for name, text in ((SWEEP_FILE, "[]"), ("half.json", "{"), ("other.json", '{"workload": "x"}')):
        (folder / name).write_text(text)
    found = read_speeds(tmp_path)
    assert len(found.records) == 2
    assert [name for name, _ in found.refused] == ["half", "other"]


# -- times of an accuracy run ------------------------------------------------------------------------------------------


def test_times_of_the_samples_are_called_no_benchmark(tmp_path):
    completions = [
        replace(done, ttft_s=0.5, e2e_s=10.5, output_tokens=101) for done in completions_of(like_the_paper, 4)
    ]
    record = save(accepted(case_of(), completions, 4), tmp_path)
    said = times_words(record.times.model_copy(update={"concurrency": 64})).texts["en"]
    assert said.startswith("TTFT p50 500 ms, p90 500 ms; TPOT p50 100 ms, p90 100 ms; tok/s of one stream p50 9.62,")
    assert said.endswith("recorded while asking at a concurrency of at most 64, not a benchmark")
    assert "not a benchmark" in write_page([record], [], tmp_path).read_text()


def test_samples_without_times_and_summaries_of_before_show_none(tmp_path):
    completions = [replace(done, output_tokens=None) for done in completions_of(like_the_paper, 4)]
    record = save(accepted(case_of(), completions, 4), tmp_path)
    assert times_words(record.times) is times_words(None) is None
    without = record.model_copy(update={"times": None})
    assert "not a benchmark" not in write_page([record, without], [], tmp_path).read_text()
