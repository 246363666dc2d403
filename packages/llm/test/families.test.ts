import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  differentiate,
  graph,
  input,
  parameterInputs,
  reshape,
  sum,
  square,
  type Runtime,
  type Float,
} from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { TfjsRuntime } from '@user-llm/runtime-tfjs';
import { SafetensorsFile, Tensor, writeSafetensors } from '@user-llm/tensor';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createDecoder,
  languageModels,
  loadLanguageModel,
  saveLanguageModel,
  type Branches,
  type LoadedLanguageModel,
} from '../src/index.js';
import { difference } from './support.js';

const goldens = fileURLToPath(new URL('goldens/families', import.meta.url));
const names = readdirSync(goldens).sort();

/** A model of long factors is the one that is built for more tokens than the short ones are for. */
const forMore: Readonly<Record<string, object>> = { 'phi3-longrope-long': { maximumTokens: 64 } };

async function load(name: string): Promise<LoadedLanguageModel> {
  const loaded = await loadLanguageModel(join(goldens, name));
  return { ...loaded, config: { ...(loaded.config as object), ...forMore[name] } };
}

const build = ({ family, config }: LoadedLanguageModel) =>
  languageModels.find(({ name }) => name === family)!.build(config);

async function golden(name: string): Promise<Record<string, Tensor>> {
  const file = await SafetensorsFile.open(join(goldens, name, 'golden.safetensors'));
  const tensors = await Promise.all(file.names.map(async (key) => [key, (await file.read(key)) as Tensor] as const));
  await file.close();
  return Object.fromEntries(tensors);
}

const numbers = (tensor: Tensor): Float64Array => tensor.cast('float64').contiguous().data as Float64Array;

/** The rows of a golden, each as long as it is. */
function rowsOf(wanted: Record<string, Tensor>): number[][] {
  const lengths = Array.from(numbers(wanted['lengths']!));
  return (wanted['ids']!.toNested() as number[][]).map((row, at) => row.slice(0, lengths[at]));
}

let onnx: OnnxRuntime;
let tfjs: TfjsRuntime;
beforeAll(async () => {
  onnx = await OnnxRuntime.create({ intraOpThreads: 1 });
  tfjs = await TfjsRuntime.create({ engine: 'wasm', threads: 1 });
});
afterAll(async () => {
  await onnx.dispose();
  await tfjs.dispose();
});

