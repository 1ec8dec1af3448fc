"""Streams with mutated bytes: each ends in time, as an error, or as what an independent reader makes of it."""

import os

from tests.meta.endpoints.fuzz import run

STREAMS = int(os.environ.get("PAPERGATE_FUZZ", "400"))
"""`make fuzz` sends 100,000."""
SEED = int(os.environ.get("PAPERGATE_FUZZ_SEED", "0"))


def test_no_mutated_stream_hangs_crashes_shows_the_key_or_is_taken_for_another_answer(monkeypatch):
    monkeypatch.setenv("PAPERGATE_API_KEY", "")  # given back at the end
    kinds, wrong = run(STREAMS, SEED)
    assert wrong == []
    assert kinds["answer: stop"] > STREAMS / 20
    assert kinds["again: EngineError"] > STREAMS / 20
