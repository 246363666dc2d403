import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, trainBpe } from '../src/index.js';

interface Golden {
  readonly texts: readonly string[];
  readonly runs: readonly {
    readonly vocabularySize: number;
    readonly minimumFrequency: number;
    readonly merges: readonly (readonly [string, string])[];
    readonly vocabulary: readonly string[];
  }[];
  readonly probes: readonly { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }[];
}

const golden = JSON.parse(readFileSync(new URL('goldens/bpe.json', import.meta.url), 'utf8')) as Golden;
const special = { specialTokens: { extra: ['<|answer|>'] } };
const last = golden.runs.at(-1)!;
const trained = () => trainBpe(golden.texts, { ...last, ...special });

describe('training', () => {
  it.each(golden.runs)(
    'learns the merges of Hugging Face tokenizers ($vocabularySize tokens, least frequency $minimumFrequency)',
    ({ merges, vocabulary, ...options }) => {
      const { model } = trainBpe(golden.texts, { ...options, ...special });
      expect(model['merges']).toEqual(merges);
      expect(
        Object.entries(model.vocab)
          .sort(([, a], [, b]) => a - b)
          .map(([token]) => token),
      ).toEqual(vocabulary);
    },
  );

  it('does not depend on the order of the texts', () => {
    expect(trainBpe([...golden.texts].reverse(), { ...last, ...special })).toEqual(trained());
  });

  it('makes a vocabulary of special tokens and bytes of no text at all', () => {
    const tokenizer = loadTokenizer(trainBpe([], { vocabularySize: 400 }));
    expect(tokenizer.vocabularySize).toBe(259);
    expect(tokenizer.decode(tokenizer.encode('héllo 🎬'))).toBe('héllo 🎬');
  });

  it.each([
    ['too small a vocabulary', () => trainBpe([], { vocabularySize: 258 })],
    ['the same special token twice', () => trainBpe([], { vocabularySize: 400, specialTokens: { end: '<|begin|>' } })],
    ['a special token that is a byte', () => trainBpe([], { vocabularySize: 400, specialTokens: { extra: ['a'] } })],
  ])('refuses %s', (_, run) => {
    expect(run).toThrowError(expect.objectContaining({ code: 'bad-argument' }) as Error);
  });
});

describe('a trained tokenizer', () => {
  it.each(golden.probes.map((probe) => [JSON.stringify(probe.text).slice(0, 60), probe] as const))(
    'gives the ids of Hugging Face tokenizers: %s',
    (_, { text, ids, decoded }) => {
      const tokenizer = loadTokenizer(trained());
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    },
  );

  it('survives being written as JSON', () => {
    const again = loadTokenizer(JSON.stringify(trained()));
    expect(again.encode(golden.probes[0]!.text)).toEqual(golden.probes[0]!.ids);
  });

  it('takes special tokens in a text as plain text, and leaves them out of what it decodes', () => {
    const tokenizer = loadTokenizer(trained());
    const { begin, end, padding, specialTokens } = tokenizer;
    expect([padding, begin, end, specialTokens['<|answer|>']]).toEqual([0, 1, 2, 3]);
    const ids = tokenizer.encode('<|begin|>x<|end|><|answer|>');
    expect(Math.min(...ids)).toBeGreaterThan(3);
    expect(tokenizer.decode(ids)).toBe('<|begin|>x<|end|><|answer|>');
    expect(tokenizer.decode([1, ...tokenizer.encode('x'), 3, 2, 0])).toBe('x');
    expect(tokenizer.decode([1, 2])).toBe('');
    expect(tokenizer.decode([])).toBe('');
  });

  it('gives every text back, bit for bit', () => {
    const tokenizer = loadTokenizer(trained());
    for (const { text } of golden.probes) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });
});

describe('bad input', () => {
  it.each([
    ['text that is not JSON', '{'],
    ['something else', { model: 3 }],
    [
      'an unknown kind of model',
      { model: { type: 'Magic', vocab: { a: 0 } }, added_tokens: [{ id: 1, content: '</s>', special: true }] },
    ],
    ['no token that ends an answer', { model: { type: 'BPE', vocab: { a: 0 }, merges: [] } }],
  ])('is refused: %s', (_, json) => {
    expect(() => loadTokenizer(json)).toThrowError(expect.objectContaining({ code: 'bad-tokenizer' }) as Error);
  });

  it('is a token outside the vocabulary', () => {
    expect(() => loadTokenizer(trained()).decode([1_000_000])).toThrowError(
      expect.objectContaining({ code: 'out-of-range' }) as Error,
    );
  });
});
