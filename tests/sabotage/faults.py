"""Deployments of the embedded model with one fault each, and faithful ones that differ in what must not matter."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from papergate.embedded import MODEL_DIR
from papergate.engines.in_process.rounding import round_weights
from tests.servers.model_server import Fault

COMPUTES = frozenset({"computation"})
"""The name of every fault of weights, positions, masks or kernels."""


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """A fault, and the names of causes that would be right."""

    name: str
    fault: Fault = field(default_factory=Fault)
    right: frozenset[str] = frozenset()
    replica: Fault | None = None
    """A second server beside it."""


def rounded(bits):
    return lambda model: round_weights(model, bits)


def noisy(share):
    def damage(model):
        import torch

        torch.manual_seed(0)
        for weight in model.base_model.parameters():
            if weight.dim() > 1:
                weight.data += share * weight.data.std() * torch.randn_like(weight)

    return damage


def other_theta(factor):
    def damage(model):
        rope, width = model.model.rotary_emb, model.config.hidden_size // model.config.num_attention_heads
        theta = model.config.rope_parameters["rope_theta"] * factor
        rope.inv_freq = rope.inv_freq.new_tensor([theta ** (-2 * n / width) for n in range(width // 2)])
        model.config.rope_parameters["rope_theta"] = theta

    return damage


def no_mlp(layer):
    return lambda model: model.model.layers[layer].mlp.down_proj.weight.data.zero_()


def layers_swapped(model):
    layers = model.model.layers
    one, other = layers[1].state_dict(), layers[2].state_dict()
    one, other = ({name: value.clone() for name, value in each.items()} for each in (one, other))
    layers[1].load_state_dict(other)
    layers[2].load_state_dict(one)


def heads_swapped(model):
    width, weight = 32, model.model.layers[3].self_attn.o_proj.weight.data
    first, last = weight[:, :width].clone(), weight[:, 3 * width :].clone()
    weight[:, :width], weight[:, 3 * width :] = last, first


def no_biases(model):
    for layer in model.model.layers:
        for name in ("q_proj", "k_proj", "v_proj"):
            getattr(layer.self_attn, name).bias.data.zero_()


def other_epsilon(model):
    model.config.rms_norm_eps = 1e-2
    for module in model.modules():
        if hasattr(module, "variance_epsilon"):
            module.variance_epsilon = 1e-2


def cache_corrupt_above(length):
    """Positions from ``length`` on are all read as the same one."""

    def damage(model):
        model.model.rotary_emb.register_forward_pre_hook(
            lambda _, given, named: (
                (given, {**named, "position_ids": named["position_ids"].clamp(max=length)})
                if "position_ids" in named
                else ((given[0], given[1].clamp(max=length)), named)
            ),
            with_kwargs=True,
        )

    return damage


def biased(token, nats):
    """A logit bias of the sampler, which the told log-probabilities do not have."""

    def damage(model):
        def add(_, given, logits):
            del given
            logits = logits.clone()
            logits[..., token] += nats
            return logits

        model.lm_head.register_forward_hook(add)

    return damage


def asked(**fields):
    return lambda body: {**body, **fields}


def cut_at(most):
    return lambda body: {**body, "max_tokens": min(most, body.get("max_tokens", 16))}


def scaled_temperature(factor):
    return lambda body: {**body, "temperature": factor * body.get("temperature", 1.0)}


def in_share(share, become):
    """``become(text)`` in so many of the answers."""
    return lambda text, rng: become(text) if rng.random() < share else text


def until(mark):
    return lambda text, _: text.partition(mark)[0]


def after(mark):
    return lambda text, _: text.partition(mark)[2]


def no_mark(text, _):
    return text.replace("</think>", "")


def looped(text):
    return text.partition("</think>")[0] + " so we try it again and" * 40


def prefix_lost():
    """A prefix cache that gives a prompt's second and later requests another beginning."""
    seen = Counter()

    def model_sees(ids):
        seen[tuple(ids)] += 1
        return ids if seen[tuple(ids)] == 1 else ids[4:]

    return model_sees


def replacing(what, by):
    """Of the chat template's text."""
    return lambda template: template.replace(what, by)


