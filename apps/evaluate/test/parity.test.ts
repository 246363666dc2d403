import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadLanguageModel, saveLanguageModel } from '@user-llm/llm';
import type { Plugin } from '@user-llm/plugin';
import { openSafetensors } from '@user-llm/tensor';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../src/index.js';
import type { GoldenFile } from '../src/parity/golden-file.js';

/** Checkpoints that transformers has written, without tokenizers, with its logits of them. */
const checkpoint = fileURLToPath(new URL('../../../packages/llm/test/goldens/llama-tied', import.meta.url));
const models = process.env['USER_LLM_MODELS'] ?? fileURLToPath(new URL('../../../../shared/models', import.meta.url));

let folder = '';
let golden: GoldenFile;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'user-llm-parity-'));
  golden = await goldenOf(join(checkpoint, 'golden.safetensors'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** What transformers says of a tiny Llama, as a golden file. */
async function goldenOf(path: string): Promise<GoldenFile> {
  const source = await openSafetensors(path);
  const [ids, logits, greedy] = await Promise.all(['ids', 'logits', 'greedy'].map((name) => source.read(name)));
  await source.close();
  const [rows, length, width] = logits!.shape as [number, number, number];
  const row = (from: typeof ids, at: number, size: number): number[] =>
    Array.from(from!.data as ArrayLike<number>).slice(at * size, (at + 1) * size);
  const cases = Array.from({ length: rows }, (_, at) => {
    const last = row(logits, (at + 1) * length - 1, width);
    const top = [...last.keys()].sort((a, b) => last[b]! - last[a]!).slice(0, 5);
    return {
      ids: row(ids, at, length),
      top5: top.map((id) => ({ id, logit: last[id]! })),
      greedy: row(greedy, at, greedy!.shape[1]!),
    };
  });
  const text = cases[0]!.ids;
  const value = text.slice(1).reduce((sum, token, at) => {
    const own = row(logits, at, width);
    return sum + (Math.log(own.reduce((all, logit) => all + Math.exp(logit), 0)) - own[token]!) / (length - 1);
  }, 0);
  return { cases, loss: { ids: text, value } };
}

/** Runs the command on a golden file; what it printed, and its exit code. */
async function parity(content: unknown, ...more: string[]): Promise<{ code: number; out: string; err: string }> {
  const path = join(folder, 'golden.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return run('parity', '--llm', checkpoint, '--golden', path, ...more);
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => (out.push(String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => (err.push(String(text)), true));
  const code = await main(args);
  vi.restoreAllMocks();
  return { code, out: out.join(''), err: err.join('') };
}

/** The golden file with something changed in its second case. */
function changed(change: (own: GoldenFile['cases'][number]) => Partial<GoldenFile['cases'][number]>): GoldenFile {
  return { ...golden, cases: golden.cases.map((own, at) => (at === 1 ? { ...own, ...change(own) } : own)) };
}

describe('user-llm-evaluate parity', () => {
  it('passes what transformers says of a checkpoint without a tokenizer', async () => {
    const { code, out } = await parity(golden);
    expect([code, out.match(/^ok {3}case/gmu)]).toEqual([0, ['ok   case', 'ok   case', 'ok   case']]);
    expect(out).toContain('all 9 greedy tokens agree');
    expect(out).toMatch(/^ok {3}loss \d/mu);
    expect(out).toMatch(/largest difference \d\.\de-\d of the largest logit, tolerance 1\.0e-4/u);
  });

  it('reads no tokenizer', async () => {
    const beside = join(folder, 'with a broken tokenizer');
    await cp(checkpoint, beside, { recursive: true });
    await writeFile(join(beside, 'tokenizer.json'), 'no JSON');
    await expect(loadLanguageModel(beside)).rejects.toThrow('tokenizer.json');
    expect((await parity(golden, '--llm', beside)).code).toBe(0);
  });

  it('fails beyond the tolerance, and names the case', async () => {
    const off = changed(({ top5 }) => ({
      top5: top5.map(({ id, logit }, at) => ({ id, logit: at === 3 ? logit - 0.01 : logit })),
    }));
    const { code, out, err } = await parity(off);
    expect(code).toBe(1);
    expect(out.match(/^FAIL.*/gmu)).toEqual([expect.stringMatching(/^FAIL case 2.*1\.0e-2 \(/u)]);
    expect(err).toContain('--tolerance');
    expect((await parity(off, '--tolerance', '0.05')).code).toBe(0);
  });

  it('fails where a better token is missing from the reference', async () => {
    const { code, out } = await parity(changed(({ top5 }) => ({ top5: top5.slice(1) })));
    expect([code, out]).toEqual([1, expect.stringMatching(/^FAIL case 2/mu)]);
  });

  it('fails where greedy tokens part, and says after how many and how far', async () => {
    const { code, out } = await parity(
      changed(({ greedy }) => ({ greedy: greedy.map((token, at) => (at < 4 ? token : 47 - token)) })),
    );
    expect(code).toBe(1);
    expect(out).toMatch(/^FAIL case 2.*greedy tokens agree up to 4 of 9, where another is preferred by \d/mu);
  });

  it('fails where the loss is another', async () => {
    const { code, out } = await parity({ ...golden, loss: { ...golden.loss, value: golden.loss!.value + 0.01 } });
    expect([code, out]).toEqual([1, expect.stringMatching(/^FAIL loss/mu)]);
  });

  it('passes a golden file without a loss, or with null for it', async () => {
    for (const loss of [undefined, null]) {
      const { code, out } = await parity({ ...golden, loss });
      expect([code, out]).toEqual([0, expect.not.stringContaining('loss')]);
    }
  });

  it.each<[string, () => unknown, string]>([
    ['no JSON', () => '{', 'JSON'],
    ['no cases', () => ({ cases: [] }), 'cases'],
    ['a case without logits', () => changed(() => ({ top5: undefined as never })), 'cases.1.top5'],
    ['a token that the LLM does not have', () => changed(() => ({ ids: [1, 48] })), 'cases.1'],
    ['more tokens than positions', () => changed(() => ({ ids: Array.from({ length: 30 }, () => 3) })), '32 positions'],
    ['a loss of one token', () => ({ ...golden, loss: { ids: [1], value: 1 } }), 'loss.ids'],
  ])('says what is wrong with a golden file of %s', async (_, content, told) => {
    const { code, err } = await parity(content());
    expect([code, err]).toEqual([1, expect.stringContaining(told)]);
  });

  it('says what is wrong with paths and flags, and teaches', async () => {
    const nowhere = await run('parity', '--llm', checkpoint, '--golden', join(folder, 'nowhere.json'));
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('--golden')]);
    const flag = await run('parity', '--llm', checkpoint, '--golden', 'x', '--tolerance', 'much');
    expect([flag.code, flag.err]).toEqual([2, expect.stringContaining('a number from 0')]);
    const help = await run('parity', '--help');
    expect([help.code, help.out]).toEqual([0, expect.stringContaining('"top5"')]);
  });

  it("passes what transformers says of the same weights in a checkpoint of a plugin's family", async () => {
    const module = fileURLToPath(new URL('../../../packages/training/test/a-lab/plugin.mjs', import.meta.url));
    const { llms } = ((await import(pathToFileURL(module).href)) as { default: Plugin }).default;
    const magpie = llms![0]!;
    const config = magpie.checkpoints!.fromHuggingFace(
      JSON.parse(await readFile(join(checkpoint, 'config.json'), 'utf8')) as unknown,
    );
    const { weights } = await loadLanguageModel(checkpoint);
    const own = join(folder, 'magpie');
    await saveLanguageModel(own, { family: magpie.name, config, weights }, { families: llms! });
    const { code, out } = await parity(golden, '--llm', own, '--plugin', module);
    expect([code, out.match(/^ok {3}case/gmu)?.length]).toEqual([0, 3]);
    const without = await parity(golden, '--llm', own);
    expect([without.code, without.err]).toEqual([1, expect.stringContaining('got MagpieForCausalLM')]);
  });

  describe.each([
    ['stories260K', 'stories260K.bin', fileURLToPath(new URL('goldens/stories260K.json', import.meta.url))],
    ['babyllama_tok105', 'model5000.bin', fileURLToPath(new URL('goldens/babyllama_tok105.json', import.meta.url))],
    ['SmolLM2-135M-Instruct', '', join(models, 'SmolLM2-135M-Instruct', 'golden.json')],
  ])('of %s', (name, file, expected) => {
    const missing = !existsSync(join(models, name));
    it.skipIf(missing)(
      `passes all that transformers says${missing ? ` (skipped: no ${name} in USER_LLM_MODELS)` : ''}`,
      async () => {
        const { cases } = JSON.parse(await readFile(expected, 'utf8')) as GoldenFile;
        const { code, out } = await run('parity', '--llm', join(models, name, file), '--golden', expected);
        expect(code).toBe(0);
        expect(out.match(/^ok {3}case.*all 32 greedy tokens agree$/gmu)).toHaveLength(cases.length);
        expect(out).toMatch(/^ok {3}loss/mu);
      },
      240_000,
    );
  });
});
