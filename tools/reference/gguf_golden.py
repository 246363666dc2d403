"""Golden files of packages/llm: small GGUF files, and what is in them.

Run from the repository root: python tools/reference/gguf_golden.py [MODEL ...]
Needs gguf, torch and transformers; the versions that made the files are in them, under "made_by".

`kinds.gguf` holds a matrix of each kind of tensor, `kinds.safetensors` the same by gguf's own dequantisation. Files of
the K kinds are random bits with small scales, since gguf only reads them. `MODEL.gguf` is a tiny random model of
transformers, named and ordered as llama.cpp's converter does it, `MODEL.safetensors` its logits. A model is named after
its architecture, and what is special about its rotary positions.
"""

import math
import re
import sys
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

GOLDENS = Path("packages/llm/test/goldens/gguf")
MADE_BY = f"gguf {version('gguf')}, torch {torch.__version__}, transformers {transformers.__version__}"
Kind = gguf.GGMLQuantizationType

SIZES = dict(
    vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=128, tie_word_embeddings=False, attn_implementation="eager",
)
HEADS = dict(head_dim=8)
BEFORE = 64

MODELS = {
    "llama": lambda: transformers.LlamaConfig(**SIZES, **HEADS, rope_theta=5000.0),
    "qwen2": lambda: transformers.Qwen2Config(**SIZES),
    "qwen3": lambda: transformers.Qwen3Config(**SIZES, head_dim=16),
    "phi3": lambda: transformers.Phi3Config(**SIZES, pad_token_id=0),
    "phi3-partial": lambda: transformers.Phi3Config(
        **SIZES, pad_token_id=0, rope_parameters=rope("default", partial_rotary_factor=0.5)
    ),
    "phi3-longrope": lambda: transformers.Phi3Config(
        **SIZES, pad_token_id=0, original_max_position_embeddings=BEFORE,
        rope_parameters=rope("longrope", short_factor=[1.0, 1.3, 1.6, 2.0], long_factor=[1.5, 2.0, 4.0, 8.0]),
    ),
    "qwen2-yarn": lambda: transformers.Qwen2Config(
        **SIZES, rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=BEFORE // 2)
    ),
    "gemma2": lambda: transformers.Gemma2Config(
        **{**SIZES, "tie_word_embeddings": True}, head_dim=16, sliding_window=6, query_pre_attn_scalar=16
    ),
    "gemma3": lambda: transformers.Gemma3TextConfig(
        **{**SIZES, "tie_word_embeddings": True, "num_hidden_layers": 6}, head_dim=16, sliding_window=6,
        query_pre_attn_scalar=16,
    ),
    "gpt2": lambda: transformers.GPT2Config(
        vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_positions=128, tie_word_embeddings=True,
        attn_implementation="eager",
    ),
}


def rope(kind: str, **more) -> dict:
    return dict(rope_type=kind, rope_theta=10000.0, **more)


NAMES = {
    r"model\.embed_tokens": "token_embd", r"model\.norm": "output_norm", r"lm_head": "output",
    r"self_attn\.q_proj": "attn_q", r"self_attn\.k_proj": "attn_k", r"self_attn\.v_proj": "attn_v",
    r"self_attn\.o_proj": "attn_output", r"self_attn\.qkv_proj": "attn_qkv", r"self_attn\.q_norm": "attn_q_norm",
    r"self_attn\.k_norm": "attn_k_norm", r"mlp\.gate_proj": "ffn_gate", r"mlp\.up_proj": "ffn_up",
    r"mlp\.gate_up_proj": "ffn_up", r"mlp\.down_proj": "ffn_down", r"input_layernorm": "attn_norm",
    r"post_attention_layernorm": "ffn_norm",
}
AROUND = {
    r"post_attention_layernorm": "post_attention_norm", r"pre_feedforward_layernorm": "ffn_norm",
    r"post_feedforward_layernorm": "post_ffw_norm",
}
GPT2 = {
    r"transformer\.wte": "token_embd", r"transformer\.wpe": "position_embd", r"transformer\.ln_f": "output_norm",
    r"attn\.c_attn": "attn_qkv", r"attn\.c_proj": "attn_output", r"ln_1": "attn_norm", r"ln_2": "ffn_norm",
    r"mlp\.c_fc": "ffn_up", r"mlp\.c_proj": "ffn_down",
}


def stored_name(architecture: str, name: str) -> str:
    names = {**NAMES, **(AROUND if architecture.startswith("gemma") else {}), **(GPT2 if architecture == "gpt2" else {})}
    layer = re.match(r"(?:model\.layers|transformer\.h)\.(\d+)\.(.*)", name)
    inner = layer.group(2) if layer else name
    path, kind = inner.rsplit(".", 1)
    known = [theirs for ours, theirs in names.items() if re.fullmatch(ours, path)]
    return f"blk.{layer.group(1)}.{known[0]}.{kind}" if layer else f"{known[0]}.{kind}"


