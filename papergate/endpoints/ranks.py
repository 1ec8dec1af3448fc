"""The data-parallel ranks behind one address: vLLM and SGLang answer by the one that a header names."""

import re

from papergate.endpoints.address import CHAT, Access
from papergate.endpoints.pages import pages_of
from papergate.endpoints.server_errors import server_words
from papergate.errors import EngineError

RANK = "X-data-parallel-rank"
NO_RANK = 2**31 - 1
OUT_OF_RANGE = re.compile(rf"rank[ =]{NO_RANK} (?:is )?out of range \[0, (\d{{1,4}})\)")
"""How both refuse a rank that they do not have, and say which they have."""


def header_of(rank: int) -> str:
    """The line of a request that asks ``rank``."""
    return f"{RANK}: {rank}"


def ranks_of(url: str, model: str, access: Access) -> int:
    """How many ranks of ``model`` at ``url`` can be asked one by one; 1 where the server does not tell them apart.

    It is asked for a rank that none has. A server that heeds the header draws nothing and names the range; one that
    does not answers with a token.
    """
    body = {"model": model, "messages": [{"role": "user", "content": "1"}], "max_tokens": 1}
    try:
        with pages_of(url, access) as pages:
            page = pages.post(CHAT, body, header_of(NO_RANK))
    except EngineError:
        return 1  # the trial request, the same as in the run, shows what is wrong
    found = None if page.is_ok else OUT_OF_RANGE.search(server_words(page.body))
    return max(1, int(found[1])) if found else 1
