import {
  add,
  constant,
  graph,
  input,
  matmulTransposed,
  mean,
  multiply,
  parameter,
  parameterInputs,
  symbol,
  type Float,
  type Graph,
  type Runtime,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import type { LanguageModelHooks, LanguageModelModule } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, Tensor, type UserLlmError } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { branchGraph } from '../src/decoding/decode-graphs.js';
import { createDecoder, type DecoderContext, type DecodeStepper } from '../src/index.js';
import { difference, someTokens, tinyLlama } from './support.js';

const prefixLength = 3;
const extraParameters = {
  down: { weight: parameter(['rank', 'modelWidth'], [2, 16], { kind: 'constant', value: 0 }) },
};
type Extra = SymbolicParameters<typeof extraParameters>;

/** Hooks of every kind, fed with a soft prompt and a vector per sequence. */
const context: DecoderContext = {
  parameters: extraParameters,
  inputs: (batch) => ({
    prompt: input('prompt', 'float32', ['batch', 'token', 'modelWidth'], [batch, prefixLength, 16]),
    vector: input('vector', 'float32', ['batch', 'modelWidth'], [batch, 16]),
  }),
  hooks: ((parameters: Extra, { prompt, vector }: Record<string, Symbolic>): LanguageModelHooks => ({
    prefix: prompt as Float<readonly ['batch', 'token', 'modelWidth']>,
    afterSelfAttention: (hidden, layer) =>
      add(hidden, multiply(vector as Float<readonly ['batch', 'modelWidth']>, layer + 1)),
    linear: (name, x, mapped) => {
      if (!name.endsWith('q_proj')) return mapped;
      const small = matmulTransposed(
        x as Float<readonly [...['batch', 'token'], 'modelWidth']>,
        parameters.down.weight,
      );
      return add(
        mapped as Float,
        mean(small as Float<readonly ['batch', 'token', 'rank']>, 'rank') as Float,
      ) as typeof mapped;
    },
  })) as DecoderContext['hooks'],
};
const contextWeights = {
  'down.weight': new Tensor('float32', ['rank', 'modelWidth'], [2, 16], Random.fromSeed(2).normal(32)) as Tensor,
};
const contextValues = (rows: number) => ({
  prompt: new Tensor(
    'float32',
    ['batch', 'token', 'modelWidth'],
    [rows, prefixLength, 16],
    Random.fromSeed(3).normal(rows * 48),
  ) as Tensor,
  vector: new Tensor('float32', ['batch', 'modelWidth'], [rows, 16], Random.fromSeed(5).normal(rows * 16)) as Tensor,
});

/** The runtime by its interface alone, as another engine is. */
const plain = (runtime: OnnxRuntime): Runtime => ({
  name: 'plain',
  value: (tensor) => runtime.value(tensor),
  compile: (program: Graph, frozen) => runtime.compile(program, frozen),
  compileTrainStep: (source, options) => runtime.compileTrainStep(source, options),
  dispose: () => undefined,
});

const slices = (tensor: Tensor): Float32Array[] => {
  const width = tensor.shape.at(-1)!;
  const data = tensor.data as Float32Array;
  return Array.from({ length: data.length / width }, (_, row) => data.subarray(row * width, (row + 1) * width));
};

let runtime: OnnxRuntime;
beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
});
afterAll(() => runtime.dispose());

