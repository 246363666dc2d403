import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  llama,
  loadLanguageModel,
  loadTokenizer,
  QuantizedMatrix,
  sampleText,
  saveLanguageModel,
  trainBpe,
} from '@user-llm/llm';
import type { Plugin } from '@user-llm/plugin';
import { Random, Tensor } from '@user-llm/tensor';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'user-llm-quantize-'));
const model = join(folder, 'model');
let said = '';

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((said += String(text)), true));
  await saveTiny(model, whole);
}, 60_000);

/** Sizes of which all rows are whole blocks. */
const whole = { width: 32, feedForward: 64 };

/** Writes a tiny Llama of these sizes. */
async function saveTiny(path: string, sizes: typeof whole, opensWithBegin = false): Promise<void> {
  const tokenizer = loadTokenizer(trainBpe([sampleText], { vocabularySize: 320 }), { opensWithBegin });
  const config = llama.config.parse({ vocabularySize: 320, layers: 1, heads: 2, deviation: 0.2, ...sizes });
  const weights = Object.fromEntries(randomWeights(llama.build(config).parameters));
  await saveLanguageModel(path, { family: 'llama', config, weights, tokenizer });
}

interface Tree {
  readonly [name: string]: Tree | { readonly shape: readonly number[] };
}

function randomWeights(tree: object, path = ''): (readonly [string, Tensor])[] {
  return Object.entries(tree as Tree).flatMap(([name, node]) => {
    if (!Array.isArray(node.shape)) return randomWeights(node, `${path}${name}.`);
    const shape = node.shape as readonly number[];
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Random.fromSeed(1)
      .split(path + name)
      .normal(count)
      .map((value) => 0.2 * value);
    const axes = shape.map((_, axis) => `axis${axis}`);
    return [[path + name, new Tensor('float32', axes, shape, Float32Array.from(values)) as Tensor] as const];
  });
}

afterEach(() => {
  said = '';
});

afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const quantize = (...args: string[]): Promise<number> => main(['llm', 'quantize', model, ...args]);

