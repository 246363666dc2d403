import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { differentiate, graph, input, parameterInputs, reshape, type Symbolic } from '@user-llm/graph';
import type { LanguageModel } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { SafetensorsFile, Tensor, writeSafetensors } from '@user-llm/tensor';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createDecoder,
  languageModels,
  llama,
  loadLanguageModel,
  loadTokenizer,
  saveLanguageModel,
  trainBpe,
  type LlamaConfig,
  type LoadedLanguageModel,
} from '../src/index.js';
import { familyChecks } from '../src/testing/index.js';
import { difference, someTokens, tinyLlama } from './support.js';

const golden = (name: string): string => fileURLToPath(new URL(`goldens/${name}`, import.meta.url));
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error;
const numbers = (tensor: Tensor): Float64Array => tensor.cast('float64').contiguous().data as Float64Array;

let runtime: OnnxRuntime;
beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
});
afterAll(() => runtime.dispose());

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'user-llm-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Logits of a loaded model for tokens `[batch, token]`. */
async function logitsOf({ config, weights }: LoadedLanguageModel, tokens: Tensor): Promise<Float64Array> {
  const llm = llama.build(config as LlamaConfig);
  const { tree, named } = parameterInputs(llm.parameters);
  const ids = input('ids', 'int32', ['batch', 'token'], tokens.shape as [number, number]);
  const logits = llm.apply(tree as never, { tokens: ids });
  const program = await runtime.compile(graph([ids, ...Object.values(named)], { logits }), weights);
  const result = (await program.run({ ids: tokens }))['logits']!.readSync();
  await program.dispose();
  return numbers(result);
}

describe.each(['llama-tied', 'llama-untied'])('a checkpoint of Hugging Face (%s)', (name) => {
  const read = async (): Promise<Record<string, Tensor>> => {
    const file = await SafetensorsFile.open(join(golden(name), 'golden.safetensors'));
    const tensors = await Promise.all(file.names.map(async (key) => [key, (await file.read(key)) as Tensor] as const));
    await file.close();
    return Object.fromEntries(tensors);
  };

  /** Without the file of expectations, which is no part of the checkpoint. */
  const load = (): Promise<LoadedLanguageModel> => loadLanguageModel(golden(name));

  it("has transformers' logits, loss and every gradient", async () => {
    const { config, weights } = await load();
    const wanted = await read();
    const llm = llama.build(config as LlamaConfig);
    const { tree, named } = parameterInputs(llm.parameters);
    const ids = input('ids', 'int32', ['batch', 'token'], [3, 7]);
    const labels = input('labels', 'int32', ['row'], [21]);
    const hidden = llm.hidden(tree as never, { tokens: ids });
    const rows = reshape(hidden, ['row', 'modelWidth'], [21, 16]);
    const logits = llm.logits(tree as never, rows);
    const { gradients, loss, also } = differentiate(llm.loss(tree as never, rows, labels), named, { logits });
    const outputs = Object.fromEntries(
      Object.entries(gradients).map(([key, slope]) => [`gradient/${key}`, slope as Symbolic]),
    );
    const program = await runtime.compile(graph([ids, labels, ...Object.values(named)], { loss, ...also, ...outputs }));
    const results = await program.run({
      ...weights,
      ids: new Tensor('int32', ['batch', 'token'], [3, 7], wanted['ids']!.contiguous().data as Int32Array) as Tensor,
      labels: new Tensor('int32', ['row'], [21], wanted['labels']!.contiguous().data as Int32Array) as Tensor,
    });
    const keys = Object.keys(wanted).filter((key) => key === 'loss' || key === 'logits' || key.startsWith('gradient/'));
    expect(keys).toHaveLength(Object.keys(named).length + 2);
    for (const key of keys) {
      const size = Math.max(1, ...numbers(wanted[key]!).map(Math.abs));
      expect(difference(numbers(results[key]!.readSync()), numbers(wanted[key]!)) / size, key).toBeLessThan(5e-5);
    }
    await program.dispose();
  });

  it("goes on with transformers' greedy tokens", async () => {
    const { config, weights } = await load();
    const wanted = await read();
    const stepper = createDecoder({ llm: llama.build(config as LlamaConfig), weights, runtime });
    const prompts = wanted['ids']!.toNested() as number[][];
    const { slots, logits: first } = await stepper.prefill(prompts, { room: 16 });
    let logits = first;
    const told: number[][] = prompts.map(() => []);
    for (let step = 0; step < 9; step++) {
      const next = prompts.map((_, row) => {
        const own = logits.data.subarray(row * 48, (row + 1) * 48);
        return own.indexOf(Math.max(...own));
      });
      next.forEach((token, row) => told[row]!.push(token));
      if (step < 8) logits = await stepper.step(slots, next);
    }
    expect(told).toEqual(wanted['greedy']!.toNested());
    slots.dispose();
    await stepper.dispose();
  });

  it('is the same model after it was saved and loaded', async () => {
    const first = await load();
    const tokenizer = loadTokenizer(trainBpe([], { vocabularySize: 259 }));
    await saveLanguageModel(folder, first);
    const again = await loadLanguageModel(folder);
    expect(again.config).toEqual(first.config);
    for (const [key, tensor] of Object.entries(first.weights))
      expect(numbers(again.weights[key]!)).toEqual(numbers(tensor));
    expect(again.tokenizer).toBeUndefined();
    await saveLanguageModel(folder, { ...first, tokenizer });
    await expect(loadLanguageModel(folder)).rejects.toThrow(code('wrong-tokenizer'));
  });
});

