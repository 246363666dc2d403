"""Golden folders of packages/llm: tiny Llamas as Hugging Face saves them, their logits, losses, gradients and texts.

Run from the repository root: python tools/reference/llama_golden.py
Needs torch, transformers and safetensors; the versions that made the files are in them, under "made_by".

Each folder is a checkpoint (one of them in float16 and in shards) with `golden.safetensors` beside it: `ids` and
`labels` (int32, -100 is ignored), `logits`, `loss`, `gradient/NAME` of every parameter, and the `greedy` tokens that
follow each row of `ids`, all computed in float32.
"""

from pathlib import Path

import safetensors
import torch
import transformers
from safetensors.torch import save_file
from torch import nn

GOLDENS = Path("packages/llm/test/goldens")
MADE_BY = f"torch {torch.__version__}, transformers {transformers.__version__}, safetensors {safetensors.__version__}"
BATCH, TOKENS, VOCABULARY, GREEDY = 3, 7, 48, 9
IGNORED = -100

SHARED = dict(
    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=32, attention_dropout=0.0, attn_implementation="eager", bos_token_id=1, eos_token_id=2,
)
VARIANTS = {
    "llama-tied": (dict(num_key_value_heads=2, tie_word_embeddings=True, rms_norm_eps=1e-5), torch.float32, "1GB"),
    "llama-untied": (
        dict(
            num_key_value_heads=1, tie_word_embeddings=False, rms_norm_eps=1e-6, head_dim=6, attention_bias=True,
            rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        ),
        torch.float16, "6KB",
    ),
}


def write(name: str, options: dict, dtype: torch.dtype, shard: str) -> None:
    chance = torch.Generator().manual_seed(31)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SHARED, **options)).float()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            drawn = torch.randn(parameter.shape, generator=chance)
            gain = parameter.dim() == 1 and key.endswith("weight")
            # As the checkpoint's type holds them, so that its reader has the same numbers.
            parameter.copy_((1 + 0.1 * drawn if gain else 0.2 * drawn).to(dtype).float())
    folder = GOLDENS / name
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink()
    model = model.float().train()
    ids = torch.randint(VOCABULARY, (BATCH, TOKENS), generator=chance)
    labels = torch.randint(VOCABULARY, (BATCH, TOKENS), generator=chance)
    labels[0, -1] = labels[1, :3] = IGNORED
    logits = model(input_ids=ids, use_cache=False).logits
    loss = nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), labels.reshape(-1), ignore_index=IGNORED)
    loss.backward()
    kept = {"ids": ids.to(torch.int32), "labels": labels.to(torch.int32), "logits": logits.detach().clone()}
    kept |= {"loss": loss.detach().clone()}
    kept |= {f"gradient/{key}": parameter.grad.clone() for key, parameter in model.named_parameters()}
    told = ids
    with torch.no_grad():
        for _ in range(GREEDY):
            told = torch.cat([told, model(input_ids=told, use_cache=False).logits[:, -1:].argmax(-1)], dim=1)
    kept |= {"greedy": told[:, TOKENS:].to(torch.int32).contiguous()}
    save_file(kept, folder / "golden.safetensors", metadata={"made_by": MADE_BY})


if __name__ == "__main__":
    for name, (options, dtype, shard) in VARIANTS.items():
        write(name, options, dtype, shard)
