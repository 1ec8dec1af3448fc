"""tests/perf as its user runs it: a process of its own, and what it leaves."""

import json
import os
import re
from xml.etree import ElementTree as ET

from tests.meta.processes import forked

TEST = "tests/perf/test_workloads.py::test_latency_is_measured"
WORKLOAD = """
name = "mine"
title = "mine"
source = "me"
prompts = { kind = "random", input_tokens = 10, output_tokens = 5 }
count = 8
concurrency = 1
"""
LENIENT = """
from papergate.performance import validity

validity.MOST_LATENESS_S = validity.MOST_CPU = 1e9  # a busy machine must not decide these tests
"""


class Suite:
    """Runs tests/perf and reads what it leaves."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "mine.toml").write_text(WORKLOAD)
        (folder / "lenient.py").write_text(LENIENT)

    def run(self, *options, workload="mine.toml"):
        place = str(self.folder / workload) if workload.endswith(".toml") else workload
        command = ["pytest", "tests/perf", "-p", "no:cacheprovider", "-p", "lenient"]
        files = ["--run", str(self.folder / "run"), "--junitxml", str(self.folder / "out.xml")]
        environment = os.environ | {"PYTHONPATH": str(self.folder)}
        environment.pop("PYTEST_XDIST_WORKER", None)
        done = forked(*command, *files, "--workload", place, *options, env=environment)
        self.output, self.status = done.stdout + done.stderr, done.returncode
        return self

    @property
    def case(self):
        """The one test case of the JUnit report: (outcome, message, properties)."""
        (case,) = ET.parse(self.folder / "out.xml").getroot().iter("testcase")
        properties = {each.get("name"): each.get("value") for each in case.iter("property")}
        for outcome in ("failure", "error", "skipped"):
            if (found := case.find(outcome)) is not None:
                return outcome, found.get("message") + (found.text or ""), properties
        return "passed", "", properties

    def recorded(self, name="record.json"):
        return json.loads((self.folder / name).read_text())

    def assert_no_figures(self):
        """The record holds the client and the reasons, JUnit the model and the engine, and neither a figure."""
        record = self.recorded("run/performance/mine.json")
        assert [record[name] for name in ("metrics", "series", "slowdown")] == [None] * 3
        assert record["client"]["reasons"]
        assert self.case[2].keys() <= {"workload", "model", "engine", "verdict", "unfit"}
        assert re.search(r"^inconclusive  no( +-){4}", self.output, re.MULTILINE), self.output
        assert "<svg" not in (self.folder / "run/report.html").read_text()


class AttachedSuite(Suite):
    """The same, attached to a server."""

    def __init__(self, folder, server):
        super().__init__(folder)
        self._server = server

    def run(self, *options, model="plain", workload="mine.toml"):
        return super().run("--endpoint", self._server.url, "--model", model, *options, workload=workload)