describe('a family that is given', () => {
  const { checkpoints: _, ...plain } = llama;
  const own = { ...llama, name: 'own' };

  it('comes before the built-in ones, also where these are given with it', async () => {
    const families = [...languageModels, own];
    const { family, config, weights } = await loadLanguageModel(golden('llama-tied'), { families });
    expect(family).toBe('own');
    await saveLanguageModel(folder, { family, config, weights }, { families });
    expect((await loadLanguageModel(folder)).family).toBe('llama');
  });

  it('is no family of checkpoints where it does not say how they are read', async () => {
    const families = [{ ...plain, name: 'own' }];
    const { family, config, weights } = await loadLanguageModel(golden('llama-tied'), { families });
    expect(family).toBe('llama');
    const saved = saveLanguageModel(folder, { family: 'own', config, weights }, { families });
    await expect(saved).rejects.toThrow(code('no-checkpoints'));
    const names = (given: LanguageModel): string[] =>
      familyChecks({ family: given, config, runtime: () => Promise.resolve(runtime) }).map(({ name }) => name);
    expect(names(llama).filter((name) => !names(families[0]!).includes(name))).toEqual([
      'a saved model is the same when it is loaded, and when that is saved again',
      'a loaded config builds a model with the same numbers',
      'a checkpoint without one of its weights is refused',
    ]);
  });
});

describe('a model of our own', () => {
  it('takes its tokenizer with it', async () => {
    const special = { begin: '<s1>', end: '<s2>', padding: '<s0>', extra: ['<answer>'] };
    const tokenizer = loadTokenizer(
      trainBpe(['a text, a text'], { vocabularySize: 270, specialTokens: special }),
      special,
    );
    const { config, weights } = tinyLlama({ vocabularySize: 280 });
    await saveLanguageModel(folder, { family: 'llama', config, weights, tokenizer });
    const again = await loadLanguageModel(folder);
    expect(again.tokenizer).toMatchObject({ begin: 1, end: 2, padding: 0, vocabularySize: tokenizer.vocabularySize });
    expect(again.tokenizer!.specialTokens).toEqual(tokenizer.specialTokens);
    expect(again.tokenizer!.encode('a text')).toEqual(tokenizer.encode('a text'));
  });

  it('has its interleaved heads put in the order of Hugging Face', async () => {
    const { config, weights } = tinyLlama({ rotaryInterleaved: true, attentionBias: true, headSize: 6 });
    const tokens = new Tensor('int32', ['batch', 'token'], [2, 9], Int32Array.from(someTokens(18))) as Tensor;
    await saveLanguageModel(folder, { family: 'llama', config, weights });
    const again = await loadLanguageModel(folder);
    expect((again.config as LlamaConfig).rotaryInterleaved).toBe(false);
    const before = await logitsOf(
      { family: 'llama', config, weights: weights as LoadedLanguageModel['weights'] },
      tokens,
    );
    expect(difference(await logitsOf(again, tokens), before)).toBeLessThan(1e-5);
  });
});

