"""Golden files of packages/llm: small tokenizers of every kind, and ids and texts by Hugging Face's tokenizers.

Run from the repository root: python tools/reference/tokenizers_golden.py
Needs tokenizers and sentencepiece; the versions that made the files are in them, under "made_by".

Each file of goldens/tokenizers holds a `tokenizer` (the content of a tokenizer.json) and `probes`: a `text`, its `ids`
where special tokens in it are plain text, the ids where they are read as such (`marked`), and what the latter decode
to, special tokens left out (`decoded`).
"""

import io
import json
import tempfile
from pathlib import Path

import sentencepiece
import tokenizers
from bpe_golden import TEXTS
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

GOLDENS = Path("packages/llm/test/goldens/tokenizers")
MADE_BY = f"tokenizers {tokenizers.__version__}, sentencepiece {sentencepiece.__version__}"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]

LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

# As `nmt_nfkc` has them, but fewer, for a small file.
RULES = {
    "e\u0301": "é", "A\u030a": "Å", "\ufb01": "fi", "\uff21": "A", "\uff22": "B", "\u2460": "1", "\u33a1": "m2",
    "\u0132": "IJ", "\u00a0": " ", "\u2003": " ", "\u3000": " ", "\u200b": " ", "\ufeff": " ", "\u00ad": "",
    "\u1e9b\u0323": "ṩ", "½": "1⁄2", "²": "2", "…": "...", "👍": "+", "🇩🇪": "DE", "\u0001": "", "ﷺ": "صلى الله", "㍿": "株式会社",
}

PROBES = [
    "",
    " ",
    "  \n\n\t x \r\n y   ",
    "The quick brown fox doesn't jump; IT'S the DOG who'LL say they've jumped, isn'\u017f it?",
    "Zwölf Boxkämpfer, Straße; Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμίας. ΟΔΟΣ İstanbul",
    "Съешь же ещё этих мягких булок 東京は大きい。天地玄黄，宇宙洪荒。",
    "키스의 고유조건은 نص حكيم له سر דג סקרן ऋषियों को เป็นมนุษย์",
    "🎬🍿 Loved it!!! 👨‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ 10/10 1234567 ½ ² Ⅷ ٣٤ १२",
    "e\u0301 \u00e9 A\u030a \u00c5 \ufb01 \u1e9b\u0323 \uff21\uff22 \u2460 \u33a1 \u0132",
    "no\u00a0break\u2003em\u3000wide\u0085next\u2028line\ufeffmark\u200bzero\u00adsoft",
    "\ufeffmark first, \u0000 \u0001 \u007f \u001f",
    "aaaaaaaaaa abab bananas $& $1 \\ x**2 C:\\films\\list.csv <html></html> [1, 2]",
    "user<|end|>plain <|begin|><|sep|>, x <mask> y <mask>z",
    "<mask> at the start,   <mask>   twice <|sep|>   spaces\n<|sep|>",
    "word xword wordx word. (word) woord Café CAFÉ café cafés",
    " ▁ ▁▁under▁lined ▁",
    "Ω ≈ ç √ ∫ 𝔘𝔫𝔦 𐍈 ﷺ ﹏ ꧁꧂ ㍿",
]

SPECIAL = [
    AddedToken("<|begin|>", special=True, normalized=False),
    AddedToken("<|end|>", special=True, normalized=False),
    AddedToken("<|sep|>", special=True, normalized=False, rstrip=True),
    AddedToken("<mask>", special=True, normalized=False, lstrip=True),
]
ADDED = [
    AddedToken("word", single_word=True, normalized=False),
    AddedToken("Café", normalized=True),
    AddedToken("cafés", normalized=False),
]


def bpe(vocabulary: int, normalizer, pre_tokenizer, decoder, alphabet=(), **options) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**options))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, min_frequency=2, show_progress=False, initial_alphabet=list(alphabet),
        special_tokens=[options["unk_token"]] if options.get("unk_token") else [],
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def with_bytes(tokenizer: Tokenizer) -> Tokenizer:
    """The same with a token for every byte, as SentencePiece's models have them."""
    content = json.loads(tokenizer.to_str())
    model = content["model"]
    unknown = model["unk_token"]
    pieces = [unknown, *BYTES, *(piece for piece in sorted(model["vocab"], key=model["vocab"].get) if piece != unknown)]
    model["vocab"] = {piece: at for at, piece in enumerate(pieces)}
    model["byte_fallback"] = True
    return Tokenizer.from_str(json.dumps(content))


def without(characters: str, tokenizer: Tokenizer) -> Tokenizer:
    """The same without some characters, and the merges that they are in."""
    content = json.loads(tokenizer.to_str())
    model = content["model"]
    kept = [piece for piece in sorted(model["vocab"], key=model["vocab"].get) if not set(piece) & set(characters)]
    model["vocab"] = {piece: at for at, piece in enumerate(kept)}
    model["merges"] = [pair for pair in model["merges"] if not set("".join(pair)) & set(characters)]
    return Tokenizer.from_str(json.dumps(content))


