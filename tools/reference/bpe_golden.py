"""Golden file of packages/llm: byte-level BPE by Hugging Face's tokenizers, on text of many languages.

Run from the repository root: python tools/reference/bpe_golden.py
Needs tokenizers; the version that made the file is in it, under "made_by".

The file holds the `texts` it was trained on and, for several sizes and least frequencies, the `merges` and the
`vocabulary`; then the `ids` of texts by the last of these tokenizers, and what they decode to.
"""

import json
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

GOLDEN = Path("packages/llm/test/goldens/bpe.json")
SPECIAL = ["<|padding|>", "<|begin|>", "<|end|>", "<|answer|>"]

TEXTS = [
    "The quick brown fox jumps over the lazy dog; the dog doesn't mind, and it's the fox who'll say they've jumped.",
    "Toy Story (1995), Jumanji (1995), Grumpier Old Men (1995), Waiting to Exhale (1995), Heat (1995), GoldenEye (1995)",
    "Adventure|Animation|Children|Comedy|Fantasy\tAction|Crime|Thriller\nDrama|Romance\r\nFilm-Noir|Sci-Fi",
    "Which film would this user watch next? Which genre does this user like best? Drama, comedy, or thriller?",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Straße, Füße, Mädchen, schön.",
    "Voix ambiguë d'un cœur qui, au zéphyr, préfère les jattes de kiwis. L'été, c'est déjà là, n'est-ce pas ?",
    "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío; añoraba a su querido cachorro.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. Съешь ещё, и ещё, и ещё.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Το ψάρι και η θάλασσα, το ψάρι και η θάλασσα.",
    "いろはにほへと ちりぬるを わかよたれそ つねならむ。色は匂へど散りぬるを。東京、京都、大阪。東京は大きい。",
    "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。天地，天地，日月，日月。人之初，性本善。",
    "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다. 영화와 음악, 영화와 음악.",
    "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر. هذا فيلم جميل، هذا فيلم جميل.",
    "דג סקרן שט בים מאוכזב ולפתע מצא חברה. סרט טוב, סרט טוב.",
    "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश। अच्छी फ़िल्म, अच्छी फ़िल्म।",
    "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน",
    "🎬🍿 Loved it!!! 😀😀😀 👨‍👩‍👧‍👦 👍🏽👍🏽 🇩🇪🇫🇷 ❤️❤️ 10/10 would watch again... and again... and again...",
    "  leading spaces, trailing spaces  \n\n\n\ttabs\t\tand   runs    of     spaces\u00a0no-break\u2003em\u3000wide",
    "x = 3.14159; y = x**2 + 1e-5  # 12345 67890 100000 2000 2001 2002 1999 1998 ½ ² Ⅷ ٣٤ १२",
    "aaaaaaaaaa aaaa aaa aa a bbbbbb bbb abababab ababab abab ab banana bananas ananas",
    "don't DON'T Don’t we'd we’ll I'm I'M you're 'tis rock'n'roll '90s 'S's",
    "line\u0085next\u2028line\u2029paragraph\ufeffmark\u200bzero\u200djoin",
    "https://example.org/films?id=42&genre=sci-fi#top user@example.org C:\\films\\list.csv <html></html> {\"a\": [1, 2]}",
    "e\u0301 \u00e9 A\u030a \u00c5 \ufb01 fi \u1e9b\u0323 n\u0303 \u00f1",
] * 2 + ["the the the then there these", "film films filming", "watch watched watching watches", ""]

PROBES = [
    *TEXTS[:24],
    "",
    " ",
    "\n",
    "   \n  x",
    "never seen: Quantenfeldtheorie, Überraschungsgäste, наводнение, 映画館へ行く, 🦄🧑🏿‍🚀",
    "<|end|> plain <|begin|><|padding|>, <|answer|>",
    "a\u0301\u0327 \u0000 \u0001 \u007f \u00ad",
    "The user's history: 1. Heat (1995)\n2. Alien (1979)\n3. Amélie (Le Fabuleux Destin d'Amélie Poulain) (2001)",
]


def trained(size: int, least: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=least, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


if __name__ == "__main__":
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    runs = []
    for size, least in ((280, 2), (700, 0), (2000, 3), (1200, 2)):
        tokenizer = trained(size, least)
        model = json.loads(tokenizer.to_str())["model"]
        runs.append({
            "vocabularySize": size, "minimumFrequency": least, "merges": model["merges"],
            "vocabulary": sorted(model["vocab"], key=model["vocab"].get),
        })
    # Special tokens are plain text, as our tokenizers take them.
    tokenizer.encode_special_tokens = True
    encoded = [tokenizer.encode(text, add_special_tokens=False).ids for text in PROBES]
    probes = [
        {"text": text, "ids": ids, "decoded": tokenizer.decode(ids)} for text, ids in zip(PROBES, encoded, strict=True)
    ]
    golden = {"made_by": f"tokenizers {tokenizers.__version__}", "texts": TEXTS, "runs": runs, "probes": probes}
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
