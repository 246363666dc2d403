import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, readLlama2cVocabulary, readSentencePiece, sentencePieceJson } from '../src/index.js';

interface Probe {
  readonly text: string;
  readonly ids: readonly number[];
  readonly decoded: string;
}
const file = (name: string): Uint8Array => readFileSync(new URL(`goldens/sentencepiece/${name}`, import.meta.url));
const { probes } = JSON.parse(new TextDecoder().decode(file('sentencepiece.json'))) as {
  probes: Record<'plain' | 'bare' | 'fewer', readonly Probe[]>;
};

describe.each(['plain', 'bare', 'fewer'] as const)('a SentencePiece model (%s)', (name) => {
  const tokenizer = loadTokenizer(sentencePieceJson(readSentencePiece(file(`${name}.model`))));

  it.each(probes[name].map((probe) => [JSON.stringify(probe.text).slice(0, 60), probe] as const))(
    'gives the ids of SentencePiece: %s',
    (_, { text, ids, decoded }) => {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    },
  );

  it('takes its special tokens in a text as plain text', () => {
    const ids = tokenizer.encode('</s><s><unk>');
    expect(Math.min(...ids)).toBeGreaterThan(2);
    expect(tokenizer.decode(ids)).toBe('</s><s><unk>');
    expect([tokenizer.begin, tokenizer.end]).toEqual([1, 2]);
  });
});

/** The vocabulary file that llama2.c makes of a model. */
function llama2cVocabulary(model: Uint8Array): Uint8Array {
  const { pieces } = readSentencePiece(model);
  const parts = pieces.map(({ text, score }, id) => {
    const written = new TextEncoder().encode(id === 1 || id === 2 ? `\n${text}\n` : text.replaceAll('▁', ' '));
    const head = new DataView(new ArrayBuffer(8));
    head.setFloat32(0, score, true);
    head.setInt32(4, written.length, true);
    return [...new Uint8Array(head.buffer), ...written];
  });
  return Uint8Array.from([27, 0, 0, 0, ...parts.flat()]);
}

describe('the vocabulary file of llama2.c', () => {
  it('means what the model says', () => {
    const model = file('plain.model');
    expect(readLlama2cVocabulary(llama2cVocabulary(model))).toEqual(readSentencePiece(model));
  });

  it('is refused when it is cut short', () => {
    const bytes = llama2cVocabulary(file('plain.model'));
    for (const length of [2, 9, bytes.length - 1])
      expect(() => readLlama2cVocabulary(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'bad-tokenizer' }) as Error,
      );
  });
});

describe('a SentencePiece file that is none', () => {
  it.each([
    ['empty', new Uint8Array(0)],
    ['cut short', file('plain.model').subarray(0, 900)],
    ['one that maps characters', Uint8Array.from([...file('plain.model'), 0x1a, 3, 0x12, 1, 7])],
    ['text', new TextEncoder().encode('# not a model')],
  ])('is refused: %s', (_, bytes) => {
    expect(() => readSentencePiece(bytes)).toThrow(expect.objectContaining({ code: 'bad-tokenizer' }) as Error);
  });
});
