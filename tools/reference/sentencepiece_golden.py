"""Golden files of packages/llm: small SentencePiece models of the BPE kind, and the ids of texts by them.

Run from the repository root: python tools/reference/sentencepiece_golden.py
Needs sentencepiece; the version that made the files is in them, under "made_by".

`sentencepiece.json` holds `probes`, each a text with its `ids` and what they decode to, by three models that
leave characters as they are: `plain.model` (as Llama's: a space first, bytes for what is unknown), `bare.model`
(without a space first) and `fewer.model` (spaces put together).
"""

import io
import json
from pathlib import Path

import sentencepiece
from bpe_golden import PROBES, TEXTS

GOLDENS = Path("packages/llm/test/goldens/sentencepiece")
SHARED = dict(
    model_type="bpe", vocab_size=900, character_coverage=0.999, byte_fallback=True, minloglevel=2, num_threads=1,
    hard_vocab_limit=False,
)
KINDS = {
    "plain": dict(normalization_rule_name="identity", remove_extra_whitespaces=False),
    "bare": dict(normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False),
    "fewer": dict(normalization_rule_name="identity", remove_extra_whitespaces=True),
}

if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    models = {}
    for name, options in KINDS.items():
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([text for text in TEXTS if text.strip()]), model_writer=model, **SHARED, **options
        )
        (GOLDENS / f"{name}.model").write_bytes(model.getvalue())
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        # A NUL cannot be told from the end of a text.
        models[name] = [
            {"text": text, "ids": processor.encode(text), "decoded": processor.decode(processor.encode(text))}
            for text in PROBES if "\0" not in text
        ]
    golden = {"made_by": f"sentencepiece {sentencepiece.__version__}", "probes": models}
    (GOLDENS / "sentencepiece.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
