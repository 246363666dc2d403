import { add, graph, input, multiply, parameterInputs, symbol, type Float, type Symbolic } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, Tensor } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDecoder,
  rankTitles,
  scoreChoices,
  scoreTitles,
  TitleTrie,
  type DecoderContext,
  type DecodeStepper,
  type TokenizedTitle,
} from '../src/index.js';
import { someTokens, tinyLlama } from './support.js';

const end = 2;
const { llm, weights } = tinyLlama({ headSize: 8 });

/** Titles that share beginnings, some of them whole: random walks, and a title that starts another. */
const titles: TokenizedTitle[] = Array.from({ length: 40 }, (_, at) => ({
  item: `item${at}`,
  tokens: [3 + (at % 3), ...someTokens(1 + (at % 5), `title${at % 31}`, 7).map((token) => token + 10)],
}));
titles.push({ item: 'start', tokens: titles[4]!.tokens.slice(0, 2) }, { item: 'short', tokens: [4] });
const trie = new TitleTrie(titles, end);
const prompts = [someTokens(6, 'p'), someTokens(2, 'q'), someTokens(9, 'r')];

const context: DecoderContext = {
  inputs: (batch) => ({ vector: input('vector', 'float32', ['batch', 'modelWidth'], [batch, 16]) }),
  hooks: (_, { vector }) => ({
    afterSelfAttention: (hidden, layer) =>
      add(hidden, multiply(vector as Float<readonly ['batch', 'modelWidth']>, layer + 0.5)),
  }),
};
const vectors = new Tensor('float32', ['batch', 'modelWidth'], [3, 16], Random.fromSeed(6).normal(48)) as Tensor;

let runtime: OnnxRuntime;
let decoder: DecodeStepper;
let exact: number[][];
beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  decoder = createDecoder({ llm, weights, runtime, context });
  exact = await Promise.all(prompts.map((prompt, row) => forced(prompt, row)));
});
afterAll(async () => {
  await decoder.dispose();
  await runtime.dispose();
});

/** Log-likelihoods of all titles behind a prompt, each read whole, without caches. */
async function forced(prompt: readonly number[], row: number): Promise<number[]> {
  const ids = input('tokens', 'int32', ['batch', 'token'], [1, symbol('token')]);
  const { tree, named } = parameterInputs(llm.parameters);
  const vector = input('vector', 'float32', ['batch', 'modelWidth'], [1, 16]) as Symbolic;
  const logits = llm.apply(tree as never, { tokens: ids, hooks: context.hooks({} as never, { vector }) });
  const program = await runtime.compile(graph([ids, vector, ...Object.values(named)], { logits }), weights);
  const scores: number[] = [];
  for (const { tokens } of titles) {
    const text = [...prompt, ...tokens, end];
    const fed = new Tensor('int32', ['batch', 'token'], [1, text.length], Int32Array.from(text)) as Tensor;
    const results = await program.run({ tokens: fed, vector: vectors.slice('batch', row, row + 1) });
    const data = results['logits']!.readSync().data as Float32Array;
    let score = 0;
    for (let at = prompt.length; at < text.length; at++) {
      const own = data.subarray((at - 1) * 40, at * 40);
      score += own[text[at]!]! - Math.log(own.reduce((sum, logit) => sum + Math.exp(logit), 0));
    }
    scores.push(score);
  }
  await program.dispose();
  return scores;
}

/** The exact ranking: items by likelihood, of equal ones the earlier. */
function ranking(
  row: number,
  k: number,
  exclude: ReadonlySet<string> = new Set(),
): { item: string; logLikelihood: number }[] {
  return exact[row]!.map((logLikelihood, at) => ({ item: titles[at]!.item, logLikelihood, at }))
    .filter(({ item }) => !exclude.has(item))
    .sort((a, b) =>
      Math.abs(b.logLikelihood - a.logLikelihood) < 1e-4 ? a.at - b.at : b.logLikelihood - a.logLikelihood,
    )
    .slice(0, k)
    .map(({ item, logLikelihood }) => ({ item, logLikelihood }));
}

/** A stepper's own members, so that one of them can be replaced. */
const bound = (stepper: DecodeStepper): DecodeStepper => ({
  vocabularySize: stepper.vocabularySize,
  maximumTokens: stepper.maximumTokens,
  prefixTokens: stepper.prefixTokens,
  prefill: (...given) => stepper.prefill(...given),
  step: (...given) => stepper.step(...given),
  extend: (...given) => stepper.extend(...given),
  arrange: (...given) => stepper.arrange(...given),
  dispose: () => stepper.dispose(),
});

const inputs = (more: object = {}) => ({ stepper: decoder, prompts, context: { vector: vectors }, ...more });

