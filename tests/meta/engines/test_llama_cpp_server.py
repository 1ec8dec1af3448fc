"""A real llama.cpp server with the embedded model: what it tells, what it draws, what it refuses."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from papergate.embedded import MODEL_DIR
from papergate.engines.records import Finish
from papergate.engines.remote.engine import RemoteEngine
from papergate.engines.weights import digest_of_template
from papergate.errors import EngineError, EngineRefused
from tests.servers.real_servers import GREEDY, PROMPTS, SAMPLED, answer, embedded_texts, running, samples, texts_of

INSTALLED = all(map(find_spec, ("xllamacpp", "gguf")))
pytestmark = pytest.mark.skipif(not INSTALLED, reason="llama.cpp is not installed: `make test-servers` does that")
SERVER = Path(__file__).parents[2] / "servers" / "llama_cpp_server.py"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    from tests.servers.gguf_of import gguf_of

    file = tmp_path_factory.mktemp("weights") / "tiny.gguf"
    gguf_of(MODEL_DIR, file)
    return file


@pytest.fixture(scope="module")
def url(weights, tmp_path_factory):
    log = tmp_path_factory.mktemp("llama-cpp") / "log"
    with running([sys.executable, SERVER, weights, "{port}", 0, 0.0], log) as url:
        yield url


@pytest.fixture(scope="module")
def engine(url):
    return RemoteEngine([url], "tiny", concurrency=4)


def test_it_tells_its_weights_template_and_context(engine, weights):
    identity = engine.identity()
    assert identity.version.startswith("llamacpp b")
    assert identity.revision == str(weights)
    assert identity.template == digest_of_template(MODEL_DIR)
    engine.check(SAMPLED, PROMPTS)
    with pytest.raises(EngineRefused, match="has room for 512 tokens"):
        engine.check(SAMPLED.model_copy(update={"max_tokens": 512}), PROMPTS)


def test_a_wrong_model_name_is_refused_because_the_server_would_answer_to_it(url):
    with pytest.raises(EngineRefused, match="does not serve 'other'; it serves 'tiny'"):
        RemoteEngine([url], "other")


def test_the_ways_to_draw_that_are_its_defaults_are_refused(weights, tmp_path):
    with running([sys.executable, SERVER, weights, "{port}", 40, 0.05], tmp_path / "log") as url:
        engine = RemoteEngine([url], "tiny")
        with pytest.raises(EngineRefused, match=r"draws with top_k 40, min_p 0.05.* of its own"):
            engine.check(SAMPLED, PROMPTS)


def test_greedy_answers_are_those_of_transformers(engine, tmp_path):
    here, there = embedded_texts(), texts_of(tmp_path / "run", engine, samples(GREEDY, PROMPTS))
    assert len(there) == len(PROMPTS)
    assert {key: there[key] for key in there if there[key] != here[key]} == {}


def test_the_same_seeds_draw_the_same_samples_however_many_are_asked_at_once(engine, tmp_path):
    requests = samples(SAMPLED, PROMPTS[:1] * 16)
    texts = [texts_of(tmp_path / name, engine, requests) for name in ("one", "other")]
    assert texts[0] == texts[1]
    assert len(set(texts[0].values())) > 1


def test_an_answer_that_is_cut_off_says_so_and_leaves_its_thought_open(engine):
    done = answer(engine, PROMPTS[0], max_tokens=5)
    assert (done.finish, done.output_tokens) == (Finish.LENGTH, 5)
    assert "</think>" not in done.text


def test_a_prompt_that_is_too_long_is_an_error_in_the_servers_words(engine):
    with pytest.raises(EngineError, match=r"exceeds the available context size \(512 tokens\)"):
        answer(engine, "What is 1 + 1? " * 200)
