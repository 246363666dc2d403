import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { TfjsRuntime } from '@user-llm/runtime-tfjs';
import { Random, SafetensorsFile, Tensor, writeSafetensors } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  createDecoder,
  llama,
  loadLanguageModel,
  modelAgreement,
  QuantizedMatrix,
  quantizeLanguageModel,
  quantizeMatrix,
  saveLanguageModel,
  type LlamaConfig,
  type LoadedLanguageModel,
  type Weight,
} from '../src/index.js';
import { int8Matrix } from '../src/quantization/int8-matrix.js';
import { difference, someTokens, tinyLlama } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'user-llm-quantized-'));
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted });
let onnx: OnnxRuntime;

beforeAll(async () => {
  onnx = await OnnxRuntime.create({ intraOpThreads: 1 });
});
afterAll(async () => {
  await onnx.dispose();
  await rm(folder, { recursive: true });
});

/** A tiny Llama whose matrices are whole blocks. */
function tiny(given: Partial<LlamaConfig> = {}): LoadedLanguageModel {
  const { config, weights } = tinyLlama({ width: 32, feedForward: 64, headSize: 16, ...given });
  return { family: 'llama', config, weights: weights as Record<string, Tensor<'float32'>> };
}

const real = (model: LoadedLanguageModel<Weight>): Record<string, Weight> =>
  Object.fromEntries(
    Object.entries(model.weights).map(([name, weight]) => [
      name,
      weight instanceof QuantizedMatrix ? (weight.dequantize(['row', 'column']) as Tensor) : weight,
    ]),
  );

const random = (rows: number, columns: number): Tensor<'float32'> =>
  new Tensor('float32', ['row', 'column'], [rows, columns], Random.fromSeed(3).normal(rows * columns));

describe('a quantized matrix', () => {
  it.each([
    [8, 1 / 250],
    [4, 1 / 7],
  ] as const)('of %d bits is off by less than %d of the largest number of a block', (bits, most) => {
    const matrix = random(5, 96);
    const again = quantizeMatrix(matrix, bits).dequantize(['row', 'column']);
    for (let block = 0; block < 15; block++) {
      const numbers = matrix.data.subarray(32 * block, 32 * block + 32);
      const largest = Math.max(...numbers.map(Math.abs));
      expect(difference(numbers, again.data.subarray(32 * block, 32 * block + 32))).toBeLessThan(most * largest);
    }
  });

  it('keeps numbers that are multiples of a scale', () => {
    for (const [bits, lowest, steps] of [
      [4, -8, 16],
      [8, -127, 255],
    ] as const) {
      const numbers = Float32Array.from({ length: 64 }, (_, at) => 0.25 * (lowest + ((at * 7) % steps)));
      const matrix = new Tensor('float32', ['row', 'column'], [2, 32], numbers);
      numbers[0] = numbers[32] = 0.25 * lowest;
      expect(quantizeMatrix(matrix, bits).dequantize(['row', 'column']).data).toEqual(numbers);
    }
  });

  it('keeps zeros, and takes rows', () => {
    const matrix = new Tensor('float32', ['row', 'column'], [2, 32]);
    expect(difference(quantizeMatrix(matrix, 4).dequantize(['row', 'column']).data, matrix.data)).toBe(0);
    const whole = quantizeMatrix(random(4, 64), 4);
    const rows = whole.rows([3, 1]).dequantize(['row', 'column']).data;
    const all = whole.dequantize(['row', 'column']).data;
    expect([...rows]).toEqual([...all.subarray(192), ...all.subarray(64, 128)]);
  });

  it('is rewritten in 8 bits with a scale for each row', () => {
    const [rows, width] = [70, 64];
    const values = Random.fromSeed(5).normal(new Float32Array(rows * width));
    values.fill(0, 2 * width, 3 * width);
    const matrix = quantizeMatrix(new Tensor('float32', ['row', 'column'], [rows, width], values), 4);
    const wanted = matrix.dequantize(['row', 'column']).data;
    const { codes, scales } = int8Matrix(matrix);
    expect([codes.shape, scales.shape]).toEqual([[width, rows], [rows]]);
    for (let row = 0; row < rows; row++) {
      const own = wanted.subarray(row * width, (row + 1) * width);
      expect(scales.data[row]).toBeCloseTo(Math.max(...own.map(Math.abs)) / 127, 6);
      own.forEach((value, column) => {
        const got = scales.data[row]! * codes.data[column * rows + row]!;
        expect(Math.abs(got - value)).toBeLessThanOrEqual(0.5001 * scales.data[row]!);
      });
    }
  });

  it('must be whole', () => {
    expect(() => new QuantizedMatrix({ bits: 4, block: 32 }, 2, new Uint8Array(32), new Float32Array(3))).toThrow(
      code('bad-shape'),
    );
  });
});

