"""The training step of tools/models' encoder in PyTorch, for `npm run bench -- train-step`, which starts this.

Reads first values and the batch from a safetensors file, says that it is ready, then answers lines of JSON on standard
input, such as {"request": "steps", "count": 3}, with lines of JSON on standard output. Needs torch alone.
"""

import argparse
import json
import math
import resource
import struct
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

DTYPES = {"F32": torch.float32, "I32": torch.int32}
HEADS = 8
EPSILON = 1e-5


def read_safetensors(path):
    raw = bytearray(Path(path).read_bytes())
    (size,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + size])
    body = memoryview(raw)[8 + size :]
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            flat = torch.frombuffer(body[start:end], dtype=DTYPES[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"]).clone()
    return tensors


def plain_attention(query, key, value):
    length, size = query.shape[-2:]
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    scores = (query @ key.transpose(-1, -2)) / math.sqrt(size)
    return scores.masked_fill(later, -math.inf).softmax(-1) @ value


def sdpa_attention(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)


def loss_of(parameters, item, following, attention):
    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], parameters[f"{name}.weight"], parameters[f"{name}.bias"], EPSILON)

    def linear(x, name):
        return F.linear(x, parameters[f"{name}.weight"], parameters[f"{name}.bias"])

    def heads(x):
        return x.view(*x.shape[:2], HEADS, -1).transpose(1, 2)

    table = parameters["items.weight"]
    x = F.embedding(item, table) + parameters["positions.weight"][: item.shape[1]]
    layers = len([name for name in parameters if name.endswith("in_proj_weight")])
    for layer in range(layers):
        own = f"encoder.layers.{layer}"
        weight, bias = (parameters[f"{own}.self_attn.in_proj_{part}"] for part in ("weight", "bias"))
        joined = F.linear(norm(x, f"{own}.norm1"), weight, bias)
        mixed = attention(*(heads(part) for part in joined.chunk(3, -1)))
        x = x + linear(mixed.transpose(1, 2).reshape(x.shape), f"{own}.self_attn.out_proj")
        hidden = F.gelu(linear(norm(x, f"{own}.norm2"), f"{own}.linear1"))
        x = x + linear(hidden, f"{own}.linear2")
    logits = F.linear(norm(x, "encoder.norm"), table)
    return F.cross_entropy(logits.flatten(0, 1), following.flatten().long())


def peak_bytes():
    """The most memory held at one time; on Linux the program's own, without what its parent held before."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--task", required=True)
    options.add_argument("--mode", choices=["eager", "sdpa", "compiled"], required=True)
    options.add_argument("--threads", type=int, required=True)
    options = options.parse_args()
    torch.set_num_threads(options.threads)

    tensors = read_safetensors(options.task)
    item, following = tensors.pop("item"), tensors.pop("next")
    parameters = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
    optimizer = torch.optim.AdamW(parameters.values(), lr=1e-3, fused=True)
    attention = plain_attention if options.mode == "eager" else sdpa_attention
    forward = torch.compile(loss_of) if options.mode == "compiled" else loss_of

    def step():
        optimizer.zero_grad()
        loss = forward(parameters, item, following, attention)
        loss.backward()
        optimizer.step()
        return loss.item()

    def steps(count):
        milliseconds, loss = [], math.nan
        for _ in range(count):
            start = time.perf_counter()
            loss = step()
            milliseconds.append((time.perf_counter() - start) * 1000)
        return {"milliseconds": milliseconds, "loss": loss}

    def product(count):
        left, right = torch.randn(1024, 1024), torch.randn(1024, 1024)
        least = math.inf
        for _ in range(count):
            start = time.perf_counter()
            left @ right
            least = min(least, time.perf_counter() - start)
        return {"gigaflops": 2 * 1024**3 / least / 1e9}

    def memory(_):
        return {"peakBytes": peak_bytes()}

    answers = {"steps": steps, "product": product, "memory": memory}
    print(json.dumps({"engine": f"PyTorch {torch.__version__}"}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(answers[asked["request"]](asked["count"])), flush=True)


main()
