"""Golden file of packages/tasks: ROUGE, stems, BLEU, ranking and accuracy as their reference implementations give them.

Run from the repository root: python tools/reference/metrics_golden.py
Needs rouge-score, sacrebleu, scikit-learn (and nltk and numpy, which they bring); their versions are in the file.
"""

import importlib.metadata
import json
import random
from pathlib import Path

import numpy
from nltk.util import ngrams
from rouge_score import rouge_scorer
from nltk.stem.porter import PorterStemmer
from sacrebleu.metrics import BLEU
from sklearn.metrics import accuracy_score, label_ranking_average_precision_score, ndcg_score, top_k_accuracy_score

OUT = Path("packages/tasks/test/goldens/metrics.json")
chance = random.Random(20)

STEMS = (
    "relat condit ration valen hesit digit conform radic different vil analog vietnam predic oper feud decis hope call "
    "form sensit sens triplic electr good reviv allow infer airlin gyroscop adjust defens irrit replac depend adopt "
    "homolog commun activ angul effect bowdl prob ceas contr roll hopp tann fall hiss fizz fail fil happ sk enjo conflat "
    "troubl siz plaster bl motor s agr f cat pon t caress y sy syz toy oat ivy orr z1 4k ab x a ow wax box"
).split()
SUFFIXES = (
    "  s es ies ied sses ss ed eed ing y ational tional enci anci izer bli abli alli entli eli ousli ization ation ator "
    "alism iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er "
    "ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll lle ly ility ally fully ology"
).split(" ")
WORDS = (
    "the a great movie film acting was superb and I loved it running runner runs loving loved lovely skies dying news "
    "proceed exceed succeeded innings outings canning howe ties tied happily relational sensibilities e-book don't "
    "Wi-Fi 3.5 1,000 $12.99 100% A+ naïve café Über straße ИВАН музыка 映画 素晴らしい 😀 👍🏽 & &amp; &quot;ok&quot; <b> -- ... ! ? "
    "half-time 10-20 x86 O'Brien (really) [sic] {curly} ~ \\ / ; : @me #tag _under_ — “quoted” ¿qué? a.b.c. U.S. 3, .5"
).split()
FIXED = [
    ("", ""),
    ("", "some words here"),
    ("some words here", ""),
    ("...", "!!!"),
    ("the cat sat on the mat", "the cat sat on the mat"),
    ("the cat sat on the mat", "the mat sat on the cat"),
    ("the the the the", "the cat"),
    ("Great product!", "great PRODUCT"),
    ("running runs runner", "run running ran"),
    ("素晴らしい 映画", "素晴らしい 映画"),
    ("naïve café", "naive cafe"),
    ("İstanbul ẞ K", "istanbul ss k"),
    ("one", "one"),
    ("one two", "one two"),
    ("one two three", "one two three"),
    ("line one\nline two", "line one-\nline two\u00a0here"),
    ("tab\tand\u2003em space", "tab and em space"),
    ("<skipped> &lt;b&gt; &amp;amp;", "<b> &amp;"),
    ("3.14, 2,000.50 and 1-2.", "3.14 , 2,000.50 and 1 - 2 ."),
    ("  leading and trailing  ", "leading and trailing"),
]


def sentence() -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 24)))


def edited(text: str) -> str:
    words = [word for word in text.split() if chance.random() > 0.2]
    if chance.random() < 0.4:
        chance.shuffle(words)
    return " ".join(word.upper() if chance.random() < 0.1 else word for word in words)


def text_pairs() -> list[tuple[str, str]]:
    """(prediction, reference)"""
    references = [sentence() for _ in range(100)]
    return FIXED + [(edited(reference), reference) for reference in references]


def rouge(pairs: list[tuple[str, str]]) -> list[dict]:
    kinds = ["rouge1", "rouge2", "rougeL"]
    plain = rouge_scorer.RougeScorer(kinds, use_stemmer=False)
    stemmed = rouge_scorer.RougeScorer(kinds, use_stemmer=True)
    rows = []
    for prediction, reference in pairs:
        row = {}
        for name, scorer in (("plain", plain), ("stemmed", stemmed)):
            row[name] = {kind: list(score) for kind, score in scorer.score(reference, prediction).items()}
        rows.append(row)
    return rows