describe('a bad checkpoint', () => {
  const change = async (changes: Record<string, unknown>): Promise<void> => {
    const json = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...json, ...changes }));
  };
  beforeEach(() => cp(golden('llama-untied'), folder, { recursive: true }));

  it.each<[string, string, () => Promise<unknown>]>([
    ['unknown-architecture', 'of another architecture', () => change({ architectures: ['MambaForCausalLM'] })],
    ['unknown-architecture', 'of no architecture', () => change({ architectures: undefined, model_type: undefined })],
    ['bad-config', 'with positions of another kind', () => change({ rope_parameters: { rope_type: 'mrope' } })],
    [
      'bad-config',
      'with scaled positions that lack a number',
      () => change({ rope_parameters: undefined, rope_scaling: { type: 'linear' } }),
    ],
    [
      'bad-config',
      'with a factor that is none',
      () => change({ rope_parameters: { rope_type: 'linear', factor: 'x' } }),
    ],
    ['bad-config', 'with another activation', () => change({ hidden_act: 'gelu' })],
    ['bad-config', 'without a width', () => change({ hidden_size: undefined })],
    ['bad-config', 'with a width that is null', () => change({ hidden_size: null })],
    ['bad-config', 'with heads that do not go together', () => change({ num_key_value_heads: 3 })],
    ['bad-checkpoint', 'with a config that is cut short', () => writeFile(join(folder, 'config.json'), '{"vocab')],
    ['unreadable-file', 'without a config', () => rm(join(folder, 'config.json'))],
    ['shape-mismatch', 'of another vocabulary', () => change({ vocab_size: 47 })],
    ['missing-weight', 'with fewer layers than it says', () => change({ num_hidden_layers: 3 })],
    ['unknown-weight', 'with more layers than it says', () => change({ num_hidden_layers: 1 })],
    ['missing-shard', 'without one of its shards', () => rm(join(folder, 'model-00002-of-00002.safetensors'))],
    [
      'bad-safetensors',
      'with a shard that is cut short',
      async () => {
        const path = join(folder, 'model-00001-of-00002.safetensors');
        await writeFile(path, (await readFile(path)).subarray(0, -3));
      },
    ],
    [
      'unsupported-dtype',
      'with a weight in a format that is not read',
      async () => {
        const path = join(folder, 'model-00001-of-00002.safetensors');
        const bytes = await readFile(path);
        bytes.write('U16', bytes.lastIndexOf('"F16"') + 1);
        await writeFile(path, bytes);
      },
    ],
    ['bad-tokenizer', 'with a broken tokenizer', () => writeFile(join(folder, 'tokenizer.json'), '{"model": 1}')],
    [
      'pickled-weights',
      'that is pickled',
      async () => {
        await cp(join(folder, 'config.json'), join(folder, 'kept.json'));
        await rm(folder, { recursive: true });
        await cp(golden('llama-untied'), folder, { recursive: true, filter: (path) => !path.includes('safetensors') });
        await writeFile(join(folder, 'pytorch_model.bin'), 'pickle');
      },
    ],
  ])('is refused as %s: %s', async (wanted, _, spoil) => {
    await spoil();
    await expect(loadLanguageModel(folder)).rejects.toThrow(code(wanted));
  });

  it('is told by its model_type where it names no architectures', async () => {
    await change({ architectures: null, rope_theta: null });
    expect((await loadLanguageModel(folder)).family).toBe('llama');
    await change({ model_type: null });
    await expect(loadLanguageModel(folder)).rejects.toThrow(code('unknown-architecture'));
    await change({ model_type: 5 });
    await expect(loadLanguageModel(folder)).rejects.toThrow(/model_type: [^{]*$/);
  });

  it('is a folder without any', async () => {
    await mkdir(join(folder, 'empty'));
    await expect(loadLanguageModel(join(folder, 'empty'))).rejects.toThrow(code('unknown-format'));
    await mkdir(join(folder, 'other'));
    await writeFile(join(folder, 'other', 'model.onnx'), 'ONNX');
    await expect(loadLanguageModel(join(folder, 'other'))).rejects.toThrow(/GGUF file or a folder with one/);
  });

  it('says which architectures are known', async () => {
    await change({ architectures: ['MambaForCausalLM'] });
    await expect(loadLanguageModel(folder)).rejects.toThrow(/LlamaForCausalLM.*MambaForCausalLM/);
  });

  it('is a file of no known kind, or none', async () => {
    await writeFile(join(folder, 'model.onnx'), 'ONNX');
    await expect(loadLanguageModel(join(folder, 'model.onnx'))).rejects.toThrow(code('unknown-format'));
    await expect(loadLanguageModel(join(folder, 'nothing'))).rejects.toThrow(code('unreadable-file'));
  });

  it.each<[string, readonly number[]]>([
    ['model.pt', []],
    ['model.ckpt', [1, 2, 3]],
    ['pytorch_model.bin', [0x50, 0x4b, 3, 4]],
    ['pytorch_model.bin', [0x80, 2, 0x7d, 0x71]],
  ])('is a pickle: %s %o', async (name, bytes) => {
    await writeFile(join(folder, name), Uint8Array.from(bytes));
    await expect(loadLanguageModel(join(folder, name))).rejects.toThrow(code('pickled-weights'));
  });

  it('is not saved under a family that is not known, or without a weight', async () => {
    const { config, weights } = tinyLlama();
    await expect(saveLanguageModel(folder, { family: 'mamba', config, weights })).rejects.toThrow(
      code('unknown-family'),
    );
    const { 'model.norm.weight': _, ...rest } = weights;
    await expect(saveLanguageModel(folder, { family: 'llama', config, weights: rest })).rejects.toThrow(
      code('missing-weight'),
    );
  });

  it('may hold a head beside a tied table, and tables of rotary angles', async () => {
    const { config, weights } = tinyLlama({ tiedEmbedding: true });
    await saveLanguageModel(join(folder, 'tied'), { family: 'llama', config, weights });
    const more = {
      ...weights,
      'lm_head.weight': weights['model.embed_tokens.weight']!,
      'model.layers.0.self_attn.rotary_emb.inv_freq': new Tensor('float32', ['pair'], [2]) as Tensor,
    };
    await writeSafetensors(join(folder, 'tied', 'model.safetensors'), Object.entries(more));
    expect(Object.keys((await loadLanguageModel(join(folder, 'tied'))).weights)).toEqual(Object.keys(weights));
  });
});

