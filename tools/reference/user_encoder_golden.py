"""Golden files of packages/user-encoder: tiny user encoders in PyTorch, what they give, and every gradient.

Run from the repository root: python tools/reference/user_encoder_golden.py
Needs torch and safetensors; the versions that made the files are in them, under "made_by".

Each file holds the ids of a batch (`item`, `genre`, `rating`, and `label/...` of what came next; 0 is nothing there),
its `mask`, what the encoder gives (`events`, `next`, `loss`), and for every parameter `initial/NAME` and
`gradient/NAME`. Everything is computed in float64 from float32 parameters.
"""

from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

GOLDENS = Path("packages/user-encoder/test/goldens")
MADE_BY = f"torch {torch.__version__}, safetensors {safetensors.__version__}"
ITEMS, GENRES, RATINGS, SLOTS = 12, 7, 6, 3
BATCH, EVENTS, LENGTHS = 3, 6, (6, 3, 4)
WIDTH, FEATURE, HEADS, HIDDEN, LAYERS = 8, 4, 2, 16, 2
FIRST_VALUE, MASK = 3, 2


class EventEncoder(nn.Module):
    """Embeddings of features side by side, mapped to the width and scaled, then pre-norm Transformer layers."""

    def __init__(self, positions: int, activation: str) -> None:
        super().__init__()
        sizes = {"item": (ITEMS, WIDTH), "genre": (GENRES, FEATURE), "rating": (RATINGS, FEATURE)}
        self.features = nn.ModuleDict({name: nn.Embedding(*size) for name, size in sizes.items()})
        self.input = nn.Linear(WIDTH + 2 * FEATURE, WIDTH)
        self.positions = nn.Embedding(positions, WIDTH)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, HIDDEN, dropout=0.0, activation=activation, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, LAYERS, norm=nn.LayerNorm(WIDTH), enable_nested_tensor=False)

    def genre(self, ids: torch.Tensor) -> torch.Tensor:
        used = (ids != 0).unsqueeze(-1)
        return (self.features["genre"](ids) * used).sum(-2) / used.sum(-2).clamp(min=1)

    def events(self, ids: dict, causal: bool, mask: torch.Tensor | None = None) -> torch.Tensor:
        parts = [self.features["item"](ids["item"]), self.genre(ids["genre"]), self.features["rating"](ids["rating"])]
        first = self.input(torch.cat(parts, -1)) * WIDTH**0.5 + self.positions.weight[: ids["item"].shape[1]]
        length = ids["item"].shape[1]
        ahead = torch.ones(length, length, dtype=torch.bool).triu(1) if causal else None
        return self.encoder(first, mask=ahead, src_key_padding_mask=None if mask is None else ~mask)


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    counted = torch.where(labels < FIRST_VALUE, -100, labels)
    return functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), counted.reshape(-1), ignore_index=-100)


class Autoregressive(EventEncoder):
    """Predicts the item, with its embeddings as outputs, the rating and the genres."""

    def __init__(self) -> None:
        super().__init__(EVENTS, "gelu")
        self.outputs = nn.ModuleDict(
            {name: nn.ModuleDict({"projection": nn.Linear(WIDTH, FEATURE)}) for name in ("rating", "genre")}
        )

    def forward(self, batch: dict, labels: dict, mask: torch.Tensor) -> dict:
        events = self.events(batch, causal=True)
        logits = {"item": events @ self.features["item"].weight.T}
        for name in ("rating", "genre"):
            logits[name] = self.outputs[name]["projection"](events) @ self.features[name].weight.T
        genre = logits["genre"].unsqueeze(2).expand(-1, -1, SLOTS, -1)
        loss = cross_entropy(logits["item"], labels["item"]) + 0.5 * cross_entropy(logits["rating"], labels["rating"])
        loss = loss + 0.25 * cross_entropy(genre, labels["genre"])
        last = mask.sum(1) - 1
        return {"events": events, "next": logits["item"][torch.arange(BATCH), last], "loss": loss}


class Bert4Rec(EventEncoder):
    """Tells the last event of each history, hidden from it."""

    def __init__(self) -> None:
        super().__init__(EVENTS + 1, "relu")

    def asked(self, batch: dict, places: torch.Tensor) -> torch.Tensor:
        """Scores of items for hidden events at places, which lie behind the events of the batch."""
        rows = torch.arange(BATCH)
        ids = {name: functional.pad(column, (0, 0, 0, 1) if column.dim() == 3 else (0, 1)) for name, column in batch.items()}
        for name in ids:
            ids[name][rows, places] = 0
        ids["item"][rows, places] = ids["rating"][rows, places] = ids["genre"][rows, places, 0] = MASK
        mask = torch.arange(EVENTS + 1) <= places.unsqueeze(1)
        return self.events(ids, causal=False, mask=mask)[rows, places] @ self.features["item"].weight.T

    def forward(self, batch: dict, labels: dict, mask: torch.Tensor) -> dict:
        lengths = mask.sum(1)
        events = self.events(batch, causal=False, mask=mask)
        hidden = labels["item"][torch.arange(BATCH), lengths - 1]
        behind = self.asked(batch, lengths)
        return {"events": events * mask.unsqueeze(-1), "next": behind, "loss": cross_entropy(behind, hidden)}


