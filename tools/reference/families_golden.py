"""Golden folders of packages/llm: tiny models of each family and variant as Hugging Face saves them, and what they compute.

Run from the repository root: python tools/reference/families_golden.py [NAME ...]
Needs torch, transformers and safetensors; the versions that made the files are in them, under "made_by".

Each folder is a checkpoint with `golden.safetensors` beside it: `ids` and `labels` (int32; -100 is ignored) of rows of
unequal `lengths`, what follows a row's end is 0 and means nothing; `logits` at each token, `loss`, the norm of its
gradient by the embedding table (`embedding_gradient_norm`), and the `greedy` tokens that follow each row, all computed
in float32 and row by row, without padding.
"""

import copy
import sys
from pathlib import Path

import safetensors
import torch
import transformers
from safetensors.torch import save_file
from torch import nn

GOLDENS = Path("packages/llm/test/goldens/families")
MADE_BY = f"torch {torch.__version__}, transformers {transformers.__version__}, safetensors {safetensors.__version__}"
LENGTHS, VOCABULARY, GREEDY = (9, 5, 7), 48, 6
IGNORED = -100
# A choice between two tokens must not hang on rounding.
MARGIN = 2e-3

SHARED = dict(
    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=32, attention_dropout=0.0, attn_implementation="eager",
    bos_token_id=1, eos_token_id=2, pad_token_id=0,
)
GPT2 = dict(
    vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=4, n_positions=32, attn_implementation="eager", resid_pdrop=0.0,
    embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=1, eos_token_id=2,
)


def rope(kind: str, **more: object) -> dict:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 500.0, **more}}


LONGROPE = dict(short_factor=[1.0, 1.3], long_factor=[1.5, 4.0])
VARIANTS = {
    "gpt2": ("GPT2", dict(n_inner=24), torch.float32),
    "gpt2-by-layer": (
        "GPT2",
        dict(scale_attn_by_inverse_layer_idx=True, tie_word_embeddings=False, activation_function="gelu"), torch.bfloat16,
    ),
    "llama-biases": ("Llama", dict(attention_bias=True, mlp_bias=True), torch.bfloat16),
    "llama-linear": ("Llama", rope("linear", factor=4.0), torch.bfloat16),
    "llama-dynamic": ("Llama", rope("dynamic", factor=2.0), torch.bfloat16),
    "llama-llama3": (
        "Llama",
        dict(
            head_dim=16,
            **rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16),
        ),
        torch.bfloat16,
    ),
    "llama-yarn": (
        "Llama", dict(head_dim=16, **rope("yarn", factor=4.0, original_max_position_embeddings=8, beta_fast=2.0)),
        torch.bfloat16,
    ),
    "mistral": ("Mistral", dict(sliding_window=None, head_dim=6), torch.bfloat16),
    "mistral-window": ("Mistral", dict(sliding_window=4, head_dim=16), torch.bfloat16),
    "qwen2": ("Qwen2", dict(tie_word_embeddings=True), torch.bfloat16),
    "qwen2-window": (
        "Qwen2", dict(use_sliding_window=True, sliding_window=4, max_window_layers=1, tie_word_embeddings=False),
        torch.bfloat16,
    ),
    "qwen3": ("Qwen3", dict(head_dim=16, tie_word_embeddings=True), torch.bfloat16),
    "qwen3-bias": ("Qwen3", dict(head_dim=6, attention_bias=True, tie_word_embeddings=False), torch.bfloat16),
    "gemma2": (
        "Gemma2",
        dict(
            head_dim=16, sliding_window=4, query_pre_attn_scalar=9, attn_logit_softcapping=3.0, final_logit_softcapping=5.0,
        ),
        torch.bfloat16,
    ),
    "gemma3": (
        "Gemma3",
        dict(
            head_dim=6, sliding_window=4, query_pre_attn_scalar=9, num_hidden_layers=3,
            layer_types=["sliding_attention", "sliding_attention", "full_attention"],
            rope_parameters={
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
            },
        ),
        torch.bfloat16,
    ),
    "phi3": ("Phi3", dict(sliding_window=None), torch.bfloat16),
    "phi3-partial": (
        "Phi3",
        dict(
            head_dim=8, sliding_window=4, tie_word_embeddings=True, partial_rotary_factor=0.5,
            **rope("default", partial_rotary_factor=0.5),
        ),
        torch.bfloat16,
    ),
    "phi3-longrope-short": (
        "Phi3", dict(max_position_embeddings=64, original_max_position_embeddings=16, **rope("longrope", **LONGROPE)),
        torch.bfloat16,
    ),
    "phi3-longrope-long": (
        "Phi3", dict(max_position_embeddings=64, original_max_position_embeddings=4, **rope("longrope", **LONGROPE)),
        torch.bfloat16,
    ),
}