describe('a checkpoint of llama2.c', () => {
  const { config, weights } = tinyLlama({ rotaryInterleaved: true, maximumTokens: 12 });
  const order = [
    'input_layernorm',
    'self_attn.q_proj',
    'self_attn.k_proj',
    'self_attn.v_proj',
    'self_attn.o_proj',
    'post_attention_layernorm',
    'mlp.gate_proj',
    'mlp.down_proj',
    'mlp.up_proj',
  ];

  function written(vocabulary: number, head: readonly number[] = []): Uint8Array {
    const values = (name: string): number[] => Array.from(weights[name]!.contiguous().data as Float32Array);
    const layers = order.flatMap((own) => [0, 1].flatMap((layer) => values(`model.layers.${layer}.${own}.weight`)));
    const tables = Array<number>(12 * 4).fill(9);
    const all = [...values('model.embed_tokens.weight'), ...layers, ...values('model.norm.weight'), ...tables, ...head];
    const sizes = Int32Array.from([16, 24, 2, 4, 2, vocabulary, 12]);
    return Uint8Array.from([...new Uint8Array(sizes.buffer), ...new Uint8Array(Float32Array.from(all).buffer)]);
  }

  it('has the weights it was written with, its output layer tied or not', async () => {
    await writeFile(join(folder, 'model.bin'), written(40));
    const tied = await loadLanguageModel(join(folder, 'model.bin'));
    expect(tied.config).toMatchObject({ ...config, deviation: 0.02 });
    for (const [key, tensor] of Object.entries(weights)) expect(numbers(tied.weights[key]!)).toEqual(numbers(tensor));
    const head = Array.from({ length: 640 }, (_, at) => at);
    await writeFile(join(folder, 'model.bin'), written(-40, head));
    const untied = await loadLanguageModel(join(folder, 'model.bin'));
    expect(Array.from(numbers(untied.weights['lm_head.weight']!))).toEqual(head);
  });

  it.each<[string, string, Uint8Array]>([
    ['bad-checkpoint', 'shorter than its sizes', written(40).subarray(0, 20)],
    ['bad-checkpoint', 'cut short', written(40).subarray(0, -4)],
    ['bad-checkpoint', 'longer than its sizes say', written(41)],
    [
      'bad-checkpoint',
      'of sizes that make no sense',
      Uint8Array.from([...new Uint8Array(Int32Array.from([0, -1, 2, 3, 4, 5, 6]).buffer)]),
    ],
    [
      'bad-checkpoint',
      'of sizes beyond all memory',
      Uint8Array.from([...new Uint8Array(Int32Array.from([2 ** 30, 2 ** 30, 2 ** 30, 2, 2, 2 ** 30, 2 ** 30]).buffer)]),
    ],
    [
      'bad-checkpoint',
      'of one head beyond all memory',
      Uint8Array.from([...new Uint8Array(Int32Array.from([2 ** 28, 16, 2, 1, 1, 40, 12]).buffer)]),
    ],
    [
      'bad-checkpoint',
      'of a later version',
      Uint8Array.from([0x32, 0x34, 0x6b, 0x61, 1, ...Array<number>(27).fill(0)]),
    ],
  ])('is refused as %s: %s', async (wanted, _, bytes) => {
    await writeFile(join(folder, 'model.bin'), bytes);
    await expect(loadLanguageModel(join(folder, 'model.bin'))).rejects.toThrow(code(wanted));
  });

  it('may be longer than can be read at once', async () => {
    await writeFile(join(folder, 'model.bin'), written(40));
    // No more than a length to the file system.
    await truncate(join(folder, 'model.bin'), 2_300_000_000);
    await expect(loadLanguageModel(join(folder, 'model.bin'))).rejects.toThrow(/got 2300000000/);
  });

  it('has the tokenizer that lies beside it', async () => {
    await writeFile(join(folder, 'model.bin'), written(40));
    await cp(join(golden('sentencepiece'), 'plain.model'), join(folder, 'tok.model'));
    await expect(loadLanguageModel(join(folder, 'model.bin'))).rejects.toThrow(code('wrong-tokenizer'));
  });
});