describe('scores of titles', () => {
  it.each([3, 1, 2])('are those of each title read whole, %d prompts at once', async (promptsAtOnce) => {
    const scores = await scoreTitles(inputs({ promptsAtOnce }), trie);
    scores.forEach((own, row) => {
      own.forEach((score, at) => {
        expect(score).toBeCloseTo(exact[row]![at]!, 4);
      });
    });
  });

  it('are those of choices too', async () => {
    const picked = [4, 9, 40];
    const scores = await scoreChoices(
      inputs(),
      picked.map((at) => titles[at]!.tokens),
      end,
    );
    scores.forEach((own, row) => {
      picked.forEach((at, choice) => {
        expect(own[choice]).toBeCloseTo(exact[row]![at]!, 4);
      });
    });
  });

  it('add up to less than one, since other texts are possible too', async () => {
    const different = new TitleTrie(
      titles.filter((title, at) => titles.findIndex(({ tokens }) => tokens.join() === title.tokens.join()) === at),
      end,
    );
    for (const own of await scoreTitles(inputs(), different))
      expect(own.reduce((sum, score) => sum + Math.exp(score), 0)).toBeLessThan(1);
  });
});

describe('ranking', () => {
  it('is exact with a beam as wide as the catalogue', async () => {
    const ranked = await rankTitles(inputs(), trie, { k: titles.length, beamWidth: trie.nodes });
    ranked.forEach((own, row) => {
      const wanted = ranking(row, titles.length);
      expect(own.map(({ item }) => item)).toEqual(wanted.map(({ item }) => item));
      own.forEach(({ logLikelihood }, at) => {
        expect(logLikelihood).toBeCloseTo(wanted[at]!.logLikelihood, 4);
      });
    });
  });

  it('has true likelihoods with a narrow beam, and the same ones in groups of prompts', async () => {
    const ranked = await rankTitles(inputs(), trie, { k: 5, beamWidth: 4 });
    expect(await rankTitles(inputs({ promptsAtOnce: 2 }), trie, { k: 5, beamWidth: 4 })).toEqual(
      ranked.map((own) =>
        own.map(({ item, logLikelihood }) => ({ item, logLikelihood: expect.closeTo(logLikelihood, 4) as number })),
      ),
    );
    ranked.forEach((own, row) => {
      expect(own.length).toBeGreaterThan(0);
      for (const { item, logLikelihood } of own)
        expect(logLikelihood).toBeCloseTo(exact[row]![titles.findIndex((title) => title.item === item)]!, 4);
    });
  });

  it('constrained shares out all of the probability among the titles, and reads none further than it has to', async () => {
    const different = titles.filter(
      (title, at) => titles.findIndex(({ tokens }) => tokens.join() === title.tokens.join()) === at,
    );
    const own = new TitleTrie(different, end);
    let read = 0;
    const stepper: DecodeStepper = {
      ...bound(decoder),
      branch: (slots, step, ...rest) => {
        read += step.tokens.flat().length;
        return decoder.branch!(slots, step, ...rest);
      },
    };
    const found = await rankTitles(inputs({ stepper }), own, { k: 99, beamWidth: own.nodes, constrained: true });
    for (const ranked of found) {
      expect(ranked).toHaveLength(different.length);
      expect(ranked.reduce((sum, { logLikelihood }) => sum + Math.exp(logLikelihood), 0)).toBeCloseTo(1, 4);
      expect(ranked.map(({ logLikelihood }) => logLikelihood)).toEqual(
        ranked.map(({ logLikelihood }) => logLikelihood).sort((a, b) => b - a),
      );
    }
    const choosing = Array.from({ length: own.nodes }, (_, node) => node).filter(
      (node) => node > 0 && own.onlyLeaf(node) === undefined,
    );
    expect(read).toBe(prompts.length * choosing.length);
    const inner = Array.from({ length: own.nodes }, (_, node) => node).filter((node) => own.edges(node).length > 0);
    expect(choosing.length).toBeLessThan(0.6 * inner.length);
    // The likelihood of each, read whole.
    const free = await rankTitles(inputs(), own, { k: 99, beamWidth: own.nodes });
    free.forEach((each, row) => {
      const scores = new Map(found[row]!.map(({ item, logLikelihood }) => [item, logLikelihood]));
      for (const { item, logLikelihood } of each) expect(scores.get(item)!).toBeGreaterThan(logLikelihood);
    });
  });

  it('constrained shares nothing out anew among what is left when some is excluded', async () => {
    const options = { k: 99, beamWidth: trie.nodes, constrained: true };
    const all = await rankTitles(inputs(), trie, options);
    const gone = new Set(all[0]!.slice(0, 5).map(({ item }) => item));
    const rest = await rankTitles(inputs(), trie, { ...options, exclude: [gone, undefined, undefined] });
    expect(rest[0]!.map(({ item }) => item)).toEqual(
      all[0]!.filter(({ item }) => !gone.has(item)).map(({ item }) => item),
    );
    rest[0]!.forEach(({ logLikelihood }, at) => {
      expect(logLikelihood).toBeCloseTo(all[0]!.filter(({ item }) => !gone.has(item))[at]!.logLikelihood, 4);
    });
  });

  it('finds nothing that is excluded, and all of the rest', async () => {
    const exclude = [
      new Set(ranking(0, 7).map(({ item }) => item)),
      undefined,
      new Set([...titles.map(({ item }) => item), 'unknown']),
    ];
    const ranked = await rankTitles(inputs(), trie, { k: 10, beamWidth: trie.nodes, exclude });
    expect(ranked[0]!.map(({ item }) => item)).toEqual(ranking(0, 10, exclude[0]).map(({ item }) => item));
    expect(ranked[1]!.map(({ item }) => item)).toEqual(ranking(1, 10).map(({ item }) => item));
    expect(ranked[2]).toEqual([]);
  });

  it('gives items of one title one likelihood', async () => {
    const twins = new TitleTrie(
      [
        { item: 'b', tokens: [5, 6] },
        { item: 'a', tokens: [5, 6] },
        { item: 'c', tokens: [7] },
      ],
      end,
    );
    const [first] = await rankTitles(
      inputs({ prompts: [prompts[0]!], context: { vector: vectors.slice('batch', 0, 1) } }),
      twins,
      { k: 3 },
    );
    const [b, a] = first!.filter(({ item }) => item !== 'c');
    expect([b!.item, a!.item]).toEqual(['b', 'a']);
    expect(a!.logLikelihood).toBe(b!.logLikelihood);
  });

  it('takes many items of one title', () => {
    const many = new TitleTrie(
      Array.from({ length: 60_000 }, (_, at) => ({ item: `${at}`, tokens: [5, 6] })),
      end,
    );
    expect(many.nodes).toBe(4);
    expect(many.itemsAt(many.leaf(0))).toHaveLength(60_000);
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort();
    await expect(rankTitles(inputs({ signal }), trie, { k: 3 })).rejects.toThrow(
      expect.objectContaining({ code: 'aborted' }) as Error,
    );
  });
});

