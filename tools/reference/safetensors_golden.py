"""Golden files of packages/tensor: safetensors, half precision and normal quantiles as Python makes them.

Run from the repository root: python tools/reference/safetensors_golden.py
Needs numpy, torch and safetensors; the versions that made the files are in them, under "made_by".
"""

import hashlib
import json
from pathlib import Path

import numpy
import safetensors
import torch
from safetensors.torch import save_file

GOLDENS = Path("packages/tensor/test/goldens")
MADE_BY = f"safetensors {safetensors.__version__}, torch {torch.__version__}, numpy {numpy.__version__}"


def every_dtype() -> None:
    """One tensor of each dtype, a scalar, an empty one and names that need escapes."""
    values = torch.tensor([[0.0, -1.5, 3.25], [65504.0, -2.0**-14, 2.0**-24]], dtype=torch.float64)
    whole = torch.tensor([[0, 1, -128], [127, 100, -1]])
    tensors = {
        "float64": values,
        "float32": values.to(torch.float32),
        "float16": values.to(torch.float16),
        "bfloat16": values.to(torch.bfloat16),
        "int64": torch.tensor([2**63 - 1, -(2**63), 2**53 + 1]),
        "int32": whole.to(torch.int32),
        "int8": whole.to(torch.int8),
        "uint8": torch.tensor([0, 1, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(0.5),
        "empty": torch.zeros((0, 4)),
        'quote " backslash \\ newline \n snow \u2603 smile \U0001f600': torch.tensor([1.0, 2.0]),
        "\uffff sorts before \U0001f600 by code point": torch.tensor([3.0]),
        "\U0001f600 sorts after": torch.tensor([4.0]),
    }
    save_file(tensors, GOLDENS / "every-dtype.safetensors", metadata={"made_by": MADE_BY})
    save_file(
        {"float8": torch.tensor([1.0, 2.0]).to(torch.float8_e4m3fn), "float32": torch.tensor([7.0])},
        GOLDENS / "unsupported-dtype.safetensors",
        metadata={"made_by": MADE_BY},
    )


def half_precision() -> None:
    """Roundings: float64 to float16 (numpy rounds once), float32 to bfloat16 (torch)."""
    generator = numpy.random.default_rng(16)
    exponents = generator.integers(-30, 20, 300)
    value = generator.choice([-1.0, 1.0], 300) * generator.uniform(1, 2, 300) * 2.0**exponents
    # Halves of a unit in the last place, and just beside them: ties to even.
    ties = (1 + (2 * generator.integers(0, 1024, 60) + 1) / 2048) * 2.0 ** generator.integers(-14, 15, 60)
    value = numpy.concatenate([value, ties, numpy.nextafter(ties, 0), numpy.nextafter(ties, numpy.inf)])
    extremes = [0.0, -0.0, numpy.inf, -numpy.inf, 65519.999, 65520.0, 2.0**-25, -(2.0**-25) * 1.0001, 1e-45, 5e-324]
    value = numpy.concatenate([value, extremes])
    bits = generator.integers(0, 2**32, 400, dtype=numpy.uint64).astype(numpy.uint32)
    single = bits.view(numpy.float32)
    single = numpy.concatenate([single[~numpy.isnan(single)], numpy.float32([3.4e38, 3.4028235e38, 1e-40, -1e-45])])
    words = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)

    def digest(dtype: torch.dtype) -> str:
        """Of all 65,536 words 0x8000...0xffff, 0x0000...0x7fff as float32, NaN as 0."""
        decoded = words.view(dtype).to(torch.float32)
        decoded[torch.isnan(decoded)] = 0
        return hashlib.sha256(decoded.numpy().tobytes()).hexdigest()

    with numpy.errstate(over="ignore"):
        rounded = value.astype(numpy.float16)
    save_file(
        {
            "float64": torch.from_numpy(value),
            "float16": torch.from_numpy(rounded),
            "float32": torch.from_numpy(single),
            "bfloat16": torch.from_numpy(single).to(torch.bfloat16),
        },
        GOLDENS / "half-precision.safetensors",
        metadata={"made_by": f"{MADE_BY}; float16 {digest(torch.float16)}; bfloat16 {digest(torch.bfloat16)}"},
    )


def normal_quantiles() -> None:
    """Quantiles of the standard normal distribution by an algorithm other than ours (Cephes, in torch)."""
    middle = torch.arange(1, 64, dtype=torch.float64) / 64
    tails = 2.0 ** -torch.arange(7, 53, dtype=torch.float64)
    probability = torch.cat([middle, tails, 1 - tails[:40]])
    quantile = torch.special.ndtri(probability)
    text = {"made_by": MADE_BY, "probability": probability.tolist(), "quantile": quantile.tolist()}
    (GOLDENS / "normal-quantiles.json").write_text(json.dumps(text) + "\n")


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    every_dtype()
    half_precision()
    normal_quantiles()