def build(family: str, options: dict) -> nn.Module:
    if family == "GPT2":
        return transformers.GPT2LMHeadModel(transformers.GPT2Config(**GPT2 | options))
    config = getattr(transformers, "Gemma3TextConfig" if family == "Gemma3" else f"{family}Config")
    return getattr(transformers, f"{family}ForCausalLM")(config(**SHARED | options))


def fill(model: nn.Module, family: str, dtype: torch.dtype, seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    center = 0 if family.startswith("Gemma") else 1
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            drawn = torch.randn(parameter.shape, generator=chance)
            gain = parameter.dim() == 1 and key.endswith("weight")
            # As the checkpoint's type holds them, so that its reader has the same numbers.
            parameter.copy_((center + 0.1 * drawn if gain else 0.3 * drawn).to(dtype).float())


def greedy(model: nn.Module, row: torch.Tensor) -> list[int] | None:
    """The tokens that follow a row; none where one was chosen by a hair."""
    told = row[None]
    with torch.no_grad():
        for _ in range(GREEDY):
            last = model(input_ids=told, use_cache=False).logits[0, -1]
            first, second = last.topk(2).values.tolist()
            if first - second < MARGIN:
                return None
            told = torch.cat([told, last.argmax()[None, None]], dim=1)
    return told[0, len(row):].tolist()


def drawn_rows() -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(7)
    ids = torch.randint(VOCABULARY, (len(LENGTHS), max(LENGTHS)), generator=chance)
    labels = torch.randint(VOCABULARY, ids.shape, generator=chance)
    for row, length in enumerate(LENGTHS):
        ids[row, length:] = 0
        labels[row, length:] = IGNORED
    labels[0, 2] = IGNORED
    return ids, labels


def write(name: str, family: str, options: dict, dtype: torch.dtype) -> None:
    ids, labels = drawn_rows()
    rows = [ids[row, :length] for row, length in enumerate(LENGTHS)]
    model = build(family, options).float().eval()
    # The first weights that leave no doubt about a token.
    for seed in range(31, 131):
        fill(model, family, dtype, seed)
        told = [greedy(model, row) for row in rows]
        if None not in told:
            break
    else:
        raise SystemExit(f"{name}: no weights leave no doubt")
    folder = GOLDENS / name
    # A copy, for the frequencies of positions lose bits with the weights.
    copy.deepcopy(model).to(dtype).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    lines = [model(input_ids=row[None], use_cache=False).logits[0] for row in rows]
    logits = torch.stack([nn.functional.pad(own, (0, 0, 0, max(LENGTHS) - len(own))) for own in lines])
    loss = nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), labels.reshape(-1), ignore_index=IGNORED)
    loss.backward()
    kept = {
        "ids": ids.to(torch.int32),
        "labels": labels.to(torch.int32),
        "lengths": torch.tensor(LENGTHS, dtype=torch.int32),
        "logits": logits.detach().clone(),
        "loss": loss.detach().clone(),
        "embedding_gradient_norm": model.get_input_embeddings().weight.grad.norm().clone(),
        "greedy": torch.tensor(told, dtype=torch.int32),
    }
    save_file(kept, folder / "golden.safetensors", metadata={"made_by": MADE_BY})


if __name__ == "__main__":
    transformers.logging.disable_progress_bar()
    for name in sys.argv[1:] or VARIANTS:
        print(name)
        write(name, *VARIANTS[name])