def permuted(matrix: np.ndarray, heads: int) -> np.ndarray:
    """Rows of each head so that those half a head apart become neighbours, as llama.cpp's converter orders Llama's."""
    return matrix.reshape(heads, 2, matrix.shape[0] // heads // 2, *matrix.shape[1:]).swapaxes(1, 2).reshape(matrix.shape)


def converted(architecture: str, name: str, tensor: np.ndarray, config) -> np.ndarray:
    if architecture == "llama" and "q_proj" in name:
        return permuted(tensor, config.num_attention_heads)
    if architecture == "llama" and "k_proj" in name:
        return permuted(tensor, config.num_key_value_heads)
    if architecture.startswith("gemma") and name.endswith("norm.weight"):
        return tensor + 1
    if architecture == "gpt2" and re.search(r"\.(c_attn|c_proj|c_fc)\.weight$", name):
        return tensor.T
    return tensor


def head_size(config) -> int:
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def metadata(writer: gguf.GGUFWriter, architecture: str, config) -> None:
    def number(key: str, value: float) -> None:
        add = writer.add_float32 if isinstance(value, float) else writer.add_uint32
        add(f"{architecture}.{key}", value)

    if architecture == "gpt2":
        number("context_length", config.n_positions)
        number("embedding_length", config.n_embd)
        number("block_count", config.n_layer)
        number("feed_forward_length", 4 * config.n_embd)
        number("attention.head_count", config.n_head)
        number("attention.layer_norm_epsilon", config.layer_norm_epsilon)
        return
    number("context_length", config.max_position_embeddings)
    number("embedding_length", config.hidden_size)
    number("block_count", config.num_hidden_layers)
    number("feed_forward_length", config.intermediate_size)
    number("attention.head_count", config.num_attention_heads)
    number("attention.head_count_kv", config.num_key_value_heads)
    number("attention.layer_norm_rms_epsilon", config.rms_norm_eps)
    if getattr(config, "head_dim", None):
        number("attention.key_length", config.head_dim)
        number("attention.value_length", config.head_dim)
    rope = config.rope_parameters
    number("rope.freq_base", float(rope.get("full_attention", rope)["rope_theta"]))
    if rope.get("partial_rotary_factor", 1.0) != 1.0:
        number("rope.dimension_count", int(head_size(config) * rope["partial_rotary_factor"]))
    if rope.get("rope_type") == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if rope.get("rope_type") == "longrope":
        # As the converter has it: the kind of scaling is told by the tensors alone.
        scale = config.max_position_embeddings / BEFORE
        writer.add_rope_scaling_orig_ctx_len(BEFORE)
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(scale) / math.log(BEFORE)))
        for length in ("long", "short"):
            writer.add_tensor(f"rope_factors_{length}.weight", np.array(rope[f"{length}_factor"], np.float32))
    if architecture.startswith("gemma"):
        number("attention.sliding_window", config.sliding_window)
    if architecture == "gemma2":
        number("attn_logit_softcapping", float(config.attn_logit_softcapping))
        number("final_logit_softcapping", float(config.final_logit_softcapping))
    if architecture == "phi3" and config.sliding_window:
        number("attention.sliding_window", config.sliding_window)


def write_model(name: str) -> None:
    architecture = name.split("-")[0]
    torch.manual_seed(len(architecture))
    config = MODELS[name]()
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.3 if parameter.dim() > 1 else 0.1
            parameter.add_(scale * torch.randn_like(parameter))
            # What a half-precision file can hold.
            parameter.copy_(parameter.half().float() if parameter.dim() > 1 else parameter)
    writer = gguf.GGUFWriter(GOLDENS / f"{name}.gguf", architecture)
    writer.add_string("made_by", MADE_BY)
    metadata(writer, architecture, config)
    for path, tensor in model.state_dict().items():
        if path == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if re.search(r"\.attn\.(masked_)?bias$", path):
            continue
        data = np.ascontiguousarray(converted(architecture, path, tensor.numpy(), config))
        writer.add_tensor(stored_name(architecture, path), data.astype(np.float16) if data.ndim > 1 else data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    tokens = torch.tensor([[1, 5, 9, 60, 22, 3, 41, 7, 8, 13]])
    with torch.no_grad():
        logits = model(tokens).logits[0]
    save_file(
        {"tokens": tokens[0].int().numpy(), "logits": logits.numpy()},
        GOLDENS / f"{name}.safetensors", {"made_by": MADE_BY},
    )


def write_kinds() -> None:
    random = np.random.default_rng(7)
    values = random.standard_normal((3, 512)).astype(np.float32)
    writer = gguf.GGUFWriter(GOLDENS / "kinds.gguf", "none")
    expected = {}
    for kind in [Kind.F32, Kind.F16, Kind.BF16, Kind.Q4_0, Kind.Q4_1, Kind.Q5_0, Kind.Q8_0, Kind.Q4_K, Kind.Q6_K]:
        if kind in (Kind.Q4_K, Kind.Q6_K):
            bytes_per_block = gguf.GGML_QUANT_SIZES[kind][1]
            raw = random.integers(0, 256, (3, 2, bytes_per_block), dtype=np.uint8)
            half = np.float16(random.uniform(0.001, 0.01, (3, 2, 2))).view(np.uint8)
            if kind == Kind.Q4_K:
                raw[:, :, :4] = half
            else:
                raw[:, :, 208:] = half[:, :, :2]
            raw = raw.reshape(3, -1)
        else:
            raw = gguf.quants.quantize(values, kind)
        writer.add_tensor(kind.name, raw, raw_dtype=kind)
        expected[kind.name] = np.ascontiguousarray(gguf.quants.dequantize(raw, kind).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, GOLDENS / "kinds.safetensors", {"made_by": MADE_BY})


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    if not sys.argv[1:]:
        write_kinds()
    for model in sys.argv[1:] or MODELS:
        write_model(model)
