import { mkdtempSync, readFileSync } from 'node:fs';
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flattenParameters } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { SafetensorsFile, type Tensor } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDecoder, loadLanguageModel, loadTokenizer, QuantizedMatrix, trainBpe } from '../src/index.js';
import { familyNamed } from '../src/families/known-families.js';
import { GgufFile } from '../src/gguf/gguf-file.js';
import { GgufBytes, type GgufField } from './gguf-bytes.js';
import { realModel } from './models.js';
import { difference } from './support.js';

const golden = (name: string): string => fileURLToPath(new URL(`goldens/gguf/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'user-llm-gguf-'));
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted });
const lengthOf = (bytes: number): Uint8Array => new Uint8Array(BigUint64Array.of(BigInt(bytes)).buffer);
let runtime: OnnxRuntime;

beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
});
afterAll(async () => {
  await runtime.dispose();
  await rm(folder, { recursive: true });
});

describe('every kind of tensor', () => {
  it('is what the reference makes of it, as floats to the bit', async () => {
    const file = await GgufFile.open(golden('kinds.gguf'));
    const wanted = await SafetensorsFile.open(golden('kinds.safetensors'));
    expect(wanted.names.length).toBe(9);
    for (const name of wanted.names) {
      const { data } = await wanted.read(name, { dtype: 'float32' });
      expect(difference((await file.read(name)).data, data), name).toBe(0);
      const stored = await file.readStored(name);
      const again = stored instanceof QuantizedMatrix ? stored.dequantize(['row', 'column']) : (stored as Tensor);
      // Scale and minimum are put together otherwise there.
      expect(difference(again.data as Float32Array, data), name).toBeLessThan(1e-6);
      expect(stored instanceof QuantizedMatrix, name).toBe(name.startsWith('Q'));
    }
    await file.close();
    await wanted.close();
  });
});

describe('a file of each architecture', () => {
  const names = ['llama', 'qwen2', 'qwen3', 'phi3', 'gemma2', 'gemma3', 'gpt2'];
  it.each([...names, 'phi3-partial', 'phi3-longrope', 'qwen2-yarn'])(
    'has the logits of transformers: %s',
    async (name) => {
      const { family, config, weights } = await loadLanguageModel(golden(`${name}.gguf`));
      const wanted = await SafetensorsFile.open(golden(`${name}.safetensors`));
      const tokens = [...(await wanted.read('tokens', { dtype: 'int32' })).data];
      const { data, shape } = await wanted.read('logits', { dtype: 'float32' });
      await wanted.close();
      const llm = familyNamed(family).build(config);
      expect(Object.keys(weights)).toEqual([...flattenParameters(llm.parameters).keys()]);
      const stepper = createDecoder({ llm, weights, runtime });
      const prompts = tokens.map((_, at) => tokens.slice(0, at + 1));
      const { logits, slots } = await stepper.prefill(prompts);
      expect(logits.shape).toEqual(shape);
      expect(difference(logits.data, data)).toBeLessThan(1e-4);
      slots.dispose();
      await stepper.dispose();
    },
  );
});

describe('rotary positions', () => {
  /** The config of a golden with further metadata, as config.json would say it of this family. */
  async function configWith(name: string, fields: readonly GgufField[]): Promise<Readonly<Record<string, unknown>>> {
    const path = join(folder, 'rope.gguf');
    await writeFile(path, GgufBytes.withFields(await readFile(golden(`${name}.gguf`)), fields));
    return (await loadLanguageModel(path)).config as Readonly<Record<string, unknown>>;
  }
  /** The same from a config.json with this `rope_scaling`. */
  const scalingOf = (rope_scaling: object): unknown => {
    const sizes = { vocab_size: 64, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4 };
    const rest = { num_key_value_heads: 2, intermediate_size: 64, max_position_embeddings: 128 };
    const { checkpoints } = familyNamed('qwen2');
    return (checkpoints!.fromHuggingFace({ ...sizes, ...rest, rope_scaling }) as { rotaryScaling?: unknown })
      .rotaryScaling;
  };
  const scaling = (key: string, type: number, value: string | number): GgufField => [
    `qwen2.rope.scaling.${key}`,
    type,
    value,
  ];
  const yarn = [scaling('type', 8, 'yarn'), scaling('factor', 6, 4), scaling('original_context_length', 4, 32)];

  it.each<[string, readonly GgufField[], object]>([
    ['by a factor that stands alone', [scaling('factor', 6, 2)], { type: 'linear', factor: 2 }],
    ['by a factor of old files', [['qwen2.rope.scale_linear', 6, 2]], { type: 'linear', factor: 2 }],
    ['not, where the file says so', [scaling('type', 8, 'none'), scaling('factor', 6, 2)], { type: 'default' }],
    ['linearly', [scaling('type', 8, 'linear'), scaling('factor', 6, 2)], { type: 'linear', factor: 2 }],
    [
      'by YaRN with bounds of its own',
      [...yarn, scaling('yarn_beta_fast', 6, 16), scaling('yarn_beta_slow', 6, 2)],
      { type: 'yarn', factor: 4, original_max_position_embeddings: 32, beta_fast: 16, beta_slow: 2 },
    ],
  ])('are scaled as a Hugging Face folder says it: %s', async (_, fields, wanted) => {
    expect((await configWith('qwen2', fields))['rotaryScaling']).toEqual(scalingOf(wanted));
  });

  it('may have a base of their own in local layers of Gemma 3', async () => {
    expect(await configWith('gemma3', [['gemma3.rope.freq_base_swa', 6, 100]])).toMatchObject({ localRotaryBase: 100 });
    expect(await configWith('gemma3', [])).toMatchObject({ localRotaryBase: 10_000 });
  });

  it('may turn a share of each head', async () => {
    const { config } = await loadLanguageModel(golden('phi3-partial.gguf'));
    expect(config).toMatchObject({ rotaryShare: 0.5 });
  });

  it.each<[string, string, readonly GgufField[]]>([
    ['a share of heads where the family turns them whole', 'llama', [['llama.rope.dimension_count', 4, 4]]],
    ['a share above all', 'phi3', [['phi3.rope.dimension_count', 4, 16]]],
    ['YaRN without a factor', 'qwen2', [yarn[0]!, yarn[2]!]],
    ['YaRN without what was trained', 'qwen2', yarn.slice(0, 2)],
    ['a kind that is not known', 'qwen2', [scaling('type', 8, 'mrope')]],
    ['factors by frequency that are missing', 'qwen2', [scaling('type', 8, 'longrope')]],
    ['another attention scale', 'qwen2', [...yarn, scaling('attn_factor', 6, 2)]],
    ['the attention scale of YaRN', 'qwen2', [...yarn, scaling('yarn_attn_factor', 6, 2)]],
    ['two scalings', 'phi3-longrope', [['phi3.rope.scaling.factor', 6, 2]]],
    ['a base for local layers where there are none', 'qwen2', [['qwen2.rope.freq_base_swa', 6, 100]]],
    ['sections', 'qwen2', [['qwen2.rope.dimension_sections', 4, 2]]],
  ])('are refused with %s', async (_, name, fields) => {
    await expect(configWith(name, fields)).rejects.toThrow(code('bad-config'));
  });

  it('are refused with factors for another number of pairs', async () => {
    const fields: GgufField[] = [['phi3.rope.dimension_count', 4, 4]];
    await expect(configWith('phi3-longrope', fields)).rejects.toThrow(code('bad-checkpoint'));
  });
});

describe('a bad file', () => {
  const tensor = (name: string, offset: number | bigint, sizes: readonly (number | bigint)[] = [32]) => ({
    name,
    sizes,
    kind: 0,
    offset,
  });
  const whole = { tensors: [tensor('a', 0), tensor('b', 128)], data: 256 };

  it.each<[string, string, Uint8Array]>([
    ['bad-checkpoint', 'of another beginning', GgufBytes.file({ ...whole, magic: 'GGML' })],
    ['bad-checkpoint', 'of an earlier version', GgufBytes.file({ ...whole, version: 1 })],
    ['bad-checkpoint', 'of the other byte order', GgufBytes.file({ ...whole, version: 3 << 24 })],
    ['bad-checkpoint', 'that is empty', new Uint8Array()],
    ['bad-checkpoint', 'cut within its header', GgufBytes.file(whole).subarray(0, 40)],
    ['bad-checkpoint', 'cut within its data', GgufBytes.file(whole).subarray(0, -40)],
    ['bad-checkpoint', 'with more tensors than bytes', GgufBytes.file({ ...whole, tensorCount: 2n ** 40n })],
    ['bad-checkpoint', 'with 2^63 tensors', GgufBytes.file({ ...whole, tensorCount: 2n ** 63n })],
    ['bad-checkpoint', 'with more metadata than bytes', GgufBytes.file({ ...whole, fieldCount: 2n ** 40n })],
    [
      'bad-checkpoint',
      'with a text beyond its end',
      Buffer.concat([
        GgufBytes.file({ fieldCount: 1n, data: 64 }).subarray(0, 24),
        new Uint8Array(BigUint64Array.of(2n ** 50n).buffer),
        new Uint8Array(64),
      ]),
    ],
    [
      'bad-checkpoint',
      'with one tensor over another',
      GgufBytes.file({ ...whole, tensors: [tensor('a', 0), tensor('b', 64)] }),
    ],
    [
      'bad-checkpoint',
      'with two tensors of one name',
      GgufBytes.file({ ...whole, tensors: [tensor('a', 0), tensor('a', 128)] }),
    ],
    ['bad-checkpoint', 'with a tensor beyond its end', GgufBytes.file({ ...whole, tensors: [tensor('a', 2n ** 45n)] })],
    ['bad-checkpoint', 'with a tensor of no rows', GgufBytes.file({ ...whole, tensors: [tensor('a', 0, [32, 0])] })],
    [
      'bad-checkpoint',
      'with a tensor beyond all memory',
      GgufBytes.file({ ...whole, tensors: [tensor('a', 0, [2n ** 31n, 2n ** 31n])] }),
    ],
    [
      'bad-checkpoint',
      'with half a block',
      GgufBytes.file({ ...whole, tensors: [{ ...tensor('a', 0, [48]), kind: 8 }] }),
    ],
    [
      'unsupported-quantization',
      'of a kind that is not read',
      GgufBytes.file({ ...whole, tensors: [{ ...tensor('a', 0), kind: 11 }] }),
    ],
    ['unknown-architecture', 'that tells none', GgufBytes.file(whole)],
    [
      'unknown-architecture',
      'of another architecture',
      GgufBytes.file({ ...whole, fields: [['general.architecture', 8, 'mamba']] }),
    ],
    [
      'bad-checkpoint',
      'whose metadata is incomplete',
      GgufBytes.file({ ...whole, fields: [['general.architecture', 8, 'llama']] }),
    ],
    [
      'bad-checkpoint',
      'that is one of several parts',
      GgufBytes.file({
        ...whole,
        fields: [
          ['general.architecture', 8, 'llama'],
          ['split.count', 4, 3],
        ],
      }),
    ],
  ])('is refused as %s: %s', async (wanted, _, bytes) => {
    const path = join(folder, 'bad.gguf');
    await writeFile(path, bytes);
    await expect(loadLanguageModel(path)).rejects.toThrow(code(wanted));
  });

  it.each<[string, string, string, number]>([
    ['bad-config', 'gemma2', 'gemma2.block_count', 50_000_000],
    ['bad-config', 'gemma3', 'gemma3.block_count', 2 ** 32 - 1],
    ['bad-checkpoint', 'llama', 'llama.attention.key_length', 2_000_000_000],
    ['bad-config', 'llama', 'llama.embedding_length', 2 ** 32 - 1],
  ])('is refused as %s before anything is made of its sizes: %s with a large %s', async (wanted, name, key, value) => {
    const path = join(folder, 'large.gguf');
    await writeFile(path, GgufBytes.withNumber(await readFile(golden(`${name}.gguf`)), key, value));
    await expect(loadLanguageModel(path)).rejects.toThrow(code(wanted));
  });

  it.each<[string, Uint8Array]>([
    ['a metadata key of 100 KB', Buffer.concat([GgufBytes.file({ fieldCount: 1n }), lengthOf(100_000)])],
    [
      'a text of 200 MB',
      Buffer.concat([
        GgufBytes.file({ fieldCount: 1n }),
        lengthOf(1),
        Uint8Array.of(97, 8, 0, 0, 0),
        lengthOf(200_000_000),
      ]),
    ],
  ])('is not read in full for %s', async (_, bytes) => {
    const path = join(folder, 'long.gguf');
    await writeFile(path, bytes);
    // No more than a length to the file system.
    await truncate(path, 300_000_000);
    await expect(loadLanguageModel(path)).rejects.toThrow(code('bad-checkpoint'));
    await rm(path);
  });

  it('says which architectures are known', async () => {
    const path = join(folder, 'mamba.gguf');
    await writeFile(path, GgufBytes.file({ ...whole, fields: [['general.architecture', 8, 'mamba']] }));
    await expect(loadLanguageModel(path)).rejects.toThrow(/llama.*gemma3.*mamba/);
  });
});

describe('a folder', () => {
  it('may hold one file, whose tokenizer is that beside it', async () => {
    const own = join(folder, 'one');
    await cp(golden('qwen2.gguf'), join(own, 'model.gguf'));
    expect((await loadLanguageModel(own)).tokenizer).toBeUndefined();
    const { json } = loadTokenizer(trainBpe(['a'], { vocabularySize: 300 }));
    await writeFile(join(own, 'tokenizer.json'), JSON.stringify(json));
    await expect(loadLanguageModel(own)).rejects.toThrow(code('wrong-tokenizer'));
    await cp(golden('qwen2.gguf'), join(own, 'other.gguf'));
    await expect(loadLanguageModel(own)).rejects.toThrow(code('unknown-format'));
  });
});

const smol = realModel('SmolLM2-135M-Instruct');

describe('SmolLM2', () => {
  interface Case {
    readonly prompt: string;
    readonly ids: readonly number[];
    readonly top5: readonly { readonly id: number; readonly logit: number }[];
    readonly greedy: readonly number[];
  }
  const cases = (): readonly Case[] =>
    (JSON.parse(readFileSync(join(smol.path, 'golden.json'), 'utf8')) as { cases: readonly Case[] }).cases;

  it.skipIf(smol.missing)(
    `is read from its folder and file: ids, logits and greedy tokens of transformers${smol.says}`,
    async () => {
      const { family, config, weights, tokenizer } = await loadLanguageModel(
        join(smol.path, 'SmolLM2-135M-Instruct.Q4_1.gguf'),
      );
      const all = cases();
      for (const { prompt, ids } of all) if (prompt !== '') expect(tokenizer!.encode(prompt)).toEqual(ids);
      const llm = familyNamed(family).build(config);
      const stepper = createDecoder({ llm, weights, runtime });
      const { ids, top5, greedy } = all[0]!;
      const first = await stepper.prefill([ids], { room: 64 });
      const largest = Math.max(...first.logits.data.map(Math.abs));
      for (const { id, logit } of top5) expect(Math.abs(first.logits.data[id]! - logit)).toBeLessThan(1e-4 * largest);
      let { logits } = first;
      const said: number[] = [];
      while (said.length < 8) {
        said.push(logits.data.indexOf(Math.max(...logits.data)));
        logits = await stepper.step(first.slots, said.slice(-1));
      }
      expect(said).toEqual(greedy.slice(0, 8));
      first.slots.dispose();
      await stepper.dispose();
    },
    240_000,
  );
});
