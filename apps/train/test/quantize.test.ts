import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  const tokenizer = loadTokenizer(trainBpe([sampleText], { vocabularySize: 320 }));
  const config = llama.config.parse({
    vocabularySize: 320,
    width: 32,
    layers: 1,
    heads: 2,
    feedForward: 64,
    deviation: 0.2,
  });
  const weights = Object.fromEntries(randomWeights(llama.build(config).parameters));
  await saveLanguageModel(model, { family: 'llama', config, weights, tokenizer });
}, 60_000);

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
  });

  it('tells how far it agrees, on a text of its own or on another', async () => {
    expect(await quantize('--bits', '8', '--out', join(folder, 'checked'), '--check')).toBe(0);
    const count = (text: string): number => Number(/% of (\d+) tokens/.exec(text)![1]);
    expect(said).toMatch(/likeliest token the same at \d+\.\d% of \d+ tokens\nperplexity \d+\.\d+, before \d+\.\d+/);
    const whole = count(said);
    said = '';
    writeFileSync(join(folder, 'text.txt'), sampleText.slice(0, 300));
    const text = ['--check', '--text', join(folder, 'text.txt')];
    expect(await quantize('--bits', '8', '--out', join(folder, 'other'), ...text)).toBe(0);
    expect(count(said)).toBeLessThan(whole);
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
