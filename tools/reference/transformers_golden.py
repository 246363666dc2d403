"""Golden files of tools/models: tiny Transformers in PyTorch, their gradients, and ten steps of AdamW.

Run from the repository root: python tools/reference/transformers_golden.py
Needs torch, transformers and safetensors; the versions that made the files are in them, under "made_by".

Each file holds `ids` and `labels` (int32, -100 is ignored), `logits`, `loss`, the `losses` before each of ten steps,
and for every parameter `initial/NAME`, `gradient/NAME` and `trained/NAME`, named as in the model's state dict.
"""

from pathlib import Path

import safetensors
import torch
import transformers
from safetensors.torch import save_file
from torch import nn

GOLDENS = Path("tools/models/test/goldens")
MADE_BY = f"torch {torch.__version__}, transformers {transformers.__version__}, safetensors {safetensors.__version__}"
BATCH, TOKENS, VOCABULARY = 3, 7, 61
LEARNING_RATE, WEIGHT_DECAY, STEPS = 3e-3, 0.05, 10
IGNORED = -100


class ItemEncoder(nn.Module):
    """An autoregressive encoder of items, made of PyTorch's own Transformer layers, with a tied output."""

    def __init__(self, width: int = 32, heads: int = 4, hidden: int = 64, layers: int = 2) -> None:
        super().__init__()
        self.items = nn.Embedding(VOCABULARY, width)
        self.positions = nn.Embedding(TOKENS, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, hidden, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        events = self.items(ids) + self.positions.weight[: ids.shape[1]]
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        return self.encoder(events, mask=mask, is_causal=True) @ self.items.weight.T


class Logits(nn.Module):
    """The logits of a causal language model of transformers."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=ids, use_cache=False).logits


def llama() -> nn.Module:
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=16, rms_norm_eps=1e-5, tie_word_embeddings=True,
        attention_dropout=0.0, attn_implementation="eager",
    )
    return transformers.LlamaForCausalLM(config)


def gpt2() -> nn.Module:
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=16, resid_pdrop=0.0, embd_pdrop=0.0,
        attn_pdrop=0.0, attn_implementation="eager",
    )
    return transformers.GPT2LMHeadModel(config)


def write(name: str, model: nn.Module, forward: nn.Module) -> None:
    chance = torch.Generator().manual_seed(20)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for key, parameter in parameters.items():
            drawn = torch.randn(parameter.shape, generator=chance)
            # Gains near 1 and biases near 0, none of them exactly, so that every gradient is of some size.
            gain = parameter.dim() == 1 and key.endswith("weight")
            parameter.copy_(1 + 0.1 * drawn if gain else 0.15 * drawn)
    ids = torch.randint(VOCABULARY, (BATCH, TOKENS), generator=chance)
    labels = torch.randint(VOCABULARY, (BATCH, TOKENS), generator=chance)
    ids[0, 1] = ids[0, 4] = ids[2, 3]
    labels[0, -1] = labels[1, :3] = IGNORED

    def loss_of(logits: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), labels.reshape(-1), ignore_index=IGNORED)

    kept = {"ids": ids.to(torch.int32), "labels": labels.to(torch.int32)}
    kept |= {f"initial/{key}": parameter.detach().clone() for key, parameter in parameters.items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        logits = forward(ids)
        loss = loss_of(logits)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            kept |= {"logits": logits.detach().clone(), "loss": loss.detach().clone()}
            kept |= {f"gradient/{key}": parameter.grad.clone() for key, parameter in parameters.items()}
        optimizer.step()
    kept |= {f"trained/{key}": parameter.detach().clone() for key, parameter in parameters.items()}
    kept["losses"] = torch.tensor(losses)
    recipe = f"AdamW, learning rate {LEARNING_RATE}, weight decay {WEIGHT_DECAY}, betas 0.9 and 0.999, epsilon 1e-8"
    save_file(kept, GOLDENS / f"{name}.safetensors", metadata={"made_by": MADE_BY, "recipe": recipe})


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for name, make in (("llama", llama), ("gpt2", gpt2)):
        model = make().float().train()
        write(name, model, Logits(model))
    encoder = ItemEncoder().train()
    write("encoder", encoder, encoder)
