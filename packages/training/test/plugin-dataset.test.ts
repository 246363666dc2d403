import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { datasetSourceChecks } from '@user-llm/datasets/testing';
import type { Plugin } from '@user-llm/plugin';
import { afterAll, describe, expect, it } from 'vitest';
import { parseRunConfig, runTraining } from '../src/index.js';
import { testRuntime } from './support.js';
import { tinyEncoder } from './tiny-run.js';

const runtime = testRuntime();
const folder = mkdtempSync(join(tmpdir(), 'a-shop-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A source of a team's own: listening logs, and albums with a slash between genres. */
const source = `
import { definePlugin } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

const events = {
  user: { kind: 'text', from: 'listener' },
  item: { kind: 'text', from: 'album' },
  time: { kind: 'time', from: 'started', unit: 'iso' },
  rating: { kind: 'number', from: 'share_heard' },
};

const items = {
  item: { kind: 'text', from: 'id' },
  title: { kind: 'text', from: 'name' },
  categories: { kind: 'texts', from: 'genres', separator: '/' },
};

const listeningLogs = {
  name: 'listening-logs',
  description: 'Logs of a music player, a file a month, and its albums',
  locate: async (input) => {
    const files = await input.files();
    const logs = files.filter((file) => file.endsWith('.log.tsv'));
    const albums = files.filter((file) => file.endsWith('albums.jsonl'));
    if (logs.length === 0) {
      throw new UserLlmError('files-not-found', { what: input.path, expected: 'logs (*.log.tsv)', got: 'none' });
    }
    return {
      events: { files: logs, format: { kind: 'csv', separator: '\\t' }, columns: events },
      items: { files: albums, format: { kind: 'jsonl' }, columns: items },
    };
  },
};

export default definePlugin({ name: 'a-shop', specVersion: 1, datasets: [listeningLogs] });
`;

const module = join(folder, 'plugin.mjs');
writeFileSync(module, source);
// What `npm install` would put there.
mkdirSync(join(folder, 'node_modules'));
const installed = join(dirname(fileURLToPath(import.meta.url)), '../../../node_modules/@user-llm');
symlinkSync(installed, join(folder, 'node_modules/@user-llm'));

const logs = join(folder, 'logs');
mkdirSync(logs);
const lines = Array.from({ length: 240 }, (_, at) => {
  const [user, step] = [at % 30, Math.floor(at / 30)];
  const started = new Date(Date.UTC(2024, step, 1 + user)).toISOString();
  return [`l${user}`, `a${(user + step) % 12}`, started, (0.1 * (1 + (at % 10))).toFixed(1)].join('\t');
});
writeFileSync(join(logs, '2024.log.tsv'), ['listener\talbum\tstarted\tshare_heard', ...lines, ''].join('\n'));
const albums = Array.from({ length: 12 }, (_, at) => ({ id: `a${at}`, name: `Album ${at}`, genres: 'Rock/Jazz' }));
writeFileSync(join(logs, 'albums.jsonl'), albums.map((album) => `${JSON.stringify(album)}\n`).join(''));

const plugin = ((await import(pathToFileURL(module).href)) as { default: Plugin }).default;

describe('a source of data in a plugin outside the repository', () => {
  for (const check of datasetSourceChecks(plugin.datasets![0]!, logs)) {
    it(`passes the suite: ${check.name}`, () => check.run());
  }

  it('has under 40 lines, and trains by a config that names raw files', async () => {
    expect(source.trim().split('\n').length).toBeLessThan(40);
    const options = { folder: join(folder, 'run'), runtime: await runtime() };
    const config = (name: string) =>
      parseRunConfig({
        plugins: [module],
        model: tinyEncoder,
        data: { raw: { source: name, input: logs, minHistory: 2 } },
        stages: [{ kind: 'pretrain', budget: { steps: 5 }, batchSize: 8, validation: { every: 5 } }],
      });
    const result = await runTraining({ config: config('listening-logs'), plugins: [] }, options);
    expect(result.status).toBe('done');
    const manifest = JSON.parse(readFileSync(join(folder, 'run/data/manifest.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({ source: 'listening-logs', counts: { events: 240, users: 30, items: 12 } });
    const unknown = runTraining(
      { config: config('tape-logs'), plugins: [] },
      { ...options, folder: join(folder, 'other') },
    );
    await expect(unknown).rejects.toMatchObject({
      code: 'unknown-part',
      message: expect.stringContaining('movielens, amazon, google-local, simulate, listening-logs') as unknown,
    });
  }, 60_000);
});
