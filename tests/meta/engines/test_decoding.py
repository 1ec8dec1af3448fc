"""Sampling draws from the model's own distribution, one row independent of its neighbours."""

import math
import warnings

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from papergate.embedded import MODEL_DIR  # noqa: E402 - after the skip
from papergate.engines.in_process import devices  # noqa: E402
from papergate.engines.in_process.attention import prepare  # noqa: E402
from papergate.engines.in_process.decoding import Decoder, Row, choose, choose_among, draw, settled  # noqa: E402
from papergate.engines.in_process.devices import Means, Room  # noqa: E402
from papergate.errors import EngineError  # noqa: E402

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


def chosen(logits, temperature, top_p, uniform, top_k=0):
    rows = len(uniform)
    return choose(
        torch.tensor(logits).expand(rows, -1),
        torch.full((rows,), temperature),
        torch.full((rows,), top_p),
        torch.full((rows,), float(top_k)),
        torch.tensor(uniform),
    )


@pytest.mark.parametrize(
    ("top_k", "top_p", "counts"),
    [(2, 1.0, [6250, 3750, 0, 0]), (2, 0.6, [10_000, 0, 0, 0]), (0, 0.6, [6250, 3750, 0, 0]), (9, 1.0, None)],
)
def test_few_tokens_are_drawn_as_transformers_draws_them(top_k, top_p, counts):
    """Its order: the most probable tokens first, then top_p of what is left of them."""
    uniform = (torch.arange(10_000) + 0.5) / 10_000
    tokens = chosen(torch.tensor([0.5, 0.3, 0.15, 0.05]).log().tolist(), 1.0, top_p, uniform.tolist(), top_k)
    expected = counts or [5000, 3000, 1500, 500]
    assert torch.bincount(tokens, minlength=4).tolist() == pytest.approx(expected, abs=1)


def test_a_few_tokens_need_no_more_candidates_than_they_are():
    logits, full = torch.zeros(1, 64), torch.full((1,), 1.0)
    assert choose_among(16, logits, full, full, 8 * full, full / 2)[1].all()
    assert not choose_among(4, logits, full, full, 8 * full, full / 2)[1].any()


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
    tokenizer, model = tiny[1], transformers.AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)
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


def test_drawing_uses_nothing_that_the_installed_transformers_has_deprecated(tiny):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawn_by(tiny, [row_of(tiny[1], "1 + 1", max_tokens=3)])


def kernel_double(query, key, value, asked, held, *most, return_aux, scale=None):
    """What torch.nn.attention.varlen.varlen_attn computes, which no CPU does: sequence by sequence."""
    assert return_aux.lse
    out, weight = torch.full_like(query, torch.nan), query.new_full(query.shape[:2], torch.inf).T
    for queries, keys in zip(spans(asked, most[0]), spans(held, most[1]), strict=True):
        one, other, third = (
            each[span].transpose(0, 1) for each, span in ((query, queries), (key, keys), (value, keys))
        )
        scores = one @ other.transpose(1, 2) * (scale or query.shape[-1] ** -0.5)
        if other.shape[1]:
            out[queries], weight[:, queries] = (scores.softmax(-1) @ third).transpose(0, 1), scores.logsumexp(-1)
    return out.nan_to_num(), weight


def spans(bounds, most):
    assert bounds.dtype == torch.int32
    assert bounds[0] == 0
    assert 0 <= bounds.diff().min() <= bounds.diff().max() <= most
    return [slice(*each) for each in bounds.unfold(0, 2, 1).tolist()]


class GraphsDouble:
    """Captures nothing: replaying a step does it again, on the same tensors."""

    def __init__(self, device):
        self.captured = 0

    def capture(self, step):
        self.captured += 1
        step()
        return step


@pytest.mark.parametrize(
    ("means", "piece"),
    [
        (Means(in_place=True, ahead=False), 2048),
        (Means(in_place=True), 2048),
        (Means(in_place=True, captured=True), 2048),
        (Means(in_place=True, captured=True), 8),
        (Means(in_place=True, captured=True), 1),
    ],
    ids=str,
)
def test_every_means_draws_the_same(tiny, means, piece, monkeypatch):
    rows = [row_of(tiny[1], f"What is ${a} + {a + 5}$?", seed=a, max_tokens=10 + a) for a in range(1, 14)]
    plain = drawn_by(tiny, rows)
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", kernel_double)
    monkeypatch.setattr(devices, "Graphs", GraphsDouble)
    monkeypatch.setattr("papergate.engines.in_process.decoding.PIECE_TOKENS", piece)
    drawn = draw(tiny[0], rows, eos={tiny[1].eos_token_id}, means=means)
    assert [out.tokens for out in drawn] == plain


def test_a_row_with_fewer_tokens_than_pieces_is_read_right(tiny, monkeypatch):
    rows = [row_of(tiny[1], "What is $1 + 1$?", seed=seed, max_tokens=40) for seed in range(2)]
    plain = drawn_by(tiny, rows)
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", kernel_double)
    monkeypatch.setattr(devices, "Graphs", GraphsDouble)
    monkeypatch.setattr("papergate.engines.in_process.decoding.Decoder._pieces", lambda *_: 64)
    assert len(rows[0].prompt) + 1 < 64
    assert [out.tokens for out in draw(tiny[0], rows, eos={1}, means=Means(in_place=True, captured=True))] == plain


