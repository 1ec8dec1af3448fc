"""The body of a request: papergate's own, or what the tool of a document sends."""

from decimal import Decimal
from typing import Any

from papergate.engines.records import Form, Request

ALL_TOKENS = -1
"""``top_k`` of vLLM and SGLang that leaves every token in."""
STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def body_of(model: str, request: Request, *, streamed: bool = True) -> dict[str, Any]:
    """The request as the chat completions route takes it; penalties stay the server's (none), and so does ``top_k``."""
    fields = _own(model, request) if request.form is None else _in_form(model, request, request.form)
    return fields | (STREAM if streamed else {})


def sent_seed(request: Request) -> int | None:
    """The seed as it was sent; None where a document's tool sends none."""
    return request.seed if request.form is None else None


def _own(model: str, request: Request) -> dict[str, Any]:
    sampling = request.sampling
    few = {} if sampling.top_k is None else {"top_k": sampling.top_k}
    return {
        "model": model,
        "messages": request.turns,
        "temperature": float(sampling.temperature),
        "top_p": float(sampling.top_p),
        **few,
        "max_tokens": sampling.max_tokens,
        "seed": request.seed,
    }


def _in_form(model: str, request: Request, form: Form) -> dict[str, Any]:
    sampling = request.sampling
    values = {
        "model": model,
        "messages": request.turns,
        "max_tokens": sampling.max_tokens,
        "temperature": _number(sampling.temperature),
        "top_p": _number(sampling.top_p),
        "top_k": ALL_TOKENS if sampling.top_k is None else sampling.top_k,
        "min_p": 0,
        "repetition_penalty": 1,
        "seed": None,
        "n": 1,
        "add_special_tokens": True,
    }
    return {name: values[name] for name in form.fields}


def _number(stated: Decimal) -> int | float:
    """As the document writes it: 0 is no 0.0."""
    return float(stated) if stated.as_tuple().exponent else int(stated)