describe('user-llm-train llm quantize', () => {
  it.each(['4', '8'])('writes a folder of %s bits that is loaded like any other', async (bits) => {
    const out = join(folder, `bits${bits}`);
    expect(await quantize('--bits', bits, '--out', out)).toBe(0);
    const { weights, tokenizer } = await loadLanguageModel(out, { weights: 'as-stored' });
    const matrix = weights['model.layers.0.mlp.up_proj.weight'];
    expect(matrix).toBeInstanceOf(QuantizedMatrix);
    expect((matrix as QuantizedMatrix).bits).toBe(Number(bits));
    expect(tokenizer!.vocabularySize).toBe(320);
    expect(said).toMatch(/^8 of 8 matrices in few bits, 0\.0 MiB of 0\.1 MiB in float32\nwritten to /);
  });

  it('says how many matrices stay, and refuses where all do', async () => {
    const [some, narrow] = [join(folder, 'some'), join(folder, 'narrow')];
    await saveTiny(some, { width: 32, feedForward: 40 });
    expect(await main(['llm', 'quantize', some, '--bits', '8', '--out', join(folder, 'some8')])).toBe(0);
    expect(said).toMatch(/^7 of 8 matrices/);
    await saveTiny(narrow, { width: 16, feedForward: 24 });
    expect(await main(['llm', 'quantize', narrow, '--bits', '8', '--out', join(folder, 'narrow8')])).toBe(1);
    expect(said).toContain('whole blocks of 32 numbers');
    expect(existsSync(join(folder, 'narrow8'))).toBe(false);
  });

  it('refuses what is quantized already', async () => {
    const once = join(folder, 'once');
    expect(await quantize('--bits', '8', '--out', once)).toBe(0);
    expect(await main(['llm', 'quantize', once, '--bits', '4', '--out', join(folder, 'twice')])).toBe(1);
    expect(said).toContain('Quantize the model that it was made of');
  });

  it('takes nothing of an earlier process into the folder, nor a slash behind its name', async () => {
    const out = join(folder, 'slashed');
    mkdirSync(`${out}.partial`);
    writeFileSync(join(`${out}.partial`, 'stale.txt'), 'of another');
    expect(await quantize('--bits', '8', '--out', `${out}/`)).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(existsSync(`${out}.partial`)).toBe(false);
  });

  it('says what the file system says, before it works', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await quantize('--bits', '8', '--out', join(file, 'out'))).toBe(1);
    expect(said).toMatch(/^writing .*out: expected a place that may be written to.*ENOTDIR/);
  });

  it.runIf(process.platform === 'linux')('ends where no folders can be made', async () => {
    expect(await quantize('--bits', '8', '--out', '/proc/user-llm/out')).toBe(1);
    expect(said).toMatch(/^writing \/proc.*ENOENT/);
  });

  it('tells how far it agrees, on a text of its own or on another', async () => {
    expect(await quantize('--bits', '8', '--out', join(folder, 'checked'), '--check')).toBe(0);
    const count = (text: string): number => Number(/% of (\d+) tokens/.exec(text)![1]);
    expect(said).toMatch(/likeliest token the same at \d+\.\d% of \d+ tokens\nperplexity \d+\.\d+, before \d+\.\d+/);
    const all = count(said);
    said = '';
    writeFileSync(join(folder, 'text.txt'), sampleText.slice(0, 300));
    const text = ['--check', '--text', join(folder, 'text.txt')];
    expect(await quantize('--bits', '8', '--out', join(folder, 'other'), ...text)).toBe(0);
    expect(count(said)).toBeLessThan(all);
  }, 30_000);

  it('puts what opens texts before the text that it reads', async () => {
    const opened = join(folder, 'opened');
    await saveTiny(opened, whole, true);
    const { tokenizer } = await loadLanguageModel(opened);
    expect(tokenizer!.opensWith).toEqual([tokenizer!.begin]);
    expect(await main(['llm', 'quantize', opened, '--bits', '8', '--out', join(folder, 'opened8'), '--check'])).toBe(0);
    // Every token is foretold then, the first too.
    expect(said).toContain(`of ${tokenizer!.encode(sampleText).length} tokens`);
  }, 30_000);

  it.each([
    ['--least-agreement', '1.1'],
    ['--most-perplexity', '0.5'],
  ])(
    'refuses what is too far by %s, and leaves nothing behind',
    async (...bound) => {
      const before = readdirSync(folder);
      expect(await quantize('--bits', '4', '--out', join(folder, 'far'), '--check', ...bound)).toBe(1);
      expect(said).toMatch(/Nothing was written/);
      expect(readdirSync(folder)).toEqual(before);
    },
    30_000,
  );

  it("takes a model of a plugin's family", async () => {
    const module = fileURLToPath(new URL('../../../packages/training/test/a-lab/plugin.mjs', import.meta.url));
    const families = ((await import(pathToFileURL(module).href)) as { default: Plugin }).default.llms!;
    const { weights, tokenizer } = await loadLanguageModel(model);
    const json = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as unknown;
    const config = families[0]!.checkpoints!.fromHuggingFace(json);
    const own = join(folder, 'magpie');
    await saveLanguageModel(own, { family: 'magpie', config, weights, tokenizer: tokenizer! }, { families });
    const out = join(folder, 'magpie8');
    const args = ['llm', 'quantize', own, '--bits', '8', '--out', out, '--check'];
    expect(await main(args)).toBe(1);
    expect(said).toContain('got MagpieForCausalLM');
    expect(await main([...args, '--plugin', module])).toBe(0);
    const loaded = await loadLanguageModel(out, { families, weights: 'as-stored' });
    expect(loaded.family).toBe('magpie');
    expect(loaded.weights['model.layers.0.mlp.up_proj.weight']).toBeInstanceOf(QuantizedMatrix);
  }, 30_000);

  it('overwrites nothing', async () => {
    expect(await quantize('--bits', '8', '--out', model)).toBe(1);
    expect(said).toContain('Give another --out');
    expect(existsSync(join(model, 'config.json'))).toBe(true);
  });

  it.each([
    ['other bits', ['--bits', '5', '--out', 'x']],
    ['a share that is no number', ['--bits', '4', '--out', 'x', '--least-agreement', 'much']],
  ])('says wrong usage by 2: %s', async (_, args) => {
    expect(await quantize(...args)).toBe(2);
  });

  it('says what is missing', async () => {
    expect(await main(['llm', 'quantize', join(folder, 'nothing'), '--bits', '8', '--out', join(folder, 'y')])).toBe(1);
    expect(await quantize('--bits', '8', '--out', join(folder, 'y'), '--check', '--text', join(folder, 'no'))).toBe(1);
    expect(said).toContain('no');
  });
});
