"""A folder of weights is known by what it holds."""

from papergate.engines.weights import digest_of_template, digest_of_weights


def test_the_digest_of_weights_changes_with_any_file_and_is_empty_without_a_folder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(bytes(10_000_000))
    before = digest_of_weights(tmp_path)
    assert before == digest_of_weights(tmp_path)
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.seek(9_999_999)
        file.write(b"x")
    assert digest_of_weights(tmp_path) != before
    assert digest_of_weights(tmp_path / "nowhere") == ""


def test_the_digest_of_a_template_is_that_of_the_one_in_force(tmp_path):
    assert digest_of_template(tmp_path) == ""
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "a"}')
    old = digest_of_template(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("b")
    new = digest_of_template(tmp_path)
    (tmp_path / "given.jinja").write_text("c")
    assert len({old, new, digest_of_template(tmp_path, tmp_path / "given.jinja")}) == 3
