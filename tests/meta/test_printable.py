"""What comes from outside is shown without secrets and without what a terminal or a reader would obey."""

import base64
import html

import pytest

from papergate.errors import EngineRefused, PapergateError
from papergate.printable import HIDDEN, one_line, printable, without_secrets

KEY = "sk-7f/a+9c=21 e"
"""With signs that addresses write otherwise."""


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("PAPERGATE_API_KEY", KEY)


@pytest.mark.parametrize(
    "spelling",
    [
        KEY,
        "sk-7f/a%2B9c%3D21%20e",
        "sk-7f%2Fa%2B9c%3D21%20e",
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(f"Bearer {KEY}".encode()).decode(),
        KEY.encode().hex(),
        "".join(f"%{byte:02x}" for byte in KEY.encode()),
        "".join(f"%{byte:02X}" for byte in KEY.encode()),
        "".join(f"&#{byte};" for byte in KEY.encode()),
        "".join(f"&#x{byte:04X};" for byte in KEY.encode()),
        "".join(f"\\u{byte:04x}" for byte in KEY.encode()),
        "sk-7f/a&#43;9c%3d21\\u0020e",
        "sk-7f\n/a+9c=21 e",
        "\r\n  ".join(KEY),
    ],
)
def test_a_secret_is_hidden_in_every_spelling(spelling):
    assert without_secrets(f"({spelling})") == f"({HIDDEN})"
    assert spelling not in str(EngineRefused(f"no such model {spelling}"))


def test_a_secret_with_signs_of_html_is_hidden(monkeypatch):
    monkeypatch.setenv("PAPERGATE_API_KEY", "a<b>c&d'e\"f")
    assert without_secrets(html.escape("[a<b>c&d'e\"f]")) == f"[{HIDDEN}]"


def test_a_secret_as_long_as_a_file_is_hidden(monkeypatch):
    monkeypatch.setenv("DEPLOY_KEY", "line of a key\n" * 200)
    assert without_secrets("[" + "line of a key\n" * 200 + "]") == f"[{HIDDEN}]"


def test_a_secret_is_hidden_before_a_text_is_cut():
    assert "sk-7f" not in one_line("x" * 190 + KEY)
    assert "sk-7f" not in one_line("x" * 1995 + KEY)


def test_a_secret_within_another_leaves_no_rest(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", KEY + "-and-more")
    assert without_secrets(f"{KEY}-and-more, {KEY}") == f"{HIDDEN}, {HIDDEN}"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "HF_TOKEN", "hf_token", "AWS_SECRET", "DB_PASSWORD", "KEY"])
def test_secrets_of_every_name_are_hidden(monkeypatch, name):
    monkeypatch.setenv(name, "abcd1234efgh")
    assert without_secrets("abcd1234efgh") == HIDDEN


@pytest.mark.parametrize(
    ("name", "value"), [("PAPERGATE_TOKENIZER", "/models/tiny"), ("A_KEY", "EMPTY"), ("N", "4" * 9)]
)
def test_what_is_no_secret_stays(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert without_secrets(value) == value


@pytest.mark.parametrize("url", ["http://me:pass%20word@proxy:3128", "me:pass%20word@proxy:3128"])
@pytest.mark.parametrize(
    "said", ["me:pass%20word", "pass word", "me:pass word", base64.b64encode(b"me:pass word").decode()]
)
def test_the_password_of_a_proxy_is_hidden(monkeypatch, url, said):
    monkeypatch.setenv("https_proxy", url)
    assert without_secrets(f"407 for {said}") == f"407 for {HIDDEN}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:pass@host:1/v1", f"http://{HIDDEN}@host:1/v1"),
        ("https://host/v1?api-key=abc&version=2", f"https://host/v1?api-key={HIDDEN}&version=2"),
        ("https://host/v1?a=b&X-Amz-Signature=abc", f"https://host/v1?a=b&X-Amz-Signature={HIDDEN}"),
        ("see https://arxiv.org/abs/2501.12948v1?x=1", "see https://arxiv.org/abs/2501.12948v1?x=1"),
    ],
)
def test_secrets_in_addresses_are_hidden(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    "character",
    [
        "\x00",
        "\x07",
        "\x08",
        "\x1b",
        "\r",
        "\x7f",
        "\x9b",
        "\u200b",
        "\u202e",
        "\u2066",
        "\u2028",
        "\ufeff",
        "\udce9",
        "\U000e0041",
    ],
)
def test_what_is_not_plain_to_see_is_escaped(character):
    for shown in (printable(f"a{character}b"), str(PapergateError(f"a{character}b")), one_line(f"a{character}b")):
        assert character not in shown
        shown.encode()


@pytest.mark.parametrize("text", ["深度求索 \t√2\n", "👩‍🔬 क्‍ष", "naïve – “quoted”"])
def test_plain_text_of_any_script_stays(text):
    assert printable(text) == text


def test_a_name_cannot_pass_for_another_line():
    assert one_line("model\npass 99 %") == "model pass 99 %"
    assert len(one_line("x" * 10_000)) == 201
