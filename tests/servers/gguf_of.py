"""The embedded model in the format of llama.cpp: float32, every weight as it is.

llama.cpp's own converter is not packaged; its library is, and knows the names of the tensors and the special tokens.
"""

import json
from pathlib import Path

from gguf import MODEL_ARCH, GGUFWriter, LlamaFileType, SpecialVocab, TokenType, get_tensor_name_map
from safetensors.numpy import load_file

ARCHITECTURE = MODEL_ARCH.QWEN2


def gguf_of(model: Path, file: Path) -> None:
    """Write the ``Qwen2ForCausalLM`` in folder ``model`` to ``file``."""
    config = json.loads((model / "config.json").read_text())
    writer = GGUFWriter(file, "qwen2")
    _add_shape(writer, config)
    _add_vocabulary(writer, model, config["vocab_size"])
    names = get_tensor_name_map(ARCHITECTURE, config["num_hidden_layers"])
    for name, tensor in load_file(model / "model.safetensors").items():
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: GGUFWriter, config: dict) -> None:
    writer.add_file_type(LlamaFileType.ALL_F32)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])


def _add_vocabulary(writer: GGUFWriter, model: Path, size: int) -> None:
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    tokens = {place: (text, TokenType.NORMAL) for text, place in tokenizer["model"]["vocab"].items()}
    for added in tokenizer["added_tokens"]:
        kind = TokenType.CONTROL if added["special"] else TokenType.USER_DEFINED
        tokens[added["id"]] = (added["content"], kind)
    writer.add_tokenizer_model("gpt2")  # byte-level BPE
    writer.add_tokenizer_pre("qwen2")  # the split of Qwen2Tokenizer, every digit by itself
    writer.add_token_list([tokens[place][0] for place in range(size)])
    writer.add_token_types([tokens[place][1] for place in range(size)])
    SpecialVocab(model, load_merges=True).add_to_gguf(writer, quiet=True)