describe.each([
  { name: 'in place', model: { headSize: 16 } },
  { name: 'heads of 4, interleaved', model: { rotaryInterleaved: true } },
  {
    name: 'in place, untied, biases',
    model: { headSize: 16, tiedEmbedding: false, attentionBias: true, keyValueHeads: 1 },
  },
  { name: 'a plain runtime', model: {}, other: true },
  { name: 'without branches', model: {}, branchless: true },
])('a decoder ($name)', ({ model, other, branchless }) => {
  describe.each([false, true])('with hooks: %s', (hooked) => {
    const built = tinyLlama(model);
    const { branch, ...rest } = built.llm;
    const llm: LanguageModelModule = branchless ? rest : { ...rest, branch: branch! };
    const { weights } = built;
    let decoder: DecodeStepper;
    const values = (rows: number) => (hooked ? { context: contextValues(rows) } : {});
    beforeAll(() => {
      decoder = createDecoder({
        llm,
        weights,
        runtime: other ? plain(runtime) : runtime,
        ...(hooked && { context, contextWeights }),
      });
    });
    afterAll(() => decoder.dispose());

    /** Logits at every place of one sequence, by `apply`. */
    async function whole(tokens: readonly number[], row = 0, rows = 1): Promise<Float32Array[]> {
      const ids = input('tokens', 'int32', ['batch', 'token'], [1, symbol('token')]);
      const { tree, named } = parameterInputs({ llm: llm.parameters, context: extraParameters });
      const all = contextValues(rows);
      const own = Object.fromEntries(
        Object.entries(all).map(([name, tensor]) => [name, constant(tensor.slice('batch', row, row + 1).copy())]),
      );
      const hooks = hooked ? { hooks: context.hooks(tree.context as never, own) } : {};
      const logits = llm.apply(tree.llm as never, { tokens: ids, ...hooks });
      const frozen = Object.fromEntries([
        ...Object.entries(weights).map(([name, tensor]) => [`llm.${name}`, tensor]),
        ...Object.entries(contextWeights).map(([name, tensor]) => [`context.${name}`, tensor]),
      ]) as Record<string, Tensor>;
      const program = await runtime.compile(graph([ids, ...Object.values(named)], { logits }), frozen);
      const fed = new Tensor('int32', ['batch', 'token'], [1, tokens.length], Int32Array.from(tokens)) as Tensor;
      const result = (await program.run({ tokens: fed }))['logits']!.readSync();
      await program.dispose();
      return slices(result);
    }

    it('gives what the whole text gives at once, prompts of unequal lengths, token by token', async () => {
      const texts = [someTokens(12, 'a'), someTokens(9, 'b'), someTokens(14, 'c')];
      const starts = [4, 1, 6];
      const { slots, logits } = await decoder.prefill(
        texts.map((text, row) => text.slice(0, starts[row])),
        { room: 24, ...values(3) },
      );
      const wanted = await Promise.all(texts.map((text, row) => whole(text, row, 3)));
      slices(logits).forEach((row, at) => {
        expect(difference(row, wanted[at]![starts[at]! - 1]!)).toBeLessThan(1e-5);
      });
      for (let taken = 0; taken < 8; taken++) {
        const next = await decoder.step(
          slots,
          texts.map((text, row) => text[starts[row]! + taken]!),
        );
        slices(next).forEach((row, at) => {
          expect(difference(row, wanted[at]![starts[at]! + taken]!)).toBeLessThan(1e-5);
        });
      }
      expect(slots.lengths.map((length) => length - decoder.prefixTokens)).toEqual([12, 9, 14]);
      slots.dispose();
    });

    it('puts logits into the memory of those that are given for it, where they are of one size', async () => {
      const texts = [someTokens(5, 'a'), someTokens(4, 'b')];
      const [one, other] = [
        await decoder.prefill(texts, { room: 12, ...values(2) }),
        await decoder.prefill(texts, { room: 12, ...values(2) }),
      ];
      const kept = await decoder.step(one.slots, [3, 4]);
      const wanted = [kept.copy(), await decoder.step(one.slots, [5, 6]), await decoder.extend(one.slots, [[7], [8]])];
      let reuse = other.logits;
      const next = [
        () => decoder.step(other.slots, [3, 4], { reuse }),
        () => decoder.step(other.slots, [5, 6], { reuse }),
        () => decoder.extend(other.slots, [[7], [8]], { reuse }),
      ];
      for (const [at, read] of next.entries()) {
        const logits = await read();
        expect(logits).toBe(reuse);
        expect(logits.data).toEqual(wanted[at]!.data);
        reuse = logits;
      }
      expect(kept.data).toEqual(wanted[0]!.data);
      const fewer = await decoder.arrange([{ slots: other.slots, rows: [1] }]);
      const before = reuse.copy();
      const last = await decoder.step(fewer, [9], { reuse });
      expect(last.shape).toEqual([1, llm.vocabularySize]);
      expect(reuse.data).toEqual(before.data);
      for (const slots of [one.slots, other.slots, fewer]) slots.dispose();
    });

    it('reads several tokens on, leaves idle slots as they are, and rearranges slots', async () => {
      const texts = [someTokens(12, 'a'), someTokens(9, 'b'), someTokens(14, 'c')];
      const wanted = await Promise.all(texts.map((text, row) => whole(text, row, 3)));
      const first = await decoder.prefill(
        texts.map((text) => text.slice(0, 3)),
        { room: 20, ...values(3) },
      );
      // Only the middle one goes on.
      await decoder.step(first.slots, [-1, texts[1]![3]!, -1]);
      const more = await decoder.extend(first.slots, [
        texts[0]!.slice(3, 8),
        texts[1]!.slice(4, 6),
        texts[2]!.slice(3, 4),
      ]);
      slices(more).forEach((row, at) => {
        expect(difference(row, wanted[at]![[7, 5, 3][at]!]!)).toBeLessThan(1e-5);
      });
      const again = await decoder.arrange([
        { slots: first.slots, rows: [2, 0] },
        { slots: first.slots, rows: [1, 0] },
        { slots: first.slots, rows: [2] },
      ]);
      first.slots.dispose();
      const order = [2, 0, 1, 0, 2];
      const read = [4, 8, 6, 8, 4];
      expect(again.lengths).toEqual(read.map((length) => length + decoder.prefixTokens));
      const next = await decoder.step(
        again,
        order.map((row, at) => texts[row]![read[at]!]!),
      );
      slices(next).forEach((row, at) => {
        expect(difference(row, wanted[order[at]!]![read[at]!]!)).toBeLessThan(1e-5);
      });
      again.dispose();
    });

    if (branchless) return;

    it('reads branches of one prompt as if each were a text of its own', async () => {
      const prompts = [someTokens(5, 'p'), someTokens(2, 'q')];
      const { slots } = await decoder.prefill(prompts, { room: 6 + decoder.prefixTokens, ...values(2) });
      const first = await decoder.branch!(slots, {
        tokens: [
          [7, 8, 9],
          [1, 2, 3],
        ],
        parents: [
          [-1, -1, 0],
          [-1, 0, 1],
        ],
      });
      const second = await decoder.branch!(
        slots,
        {
          tokens: [
            [11, 12],
            [13, 14],
          ],
          parents: [
            [1, 2],
            [2, -1],
          ],
        },
        first.branches,
      );
      const texts = [
        [
          [...prompts[0]!, 7],
          [...prompts[0]!, 8],
          [...prompts[0]!, 7, 9],
          [...prompts[0]!, 8, 11],
          [...prompts[0]!, 7, 9, 12],
        ],
        [
          [...prompts[1]!, 1],
          [...prompts[1]!, 1, 2],
          [...prompts[1]!, 1, 2, 3],
          [...prompts[1]!, 1, 2, 3, 13],
          [...prompts[1]!, 14],
        ],
      ];
      for (const [slot, own] of texts.entries()) {
        for (const [at, text] of own.entries()) {
          const wanted = (await whole(text, slot, 2)).at(-1)!;
          const log = Math.log(wanted.reduce((sum, logit) => sum + Math.exp(logit), 0));
          const got =
            at < 3
              ? slices(first.logProbabilities)[slot * 3 + at]!
              : slices(second.logProbabilities)[slot * 2 + at - 3]!;
          expect(
            difference(
              got,
              wanted.map((logit) => logit - log),
            ),
          ).toBeLessThan(2e-5);
        }
      }
      second.branches.dispose();
      // The slots are as they were.
      const next = [3, 4];
      const after = slices(await decoder.step(slots, next));
      for (const [slot, token] of next.entries()) {
        const wanted = (await whole([...prompts[slot]!, token], slot, 2)).at(-1)!;
        expect(difference(after[slot]!, wanted)).toBeLessThan(2e-5);
      }
      slots.dispose();
    });
  });
});

