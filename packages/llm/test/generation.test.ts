import * as fc from 'fast-check';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDecoder,
  generate,
  generateTexts,
  loadTokenizer,
  TextStream,
  trainBpe,
  type DecodeStepper,
  type GeneratedPiece,
  type GenerationOptions,
} from '../src/index.js';
import { chooseToken } from '../src/generation/choose-token.js';
import { StopWatch } from '../src/generation/text-stream.js';
import { someTokens, tinyLlama } from './support.js';

const corpus = ['abc abd abe 🎬🍿 xyz', 'abc abd abe 🎬🍿 xyz'];
const tokenizer = loadTokenizer(trainBpe(corpus, { vocabularySize: 290 }));
const { llm, weights } = tinyLlama({ vocabularySize: tokenizer.vocabularySize, maximumTokens: 40 });
const prompts = [[1, 70, 80], [1, 90, 91, 92, 93, 94], [1]];

let runtime: OnnxRuntime;
let stepper: DecodeStepper;
beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  stepper = createDecoder({ llm, weights, runtime });
});
afterAll(async () => {
  await stepper.dispose();
  await runtime.dispose();
});

async function pieces(options: GenerationOptions, own = prompts): Promise<GeneratedPiece[][]> {
  const rows: GeneratedPiece[][] = own.map(() => []);
  for await (const piece of generate({ stepper, tokenizer, prompts: own }, options)) rows[piece.row]!.push(piece);
  return rows;
}
const tokensOf = (rows: GeneratedPiece[][]): number[][] => rows.map((row) => row.map(({ token }) => token));

describe('generation', () => {
  it('is greedy at temperature 0: each token is the likeliest after the text so far', async () => {
    const rows = tokensOf(await pieces({ maximumTokens: 8 }));
    for (const [row, tokens] of rows.entries()) {
      for (let at = 0; at < tokens.length; at++) {
        const { logits, slots } = await stepper.prefill([[...prompts[row]!, ...tokens.slice(0, at)]]);
        slots.dispose();
        const best = logits.data.reduce((most, logit, token) => (logit > logits.data[most]! ? token : most), 0);
        expect(tokens[at]).toBe(best);
      }
    }
  });

  it('gives a row the same answer alone as among others, greedy or sampled', async () => {
    for (const options of [
      { maximumTokens: 9 },
      { maximumTokens: 9, temperature: 0.8, topK: 20, topP: 0.9, seed: 3 },
    ]) {
      const together = tokensOf(await pieces(options));
      const first = tokensOf(await pieces(options, [prompts[0]!]));
      expect(first[0]).toEqual(together[0]);
    }
  });

  it('draws the same from a seed, and something else from another', async () => {
    const options = { maximumTokens: 12, temperature: 1.5 };
    const once = tokensOf(await pieces({ ...options, seed: 1 }));
    expect(tokensOf(await pieces({ ...options, seed: 1 }))).toEqual(once);
    expect(tokensOf(await pieces({ ...options, seed: 2 }))).not.toEqual(once);
  });

  it('ends a row at the end token, at a stop, or when no more is allowed, and says which', async () => {
    const free = await pieces({ maximumTokens: 10 });
    for (const row of free) {
      expect(row.slice(0, -1).every(({ finish }) => finish === undefined)).toBe(true);
      expect(['end', 'length']).toContain(row.at(-1)!.finish);
    }
    const text = free[0]!.map(({ text: own }) => own).join('');
    const stop = text.slice(2, 4);
    const stopped = await pieces({ maximumTokens: 10, stop: ['never', stop] });
    expect(stopped[0]!.at(-1)!.finish).toBe('stop');
    expect(stopped[0]!.map(({ text: own }) => own).join('')).toBe(text.slice(0, text.indexOf(stop)));
    const end = tokensOf(free)[1]![2]!;
    const ending = { ...tokenizer, end, ends: [tokenizer.end, end] };
    const rows: GeneratedPiece[] = [];
    for await (const piece of generate({ stepper, tokenizer: ending, prompts: [prompts[1]!] }, { maximumTokens: 10 }))
      rows.push(piece);
    expect(rows.at(-1)).toMatchObject({ finish: 'end', token: end });
  });

  it('stops where the model has no more positions', async () => {
    const [row] = await pieces({ maximumTokens: 100 }, [[1, ...someTokens(35, 'long', 250).map((token) => token + 3)]]);
    expect(row!.length).toBeLessThanOrEqual(5);
    expect(row!.at(-1)!.finish).toBeDefined();
  });

  it('gives whole texts', async () => {
    const rows = await pieces({ maximumTokens: 6 });
    const texts = await generateTexts({ stepper, tokenizer, prompts }, { maximumTokens: 6 });
    expect(texts).toEqual(rows.map((row) => row.map(({ text }) => text).join('')));
  });

  it('ends when it is told to, and lets go when nobody listens any more', async () => {
    const controller = new AbortController();
    const run = generate(
      { stepper, tokenizer, prompts, signal: controller.signal },
      { maximumTokens: 20, temperature: 3 },
    );
    await run.next();
    controller.abort();
    await expect(
      (async () => {
        for await (const _ of run);
      })(),
    ).rejects.toThrow(expect.objectContaining({ code: 'aborted' }) as Error);
    for await (const piece of generate({ stepper, tokenizer, prompts }, { maximumTokens: 20 })) {
      expect(piece.row).toBe(0);
      break;
    }
  });

  it.each([
    { maximumTokens: 0 },
    { maximumTokens: 4, temperature: -1 },
    { maximumTokens: 4, topP: 0 },
    { maximumTokens: 4, stop: [''] },
    { maximumTokens: 4, surprise: 1 },
  ])('refuses options that do not fit: %j', async (options) => {
    await expect(pieces(options as GenerationOptions)).rejects.toThrow(
      expect.objectContaining({ code: 'bad-argument' }) as Error,
    );
  });

  it('refuses a prompt that does not fit', async () => {
    await expect(pieces({ maximumTokens: 4 }, [someTokens(41)])).rejects.toThrow(
      expect.objectContaining({ code: 'too-many-tokens' }) as Error,
    );
  });
});

