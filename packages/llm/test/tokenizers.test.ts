import { readFileSync, readdirSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, trainBpe, type JsonTokenizer } from '../src/index.js';

interface Golden {
  readonly tokenizer: unknown;
  readonly probes: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly marked: readonly number[];
    readonly decoded: string;
  }[];
}

const folder = new URL('goldens/tokenizers/', import.meta.url);
const goldens = readdirSync(folder).map((file) => [file.replace('.json', ''), golden(file)] as const);
function golden(file: string): Golden {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Golden;
}
const open = (own: Golden): JsonTokenizer => loadTokenizer(own.tokenizer, { begin: '<|begin|>', end: '<|end|>' });

describe.each(goldens)('a tokenizer.json of the kind %s', (_, own) => {
  const tokenizer = open(own);

  it('gives the ids of Hugging Face tokenizers, special tokens as plain text', () => {
    for (const { text, ids } of own.probes) expect([text, tokenizer.encode(text)]).toEqual([text, ids]);
  });

  it('gives their ids where special tokens are read as such', () => {
    for (const { text, marked } of own.probes) expect([text, tokenizer.encodeMarked(text)]).toEqual([text, marked]);
  });

  it('gives their texts', () => {
    for (const { marked, decoded } of own.probes) expect(tokenizer.decode(marked)).toBe(decoded);
  });

  it('never makes a special token of a text', () => {
    const { '<unk>': _, ...markers } = tokenizer.specialTokens;
    const special = new Set(Object.values(markers));
    const piece = fc.oneof(fc.constantFrom(...Object.keys(tokenizer.specialTokens), '<', '|', '>', ' '), fc.string());
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(tokenizer.encode(pieces.join('')).filter((token) => special.has(token))).toEqual([]);
      }),
    );
  });
});

/** A text whose broken surrogates are replaced, as UTF-8 has it. */
const utf8 = (text: string): string => Buffer.from(text).toString();

describe('what is lossless', () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));

  it.each(['gpt2', 'llama3', 'smollm'])('byte-level BPE gives every text back (%s)', (name) => {
    const tokenizer = open(golden(`${name}.json`));
    fc.assert(
      fc.property(text, (own) => {
        expect(tokenizer.decode(tokenizer.encode(own))).toBe(utf8(own));
      }),
    );
  });

  it('BPE with bytes for what is unknown does too, but for the mark that stands for spaces', () => {
    const tokenizer = open(golden('llama2.json'));
    fc.assert(
      fc.property(text, (own) => {
        const plain = utf8(own.replaceAll('▁', ''));
        expect(tokenizer.decode(tokenizer.encode(plain))).toBe(plain);
      }),
    );
  });

  it('the ids of a text are the same the second time', () => {
    const tokenizer = open(golden('unigram.json'));
    fc.assert(
      fc.property(text, (own) => {
        expect(tokenizer.encode(own)).toEqual(tokenizer.encode(own));
      }),
    );
  });
});

describe('a unigram', () => {
  const model = {
    type: 'Unigram',
    unk_id: 0,
    vocab: [
      ['<unk>', 0],
      ['</s>', 0],
      ['a', -1],
      ['ab', -2.5],
      ['b', -1],
      ['<', -9],
    ] as [string, number][],
  };
  const special = (id: number, content: string): object => ({ id, content, special: true });
  const tokenizer = loadTokenizer({ model, added_tokens: [special(0, '<unk>'), special(1, '</s>')] });

  it('takes the likeliest way, and unknown neighbours as one', () => {
    expect(tokenizer.encode('abxyb')).toEqual([2, 4, 0, 4]);
  });

  it('does not take its own special pieces, which are the likeliest of all, from a text', () => {
    expect(tokenizer.encode('a</s>')).toEqual([2, 5, 0]);
    expect(tokenizer.encodeMarked('a</s>')).toEqual([2, 1]);
  });
});

