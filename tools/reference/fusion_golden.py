"""Golden files of packages/perceiver and packages/fusion: resamplers and gated cross-attention in PyTorch.

Run from the repository root: python tools/reference/fusion_golden.py
Needs torch and safetensors; the versions that made the files are in them, under "made_by".

Each file holds inputs and parameters under their names, what comes out, `weights` (random, of the shape of what comes
out), and `gradient/NAME` of sum(weights * what comes out) for every parameter and every input of real numbers. All is
computed in float64 from inputs and parameters that float32 holds.
"""

from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

MADE_BY = f"torch {torch.__version__}, safetensors {safetensors.__version__}"
BATCH, EVENTS, USER_WIDTH, LATENTS = 3, 5, 8, 3
TOKENS, MODEL_WIDTH, LAYERS, EVERY = 4, 12, 4, 2


class CrossAttention(nn.Module):
    """Multi-head attention of x to a context, without biases; a row that may read nothing gets zeros."""

    def __init__(self, width: int, context: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, inner, bias=False)
        self.k_proj = nn.Linear(context, inner, bias=False)
        self.v_proj = nn.Linear(context, inner, bias=False)
        self.out_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: torch.Tensor, context: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            mapped.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for mapped in (self.q_proj(x), self.k_proj(context), self.v_proj(context))
        )
        anything = mask.any(-1)
        # Rows without anything read all, since a softmax of nothing is not a number, and are dropped below.
        readable = mask | ~anything[:, None]
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=readable[:, None, None, :])
        joined = mixed.transpose(1, 2).flatten(-2) * anything[:, None, None]
        return self.out_proj(joined)


class FeedForward(nn.Module):
    """Two linear maps with the exact GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear2(F.gelu(self.linear1(x)))


class ResamplerLayer(FeedForward):
    """Latents read events and latents (Alayrac et al. 2022, figure 5), or events alone, then think."""

    def __init__(self, width: int, heads: int, inner: int, hidden: int, read_latents: bool) -> None:
        super().__init__(width, hidden)
        self.read_latents = read_latents
        self.norm_events = nn.LayerNorm(width)
        self.norm_latents = nn.LayerNorm(width)
        self.cross_attn = CrossAttention(width, width, inner, heads)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, latents: torch.Tensor, events: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        normal = self.norm_latents(latents)
        context, readable = self.norm_events(events), mask
        if self.read_latents:
            context = torch.cat([context, normal], dim=1)
            readable = torch.cat([mask, torch.ones(normal.shape[:2], dtype=torch.bool)], dim=1)
        latents = latents + self.cross_attn(normal, context, readable)
        return latents + super().forward(self.norm2(latents))


class Recency(nn.Module):
    """A vector per number of events ago, the last one for all before."""

    def __init__(self, places: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(places, width))

    def forward(self, mask: torch.Tensor) -> torch.Tensor:
        ago = mask.sum(1, keepdim=True) - 1 - torch.arange(mask.shape[1])
        return self.weight[ago.clamp(0, self.weight.shape[0] - 1)]


class Resampler(nn.Module):
    """A Perceiver resampler of two layers, its attention narrower than the events."""

    def __init__(self, read_latents: bool) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.empty(LATENTS, USER_WIDTH))
        self.layers = nn.ModuleList(ResamplerLayer(USER_WIDTH, 2, 6, 10, read_latents) for _ in range(2))
        self.norm = nn.LayerNorm(USER_WIDTH)
        self.recency = Recency(3, USER_WIDTH)

    def forward(self, events: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        events = events + self.recency(mask)
        latents = self.latents.expand(events.shape[0], -1, -1)
        for layer in self.layers:
            latents = layer(latents, events, mask)
        return self.norm(latents)


class GatedFeedForward(FeedForward):
    """A feed-forward network of normed hidden states behind a gate."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(width, hidden)
        self.norm = nn.LayerNorm(width)
        self.gate = nn.Parameter(torch.empty(()))

    def forward(self, hidden: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        return hidden + torch.tanh(self.gate) * super().forward(self.norm(hidden)) * present


class GatedCrossAttention(nn.Module):
    """Gated cross-attention, then a gated feed-forward network."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(MODEL_WIDTH)
        self.cross_attn = CrossAttention(MODEL_WIDTH, MODEL_WIDTH, 6, 3)
        self.gate = nn.Parameter(torch.empty(()))
        self.feed_forward = GatedFeedForward(MODEL_WIDTH, 7)

    def forward(self, hidden: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = hidden + torch.tanh(self.gate) * self.cross_attn(self.norm(hidden), source, mask)
        return self.feed_forward(hidden, mask.any(-1)[:, None, None])


class CrossAttentionFusion(nn.Module):
    """Every second of four layers reads the user; the layers of the LLM itself are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.projection = FeedForward(USER_WIDTH, 9)
        self.projection.linear2 = nn.Linear(9, MODEL_WIDTH)
        self.layers = nn.ModuleDict({f"{at}": GatedCrossAttention() for at in range(EVERY - 1, LAYERS, EVERY)})

    def forward(self, hidden: torch.Tensor, latents: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        source = self.projection(latents)
        for layer in self.layers.values():
            hidden = layer(hidden, source, mask)
        return hidden


def write(path: Path, model: nn.Module, inputs: dict[str, torch.Tensor], seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for key, parameter in parameters.items():
            drawn = torch.randn(parameter.shape, generator=chance)
            # Gains near 1, gates of some size, biases near 0 but not 0, so that every gradient is of some size.
            gain = parameter.dim() == 1 and key.endswith("weight")
            parameter.copy_(1 + 0.1 * drawn if gain else 0.4 * drawn)
    kept = dict(inputs) | {key: parameter.detach().clone() for key, parameter in parameters.items()}
    model.double()
    exact = {key: value.double().requires_grad_() if value.is_floating_point() else value for key, value in inputs.items()}
    out = model(**exact)
    weights = torch.randn(out.shape, generator=chance)
    (weights.double() * out).sum().backward()
    kept |= {"out": out.detach(), "weights": weights}
    kept |= {f"gradient/{key}": parameter.grad for key, parameter in model.named_parameters()}
    kept |= {f"gradient/{key}": value.grad for key, value in exact.items() if value.is_floating_point()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in kept.items()}, path, metadata={"made_by": MADE_BY})


def masks(sizes: list[int], length: int) -> torch.Tensor:
    return torch.arange(length) < torch.tensor(sizes)[:, None]


if __name__ == "__main__":
    chance = torch.Generator().manual_seed(20)
    # One full history, one of two events, and a user with none.
    events = {"events": torch.randn(BATCH, EVENTS, USER_WIDTH, generator=chance), "mask": masks([5, 2, 0], EVENTS)}
    compressed = Path("packages/perceiver/test/goldens")
    write(compressed / "resampler.safetensors", Resampler(read_latents=True), events, 21)
    write(compressed / "resampler-of-events.safetensors", Resampler(read_latents=False), events, 23)
    users = {
        "hidden": torch.randn(BATCH, TOKENS, MODEL_WIDTH, generator=chance),
        "latents": torch.randn(BATCH, LATENTS, USER_WIDTH, generator=chance),
        "mask": masks([3, 2, 0], LATENTS),
    }
    write(Path("packages/fusion/test/goldens/cross-attention.safetensors"), CrossAttentionFusion(), users, 22)