describe('the program for branches', () => {
  it('hands on keys and values of branch tokens alone, and copies none of a prompt', () => {
    const { inputs, outputs, nodes } = branchGraph(tinyLlama({ headSize: 16 }).llm, undefined);
    const prompt = Object.entries(inputs).flatMap(([name, tensor]) => (/^(keys|values)/.test(name) ? [tensor] : []));
    expect(prompt).toHaveLength(4);
    for (const { shape } of prompt) expect(`${shape[2]}`).toBe('place');
    for (const [name, { shape }] of Object.entries(outputs))
      if (name !== 'logProbabilities') expect(`${shape[2]}`, name).toBe('branch+token');
    const readers = nodes.filter((node) => node.inputs.some((tensor) => prompt.includes(tensor)));
    expect(readers.map(({ operator }) => operator.name)).toEqual(Array(4).fill('matmul'));
  });
});

describe('long prompts', () => {
  const { llm, weights } = tinyLlama({ headSize: 16 });

  it('are read block by block, as short ones are all at once', async () => {
    const compiled = vi.spyOn(runtime, 'compile');
    const decoder = createDecoder({ llm, weights, runtime });
    const prompt = someTokens(40);
    const few = await decoder.prefill([prompt, prompt], { room: 47 });
    // More than 2^21 scores: 1,100 prompts of 40 tokens, 48 places each.
    const many = await decoder.prefill(
      Array.from({ length: 1100 }, () => prompt),
      { room: 47 },
    );
    expect(compiled).toHaveBeenCalledTimes(2);
    compiled.mockRestore();
    const [one, other] = [slices(few.logits)[1]!, slices(many.logits)[1099]!];
    expect(difference(one, other)).toBeLessThan(1e-5);
    few.slots.dispose();
    many.slots.dispose();
    await decoder.dispose();
  });
});