describe('roles', () => {
  const own = golden('gpt2.json');

  it('name every token that ends an answer', () => {
    const roles = { end: '<|end|>', alsoEnd: ['<|sep|>', '<|end|>'], chatTemplate: 'x' };
    const { end, ends, specialTokens, chatTemplate } = loadTokenizer(own.tokenizer, roles);
    expect(ends).toEqual([end, specialTokens['<|sep|>']]);
    expect(chatTemplate).toBe('x');
  });

  it.each([{ end: '<|none|>' }, { alsoEnd: ['word'] }, { padding: 'word' }])('must be special tokens: %j', (roles) => {
    expect(() => loadTokenizer(own.tokenizer, roles)).toThrow(
      expect.objectContaining({ code: 'bad-tokenizer' }) as Error,
    );
  });
});

describe('what a text opens with', () => {
  const { tokenizer } = golden('gpt2.json');
  const { begin } = open(golden('gpt2.json'));
  const template = {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '<|begin|>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '<|end|>', type_id: 0 } },
    ],
    pair: [],
    special_tokens: { '<|begin|>': { id: '<|begin|>', ids: [begin], tokens: ['<|begin|>'] } },
  };
  const bare = { ...template, single: [{ Sequence: { id: 'A', type_id: 0 } }] };
  const bytes = { type: 'ByteLevel', trim_offsets: true };
  const opened = (post_processor: unknown, opensWithBegin?: boolean): JsonTokenizer =>
    loadTokenizer(
      { ...(tokenizer as object), post_processor },
      { begin: '<|begin|>', end: '<|end|>', ...(opensWithBegin !== undefined && { opensWithBegin }) },
    );

  it.each<[string, readonly unknown[], JsonTokenizer]>([
    ['nothing without a template', [], opened(null)],
    ['nothing by a step that puts none there', [], opened(bytes)],
    ['what its template says', [begin], opened(template)],
    ['what its template says, within a sequence', [begin], opened({ type: 'Sequence', processors: [bytes, template] })],
    ['what it is told without a template', [begin], opened(bytes, true)],
    ['what its template says, whatever it is told', [], opened(bare, true)],
    ['what its template says, whatever it is told not', [begin], opened(template, false)],
  ])('is %s', (_, wanted, own) => {
    expect(own.opensWith).toEqual(wanted);
    // The file carries it, for whoever reads it next.
    expect(loadTokenizer(own.json, { end: '<|end|>' }).opensWith).toEqual(wanted);
    expect(own.encode('a')).toEqual(opened(null).encode('a'));
  });

  it('is refused by a template that is none', () => {
    for (const wrong of [{ type: 'TemplateProcessing' }, { type: 'Sequence' }])
      expect(() => opened(wrong)).toThrow(expect.objectContaining({ code: 'bad-tokenizer' }) as Error);
  });

  it('is what begins, of a tokenizer that was trained', () => {
    const { opensWith, begin: own } = loadTokenizer(trainBpe([], { vocabularySize: 259 }));
    expect(opensWith).toEqual([own]);
  });
});

describe('a pipeline of unknown steps', () => {
  const content = {
    model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
    added_tokens: [{ id: 1, content: '</s>', special: true }],
  };

  it.each([
    [{ normalizer: { type: 'Magic' } }, 'Magic'],
    [{ pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Magic' }] } }, 'Magic'],
    [{ pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'Elsewhere' } }, 'Elsewhere'],
    [{ decoder: { type: 'Sequence' } }, 'decoders'],
    [{ normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } }, 'precompiled_charsmap'],
    [{ normalizer: { type: 'Prepend' } }, 'prepend'],
  ])('is refused: %j', (step, told) => {
    expect(() => loadTokenizer({ ...content, ...step })).toThrow(
      expect.objectContaining({ code: 'bad-tokenizer', message: expect.stringContaining(told) as string }) as Error,
    );
  });
});