describe.each(names)('%s', { timeout: 60_000 }, (name) => {
  describe.each(['onnx', 'tfjs'])('on %s', (engine) => {
    const runtime = (): Runtime => (engine === 'onnx' ? onnx : tfjs);

    it("has transformers' logits, loss and gradient, rows of unequal lengths side by side", async () => {
      const loaded = await load(name);
      const wanted = await golden(name);
      const llm = build(loaded);
      const { tree, named } = parameterInputs(llm.parameters);
      const [batch, length] = wanted['ids']!.shape as [number, number];
      const ids = input('ids', 'int32', ['batch', 'token'], [batch, length]);
      const labels = input('labels', 'int32', ['row'], [batch * length]);
      const hidden = llm.hidden(tree as never, { tokens: ids });
      const rows = reshape(hidden, ['row', 'modelWidth'], [batch * length, llm.modelWidth]);
      const table = 'model.embed_tokens.weight';
      const { gradients, loss, also } = differentiate(
        llm.loss(tree as never, rows, labels),
        { [table]: named[table]! },
        { logits: llm.logits(tree as never, rows) },
      );
      const slope = sum(square(gradients[table] as Float<readonly ['vocabulary', 'modelWidth']>));
      const program = await runtime().compile(
        graph([ids, labels, ...Object.values(named)], { loss, slope, ...also }),
        loaded.weights,
      );
      const results = await program.run({
        ids: new Tensor(
          'int32',
          ['batch', 'token'],
          [batch, length],
          wanted['ids']!.contiguous().data as Int32Array,
        ) as Tensor,
        labels: new Tensor(
          'int32',
          ['row'],
          [batch * length],
          wanted['labels']!.contiguous().data as Int32Array,
        ) as Tensor,
      });
      const logits = numbers(await results['logits']!.read());
      rowsOf(wanted).forEach((row, at) => {
        const width = llm.vocabularySize;
        const [start, end] = [at * length * width, (at * length + row.length) * width];
        const own = numbers(wanted['logits']!).subarray(start, end);
        expect(difference(logits.subarray(start, end), own), `row ${at}`).toBeLessThan(1e-4);
      });
      expect(Number(numbers(await results['loss']!.read())[0])).toBeCloseTo(Number(numbers(wanted['loss']!)[0]), 4);
      const norm = Math.sqrt(Number(numbers(await results['slope']!.read())[0]));
      const expected = Number(numbers(wanted['embedding_gradient_norm']!)[0]);
      expect(Math.abs(norm / expected - 1)).toBeLessThan(1e-4);
      await program.dispose();
    });

    it("goes on with transformers' greedy tokens from caches, prompts of unequal lengths side by side", async () => {
      const loaded = await load(name);
      const wanted = await golden(name);
      const stepper = createDecoder({ llm: build(loaded), weights: loaded.weights, runtime: runtime() });
      const prompts = rowsOf(wanted);
      const greedy = wanted['greedy']!.toNested() as number[][];
      const { slots, logits: first } = await stepper.prefill(prompts, { room: 16 });
      let logits = first;
      const told: number[][] = prompts.map(() => []);
      while (told[0]!.length < greedy[0]!.length) {
        const next = prompts.map((_, row) => {
          const own = logits.data.subarray(row * stepper.vocabularySize, (row + 1) * stepper.vocabularySize);
          return own.indexOf(Math.max(...own));
        });
        next.forEach((token, row) => told[row]!.push(token));
        logits = await stepper.step(slots, next);
      }
      expect(told).toEqual(greedy);
      slots.dispose();
      await stepper.dispose();
    });

    it('reads the same tokens in branches', async () => {
      const loaded = await load(name);
      const wanted = await golden(name);
      const stepper = createDecoder({ llm: build(loaded), weights: loaded.weights, runtime: runtime() });
      const greedy = wanted['greedy']!.toNested() as number[][];
      const { slots } = await stepper.prefill(rowsOf(wanted), { room: 9 });
      let branches: Branches | undefined;
      for (let at = 0; at + 1 < greedy[0]!.length; at++) {
        // The second branch token of each step is another, which the next step does not continue.
        const parent = at === 0 ? -1 : 2 * at - 2;
        const tokens = greedy.map((row) => [row[at]!, 1]);
        const read = await stepper.branch!(slots, { tokens, parents: greedy.map(() => [parent, parent]) }, branches);
        branches = read.branches;
        greedy.forEach((row, slot) => {
          const start = 2 * slot * stepper.vocabularySize;
          const own = read.logProbabilities.data.subarray(start, start + stepper.vocabularySize);
          expect(own.indexOf(Math.max(...own))).toBe(row[at + 1]);
        });
      }
      branches?.dispose();
      slots.dispose();
      await stepper.dispose();
    });
  });

  it('is the same after it was saved and loaded, its config.json too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'user-llm-'));
    const first = await loadLanguageModel(join(goldens, name));
    await saveLanguageModel(folder, first);
    const again = await loadLanguageModel(folder);
    expect(again.family).toBe(first.family);
    expect(again.config).toEqual(first.config);
    expect(Object.keys(again.weights)).toEqual(Object.keys(first.weights));
    for (const [key, tensor] of Object.entries(first.weights))
      expect(numbers(again.weights[key]!)).toEqual(numbers(tensor));
    // Transformers takes no whole number where it wants a real one.
    const reals = async (place: string): Promise<string[]> => {
      const text = await readFile(join(place, 'config.json'), 'utf8');
      return [...text.matchAll(/^ {2}"(\w+)": \d+(\.|e)/gm)].map((match) => match[1]!);
    };
    const wanted = (await reals(join(goldens, name))).filter((key) => !/drop/.test(key));
    expect(await reals(folder)).toEqual(expect.arrayContaining(wanted));
    await rm(folder, { recursive: true });
  });

  it('has the same config as transformers 4 writes it', async () => {
    const json = JSON.parse(await readFile(join(goldens, name, 'config.json'), 'utf8')) as Json;
    const { checkpoints } = languageModels.find((family) => family.checkpoints!.modelType === json['model_type'])!;
    expect(checkpoints!.fromHuggingFace(asTransformers4(json))).toEqual(checkpoints!.fromHuggingFace(json));
  });
});

