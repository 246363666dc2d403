"""Golden files of apps/evaluate: what transformers says of checkpoints of llama2.c, in the form that `parity` takes.

Run from the repository root: python tools/reference/parity_golden.py FOLDER
with the folder that holds stories260K and babyllama_tok105 (what USER_LLM_MODELS names). Needs torch, transformers and
sentencepiece; the versions that made a file are in it, under "made_by".

`cases` hold a `prompt`, its `ids`, the five largest logits behind it (`top5`) and the `greedy` tokens that follow;
`loss` the mean negative log-likelihood (`value`) of a text's `ids`. Computed in float32, without cache.
"""

import json
import struct
import sys
from pathlib import Path

import sentencepiece
import torch
import transformers

GOLDENS = Path("apps/evaluate/test/goldens")
CHECKPOINTS = {
    "stories260K": ("stories260K.bin", "tok512.model"),
    "babyllama_tok105": ("model5000.bin", "tok105.model"),
}
PROMPTS = ["", "Once upon a time", "Lily and Tom went to the park. They saw a big", "The dog was sad because"]
TEXT = "Once upon a time there was a little girl who loved to play with her red ball in the garden."
GREEDY = 32


def halves(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows of queries or keys from neighbours that turn together to halves, as transformers has them."""
    rows, width = weight.shape
    return weight.view(heads, rows // heads // 2, 2, width).transpose(1, 2).reshape(rows, width)


def load(path: Path) -> transformers.LlamaForCausalLM:
    data = path.read_bytes()
    width, feed, layers, heads, kv_heads, vocabulary, positions = struct.unpack("7i", data[:28])
    config = transformers.LlamaConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=feed, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=kv_heads, max_position_embeddings=positions, rms_norm_eps=1e-5,
        tie_word_embeddings=True, attn_implementation="eager",
    )
    numbers = torch.frombuffer(bytearray(data[28:]), dtype=torch.float32)
    keys = width // heads * kv_heads
    at = 0

    def take(*shape: int) -> torch.Tensor:
        nonlocal at
        size = int(torch.tensor(shape).prod())
        at += size
        return numbers[at - size : at].view(shape)

    state = {"model.embed_tokens.weight": take(vocabulary, width)}
    order = [
        ("input_layernorm", (width,)), ("self_attn.q_proj", (width, width)), ("self_attn.k_proj", (keys, width)),
        ("self_attn.v_proj", (keys, width)), ("self_attn.o_proj", (width, width)), ("post_attention_layernorm", (width,)),
        ("mlp.gate_proj", (feed, width)), ("mlp.down_proj", (width, feed)), ("mlp.up_proj", (feed, width)),
    ]
    turned = {"self_attn.q_proj": heads, "self_attn.k_proj": kv_heads}
    for name, shape in order:
        for layer in range(layers):
            weight = take(*shape)
            state[f"model.layers.{layer}.{name}.weight"] = halves(weight, turned[name]) if name in turned else weight
    state["model.norm.weight"] = take(width)
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model = transformers.LlamaForCausalLM(config).float().eval()
    model.load_state_dict(state)
    return model


@torch.no_grad()
def golden(model: transformers.LlamaForCausalLM, tokens: sentencepiece.SentencePieceProcessor) -> dict:
    cases = []
    for prompt in PROMPTS:
        ids = [tokens.bos_id(), *tokens.encode(prompt)]
        top = model(torch.tensor([ids])).logits[0, -1].topk(5)
        told = torch.tensor([ids])
        for _ in range(GREEDY):
            told = torch.cat([told, model(told, use_cache=False).logits[:, -1:].argmax(-1)], dim=1)
        top5 = [{"id": id, "logit": logit} for id, logit in zip(top.indices.tolist(), top.values.tolist(), strict=True)]
        cases.append({"prompt": prompt, "ids": ids, "top5": top5, "greedy": told[0, len(ids):].tolist()})
    text = torch.tensor([[tokens.bos_id(), *tokens.encode(TEXT)]])
    loss = {"text": TEXT, "ids": text[0].tolist(), "value": model(text, labels=text).loss.item()}
    return {"cases": cases, "loss": loss}


if __name__ == "__main__":
    models = Path(sys.argv[1])
    GOLDENS.mkdir(parents=True, exist_ok=True)
    made_by = f"torch {torch.__version__}, transformers {transformers.__version__}"
    for name, (checkpoint, tokenizer) in CHECKPOINTS.items():
        tokens = sentencepiece.SentencePieceProcessor(model_file=str(models / name / tokenizer))
        own = {"made_by": made_by, "checkpoint": checkpoint, **golden(load(models / name / checkpoint), tokens)}
        (GOLDENS / f"{name}.json").write_text(json.dumps(own) + "\n", encoding="utf-8")