class Dual(EventEncoder):
    """Users' embeddings against those of items, made of the item and its genres."""

    def __init__(self) -> None:
        super().__init__(EVENTS, "gelu")
        self.itemTower = nn.ModuleDict({"linear1": nn.Linear(WIDTH + FEATURE, 10), "linear2": nn.Linear(10, WIDTH)})

    def items(self, genres: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([self.features["item"].weight, self.genre(genres)], -1)
        return self.itemTower["linear2"](functional.gelu(self.itemTower["linear1"](joined)))

    def forward(self, batch: dict, labels: dict, mask: torch.Tensor, genres: torch.Tensor) -> dict:
        events = self.events(batch, causal=True)
        scores = functional.normalize(events, dim=-1) @ functional.normalize(self.items(genres), dim=-1).T / 0.5
        flat, targets = scores.reshape(-1, ITEMS), labels["item"].reshape(-1)
        flat, targets = flat[targets >= FIRST_VALUE], targets[targets >= FIRST_VALUE]
        # Each row against all labels of the batch, each lowered by the logarithm of how often it is there.
        counts = torch.bincount(targets, minlength=ITEMS)[targets]
        against = flat[:, targets] - counts.log()
        against = against.masked_fill(targets.unsqueeze(1) == targets, -torch.inf)
        own = flat[torch.arange(len(targets)), targets].unsqueeze(1)
        loss = -(own - torch.cat([own, against], 1).logsumexp(1, keepdim=True)).mean()
        return {"events": events, "next": scores[torch.arange(BATCH), mask.sum(1) - 1], "loss": loss}


def draw_batch(chance: torch.Generator) -> tuple[dict, dict, torch.Tensor]:
    longest = EVENTS + 1
    drawn = {
        "item": torch.randint(FIRST_VALUE, ITEMS, (BATCH, longest), generator=chance),
        "genre": torch.randint(FIRST_VALUE, GENRES, (BATCH, longest, SLOTS), generator=chance),
        "rating": torch.randint(FIRST_VALUE, RATINGS, (BATCH, longest), generator=chance),
    }
    drawn["genre"][:, :, 2] *= torch.randint(2, (BATCH, longest), generator=chance)
    drawn["genre"][0, 2] = 0
    drawn["rating"][1, 2] = 1  # unknown: read, but no target
    batch, labels = {}, {}
    mask = torch.arange(EVENTS) < torch.tensor(LENGTHS).unsqueeze(1)
    for name, ids in drawn.items():
        there = mask.unsqueeze(-1) if ids.dim() == 3 else mask
        batch[name], labels[name] = ids[:, :-1] * there, ids[:, 1:] * there
    return batch, labels, mask


def write(name: str, model: nn.Module, with_genres: bool = False) -> None:
    chance = torch.Generator().manual_seed(31)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for key, parameter in parameters.items():
            drawn = torch.randn(parameter.shape, generator=chance)
            gain = parameter.dim() == 1 and key.endswith("weight")
            parameter.copy_(1 + 0.1 * drawn if gain else 0.3 * drawn)
    batch, labels, mask = draw_batch(chance)
    genres = torch.randint(FIRST_VALUE, GENRES, (ITEMS, 2), generator=chance)
    genres[4, 1] = 0
    kept = {f"initial/{key}": parameter.detach().clone() for key, parameter in parameters.items()}
    kept |= {key: ids.to(torch.int32) for key, ids in batch.items()}
    kept |= {f"label/{key}": ids.to(torch.int32) for key, ids in labels.items()}
    kept |= {"mask": mask}
    model = model.double()
    outputs = model(batch, labels, mask, genres) if with_genres else model(batch, labels, mask)
    outputs["loss"].backward()
    if with_genres:
        kept["genres"] = genres.to(torch.int32)
    kept |= {key: value.detach().float() for key, value in outputs.items()}
    for key, parameter in model.named_parameters():
        kept[f"gradient/{key}"] = torch.zeros_like(parameter).float() if parameter.grad is None else parameter.grad.float()
    kept = {key: value.contiguous() for key, value in kept.items()}
    save_file(kept, GOLDENS / f"{name}.safetensors", metadata={"made_by": MADE_BY})


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    write("autoregressive", Autoregressive().train())
    write("bert4rec", Bert4Rec().train())
    write("dual", Dual().train(), with_genres=True)
