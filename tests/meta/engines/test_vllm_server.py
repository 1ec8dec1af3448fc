"""A real vLLM, started by papergate."""

import os
from decimal import Decimal

import pytest

from papergate.completions.policy import seed_of
from papergate.engines.managed.engine import ManagedEngine
from papergate.engines.managed.server import ManagedServer
from papergate.engines.managed.vllm import VLLM
from papergate.engines.records import Request
from papergate.errors import EngineRefused
from papergate.promises.records import Sampling
from tests.servers.real_servers import texts_of

SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=64)
MODEL = os.environ.get("PAPERGATE_TEST_VLLM_MODEL", "")
FLAGS = ("--served-model-name=tiny", "--dtype=float32", "--max-model-len=512", "--max-num-seqs=32", "--enforce-eager")
SUMS = [f"What is {first} + {second}?" for first in range(12, 96, 7) for second in range(3, 90, 5)]


def sums(sampling, count):
    return [
        Request(problem=f"p{n}", sample=0, prompt=prompt, sampling=sampling, seed=seed_of(0, f"p{n}", 0))
        for n, prompt in enumerate(SUMS[:count])
    ]


@pytest.fixture(scope="module")
def real_vllm(tmp_path_factory):
    if not MODEL:
        pytest.skip("PAPERGATE_TEST_VLLM_MODEL names no model: `make test-vllm` does")
    server = ManagedServer.start(VLLM, MODEL, tmp_path_factory.mktemp("vllm"), flags=FLAGS, ready_within_s=600)
    engine = ManagedEngine(server, concurrency=32)
    yield engine
    engine.close()
    assert not server.is_running()


def test_a_real_vllm_tells_who_it_is_and_refuses_what_does_not_fit(real_vllm):
    identity = real_vllm.identity()
    assert (identity.model, len(identity.revision), len(identity.template)) == ("tiny", 64, 64)
    assert "torch" in identity.environment
    real_vllm.check(SAMPLING, SUMS)
    with pytest.raises(EngineRefused, match="has room for 512 tokens"):
        real_vllm.check(SAMPLING.model_copy(update={"max_tokens": 4096}), SUMS)


def test_a_real_vllm_draws_the_same_samples_for_the_same_seeds(real_vllm, tmp_path):
    texts = [texts_of(tmp_path / name, real_vllm, sums(SAMPLING, 32)) for name in ("one", "other")]
    assert texts[0] == texts[1]
    assert len(set(texts[0].values())) > 16


def test_a_real_vllm_and_transformers_give_the_same_greedy_answers(real_vllm, tmp_path):
    huggingface = pytest.importorskip("papergate.engines.in_process.huggingface").load(MODEL, dtype="float32")
    greedy = sums(SAMPLING.model_copy(update={"temperature": Decimal(0)}), 200)
    try:
        here = texts_of(tmp_path / "here", huggingface, greedy)
    finally:
        huggingface.close()
    there = texts_of(tmp_path / "there", real_vllm, greedy)
    different = {key: (here[key], there[key]) for key in here if here[key] != there[key]}
    assert len(here) == len(there) == 200
    assert not different