describe('a quantized language model', () => {
  it('has the matrices that products read in few bits, whatever is tied, and the rest as it was', () => {
    const tied = quantizeLanguageModel(tiny(), 4);
    const few = Object.keys(tied.weights).filter((name) => tied.weights[name] instanceof QuantizedMatrix);
    expect(few).toContain('model.embed_tokens.weight');
    expect(few).toHaveLength(15);
    expect((tied.weights['model.embed_tokens.weight'] as QuantizedMatrix).bits).toBe(8);
    expect((tied.weights['model.layers.1.self_attn.q_proj.weight'] as QuantizedMatrix).bits).toBe(4);
    const untied = quantizeLanguageModel(tiny({ tiedEmbedding: false }), 4);
    expect(untied.weights['lm_head.weight']).toBeInstanceOf(QuantizedMatrix);
    expect(untied.weights['model.embed_tokens.weight']).toBeInstanceOf(Tensor);
    const narrow = quantizeLanguageModel(tiny({ feedForward: 40 }), 4);
    expect(narrow.weights['model.layers.0.mlp.down_proj.weight']).toBeInstanceOf(Tensor);
    expect(() => quantizeLanguageModel(tiny({ width: 16, feedForward: 24, headSize: 4 }), 4)).toThrow(
      code('bad-argument'),
    );
  });

  const ways = [{ accuracy: 'float32' }, { accuracy: 'int8' }, { accuracy: 'int8', compact: true }] as const;
  const cases = [4, 8].flatMap((bits) => ways.map((way) => [bits, way] as const));
  it.each(cases)('of %d bits decodes as its real numbers do, by products in %o', async (bits, way) => {
    const { accuracy } = way;
    const model = quantizeLanguageModel(tiny(), bits as 4 | 8);
    const llm = llama.build(model.config as LlamaConfig);
    const few = createDecoder({ llm, weights: model.weights, runtime: onnx, ...way });
    const all = createDecoder({ llm, weights: real(model), runtime: onnx });
    const prompts = [someTokens(5), someTokens(3, 'other')];
    const [a, b] = [await few.prefill(prompts), await all.prefill(prompts)];
    const most = accuracy === 'float32' ? 1e-4 : 0.08;
    const scale = Math.max(...b.logits.data.map(Math.abs));
    expect(difference(a.logits.data, b.logits.data)).toBeLessThan(most * scale);
    const [c, d] = [await few.step(a.slots, [7, 8]), await all.step(b.slots, [7, 8])];
    expect(difference(c.data, d.data)).toBeLessThan(most * scale);
    for (const { slots } of [a, b]) slots.dispose();
    await Promise.all([few.dispose(), all.dispose()]);
  });

  it.each([
    ['reads prompts by the second form, and steps and the output layer by blocks', {}, true],
    ['reads all by blocks where it is compact', { compact: true }, false],
    ['reads all by blocks where products are in float32', { accuracy: 'float32' }, false],
  ] as const)('%s', async (_, way, second) => {
    const compiled = vi.spyOn(onnx, 'compile');
    const model = quantizeLanguageModel(tiny(), 4);
    const decoder = createDecoder({
      llm: llama.build(model.config as LlamaConfig),
      weights: model.weights,
      runtime: onnx,
      ...way,
    });
    const { slots } = await decoder.prefill([someTokens(5)], { room: 20 });
    await decoder.step(slots, [3]);
    await decoder.extend(slots, [[4, 5]]);
    const read = compiled.mock.calls.map(([, frozen]) => Object.keys(frozen!));
    compiled.mockRestore();
    const forms = read.map((names) => names.filter((name) => name.endsWith('.int8')).length);
    const [blocks] = [read[1]!.filter((name) => name.endsWith('.codes')).length];
    // All but the output layer, which is read at last positions alone.
    expect(forms).toEqual(second ? [blocks - 1, 0, blocks - 1] : [0, 0, 0]);
    slots.dispose();
    await decoder.dispose();
  });

  it('reads by blocks where the runtime has no products of whole numbers', async () => {
    const runtime = Object.create(onnx, { integerProducts: { value: false } }) as OnnxRuntime;
    const compile = vi.fn(onnx.compile.bind(onnx));
    Object.defineProperty(runtime, 'compile', { value: compile });
    const model = quantizeLanguageModel(tiny(), 4);
    const decoder = createDecoder({ llm: llama.build(model.config as LlamaConfig), weights: model.weights, runtime });
    // As a value of the runtime is needed before, the rest is the real runtime's.
    Object.defineProperty(runtime, 'value', { value: onnx.value.bind(onnx) });
    const { slots } = await decoder.prefill([someTokens(5)], { room: 8 });
    expect(Object.keys(compile.mock.calls[0]![1]!).filter((name) => name.endsWith('.int8'))).toEqual([]);
    slots.dispose();
    await decoder.dispose();
  });

  it('is made of real numbers where a runtime has no products with codes', async () => {
    const model = quantizeLanguageModel(tiny(), 4);
    const llm = llama.build(model.config as LlamaConfig);
    const tfjs = await TfjsRuntime.create({ engine: 'wasm', threads: 1 });
    const few = createDecoder({ llm, weights: model.weights, runtime: tfjs });
    const all = createDecoder({ llm, weights: real(model), runtime: onnx });
    const prompts = [someTokens(5)];
    const [a, b] = [await few.prefill(prompts), await all.prefill(prompts)];
    expect(difference(a.logits.data, b.logits.data)).toBeLessThan(1e-4);
    for (const { slots } of [a, b]) slots.dispose();
    await Promise.all([few.dispose(), all.dispose()]);
  }, 60_000);

  it('reads each piece of a text behind what opens it', async () => {
    const model = tiny() as LoadedLanguageModel<Weight>;
    const agreement = (tokens: readonly number[], opensWith: readonly number[] = []) =>
      modelAgreement({ models: [model, model], tokens, opensWith, runtime: onnx });
    const tokens = someTokens(90);
    expect(await agreement(tokens, [1])).toMatchObject({ tokens: 90, greedy: 1 });
    const piece = tokens.slice(0, 20);
    expect(await agreement(piece, [1])).toEqual(await agreement([1, ...piece]));
  });

  it('agrees with itself, and less with one of fewer bits', async () => {
    const model = tiny();
    const tokens = someTokens(90);
    const agreement = (other: LoadedLanguageModel<Weight>, compact = true) =>
      modelAgreement({ models: [model as LoadedLanguageModel<Weight>, other], tokens, runtime: onnx, compact });
    const same = await agreement(model as LoadedLanguageModel<Weight>);
    expect(same).toMatchObject({ tokens: 88, greedy: 1 });
    expect(same.perplexity[0]).toBe(same.perplexity[1]);
    const [eight, four] = [
      await agreement(quantizeLanguageModel(model, 8)),
      await agreement(quantizeLanguageModel(model, 4)),
    ];
    expect(eight.greedy).toBeGreaterThan(0.9);
    expect(four.greedy).toBeLessThan(eight.greedy);
    const second = await agreement(quantizeLanguageModel(model, 8), false);
    expect(second.greedy).toBeGreaterThan(0.9);
    expect(second.perplexity[1]).not.toBe(eight.perplexity[1]);
    expect(Math.abs(Math.log(eight.perplexity[1] / eight.perplexity[0]))).toBeLessThan(0.02);
    await expect(
      modelAgreement({
        models: [model as LoadedLanguageModel<Weight>, model as LoadedLanguageModel<Weight>],
        tokens: [1],
        runtime: onnx,
      }),
    ).rejects.toThrow(code('bad-argument'));
  });
});