describe('bad input', () => {
  const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error;

  it.each([
    ['no titles', [], 'none'],
    [
      'an item twice',
      [
        { item: 'a', tokens: [3] },
        { item: 'a', tokens: [4] },
      ],
      'twice',
    ],
    ['a title with the end in it', [{ item: 'a', tokens: [3, end] }], 'the token 2'],
    ['an empty title', [{ item: 'a', tokens: [] }], 'no tokens'],
    ['what is no token', [{ item: 'a', tokens: [3, -1] }], 'the token -1'],
  ])('is refused by a trie: %s', (_, wrong, got) => {
    expect(() => new TitleTrie(wrong, end)).toThrow(got);
  });

  it.each([
    ['in a title', [5, 40, 6], end],
    ['that ends titles', [5], 40],
  ])('is refused: a token %s that the LLM does not have', async (_, tokens, last) => {
    const foreign = new TitleTrie(
      [
        { item: 'a', tokens: [3] },
        { item: 'b', tokens },
      ],
      last,
    );
    await expect(rankTitles(inputs(), foreign, { k: 1 })).rejects.toThrow('tokens below 40');
    await expect(scoreTitles(inputs(), foreign)).rejects.toThrow(code('bad-argument'));
  });

  it.each(['first', 'later'])('is refused: logits that are NaN, at the %s token', async (at) => {
    const broken: DecodeStepper = {
      ...decoder,
      prefill: async (...given) => {
        const read = await decoder.prefill(...given);
        if (at === 'first') read.logits.data.fill(NaN);
        return read;
      },
      branch: async (...given) => {
        const read = await decoder.branch!(...given);
        read.logProbabilities.data.fill(NaN);
        return read;
      },
    };
    const given = inputs({ stepper: broken });
    await expect(rankTitles(given, trie, { k: 3 })).rejects.toThrow(code('not-finite'));
    await expect(scoreTitles(given, trie)).rejects.toThrow(code('not-finite'));
  });

  it('is refused by the search', async () => {
    await expect(rankTitles(inputs(), trie, { k: 0 })).rejects.toThrow(code('bad-argument'));
    await expect(
      rankTitles(inputs({ prompts: [someTokens(46)], context: { vector: vectors.slice('batch', 0, 1) } }), trie, {
        k: 1,
      }),
    ).rejects.toThrow(code('too-many-tokens'));
    const { branch: _, ...rest } = { ...decoder, branch: undefined };
    await expect(rankTitles({ ...inputs(), stepper: rest as never }, trie, { k: 1 })).rejects.toThrow(
      code('no-branches'),
    );
  });
});
