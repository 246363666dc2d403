import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, readSentencePiece, trainBpe, type PieceKind } from '../src/index.js';
import type { GgufValue } from '../src/gguf/gguf-header.js';
import { GgufMetadata } from '../src/gguf/gguf-metadata.js';
import { ggufTokenizer } from '../src/gguf/gguf-tokenizer.js';

const golden = (name: string): URL => new URL(`goldens/sentencepiece/${name}`, import.meta.url);
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted });
const kinds: readonly PieceKind[] = ['normal', 'unknown', 'control', 'user', 'unused', 'byte'];

type Fields = Readonly<Record<string, GgufValue>>;
const tokenizerOf = (fields: Fields) =>
  ggufTokenizer(
    new GgufMetadata(
      'model.gguf',
      new Map(
        Object.entries(fields).map(([key, value]) => [
          key === 'chat_template' ? 'tokenizer.chat_template' : `tokenizer.ggml.${key}`,
          value,
        ]),
      ),
    ),
  );

/** The metadata of a SentencePiece model, as llama.cpp's converter writes it. */
function pieceFields(name: string): Fields {
  const { pieces, spaceFirst, fewerSpaces } = readSentencePiece(readFileSync(golden(`${name}.model`)));
  return {
    model: 'llama',
    tokens: pieces.map(({ text }) => text),
    scores: pieces.map(({ score }) => score),
    token_type: pieces.map(({ kind }) => kinds.indexOf(kind) + 1),
    add_space_prefix: spaceFirst,
    remove_extra_whitespaces: fewerSpaces,
    bos_token_id: pieces.findIndex(({ text }) => text === '<s>'),
    eos_token_id: pieces.findIndex(({ text }) => text === '</s>'),
  };
}

describe('a SentencePiece vocabulary', () => {
  const { probes } = JSON.parse(readFileSync(golden('sentencepiece.json'), 'utf8')) as {
    probes: Record<string, readonly { readonly text: string; readonly ids: readonly number[] }[]>;
  };

  it.each(Object.keys(probes))('gives the ids of SentencePiece: %s', (name) => {
    const tokenizer = tokenizerOf(pieceFields(name))!;
    for (const { text, ids } of probes[name]!) expect(tokenizer.encode(text), text).toEqual(ids);
    expect([tokenizer.begin, tokenizer.end]).toEqual([1, 2]);
  });
});

/** The metadata of a byte-level BPE. */
function byteFields(): Fields {
  const { model } = trainBpe(['the cat sat on the mat, 1234 times'], { vocabularySize: 280 });
  const vocab = model.vocab as Readonly<Record<string, number>>;
  const tokens = Object.keys(vocab).sort((a, b) => vocab[a]! - vocab[b]!);
  const special = (text: string): boolean => /^<\|.*\|>$/.test(text);
  return {
    model: 'gpt2',
    pre: 'gpt-2',
    tokens,
    token_type: tokens.map((text) => (special(text) ? 3 : 1)),
    merges: (model['merges'] as readonly (readonly string[])[]).map((pair) => pair.join(' ')),
    eos_token_id: tokens.indexOf('<|end|>'),
    chat_template: '{{ messages }}',
  };
}

describe('a byte-level BPE', () => {
  it('gives the ids of the tokenizer that it was made of', () => {
    const text = 'the mat, the cat: 12 34, Straße, 猫 🐈';
    const tokenizer = tokenizerOf(byteFields())!;
    const wanted = loadTokenizer(trainBpe(['the cat sat on the mat, 1234 times'], { vocabularySize: 280 }));
    expect(tokenizer.encode(text)).toEqual(wanted.encode(text));
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(tokenizer.end).toBe(wanted.end);
    expect(tokenizer.chatTemplate).toBe('{{ messages }}');
  });

  it.each(['default', 'smollm', 'llama-bpe', 'qwen2'])('keeps every text, split as %s does', (pre) => {
    const tokenizer = tokenizerOf({ ...byteFields(), pre })!;
    const text = " It's  12345 words,\n\n  THE end";
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });
});

describe('what a text opens with', () => {
  const pieces = pieceFields('plain');

  it.each<[string, Fields, readonly number[]]>([
    ['nothing, as GPT-2 has it', { bos_token_id: 1 }, []],
    ['what the file says', { bos_token_id: 1, add_bos_token: true }, [1]],
    ['what Llama 3 has', { bos_token_id: 1, pre: 'llama-bpe' }, [1]],
    ['what SentencePiece models have', pieces, [1]],
    ['nothing, if the file says so', { ...pieces, add_bos_token: false }, []],
  ])('is %s', (_, fields, wanted) => {
    expect(tokenizerOf({ ...byteFields(), ...fields })!.opensWith).toEqual(wanted);
  });
});

describe('metadata', () => {
  it('may have no tokenizer', () => {
    expect(tokenizerOf({})).toBeUndefined();
    expect(tokenizerOf({ model: 'none', tokens: ['a'] })).toBeUndefined();
  });

  it.each<[string, string, Fields]>([
    ['bad-tokenizer', 'of another kind', { model: 't5' }],
    ['bad-tokenizer', 'of words that are not known', { pre: 'klingon' }],
    ['bad-checkpoint', 'with fewer types than tokens', { token_type: [1, 2] }],
    ['bad-checkpoint', 'with types that are none', { token_type: Array<number>(280).fill(9) }],
    ['bad-checkpoint', 'with one token twice', { tokens: Array<string>(280).fill('a') }],
    ['bad-checkpoint', 'with tokens that are numbers', { tokens: [1, 2] }],
    ['bad-checkpoint', 'with merges of one token', { merges: ['ab'] }],
  ])('is refused as %s: %s', (wanted, _, change) => {
    expect(() => tokenizerOf({ ...byteFields(), ...change })).toThrow(code(wanted));
  });
});