def byte_level(pattern: str | None = None, prefix: bool = False):
    own = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=pattern is None)
    if pattern is None:
        return own
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), own])


def llama_decoder(strip: bool):
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if strip else steps)


def sentencepiece_unigram(texts: list[str], **options) -> sentencepiece_model_pb2.ModelProto:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text for text in texts if text.strip()]), model_writer=model, model_type="unigram",
        minloglevel=2, num_threads=1, hard_vocab_limit=False, **options,
    )
    return sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())


def unigram_plain() -> Tokenizer:
    # Only some of the texts, so that the characters of others are unknown.
    proto = sentencepiece_unigram(TEXTS[:10], vocab_size=400, normalization_rule_name="identity")
    tokenizer = Tokenizer(models.Unigram([(piece.piece, piece.score) for piece in proto.pieces], unk_id=0))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def points(text: str) -> str:
    return " ".join(f"{ord(character):X}" for character in text)


def unigram_sentencepiece() -> Tokenizer:
    """As transformers converts a SentencePiece model: its own map of characters, and bytes for what is unknown."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.write("".join(f"{points(written)}\t{points(meant)}\n" for written, meant in RULES.items()))
        rules.flush()
        proto = sentencepiece_unigram(
            TEXTS, vocab_size=800, character_coverage=0.98, byte_fallback=True, normalization_rule_tsv=rules.name
        )
    vocabulary = [(piece.piece, piece.score) for piece in proto.pieces]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    charsmap = proto.normalizer_spec.precompiled_charsmap
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(charsmap), normalizers.Strip(left=False, right=True),
         normalizers.Replace(Regex(" {2,}"), "▁")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])
    return tokenizer


def unigram_ties() -> Tokenizer:
    """Pieces that are equally likely in every way: which one wins is a rule, not a number."""
    letters = [(letter, -1.0) for letter in "abn w"]
    pairs = [("ab", -2.0), ("ba", -2.0), ("an", -2.0), ("na", -2.0), ("nan", -3.0), ("ana", -3.0), ("bab", -3.0)]
    vocabulary = [("<unk>", 0.0), *letters, *pairs, ("aa", -1.5), ("aaa", -2.5), ("or", -2.0), ("ord", -2.0), ("d", -0.5)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0))
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


def made() -> dict[str, Tokenizer]:
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    whole = decoders.ByteLevel()
    spaces = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    llama = dict(unk_token="<unk>", fuse_unk=True)
    odd = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"\s"), "merged_with_previous"), pre_tokenizers.Punctuation("contiguous"),
        pre_tokenizers.Split("e", "merged_with_next"), pre_tokenizers.Split(Regex(r"[aou]\w"), "removed", invert=False),
        pre_tokenizers.Digits(),
    ])
    plain = normalizers.Sequence([
        normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip(),
    ])
    words = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Split(Regex(r"\w+|\S"), "removed", invert=True)])
    return {
        "gpt2": bpe(600, None, byte_level(), whole, alphabet),
        # Some bytes have no token: they are left out of texts.
        "gpt2-prefix": without("aşŁ°é", bpe(500, None, byte_level(prefix=True), whole, alphabet)),
        "llama3": bpe(600, None, byte_level(LLAMA_3), whole, alphabet, ignore_merges=True),
        "qwen2": bpe(600, normalizers.NFC(), byte_level(QWEN_2), whole, alphabet),
        "smollm": bpe(
            500, None, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()]), whole, alphabet
        ),
        "llama2": with_bytes(bpe(1100, spaces, None, llama_decoder(True), **llama)),
        "llama2-metaspace": with_bytes(
            bpe(1100, None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), llama_decoder(True), **llama)
        ),
        "gemma": with_bytes(
            bpe(1100, normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous"), llama_decoder(False), **llama)
        ),
        "odd-splits": bpe(1000, plain, odd, decoders.Fuse(), unk_token="<unk>", fuse_unk=True),
        "odd-words": bpe(1000, normalizers.NFKC(), words, decoders.Fuse(), unk_token="<unk>", fuse_unk=False),
        "unigram": unigram_plain(),
        "unigram-sentencepiece": unigram_sentencepiece(),
        "unigram-ties": unigram_ties(),
    }


def probe(tokenizer: Tokenizer, text: str) -> dict:
    tokenizer.encode_special_tokens = True
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    tokenizer.encode_special_tokens = False
    marked = tokenizer.encode(text, add_special_tokens=False).ids
    return {"text": text, "ids": ids, "marked": marked, "decoded": tokenizer.decode(marked)}


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for name, tokenizer in made().items():
        tokenizer.add_special_tokens(SPECIAL)
        tokenizer.add_tokens(ADDED)
        golden = {
            "made_by": MADE_BY, "tokenizer": json.loads(tokenizer.to_str()),
            "probes": [probe(tokenizer, text) for text in PROBES],
        }
        (GOLDENS / f"{name}.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