describe('choosing a token', () => {
  const logits = () => Float32Array.from([1, 3, 2, 0, -1]);
  const plain = { temperature: 1, repetitionPenalty: 1 };
  const draws = (options: object, seen: number[] = []): number[] => {
    const random = Random.fromSeed(1).stream();
    const counts = [0, 0, 0, 0, 0];
    for (let time = 0; time < 4000; time++)
      counts[chooseToken(logits(), { ...plain, ...options } as never, seen, random)]!++;
    return counts.map((count) => count / 4000);
  };
  const softmax = (values: number[]): number[] => {
    const weights_ = values.map(Math.exp);
    return weights_.map((weight) => weight / weights_.reduce((a, b) => a + b));
  };

  it.each<[string, { seen?: number[]; [option: string]: unknown }, number[]]>([
    ['temperature 1', {}, [1, 3, 2, 0, -1]],
    ['temperature 2', { temperature: 2 }, [0.5, 1.5, 1, 0, -0.5]],
    ['top 2', { topK: 2 }, [-99, 3, 2, -99, -99]],
    ['top 0.8', { topP: 0.8 }, [-99, 3, 2, -99, -99]],
    ['top 0.5', { topP: 0.5 }, [-99, 3, -99, -99, -99]],
    ['penalty of what occurred', { repetitionPenalty: 2, seen: [1, 4] }, [1, 1.5, 2, 0, -2]],
  ])('follows the probabilities: %s', (_, { seen, ...options }, wanted) => {
    draws(options, seen).forEach((share, token) => {
      expect(Math.abs(share - softmax(wanted)[token]!)).toBeLessThan(0.03);
    });
  });
});

describe('choosing of tokens that are hard to tell apart', () => {
  const random = Random.fromSeed(1).stream();
  const choose = (logits: number[], options: object): number =>
    chooseToken(Float32Array.from(logits), { temperature: 0, repetitionPenalty: 1, ...options }, [], random);

  it.each([[[1, 3, 2]], [[-3, -1, -2]], [[0, 1e-3, -Infinity]]])(
    'takes the likeliest of %j at the smallest temperatures',
    (logits) => {
      for (const temperature of [1e-39, 1e-320])
        for (const more of [{}, { topK: 2 }, { topP: 0.9 }, { minP: 0.1 }])
          expect(choose(logits, { temperature, ...more })).toBe(1);
    },
  );

  it.each([
    ['NaN', [1, NaN, 2]],
    ['plus infinity', [1, Infinity, 2]],
    ['nothing that is finite', [-Infinity, -Infinity]],
  ])('refuses %s', (_, logits) => {
    for (const temperature of [0, 1, 0.5])
      expect(() => choose(logits, { temperature })).toThrow(expect.objectContaining({ code: 'not-finite' }) as Error);
  });
});

