"""Sampling draws from the model's own distribution, one row independent of its neighbours."""

import math
import warnings

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from papergate.embedded import MODEL_DIR  # noqa: E402 - after the skip
from papergate.engines.in_process.decoding import Row, cache_argument, choose, draw  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tiny():
    model = transformers.AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)
    return model, transformers.AutoTokenizer.from_pretrained(MODEL_DIR)


def row_of(tokenizer, prompt, *, temperature=0.6, seed=1, max_tokens=60):
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
    )
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return Row(prompt=tuple(ids), temperature=temperature, top_p=0.95, max_tokens=max_tokens, seed=seed)


def drawn_by(tiny, rows):
    model, tokenizer = tiny
    return [out.tokens for out in draw(model, rows, eos={tokenizer.eos_token_id})]


def chosen(logits, temperature, top_p, uniform):
    rows = len(uniform)
    return choose(
        torch.tensor(logits).expand(rows, -1),
        torch.full((rows,), temperature),
        torch.full((rows,), top_p),
        torch.tensor(uniform),
    )


def test_tokens_are_drawn_with_their_probability():
    probabilities = torch.tensor([0.5, 0.3, 0.15, 0.05])
    uniform = (torch.arange(10_000) + 0.5) / 10_000
    tokens = chosen(probabilities.log().tolist(), 1.0, 1.0, uniform.tolist())
    assert torch.bincount(tokens, minlength=4).tolist() == pytest.approx([5000, 3000, 1500, 500], abs=1)


def test_top_p_keeps_the_smallest_set_that_reaches_it():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().tolist()
    uniform = ((torch.arange(1000) + 0.5) / 1000).tolist()
    assert set(chosen(logits, 1.0, 0.8, uniform).tolist()) == {0, 1}
    assert set(chosen(logits, 1.0, 0.81, uniform).tolist()) == {0, 1, 2}
    assert set(chosen(logits, 1.0, 1e-6, uniform).tolist()) == {0}


def test_temperature_zero_is_greedy_whatever_the_stream_says():
    assert chosen([1.0, 3.0, 2.0], 0.0, 0.95, [0.0, 0.5, 0.999]).tolist() == [1, 1, 1]


def test_temperature_sharpens():
    logits, uniform = [0.0, 1.0], ((torch.arange(1000) + 0.5) / 1000).tolist()
    cold, hot = (chosen(logits, temperature, 1.0, uniform).float().mean() for temperature in (0.5, 2.0))
    assert cold.item() == pytest.approx(1 / (1 + math.exp(-2.0)), abs=0.002)
    assert hot.item() == pytest.approx(1 / (1 + math.exp(-0.5)), abs=0.002)


def test_a_sample_does_not_depend_on_its_neighbours(tiny):
    rows = [row_of(tiny[1], f"What is ${a} + {a + 5}$?", seed=a) for a in range(12, 24)]
    together = drawn_by(tiny, rows)
    assert together == [drawn_by(tiny, [row])[0] for row in rows]


def test_another_seed_is_another_sample_and_the_same_seed_the_same(tiny):
    rows = [row_of(tiny[1], "What is $17 \\times 24$?", temperature=2.0, seed=seed) for seed in (1, 2, 1)]
    first, other, again = drawn_by(tiny, rows)
    assert first == again
    assert first != other


def test_greedy_agrees_with_generate_token_for_token(tiny):
    model, tokenizer = tiny
    rows = [row_of(tokenizer, f"What is ${a} \\times {a - 3}$?", temperature=0.0) for a in (7, 12, 48)]
    for row, tokens in zip(rows, drawn_by(tiny, rows), strict=True):
        ids = torch.tensor([row.prompt])
        theirs = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=60, do_sample=False)
        assert theirs[0, len(row.prompt) :].tolist()[: len(tokens)] == tokens


def test_the_limit_cuts_a_row_and_says_that_the_model_did_not_end_it(tiny):
    model, tokenizer = tiny
    row = row_of(tokenizer, "What is $17 \\times 24$?", max_tokens=3)
    (out,) = draw(model, [row], eos={tokenizer.eos_token_id})
    assert (len(out.tokens), out.ended) == (3, False)


def test_the_cache_is_given_under_the_name_that_the_model_takes():
    class Earlier:
        def forward(self, input_ids=None, past_key_values=None): ...

    class Later:
        def forward(self, input_ids=None, cache=None): ...

    assert cache_argument(Earlier()) == "past_key_values"
    assert cache_argument(Later()) == "cache"


def test_drawing_uses_nothing_that_the_installed_transformers_has_deprecated(tiny):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawn_by(tiny, [row_of(tiny[1], "1 + 1", max_tokens=3)])