describe('a quantized folder', () => {
  const path = join(folder, 'model');
  const weightsFile = join(path, 'model.safetensors');

  it('gives back codes, or real numbers where they are asked for', async () => {
    const model = quantizeLanguageModel(tiny({ rotaryInterleaved: true }), 4);
    await saveLanguageModel(path, model);
    const stored = await loadLanguageModel(path, { weights: 'as-stored' });
    expect(stored.config).toMatchObject({ rotaryInterleaved: false });
    for (const [name, weight] of Object.entries(model.weights)) {
      const again = stored.weights[name]!;
      if (!(weight instanceof QuantizedMatrix)) expect(again).toBeInstanceOf(Tensor);
      else {
        expect((again as QuantizedMatrix).codes.data).toEqual(weight.codes.data);
        expect((again as QuantizedMatrix).scales.data).toEqual(weight.scales.data);
      }
    }
    const loaded = await loadLanguageModel(path);
    for (const [name, weight] of Object.entries(real(model)))
      expect(difference(loaded.weights[name]!.data, (weight as Tensor).data as Float32Array)).toBe(0);
  });

  it('says in its config what it is, and others are refused', async () => {
    const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config['quantization_config']).toEqual({ quant_method: 'user-llm-blocks' });
    await writeFile(
      join(path, 'config.json'),
      JSON.stringify({ ...config, quantization_config: { quant_method: 'gptq' } }),
    );
    await expect(loadLanguageModel(path)).rejects.toThrow(code('unsupported-quantization'));
    await writeFile(join(path, 'config.json'), JSON.stringify(config));
  });

  const name = 'model.layers.1.mlp.up_proj.weight';
  it.each<[string, string, (tensors: Map<string, Tensor>) => void]>([
    ['missing-weight', 'without scales', (tensors) => tensors.delete(`${name}.scales`)],
    [
      'missing-weight',
      'without a matrix',
      (tensors) => ['codes', 'scales'].forEach((kind) => tensors.delete(`${name}.${kind}`)),
    ],
    [
      'unknown-weight',
      'with another tensor',
      (tensors) => tensors.set('more', new Tensor('float32', ['a'], [1]) as Tensor),
    ],
    [
      'shape-mismatch',
      'with fewer rows',
      (tensors) => tensors.set(`${name}.codes`, new Tensor('uint8', ['a', 'b', 'c'], [63, 1, 16]) as Tensor),
    ],
    [
      'shape-mismatch',
      'with other blocks',
      (tensors) => tensors.set(`${name}.codes`, new Tensor('uint8', ['a', 'b', 'c'], [64, 1, 24]) as Tensor),
    ],
    [
      'shape-mismatch',
      'with other scales',
      (tensors) => tensors.set(`${name}.scales`, new Tensor('float32', ['a', 'b'], [64, 2]) as Tensor),
    ],
  ])('is refused as %s: %s', async (wanted, _, spoil) => {
    await saveLanguageModel(path, quantizeLanguageModel(tiny(), 4));
    const file = await SafetensorsFile.open(weightsFile);
    const tensors = new Map<string, Tensor>();
    for (const own of file.names) tensors.set(own, (await file.read(own)) as Tensor);
    await file.close();
    spoil(tensors);
    await writeSafetensors(weightsFile, tensors);
    await expect(loadLanguageModel(path)).rejects.toThrow(code(wanted));
  });
});