describe('checkpoints as they are found', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'user-llm-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('may be of a GPT-2 without its output layer, with masks beside the weights', async () => {
    const wanted = await load('gpt2');
    await cp(join(goldens, 'gpt2', 'config.json'), join(folder, 'config.json'));
    const file = await SafetensorsFile.open(join(goldens, 'gpt2', 'model.safetensors'));
    const tensors: [string, Tensor][] = [];
    for (const key of file.names) tensors.push([key.replace('transformer.', ''), await file.read(key)]);
    await file.close();
    tensors.push(['h.0.attn.bias', new Tensor('float32', ['row', 'column'], [32, 32]) as Tensor]);
    await writeSafetensors(join(folder, 'model.safetensors'), tensors);
    const loaded = await loadLanguageModel(folder);
    for (const [key, tensor] of Object.entries(wanted.weights))
      expect(numbers(loaded.weights[key]!)).toEqual(numbers(tensor));
  });

  it.each<[string, string, Json]>([
    [
      'gemma3',
      'scaled positions in local layers',
      { rope_parameters: { sliding_attention: { rope_type: 'linear', factor: 2 } } },
    ],
    ['gemma3', 'tokens that see later ones', { use_bidirectional_attention: true }],
    ['gemma2', 'another activation', { hidden_activation: 'gelu' }],
    ['gpt2', 'scores that are not divided', { scale_attn_weights: false }],
    ['gpt2', 'attention to another text', { add_cross_attention: true }],
    ['gpt2', 'an activation that is not known', { activation_function: 'tanh' }],
    ['qwen2-window', 'kinds of layers for another number of them', { layer_types: ['full_attention'] }],
    ['qwen2-window', 'local layers without a window', { sliding_window: null }],
    ['qwen3', 'another activation', { hidden_act: 'relu' }],
    ['mistral', 'a window of no tokens', { sliding_window: 0 }],
    ['llama-yarn', 'a factor below 1', { rope_parameters: { rope_type: 'yarn', factor: 0.5 } }],
    ['llama-llama3', 'bounds that are missing', { rope_parameters: { rope_type: 'llama3', factor: 8 } }],
    ['phi3-longrope-short', 'factors for other heads', { head_dim: 8 }],
    ['mistral-window', 'more layers than any model', { num_hidden_layers: 100_000_000 }],
    ['llama-linear', 'heads that are larger than any', { head_dim: 1_000_000_000 }],
    ['gpt2', 'a width above any', { n_embd: 2 ** 40 }],
    ['llama-linear', 'a share of heads where all of them is turned', { partial_rotary_factor: 0.5 }],
    ['phi3', 'a share of heads above all', { rope_parameters: { partial_rotary_factor: 2 } }],
    ['phi3', 'a share of heads that is odd', { partial_rotary_factor: 0.25, rope_parameters: null }],
  ])('are refused as bad-config: %s with %s', async (name, _, changes) => {
    const json = JSON.parse(await readFile(join(goldens, name, 'config.json'), 'utf8')) as Json;
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...json, ...changes }));
    await cp(join(goldens, name, 'model.safetensors'), join(folder, 'model.safetensors'));
    await expect(loadLanguageModel(folder)).rejects.toMatchObject({ code: 'bad-config' });
  });
});