def other_tokenizer() -> Path:
    folder = Path(tempfile.mkdtemp()) / "model"
    shutil.copytree(MODEL_DIR, folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["1"], vocabulary["2"] = vocabulary["2"], vocabulary["1"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return folder


def of_weights(name, damage):
    return Sabotage(name=name, fault=Fault(weights=damage), right=COMPUTES)


def of_text(name, said, *right, finish=""):
    return Sabotage(name=name, fault=Fault(said=said, finish=finish), right=frozenset(right))


def of_sampler(name, body, *right):
    return Sabotage(name=name, fault=Fault(body=body), right=frozenset(right))


def of_template(name, template, *right):
    return Sabotage(name=name, fault=Fault(template=template), right=frozenset({"template", *right}))


FAULTS = (
    of_weights("weights in 8 bits", rounded(8)),
    of_weights("weights in 4 bits", rounded(4)),
    of_weights("weights in 3 bits", rounded(3)),
    of_weights("an MLP zeroed", no_mlp(2)),
    of_weights("two layers swapped", layers_swapped),
    of_weights("two heads swapped", heads_swapped),
    of_weights("biases of q, k, v lost", no_biases),
    of_weights("noise in the weights, 10 %", noisy(0.1)),
    of_weights("a stale checkpoint (noise, 1 %)", noisy(0.01)),
    of_weights("RoPE theta doubled", other_theta(2)),
    of_weights("RoPE theta times 10", other_theta(10)),
    of_weights("epsilon of the norms 1e-2", other_epsilon),
    Sabotage(name="cache corrupt above 64 positions", fault=Fault(running=cache_corrupt_above(64)), right=COMPUTES),
    Sabotage(name="mask: a pad is seen", fault=Fault(seen=lambda ids: [0, *ids]), right=COMPUTES),
    Sabotage(name="mask: the first token is hidden", fault=Fault(seen=lambda ids: ids[1:]), right=COMPUTES),
    Sabotage(name="decoding alone: an MLP zeroed", fault=Fault(drawing=no_mlp(2)), right=frozenset({"decoding"})),
    Sabotage(
        name="prefix cache corrupt", fault=Fault(seen=prefix_lost()), right=frozenset({"decoding", "computation"})
    ),
    Sabotage(
        name="logit bias of 2 nats", fault=Fault(drawing=biased(20, 2.0)), right=frozenset({"sampling", "decoding"})
    ),
    Sabotage(
        name="end token never drawn",
        fault=Fault(drawing=biased(1, -30.0)),
        right=frozenset({"token-limit", "decoding", "sampling"}),
    ),
    of_template("prefill of the thought missing", replacing(r"<think>\n", "")),
    of_template("template without thinking", replacing(r"<think>\n", r"<think>\n\n</think>\n"), "no-thought"),
    of_template("a system prompt added", replacing("'<|user|>'", "'<|user|>cqg'")),
    of_template("first token doubled", replacing("'<|user|>'", "'<|user|><|user|>'")),
    Sabotage(name="another tokenizer", fault=Fault(folder=other_tokenizer()), right=frozenset({"tokenizer"})),
    of_sampler("temperature 1.0", asked(temperature=1.0), "sampling"),
    of_sampler("temperature 0.3", asked(temperature=0.3), "sampling"),
    of_sampler("temperature doubled", scaled_temperature(2), "sampling"),
    of_sampler("temperature 0", asked(temperature=0.0), "sampling"),
    of_sampler("top_p ignored", asked(top_p=1.0), "sampling"),
    of_sampler("one seed for all", asked(seed=5), "sampling", "copies"),
    of_sampler("seeds ignored", asked(seed=None), "seeds"),
    of_sampler("answers cut at 48 tokens", cut_at(48), "server-cap"),
    of_text("a stop string in the thought", until("."), "stop-string", finish="stop"),
    of_text("the thought dropped by a parser", after("</think>"), "mark-lost", "thought-lost", "stop-string"),
    of_text(
        "the answer dropped by a parser", lambda text, _: text.partition("</think>")[0] + "</think>", "answer-lost"
    ),
    of_text("the closing mark lost", no_mark, "mark-lost"),
    of_text("5 % garbled", in_share(0.05, lambda _: "!" * 400), "garbled"),
    of_text("10 % garbled", in_share(0.1, lambda _: "Ġthe<0xE2>Ġof" * 20), "garbled"),
    of_text("20 % loops", in_share(0.2, looped), "loops"),
    of_text("10 % empty", in_share(0.1, lambda _: " "), "empty-answers"),
    of_text("10 % in another language", in_share(0.1, lambda text: text + " 因此我们得到答案"), "other-language"),
    Sabotage(name="5 % of requests fail", fault=Fault(fails=0.05), right=frozenset({"nothing"})),
    Sabotage(name="one of two replicas in 3 bits", replica=Fault(weights=rounded(3)), right=COMPUTES),
    Sabotage(
        name="one of two replicas of other weights",
        replica=Fault(root="other", weights=noisy(0.2)),
        right=frozenset({"endpoints"}),
    ),
    Sabotage(name="no usage", fault=Fault(usage=False), right=frozenset({"token_counts"})),
)


def faithful() -> Iterator[tuple[Sabotage, int, int]]:
    """60 deployments that differ in arithmetic, routes, replicas and load alone; with concurrency and run seed."""
    routes = ({}, {"logprobs": "given"}, {"logprobs": "absent"}, {"tokenize": False})
    loads = ((1, 1), (4, 2), (16, 3), (32, 4), (64, 5))
    for number, (dtype, route, (concurrency, seed)) in enumerate(
        product(("float32", "bfloat16", "float16"), routes, loads)
    ):
        fault = Fault(dtype=dtype, **route)
        replica = Fault(dtype=dtype, **route) if number % 4 == 3 else None
        name = f"{dtype}, {concurrency} at once, {json.dumps(route)}{', two replicas' if replica else ''}"
        yield Sabotage(name=name, fault=fault, replica=replica), concurrency, seed


def on_device(sabotage: Sabotage, device: str) -> Sabotage:
    """The same deployments, computed on another device of torch."""
    replica = sabotage.replica and replace(sabotage.replica, device=device)
    return replace(sabotage, fault=replace(sabotage.fault, device=device), replica=replica)
