"""Golden file of packages/llm: logits as transformers processes them, and its beam search on tiny Llamas.

Run from the repository root: python tools/reference/generation_golden.py
Needs torch and transformers, and the folders that llama_golden.py makes; the versions that made the file are in it,
under "made_by".

`processed` are rows of random `logits` with the `seen` tokens, the `options`, and what comes out (`null` is minus
infinity). `beams` are the `options`, `prompts`, and for each prompt `answers` with `tokens` and `score`.
"""

import json
from pathlib import Path

import torch
import transformers
from transformers import generation

GOLDENS = Path("packages/llm/test/goldens")
VOCABULARY = 60

PROCESSED = [
    {"repetitionPenalty": 1.3}, {"temperature": 0.7}, {"temperature": 1.6, "topK": 7}, {"topK": 1}, {"topP": 0.8},
    {"topP": 0.05}, {"topK": 20, "topP": 0.6}, {"minP": 0.2}, {"temperature": 2.0, "minP": 0.05},
    {"repetitionPenalty": 0.8, "temperature": 0.5, "topK": 15, "topP": 0.9, "minP": 0.1},
]
# Tokens that the models often choose, so that answers end early in many ways.
ENDS = [2, 6, 15, 23, 27]
BEAMS = [
    {"beams": 3, "maximumTokens": 8, "answers": 3},
    {"beams": 4, "maximumTokens": 20, "answers": 4, "ends": ENDS},
    {"beams": 4, "maximumTokens": 20, "answers": 4, "ends": ENDS, "lengthPenalty": 2.0},
    {"beams": 4, "maximumTokens": 20, "answers": 2, "ends": ENDS, "lengthPenalty": -1.0},
    {"beams": 4, "maximumTokens": 20, "answers": 4, "ends": ENDS, "earlyStopping": True},
    {"beams": 3, "maximumTokens": 20, "answers": 3, "ends": ENDS, "earlyStopping": "never", "lengthPenalty": 0.5},
    {"beams": 3, "maximumTokens": 10, "answers": 3, "ends": [2, 7, 11, 23], "repetitionPenalty": 1.5},
    {"beams": 8, "maximumTokens": 6, "answers": 8, "ends": [2, 7, 11, 23, 5, 9], "lengthPenalty": 0.0},
]
PROMPTS = [[1, 20, 33, 5], [1, 9], [40, 41, 42, 43, 44, 45, 46]]


def processed(options: dict, chance: torch.Generator) -> dict:
    logits = 3 * torch.randn(VOCABULARY, generator=chance)
    seen = sorted(set(torch.randint(VOCABULARY, (9,), generator=chance).tolist()))
    # In the order of transformers' own generate.
    kinds = [
        ("repetitionPenalty", generation.RepetitionPenaltyLogitsProcessor),
        ("temperature", generation.TemperatureLogitsWarper),
        ("topK", generation.TopKLogitsWarper),
        ("topP", generation.TopPLogitsWarper),
        ("minP", generation.MinPLogitsWarper),
    ]
    scores = logits[None].clone()
    for name, kind in kinds:
        if name in options:
            scores = kind(options[name])(torch.tensor([seen]), scores)
    out = [None if value == -torch.inf else value for value in scores[0].tolist()]
    return {"logits": logits.tolist(), "seen": seen, "options": options, "processed": out}


def searched(model, options: dict) -> dict:
    ends = options.get("ends", [2])
    answers = []
    for prompt in PROMPTS:
        made = model.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), do_sample=False,
            num_beams=options["beams"], num_return_sequences=options["answers"], max_new_tokens=options["maximumTokens"],
            length_penalty=options.get("lengthPenalty", 1.0), early_stopping=options.get("earlyStopping", False),
            repetition_penalty=options.get("repetitionPenalty", 1.0), eos_token_id=ends, pad_token_id=0,
            return_dict_in_generate=True, output_scores=True,
        )
        own = []
        for sequence, score in zip(made.sequences[:, len(prompt):].tolist(), made.sequences_scores.tolist(), strict=True):
            end = next((at for at, token in enumerate(sequence) if token in ends), len(sequence) - 1)
            own.append({"tokens": sequence[: end + 1], "score": score})
        answers.append(own)
    return {"options": options, "answers": answers}


if __name__ == "__main__":
    chance = torch.Generator().manual_seed(17)
    models = {
        name: transformers.LlamaForCausalLM.from_pretrained(GOLDENS / name, dtype=torch.float32).eval()
        for name in ("llama-tied", "llama-untied")
    }
    golden = {
        "made_by": f"torch {torch.__version__}, transformers {transformers.__version__}",
        "processed": [processed(options, chance) for options in PROCESSED],
        "prompts": PROMPTS,
        "beams": {name: [searched(model, options) for options in BEAMS] for name, model in models.items()},
    }
    (GOLDENS / "generation.json").write_text(json.dumps(golden) + "\n", encoding="utf-8")