def bleu(pairs: list[tuple[str, str]]) -> list[dict]:
    chunks = [pairs, pairs[:20], pairs[20:25], pairs[40:90], [("a b", "a b c")], [("", "x")]]
    rows = []
    for tokenizer in ("13a", "intl", "char", "none"):
        for smoothing in ("exp", "floor", "add-k", "none"):
            for lowercase in (False, True):
                metric = BLEU(tokenize=tokenizer, smooth_method=smoothing, lowercase=lowercase)
                for chunk in chunks:
                    score = metric.corpus_score([p for p, _ in chunk], [[r for _, r in chunk]]).score
                    rows.append({"tokenizer": tokenizer, "smoothing": smoothing, "lowercase": lowercase,
                                 "first": pairs.index(chunk[0]) if chunk[0] in pairs else None, "length": len(chunk),
                                 "pair": None if chunk[0] in pairs else chunk[0], "score": score})
    return rows


def sentence_bleu(pairs: list[tuple[str, str]]) -> list[float]:
    metric = BLEU(effective_order=True)
    return [metric.sentence_score(prediction, [reference]).score for prediction, reference in pairs]


def ranking() -> list[dict]:
    """Whole-number scores have ties; half a point less for the true items puts them behind every tie."""
    rows = []
    for case in range(40):
        candidates = chance.choice([5, 12, 40])
        scores = [chance.randint(0, 8 if case % 2 else 1000) for _ in range(candidates)]
        targets = sorted(chance.sample(range(candidates), 1 if case < 30 else chance.randint(2, 4)))
        if len({scores[target] for target in targets}) < len(targets):
            continue
        behind = numpy.array([score - 0.5 * (index in targets) for index, score in enumerate(scores)], dtype=float)
        truth = numpy.array([float(index in targets) for index in range(candidates)])
        row = {"scores": scores, "targets": targets, "ndcg": {}, "recall": {}}
        order = list(numpy.argsort(-behind, kind="stable"))
        row["ranks"] = [order.index(target) + 1 for target in targets]
        for k in (1, 3, 5, 10):
            row["ndcg"][k] = float(ndcg_score([truth], [behind], k=k))
            if len(targets) == 1 and k < candidates:
                hit = top_k_accuracy_score([targets[0]], [behind], k=k, labels=list(range(candidates)))
                row["recall"][k] = float(hit)
        if len(targets) == 1:
            row["reciprocal"] = float(label_ranking_average_precision_score([truth], [behind]))
        rows.append(row)
    return rows


def accuracy() -> dict:
    labels = ["Drama", "Comedy", "Film-Noir", "Sci-Fi", "映画"]
    reference = [chance.choice(labels) for _ in range(200)]
    prediction = [chance.choice(labels) if chance.random() < 0.5 else label for label in reference]
    return {"prediction": prediction, "reference": reference, "score": float(accuracy_score(reference, prediction))}


def distinct() -> list[dict]:
    rows = []
    for order in (1, 2, 3):
        texts = [" ".join(chance.choice(["great", "film", "bad", "плохо", "映画", "5"]) for _ in range(chance.randint(0, 9)))
                 for _ in range(20)]
        grams = [gram for text in texts for gram in ngrams(text.split(), order)]
        rows.append({"order": order, "texts": texts, "score": len(set(grams)) / len(grams)})
    return rows


def main() -> None:
    pairs = text_pairs()
    stemmer = PorterStemmer()
    words = sorted({stem + suffix for stem in STEMS for suffix in SUFFIXES} | {word.lower() for word in WORDS if word.isascii() and word.isalnum()})
    packages = ["rouge-score", "sacrebleu", "scikit-learn", "nltk", "numpy"]
    golden = {
        "made_by": {name: importlib.metadata.version(name) for name in packages},
        "pairs": pairs,
        "rouge": rouge(pairs),
        "bleu": bleu(pairs),
        "sentence_bleu": sentence_bleu(pairs),
        "stems": " ".join(f"{word}:{stemmer.stem(word)}" for word in words if word),
        "ranking": ranking(),
        "accuracy": accuracy(),
        "distinct": distinct(),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
