import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDecoder,
  generate,
  generateBeams,
  generateTexts,
  llama,
  loadLanguageModel,
  processLogits,
  rankTitles,
  TitleTrie,
  type BeamOptions,
  type DecodeStepper,
  type GenerationInputs,
  type LlamaConfig,
} from '../src/index.js';

interface Golden {
  readonly processed: readonly {
    readonly logits: readonly number[];
    readonly seen: readonly number[];
    readonly options: object;
    readonly processed: readonly (number | null)[];
  }[];
  readonly prompts: readonly (readonly number[])[];
  readonly beams: Readonly<
    Record<
      string,
      readonly {
        readonly options: BeamOptions & { readonly ends?: readonly number[] };
        readonly answers: readonly (readonly { readonly tokens: readonly number[]; readonly score: number }[])[];
      }[]
    >
  >;
}

const goldens = new URL('goldens/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('generation.json', goldens), 'utf8')) as Golden;

describe('logits', () => {
  it.each(golden.processed)('are processed as transformers does: $options', ({ logits, seen, options, processed }) => {
    const own = Float32Array.from(logits);
    processLogits(own, { temperature: 1, repetitionPenalty: 1, ...options }, seen);
    processed.forEach((expected, token) => {
      if (expected === null) expect(own[token]).toBe(-Infinity);
      else expect(own[token]).toBeCloseTo(expected, 4);
    });
  });

  it('keep all of the tokens that are equally likely', () => {
    const own = Float32Array.from([2, 1, 2, 2, 0]);
    processLogits(own, { temperature: 1, repetitionPenalty: 1, topK: 2 }, []);
    expect([...own]).toEqual([2, -Infinity, 2, 2, -Infinity]);
  });
});

const runtimes: { runtime?: OnnxRuntime; steppers: Record<string, DecodeStepper> } = { steppers: {} };
const stepper = (name: string): DecodeStepper => runtimes.steppers[name]!;
beforeAll(async () => {
  runtimes.runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  for (const name of Object.keys(golden.beams)) {
    const { config, weights } = await loadLanguageModel(fileURLToPath(new URL(name, goldens)));
    const llm = llama.build(config as LlamaConfig);
    runtimes.steppers[name] = createDecoder({ llm, weights, runtime: runtimes.runtime });
  }
});
afterAll(async () => {
  for (const own of Object.values(runtimes.steppers)) await own.dispose();
  await runtimes.runtime?.dispose();
});

const inputs = (name: string, ends: readonly number[] = [2], prompts = golden.prompts): GenerationInputs => ({
  stepper: stepper(name),
  tokenizer: { end: ends[0]!, ends, decode: (tokens) => tokens.join(' ') },
  prompts,
});

describe.each(Object.entries(golden.beams))('beam search on %s', (name, runs) => {
  it.each(runs)('finds what transformers finds: $options', async ({ options: { ends, ...options }, answers }) => {
    const found = await generateBeams(inputs(name, ends), options);
    found.forEach((own, row) => {
      expect(own.map(({ tokens }) => tokens)).toEqual(answers[row]!.map(({ tokens }) => tokens));
      own.forEach(({ score }, at) => {
        expect(score).toBeCloseTo(answers[row]![at]!.score, 4);
      });
    });
  });

  const ending = runs.filter(({ options }) => options.ends !== undefined);
  it.each(ending)('finds the same where texts end answers as tokens do: $options', async ({ options, answers }) => {
    const { ends = [], ...rest } = options;
    const decode = (tokens: readonly number[]): string => tokens.map((token) => `<${token}>`).join('');
    // As many ending tokens, though the LLM does not have them: so many candidates are kept.
    const tokenizer = { end: 2, ends: [2, ...ends.slice(1).map((_, at) => 1000 + at)], decode };
    const stop = ends.slice(1).map((token) => `<${token}>`);
    const found = await generateBeams({ ...inputs(name), tokenizer }, { ...rest, stop });
    found.forEach((own, row) => {
      expect(own.map(({ tokens }) => tokens)).toEqual(answers[row]!.map(({ tokens }) => tokens));
      for (const { tokens, text } of own)
        expect(text).toBe(decode(ends.includes(tokens.at(-1)!) ? tokens.slice(0, -1) : tokens));
    });
  });
});

describe('beam search', () => {
  const name = 'llama-tied';

  it('answers a prompt the same alone as among others', async () => {
    const options = { maximumTokens: 9, beams: 3, answers: 2 };
    const together = await generateBeams(inputs(name), options);
    for (const [row, prompt] of golden.prompts.entries()) {
      const [alone] = await generateBeams(inputs(name, [2], [prompt]), options);
      expect(alone!.map(({ tokens }) => tokens)).toEqual(together[row]!.map(({ tokens }) => tokens));
    }
  });

  it('is greedy with one beam', async () => {
    const [best] = (await generateBeams(inputs(name, [2], [[1, 9]]), { maximumTokens: 9, beams: 1 })).flat();
    const greedy: number[] = [];
    for await (const { token } of generate(inputs(name, [2], [[1, 9]]), { maximumTokens: 9 })) greedy.push(token);
    expect(best!.tokens).toEqual(greedy);
  });

  it('leaves the ending token out of texts', async () => {
    const ends = [2, 7, 11, 23, 5, 9];
    const options = { maximumTokens: 6, beams: 8, answers: 8, lengthPenalty: 0 };
    const answers = (await generateBeams(inputs(name, ends), options)).flat();
    const ended = answers.filter(({ tokens }) => ends.includes(tokens.at(-1)!));
    expect(ended.length).toBeGreaterThan(0);
    for (const { tokens, text } of ended) expect(text).toBe(tokens.slice(0, -1).join(' '));
  });

  it('stops at the positions that the model has', async () => {
    const long = Array.from({ length: 30 }, (_, at) => at + 3);
    const [answer] = (await generateBeams(inputs(name, [2], [long]), { maximumTokens: 50, beams: 2 })).flat();
    expect(answer!.tokens.length).toBeLessThanOrEqual(3);
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort();
    await expect(generateBeams({ ...inputs(name), signal }, { maximumTokens: 4 })).rejects.toThrow(
      expect.objectContaining({ code: 'aborted' }) as Error,
    );
  });

  it.each([
    { maximumTokens: 0 },
    { maximumTokens: 3, stop: [''] },
    { maximumTokens: 3, beams: 2, answers: 3 },
    { maximumTokens: 3, earlyStopping: 'often' },
  ])('refuses options that do not fit: %j', async (options) => {
    await expect(generateBeams(inputs(name), options as BeamOptions)).rejects.toThrow(
      expect.objectContaining({ code: 'bad-argument' }) as Error,
    );
  });
});

describe('titles alone', () => {
  const name = 'llama-tied';
  const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error;
  const titles = [[5, 6], [5, 6, 7], [5, 9], [11], [12, 13, 14, 15]].map((tokens, at) => ({ item: `i${at}`, tokens }));
  const trie = new TitleTrie(titles, 2);
  const known = new Set(titles.map(({ tokens }) => [...tokens, 2].join()));

  it.each([{}, { temperature: 3, seed: 4 }, { temperature: 1, topK: 2, topP: 0.9, minP: 0.1, seed: 5 }])(
    'come out of generation with %j',
    async (options) => {
      const answers = golden.prompts.map((): number[] => []);
      const finishes: unknown[] = [];
      for await (const { row, token, finish } of generate(
        { ...inputs(name), titles: trie },
        { maximumTokens: 9, ...options },
      )) {
        answers[row]!.push(token);
        if (finish) finishes.push(finish);
      }
      for (const tokens of answers) expect(known.has(tokens.join())).toBe(true);
      expect(finishes).toEqual(['end', 'end', 'end']);
    },
  );

  it('come out of beam search in the order of rankTitles', async () => {
    const beams = { maximumTokens: 9, beams: 5, answers: 5, lengthPenalty: 0, earlyStopping: 'never' } as const;
    const found = await generateBeams({ ...inputs(name), titles: trie }, beams);
    const ranked = await rankTitles({ stepper: stepper(name), prompts: golden.prompts }, trie, { k: 5 });
    found.forEach((own, row) => {
      const named = own.map(
        ({ tokens }) => titles.find((title) => [...title.tokens, 2].join() === tokens.join())!.item,
      );
      expect(named).toEqual(ranked[row]!.map(({ item }) => item));
      own.forEach(({ score }, at) => {
        expect(score).toBeCloseTo(ranked[row]![at]!.logLikelihood, 4);
      });
    });
  });

  it('are not cut by stop texts, nor made of tokens that the LLM does not have', async () => {
    const given = { ...inputs(name), titles: trie };
    const options = { maximumTokens: 9, stop: ['6'] };
    await expect(generateTexts(given, options)).rejects.toThrow(code('bad-argument'));
    await expect(generateBeams(given, options)).rejects.toThrow(code('bad-argument'));
    const foreign = { ...given, titles: new TitleTrie([{ item: 'a', tokens: [900] }], 2) };
    await expect(generateTexts(foreign, { maximumTokens: 9 })).rejects.toThrow(code('bad-argument'));
    await expect(generateBeams(foreign, { maximumTokens: 9 })).rejects.toThrow(code('bad-argument'));
  });

  it.each([undefined, trie])('do not come of logits that are NaN, nor do other answers: %#', async (titles) => {
    const whole = stepper(name);
    const broken: DecodeStepper = {
      ...whole,
      prefill: async (...given) => {
        const read = await whole.prefill(...given);
        read.logits.data.fill(NaN);
        return read;
      },
    };
    const given = { ...inputs(name), stepper: broken, ...(titles && { titles }) };
    await expect(generateTexts(given, { maximumTokens: 9 })).rejects.toThrow(code('not-finite'));
    await expect(generateTexts(given, { maximumTokens: 9, temperature: 1 })).rejects.toThrow(code('not-finite'));
    await expect(generateBeams(given, { maximumTokens: 9 })).rejects.toThrow(code('not-finite'));
  });
});
