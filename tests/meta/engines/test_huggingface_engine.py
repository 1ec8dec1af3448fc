"""transformers in process: copies on several devices share the work, and what cannot work is refused."""

import asyncio
import os
from collections import Counter

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from papergate.benchmarks import load as load_benchmark  # noqa: E402 - after the skip
from papergate.benchmarks import read_specs  # noqa: E402
from papergate.embedded import MODEL_DIR  # noqa: E402
from papergate.engines import EngineIdentity, Request  # noqa: E402
from papergate.engines.in_process import devices, huggingface  # noqa: E402
from papergate.engines.in_process.decoding import Decoder  # noqa: E402
from papergate.engines.in_process.strip import ROOM  # noqa: E402
from papergate.errors import EngineError, EngineRefused  # noqa: E402
from papergate.promises.records import Sampling  # noqa: E402
from tests.meta.processes import ROOT, forked  # noqa: E402

torch.set_num_threads(1)
SAMPLING = Sampling(temperature="0.6", top_p="0.95", max_tokens=64)
PROBLEMS = load_benchmark(read_specs()["tiny-aime"]).problems
REQUESTS = [
    Request(problem=problem.id, sample=sample, prompt=problem.prompt, sampling=SAMPLING, seed=place)
    for sample in range(2)
    for place, problem in enumerate(PROBLEMS, start=100 * sample)
]
GIB = 2**30


def weights():
    return transformers.AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)


def engine_of(*copies):
    tokenizer = transformers.AutoTokenizer.from_pretrained(MODEL_DIR)
    return huggingface.HuggingFaceEngine(copies, tokenizer, EngineIdentity(engine="h", version="1", model="tiny"))


def texts_of(engine, requests=REQUESTS):
    async def all_of_them():
        return await asyncio.gather(*(engine.complete(request) for request in requests))

    return [(done.problem, done.sample, done.text) for done in asyncio.run(all_of_them())]


def test_copies_share_the_requests_and_answer_as_one_does(monkeypatch):
    monkeypatch.setattr(devices, "MAX_BATCH", 8)
    drawn, one, other = Counter(), weights(), weights()
    for name, model in (("one", one), ("other", other)):
        model.register_forward_pre_hook(lambda *_, name=name: drawn.update([name]))
    alone, together = engine_of(weights()), engine_of(one, other)
    try:
        assert texts_of(together) == texts_of(alone)
    finally:
        alone.close()
        together.close()
    assert set(drawn) == {"one", "other"}
    assert together.concurrency == 2 * alone.concurrency


def test_closing_ends_every_worker_and_may_be_done_twice():
    engine = engine_of(weights(), weights())
    engine.close()
    engine.close()
    assert not any(worker.is_alive() for worker in engine._workers)


@pytest.mark.parametrize(
    ("gib", "free", "placed"),
    [
        (28, [78], ["auto"]),
        (28, [78, 78], [{"": 0}, {"": 1}]),
        (28, [78, 40], ["auto"]),
        (64, [78, 78], ["auto"]),
        (640, [78] * 8, ["auto"]),
    ],
)
def test_each_device_gets_a_copy_where_that_leaves_room_for_the_cache(gib, free, placed):
    assert devices._placed(gib * GIB, [each * GIB for each in free]) == placed


def test_the_weights_are_measured_without_reading_them():
    parameters = sum(each.numel() for each in weights().parameters())
    assert devices._weight_bytes(str(MODEL_DIR), "auto") == 4 * parameters
    assert devices._weight_bytes(str(MODEL_DIR), "bfloat16") == 2 * parameters


def test_the_cache_is_as_large_as_the_free_memory_allows_one_answer_at_least(monkeypatch):
    model, longest = weights(), 100
    token = 2 * 4 * model.config.num_hidden_layers * model.config.num_key_value_heads * 32
    assert model.config.hidden_size // model.config.num_attention_heads == 32
    monkeypatch.setattr(devices, "free_on", lambda _: round(5000.5 * token / devices.CACHE_SHARE))
    assert devices.room([model], longest).tokens == 5000
    monkeypatch.setattr(devices, "free_on", lambda _: 0)
    assert devices.room([model], longest).tokens == longest + ROOM
    monkeypatch.setattr(devices, "free_on", lambda _: 2**60)
    assert devices.room([model], longest).tokens == devices.MAX_BATCH * (longest + ROOM)


def test_what_was_captured_for_one_look_serves_the_next(monkeypatch):
    built, engine = [], engine_of(weights())
    monkeypatch.setattr(huggingface, "Decoder", lambda *given: built.append(given) or Decoder(*given))
    try:
        engine.check(SAMPLING, [problem.prompt for problem in PROBLEMS])
        assert texts_of(engine, REQUESTS[:2]) == texts_of(engine, REQUESTS[:2])
    finally:
        engine.close()
    assert len(built) == 1


def test_a_cache_that_cannot_be_made_fails_the_requests_that_waited_for_it(monkeypatch):
    monkeypatch.setattr(huggingface, "Decoder", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("2 GiB")))
    engine = engine_of(weights())
    try:
        with pytest.raises(EngineError, match="OutOfMemoryError: 2 GiB; free the device"):
            texts_of(engine, REQUESTS[:2])
    finally:
        engine.close()


def test_a_context_that_is_too_short_is_refused_with_both_lengths():
    engine = engine_of(weights())
    try:
        with pytest.raises(
            EngineRefused, match=r"its context holds 512 tokens, but the longest prompt has \d+ and max_"
        ):
            engine.check(SAMPLING.model_copy(update={"max_tokens": 512}), [PROBLEMS[0].prompt])
    finally:
        engine.close()


def test_memory_that_runs_out_fails_its_batch_with_the_remedy_and_the_next_is_drawn():
    model, broken = weights(), [torch.OutOfMemoryError("tried to allocate 2 GiB")]
    model.register_forward_pre_hook(lambda *_: (_ for _ in ()).throw(broken.pop()) if broken else None)
    engine = engine_of(model)
    try:
        with pytest.raises(
            EngineError, match=r"OutOfMemoryError: tried to allocate 2 GiB; free the device, use more devices"
        ):
            texts_of(engine, REQUESTS[:1])
        assert texts_of(engine, REQUESTS[:1])
    finally:
        engine.close()


def test_a_log_gets_no_bar_of_the_loading_of_weights(tmp_path):
    program = "from papergate.engines.in_process.huggingface import load; load('papergate-tiny')"
    (tmp_path / "loading_weights.py").write_text(program)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    done = forked("loading_weights", env=environment, with_model=True)
    assert done.returncode == 0, done.stderr
    assert "Loading" not in done.stderr