describe('bad input', () => {
  const { llm, weights } = tinyLlama({ headSize: 16 });
  const code = (wanted: string) => expect.objectContaining({ code: wanted }) as UserLlmError;

  it('is refused before anything runs', async () => {
    const decoder = createDecoder({ llm, weights, runtime });
    await expect(decoder.prefill([someTokens(49)])).rejects.toThrow(code('too-many-tokens'));
    await expect(decoder.prefill([someTokens(5)], { room: 4 })).rejects.toThrow(code('too-many-tokens'));
    await expect(decoder.prefill([[]])).rejects.toThrow(code('bad-argument'));
    await expect(decoder.prefill([])).rejects.toThrow(code('bad-argument'));
    await expect(decoder.prefill([[40]])).rejects.toThrow(code('bad-argument'));
    await expect(decoder.prefill([[1]], { context: contextValues(1) })).rejects.toThrow(code('bad-argument'));
    const { slots } = await decoder.prefill([[1, 2], [3]], { room: 2 });
    await expect(decoder.step(slots, [1])).rejects.toThrow(code('bad-argument'));
    await expect(decoder.step(slots, [1, 1])).rejects.toThrow(code('too-many-tokens'));
    await decoder.step(slots, [-1, 1]);
    slots.dispose();
    await expect(decoder.step(slots, [-1, -1])).rejects.toThrow(code('disposed'));
    await decoder.dispose();
  });

  it('is a weight that is missing or of another shape', () => {
    const { 'model.norm.weight': norm, ...rest } = weights;
    expect(() => createDecoder({ llm, weights: rest, runtime })).toThrow(code('missing-weight'));
    const wrong = { ...rest, 'model.norm.weight': norm!.slice('modelWidth', 0, 8) };
    expect(() => createDecoder({ llm, weights: wrong, runtime })).toThrow(code('shape-mismatch'));
  });

  it('is a context that is missing or of another number of sequences', async () => {
    const decoder = createDecoder({ llm, weights, runtime, context, contextWeights });
    expect(decoder.prefixTokens).toBe(prefixLength);
    await expect(decoder.prefill([[1]])).rejects.toThrow(code('bad-argument'));
    await expect(decoder.prefill([[1], [2]], { context: contextValues(1) })).rejects.toThrow(code('shape-mismatch'));
    await decoder.dispose();
  });
});
