"""A real ``transformers serve`` with the embedded model: what it tells, what it draws, and its traps."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from papergate.diagnosis.preflight import Subject, sampling
from papergate.embedded import MODEL_DIR
from papergate.engines.records import Finish
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import EngineError, EngineRefused
from tests.servers.real_servers import (
    GREEDY,
    PROMPTS,
    SAMPLED,
    answer,
    copy_of,
    embedded_texts,
    running,
    samples,
    texts_of,
)

INSTALLED = all(map(find_spec, ("transformers", "fastapi", "uvicorn", "openai")))
pytestmark = pytest.mark.skipif(not INSTALLED, reason="not installed: `make test-servers` does that")
SERVE = (Path(sys.executable).with_name("transformers"), "serve", "--host=127.0.0.1", "--port={port}", "--device=cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def models(folder):
    """The embedded model as it is; one that may draw; and one whose answers the server cannot take apart."""
    draws, ignorant = {"do_sample": True}, {"response_template": None}
    return {
        "as it is": MODEL_DIR,
        "drawing": copy_of(MODEL_DIR, folder / "drawing", generation_config=draws),
        "no template": copy_of(MODEL_DIR, folder / "ignorant", tokenizer_config=ignorant, generation_config=draws),
    }


@pytest.fixture(scope="module")
def url(folder):
    """One server for all: it loads whatever folder a request names."""
    quiet = {"HF_HOME": str(folder / "nothing"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with running(SERVE, folder / "log", **quiet) as url:
        yield url


@pytest.fixture(scope="module")
def engine(url, models):
    return RemoteEngine([url], str(models["drawing"]), concurrency=4)


def test_a_server_that_has_loaded_nothing_confirms_no_name_and_a_wrong_one_is_seen_when_it_is_checked(url):
    wrong = RemoteEngine([url], "no/such-model")
    (line,) = wrong.identity().environment.values()
    assert line.endswith("lists no models: nobody has confirmed the name")
    with pytest.raises(EngineError, match="answered 500"):
        wrong.check(SAMPLED, PROMPTS)


def test_once_it_has_loaded_a_model_a_wrong_name_is_refused(url, engine, models):
    engine.check(SAMPLED, PROMPTS)
    with pytest.raises(EngineRefused, match=f"does not serve 'no/such-model'; it serves '{models['drawing']}'"):
        RemoteEngine([url], "no/such-model")


def test_greedy_answers_are_those_of_transformers_in_process(engine, tmp_path):
    here, there = embedded_texts(), texts_of(tmp_path / "run", engine, samples(GREEDY, PROMPTS))
    assert len(there) == len(PROMPTS)
    assert {key: there[key] for key in there if there[key] != here[key]} == {}


def test_counts_come_with_the_finish_reason_and_a_cut_off_answer_leaves_its_thought_open(engine):
    done = answer(engine, PROMPTS[0], max_tokens=5)
    assert (done.finish, done.output_tokens) == (Finish.LENGTH, 5)
    assert "</think>" not in done.text


def test_one_request_at_a_time_draws_the_same_sample_for_the_same_seed(engine):
    texts = [[answer(engine, PROMPTS[0], SAMPLED, seed=seed).text for seed in range(8)] for _ in range(2)]
    assert texts[0] == texts[1]
    assert len(set(texts[0])) > 1


def test_a_model_that_is_not_told_to_sample_gives_copies_whatever_the_temperature(url, models):
    engine = RemoteEngine([url], str(models["drawing"]))
    engine._model = str(models["as it is"])  # the list of models names only what was loaded
    assert len({answer(engine, PROMPTS[0], SAMPLED, seed=seed).text for seed in range(8)}) == 1
    assert drawn(engine) == "noted"


def test_a_preflight_sees_that_a_model_which_is_told_to_sample_uses_the_temperature(engine):
    assert drawn(engine) == "ok"


def drawn(engine):
    """What a preflight finds of the draws, which come without log-probabilities here."""
    asked = {"sampling": SAMPLED, "prompts": PROMPTS, "thinks": True, "concurrency": 1}
    untold, draws = sampling(Subject(deployment="served", engine=engine, **asked))
    assert (untold.state, draws.code) == ("unknown", "draws")
    return draws.state


def test_without_a_response_template_it_sends_the_prompt_as_the_answer_and_is_refused(url, models):
    engine = RemoteEngine([url], str(models["drawing"]))
    engine._model = str(models["no template"])
    assert PROMPTS[0] in answer(engine, PROMPTS[0], max_tokens=5).text
    with pytest.raises(EngineRefused, match=r"sends the prompt back .*`response_template`"):
        engine.check(SAMPLED, PROMPTS)