describe('a config.json', () => {
  /** The config that a golden's config.json means after changes; `undefined` leaves a field out. */
  async function configWith(name: string, changes: Json): Promise<Json> {
    const json = JSON.parse(await readFile(join(goldens, name, 'config.json'), 'utf8')) as Json;
    const { checkpoints } = languageModels.find((family) => family.checkpoints!.modelType === json['model_type'])!;
    return checkpoints!.fromHuggingFace(JSON.parse(JSON.stringify({ ...json, ...changes }))) as Json;
  }

  it.each([
    ['llama-linear', 'rope_theta'],
    ['llama-linear', 'attention_bias'],
    ['llama-linear', 'mlp_bias'],
    ['llama-linear', 'hidden_act'],
    ['llama-linear', 'initializer_range'],
    ['llama-linear', 'tie_word_embeddings'],
    ['llama-linear', 'max_position_embeddings'],
    ['llama-linear', 'original_max_position_embeddings'],
    ['llama-linear', 'rope_parameters'],
    ['qwen2', 'use_sliding_window'],
    ['qwen2', 'max_window_layers'],
    ['phi3', 'partial_rotary_factor'],
    ['gemma2', 'hidden_activation'],
    ['gemma2', 'query_pre_attn_scalar'],
    ['gemma3', 'sliding_window_pattern'],
    ['gemma3', '_sliding_window_pattern'],
    ['gpt2', 'scale_attn_weights'],
    ['gpt2', 'n_inner'],
  ])('has a default for what is null, as for what is absent: %s, %s', async (name, field) => {
    expect(await configWith(name, { [field]: null })).toEqual(await configWith(name, { [field]: undefined }));
  });

  it('has defaults within its rotary positions too', async () => {
    const plain = { rope_type: 'default', rope_theta: 500 };
    const nulls = { ...plain, factor: null, original_max_position_embeddings: null, type: null };
    expect(await configWith('llama-linear', { rope_parameters: nulls })).toEqual(
      await configWith('llama-linear', { rope_parameters: plain }),
    );
  });

  it('may say something by null', async () => {
    const { attentionSoftCap, logitSoftCap, window } = await configWith('gemma2', {
      attn_logit_softcapping: null,
      final_logit_softcapping: null,
      sliding_window: null,
      layer_types: undefined,
    });
    expect([attentionSoftCap, logitSoftCap, window]).toEqual([undefined, undefined, undefined]);
    expect(await configWith('mistral', { num_key_value_heads: null, num_attention_heads: 4 })).toMatchObject({
      keyValueHeads: 4,
    });
  });

  it.each<[string, Json, Json]>([
    ['mistral', { sliding_window: undefined }, { window: 4096 }],
    ['mistral', { num_key_value_heads: undefined, num_attention_heads: 8 }, { keyValueHeads: 8 }],
    ['mistral', { max_position_embeddings: undefined }, { maximumTokens: 131_072 }],
    ['qwen2', { num_key_value_heads: undefined, num_attention_heads: 32, hidden_size: 64 }, { keyValueHeads: 32 }],
    ['qwen2', { max_position_embeddings: undefined }, { maximumTokens: 32_768 }],
    [
      'qwen2-window',
      { max_window_layers: undefined, layer_types: undefined, num_hidden_layers: 30 },
      { window: 4, localLayers: [28, 29] },
    ],
    ['qwen2-window', { sliding_window: undefined, layer_types: undefined }, { window: 4096, localLayers: [1] }],
    ['gemma2', { max_position_embeddings: undefined }, { maximumTokens: 8192 }],
    ['gemma3', { max_position_embeddings: undefined }, { maximumTokens: 131_072 }],
    ['phi3', { rms_norm_eps: undefined }, { normEpsilon: 1e-5 }],
    ['phi3', { max_position_embeddings: undefined }, { maximumTokens: 4096 }],
  ])('has the defaults of transformers for its family: %s without %o', async (name, changes, wanted) => {
    expect(await configWith(name, changes)).toMatchObject(wanted);
  });
});

type Json = Readonly<Record<string, unknown>>;

/** A config of transformers 5 as version 4 wrote it: `rope_theta`, `rope_scaling`, `torch_dtype`, no `layer_types`. */
function asTransformers4({ rope_parameters, layer_types, dtype, ...rest }: Json): Json {
  const byKind = rope_parameters as Readonly<Record<string, Json>> | undefined;
  const local = byKind?.['sliding_attention'];
  const { rope_theta, partial_rotary_factor, ...scaling } = (byKind?.['full_attention'] ??
    rope_parameters ??
    {}) as Json;
  const { original_max_position_embeddings: original } = scaling;
  const scaled = scaling['rope_type'] !== undefined && scaling['rope_type'] !== 'default';
  const kinds = (layer_types ?? []) as readonly string[];
  return {
    ...rest,
    torch_dtype: dtype,
    ...(rope_theta !== undefined && { rope_theta, rope_scaling: scaled ? scaling : null }),
    ...(partial_rotary_factor !== undefined && { partial_rotary_factor }),
    ...(original !== undefined &&
      scaling['rope_type'] === 'longrope' && { original_max_position_embeddings: original }),
    ...(local && {
      rope_local_base_freq: local['rope_theta'],
      sliding_window_pattern: kinds.indexOf('full_attention') + 1,
    }),
  };
}