def decoder_of(tiny, *, rows, tokens, means=None):
    model, tokenizer = tiny
    return Decoder(model, {tokenizer.eos_token_id}, Room(rows=rows, tokens=tokens), means or devices.choices(model)[-1])


def run(decoder):
    while decoder.busy:
        decoder.advance()


def test_rows_join_as_others_end_and_draw_what_they_draw_alone(tiny):
    rows = [row_of(tiny[1], f"What is ${a} \\times {a + 2}$?", seed=a) for a in range(3, 20)]
    decoder = decoder_of(tiny, rows=4, tokens=4000)
    drawn = [decoder.add(row) for row in rows]
    most = 0
    while decoder.busy:
        decoder.advance()
        most = max(most, len(decoder.strip.rows))
    assert most == 4
    assert [out.tokens for out in drawn] == drawn_by(tiny, rows)


def test_rows_that_are_put_out_for_want_of_memory_draw_what_they_draw_alone(tiny, monkeypatch):
    monkeypatch.setattr("papergate.engines.in_process.strip.ROOM", 4)
    rows = [row_of(tiny[1], f"What is ${a} \\times {a + 2}$?", seed=a) for a in range(3, 20)]
    read = []
    decoder = decoder_of(tiny, rows=len(rows), tokens=3 * max(len(row.prompt) + row.max_tokens for row in rows))
    monkeypatch.setattr(decoder, "_read", lambda group, whole=decoder._read: read.extend(group) or whole(group))
    drawn = [decoder.add(row) for row in rows]
    run(decoder)
    assert len(read) > len(rows)
    assert decoder.strip.moved > 0
    assert [out.tokens for out in drawn] == drawn_by(tiny, rows)


def test_one_pass_per_token_and_nothing_moved_where_all_rows_fit(tiny):
    model, passes = transformers.AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32), []
    model.register_forward_pre_hook(lambda _, __, given: passes.append(given["input_ids"].numel()), with_kwargs=True)
    rows = [row_of(tiny[1], "What is $17 \\times 24$?", seed=seed, max_tokens=12) for seed in range(6)]
    decoder = decoder_of((model, tiny[1]), rows=6, tokens=6 * 512)
    drawn = [decoder.add(row) for row in rows]
    run(decoder)
    assert passes[0] == 6 * len(rows[0].prompt)
    assert len(passes) == max(len(out.tokens) + out.ended for out in drawn)
    assert sum(passes[1:]) == sum(len(out.tokens) + out.ended - 1 for out in drawn)
    assert decoder.strip.moved == 0


def test_a_draw_that_keeps_more_tokens_than_were_looked_at_is_drawn_again_from_all(tiny, monkeypatch):
    rows = [row_of(tiny[1], "What is $17 \\times 24$?", temperature=1.5, seed=seed, max_tokens=12) for seed in range(6)]
    plain = drawn_by(tiny, rows)
    monkeypatch.setattr("papergate.engines.in_process.decoding.CANDIDATES", 2)
    assert drawn_by(tiny, rows) == plain
    decoder = decoder_of(tiny, rows=6, tokens=6 * 512)
    assert decoder._candidates == 2
    assert [decoder.add(row) for row in rows]
    run(decoder)
    assert decoder._candidates > 512


def test_candidates_that_are_enough_choose_as_the_whole_vocabulary_does():
    logits, uniform = torch.arange(64.0).expand(50, -1) / 2, torch.rand(50, generator=torch.Generator().manual_seed(1))
    given = (logits, torch.full((50,), 0.6), torch.full((50,), 0.95), torch.zeros(50), uniform)
    tokens, sure = choose_among(16, *given)
    assert sure.all()
    assert torch.equal(tokens, choose(*given))
    assert not choose_among(1, *given)[1].any()
    assert choose_among(1, given[0], torch.zeros(50), *given[2:])[1].all()


def test_the_means_that_do_not_work_are_named_with_their_reason(tiny, monkeypatch):
    monkeypatch.setattr(devices, "choices", lambda _: [Means(in_place=True, captured=True), Means(in_place=False)])
    means, how = settled(tiny[0])
    assert means == Means(in_place=False)
    assert how.startswith("eager, cache gathered; captured, cache in place: ")


def test_a_warning_does_not_keep_a_fast_way_from_being_used(tiny, monkeypatch):
    fast = Means(in_place=False, compiled=True)
    monkeypatch.setattr(devices, "choices", lambda _: [fast, Means(in_place=False)])
    monkeypatch.setattr(devices, "compile_layers", lambda *_, **__: warnings.warn("announced", stacklevel=1))
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("error")
        assert settled(tiny[0]) == (fast, str(fast))
    assert [str(each.message) for each in shown] == ["announced"]


def test_an_attention_that_cannot_be_done_is_refused_with_the_remedy():
    config = transformers.MistralConfig(
        hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
        vocab_size=64, sliding_window=16,
    )  # fmt: skip
    with pytest.raises(EngineError, match=r"attention has sliding_window.*serve this model with vLLM"):
        settled(transformers.AutoModelForCausalLM.from_config(config))


def test_layers_without_attention_are_refused():
    config = transformers.MambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2)
    with pytest.raises(EngineError, match=r"attends in 0 of 2 layers.*serve this model with vLLM"):
        prepare(transformers.MambaForCausalLM(config))
