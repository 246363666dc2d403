"""Golden file of packages/optimizers: ten steps of each optimizer, and learning rates of schedules, as PyTorch makes them.

Run from the repository root: python tools/reference/optimizers_golden.py
Needs torch; all numbers are float64. PyTorch has no Lion, which is computed here from its paper (Chen et al., 2023,
algorithm 2); gradients do not come from a model but from a seed, and are the same for every optimizer.
"""

import json
from pathlib import Path

import torch
from torch.optim import lr_scheduler

OUT = Path("packages/optimizers/test/goldens/optimizers.json")
STEPS = 10
SHAPES = {"bias": [1], "norm": [5], "weight": [3, 4], "heads": [2, 2, 3]}


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            first, second = group["betas"]
            for parameter in group["params"]:
                momentum = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
                direction = (first * momentum + (1 - first) * parameter.grad).sign()
                parameter -= group["lr"] * (direction + group["weight_decay"] * parameter)
                momentum.mul_(second).add_((1 - second) * parameter.grad)


def grouped(parameters):
    """Vectors do not decay; the heads have a learning rate of their own."""
    return [
        {"params": [parameters["weight"]]},
        {"params": [parameters["bias"], parameters["norm"]], "weight_decay": 0.0},
        {"params": [parameters["heads"]], "lr": 0.005, "weight_decay": 0.3},
    ]


def flat(parameters):
    return list(parameters.values())


def falling(optimizer):
    return lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.1, total_iters=6)


CASES = {
    "sgd": lambda p: torch.optim.SGD(flat(p), lr=0.1),
    "sgd momentum": lambda p: torch.optim.SGD(flat(p), lr=0.05, momentum=0.9, weight_decay=0.1),
    "sgd dampening": lambda p: torch.optim.SGD(flat(p), lr=0.05, momentum=0.8, dampening=0.3),
    "sgd nesterov": lambda p: torch.optim.SGD(flat(p), lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.05),
    "adam": lambda p: torch.optim.Adam(flat(p), lr=0.01),
    "adam weight decay": lambda p: torch.optim.Adam(flat(p), lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
    "adamW": lambda p: torch.optim.AdamW(flat(p), lr=0.01),
    "adamW no memory": lambda p: torch.optim.AdamW(flat(p), lr=0.01, betas=(0.0, 0.0), eps=1e-3, weight_decay=0.1),
    "adamW groups": lambda p: torch.optim.AdamW(grouped(p), lr=0.02, betas=(0.9, 0.98), weight_decay=0.2),
    "adamW schedule": lambda p: torch.optim.AdamW(flat(p), lr=0.02, weight_decay=0.1),
    "adamW clipped": lambda p: torch.optim.AdamW(flat(p), lr=0.01),
    "sgd clipped": lambda p: torch.optim.SGD(flat(p), lr=0.1),
    "sgd cut": lambda p: torch.optim.SGD(flat(p), lr=0.1),
    "adafactor": lambda p: torch.optim.Adafactor(flat(p), weight_decay=0.0),
    "adafactor options": lambda p: torch.optim.Adafactor(
        flat(p), lr=0.4, beta2_decay=-0.6, eps=(1e-3, 0.01), d=1.25, weight_decay=0.1
    ),
    "lion": lambda p: Lion(flat(p), lr=0.01, betas=(0.9, 0.99), weight_decay=0.0),
    "lion weight decay": lambda p: Lion(flat(p), lr=0.02, betas=(0.85, 0.95), weight_decay=0.3),
}
BEFORE_STEP = {
    "adamW clipped": lambda parameters: torch.nn.utils.clip_grad_norm_(parameters, 2.0),
    "sgd clipped": lambda parameters: torch.nn.utils.clip_grad_norm_(parameters, 2.0),
    "sgd cut": lambda parameters: torch.nn.utils.clip_grad_value_(parameters, 0.5),
}
SCHEDULERS = {"adamW schedule": falling}

PEAK = 0.3
SCHEDULES = {
    "linear": lambda optimizer: lr_scheduler.LinearLR(optimizer, start_factor=0.2, end_factor=0.9, total_iters=7),
    "cosine": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, T_max=12, eta_min=0.02),
    "warm-up": lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 4)),
    "inverse square root": lambda optimizer: lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / 4, ((step + 1) / 4) ** -0.5)
    ),
    "join": lambda optimizer: lr_scheduler.SequentialLR(
        optimizer,
        [
            lr_scheduler.LinearLR(optimizer, start_factor=0.1, end_factor=1.0, total_iters=3),
            lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=1),
            lr_scheduler.CosineAnnealingLR(optimizer, T_max=7),
        ],
        milestones=[3, 5],
    ),
}


def listed(tensors):
    return {name: tensor.detach().flatten().tolist() for name, tensor in tensors.items()}


def given():
    """Parameters and gradients; the gradients' size changes from step to step, and one element's is always zero."""
    generator = torch.Generator().manual_seed(11)
    parameters = {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in SHAPES.items()}
    gradients = []
    for step in range(STEPS):
        size = (0.05, 1.0, 3.0)[step % 3]
        drawn = {name: size * torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in SHAPES.items()}
        drawn["norm"][2] = 0.0
        gradients.append(drawn)
    return parameters, gradients


def steps_of(name, start, gradients):
    parameters = {key: torch.nn.Parameter(tensor.clone()) for key, tensor in start.items()}
    optimizer = CASES[name](parameters)
    scheduler = SCHEDULERS[name](optimizer) if name in SCHEDULERS else None
    after = []
    for step in gradients:
        for key, parameter in parameters.items():
            parameter.grad = step[key].clone()
        if name in BEFORE_STEP:
            BEFORE_STEP[name](flat(parameters))
        optimizer.step()
        if scheduler:
            scheduler.step()
        after.append(listed(parameters))
    return after


def rates_of(name, steps=16):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=PEAK)
    scheduler = SCHEDULES[name](optimizer)
    rates = []
    for _ in range(steps):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


def main() -> None:
    start, gradients = given()
    golden = {
        "made_by": f"torch {torch.__version__}",
        "dtype": "float64",
        "shapes": SHAPES,
        "parameters": listed(start),
        "gradients": [listed(step) for step in gradients],
        "steps": {name: steps_of(name, start, gradients) for name in CASES},
        "schedules": {name: rates_of(name) for name in SCHEDULES},
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