describe('text of tokens', () => {
  it('waits until a character is whole', () => {
    const stream = new TextStream(tokenizer);
    const bytes = [...new TextEncoder().encode('a🎬é')];
    const alphabet = tokenizer.json.model.vocab as Record<string, number>;
    const tokens = bytes.map((byte) => alphabet[loadByte(byte)]!);
    expect(tokens.map((token) => stream.push(token))).toEqual(['a', '', '', '', '🎬', '', 'é']);
    expect(stream.push(tokens[1]!)).toBe('');
    expect(stream.end()).toBe('\ufffd');
  });

  it('is what all of them are decoded to, whole or broken, with no more than three bytes held back', () => {
    const alphabet = tokenizer.json.model.vocab as Record<string, number>;
    const bytes = [0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x8e, 0xac, 0xff];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...bytes), { maxLength: 150 }), (drawn) => {
        const tokens = drawn.map((byte) => alphabet[loadByte(byte)]!);
        const stream = new TextStream(tokenizer);
        let told = '';
        tokens.forEach((token, at) => {
          told += stream.push(token);
          expect(tokenizer.decode(tokens.slice(0, at + 1)).length - told.length).toBeLessThanOrEqual(3);
        });
        expect(told + stream.end()).toBe(tokenizer.decode(tokens));
      }),
    );
  });

  it('does not look at all tokens again while nothing is whole', () => {
    let most = 0;
    const stream = new TextStream({
      decode: (tokens) => {
        most = Math.max(most, tokens.length);
        return tokenizer.decode(tokens);
      },
    });
    const broken = (tokenizer.json.model.vocab as Record<string, number>)[loadByte(0xff)]!;
    const told = Array.from({ length: 3000 }, () => stream.push(broken)).join('') + stream.end();
    expect(told).toBe('\ufffd'.repeat(3000));
    expect(most).toBeLessThan(50);
  });

  it('holds back what may be the start of a stop', () => {
    const watch = new StopWatch(['END', 'ENDE!']);
    expect(watch.push('the E')).toEqual({ text: 'the ', stopped: false });
    expect(watch.push('N')).toEqual({ text: '', stopped: false });
    expect(watch.push('TRY')).toEqual({ text: 'ENTRY', stopped: false });
    expect(watch.push(' EN')).toEqual({ text: ' ', stopped: false });
    expect(watch.end()).toBe('EN');
    expect(watch.push('D of')).toEqual({ text: '', stopped: true });
  });

  it('ends at the stop that is whole first, in whatever pieces the text comes', () => {
    const letters = (maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength });
    fc.assert(
      fc.property(fc.array(letters(3), { maxLength: 3 }), fc.array(letters(4)), (stops, pieces_) => {
        const text = pieces_.join('');
        const ends = stops.flatMap((stop) => (text.includes(stop) ? [text.indexOf(stop) + stop.length] : []));
        const end = Math.min(...ends);
        const longest = Math.max(
          ...stops.filter((stop) => text.slice(0, end).endsWith(stop)).map(({ length }) => length),
        );
        const watch = new StopWatch(stops);
        let told = '';
        const stopped = pieces_.some((piece) => {
          const next = watch.push(piece);
          told += next.text;
          return next.stopped;
        });
        expect(stopped).toBe(ends.length > 0);
        expect(stopped ? told : told + watch.end()).toBe(stopped ? text.slice(0, end - longest) : text);
      }),
    );
  });
});

/** The character of a byte in a byte-level vocabulary. */
function loadByte(byte: number): string {
  const special = [...Array(256).keys()].filter((at) => at < 33 || (at > 126 && at < 161) || at === 173);
  const moved = special.indexOf(byte);
  return String.fromCharCode(moved === -1 ? byte : 256 + moved);
}
