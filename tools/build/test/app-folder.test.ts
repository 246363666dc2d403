import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAppFolder } from '../app-folder.mjs';
import { buildStale } from '../launch.mjs';
import { workspaceRoot } from '../workspace.mjs';

const apps = ['train', 'serve'];

/** A folder outside the clone, with a space in its path. */
let place: string;

beforeAll(async () => {
  place = join(mkdtempSync(join(tmpdir(), 'user-llm-apps-')), 'some apps');
  for (const app of apps) {
    await buildStale(workspaceRoot, `@user-llm/${app}`);
    makeAppFolder(`@user-llm/${app}`, join(place, app));
  }
});

afterAll(() => {
  rmSync(join(place, '..'), { recursive: true, force: true });
});

const bin = (app: string) => join(place, app, `bin/user-llm-${app}.mjs`);

/** Standard output of a command in that folder. */
async function outputOf(app: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [bin(app), ...args], { cwd: place })).stdout;
}

it('applications made into folders prepare data, plot, train and serve outside the clone', async () => {
  const rows = Array.from({ length: 160 }, (_, at) => `u${at >> 3},i${((at >> 3) + at) % 12},${1_600_000_000 + at}`);
  writeFileSync(join(place, 'events.csv'), ['user,item,time', ...rows, ''].join('\n'));
  const table = ['--source', 'table', '--input', 'events.csv', '--columns', 'user=user,item=item,time=time'];
  expect(await outputOf('train', 'data', 'prepare', ...table, '--out', 'data')).toContain('160 events of 20 users');
  await outputOf('train', 'data', 'describe', 'data', '--html', 'data.html');
  expect(readFileSync(join(place, 'data.html'), 'utf8')).toContain('<svg ');

  const sizes = { width: 16, layers: 1, heads: 2 };
  const config = {
    model: {
      events: { item: { kind: 'id' } },
      encoder: { name: 'autoregressive', config: { ...sizes, maximumEvents: 8 } },
      compressor: { name: 'perceiver', config: { latents: 2, layers: 1, heads: 2 } },
      fusion: { name: 'cross-attention', config: { heads: 2 } },
      llm: { name: 'llama', config: { ...sizes, feedForward: 32, maximumTokens: 256 } },
    },
    data: { dataset: 'data' },
    text: { kind: 'train', vocabularySize: 300 },
    stages: [{ kind: 'tune', strategy: 'full', budget: { steps: 2 }, tasks: [{ name: 'next-item' }] }],
    threads: 1,
  };
  writeFileSync(join(place, 'run.json'), JSON.stringify(config));
  expect(await outputOf('train', 'run', 'run.json', '--out', 'run')).toContain('model in run');

  const plugin =
    "import { definePlugin } from '@user-llm/plugin';\nexport default definePlugin({ name: 'ours', specVersion: 1 });\n";
  writeFileSync(join(place, 'serve/ours.mjs'), plugin);
  const options = [
    '--data',
    'data',
    '--store',
    'users',
    '--plugin',
    './serve/ours.mjs',
    '--port',
    '0',
    '--log-level',
    'warn',
  ];
  const server = spawn(process.execPath, [bin('serve'), 'run/model', ...options], {
    cwd: place,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await Promise.race([
      once(createInterface(server.stdout), 'line'),
      once(server, 'exit').then(([status]) => [`ended with ${String(status)}`]),
    ])) as [string];
    expect(line).toMatch(/^Serving run\/model at /);
    const address = /http:\S+/.exec(line)![0];
    expect(await (await fetch(address)).text()).toContain('<!doctype html>');
    const answer = await fetch(`${address}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: 'u1', max_tokens: 2, messages: [{ role: 'user', content: 'Next?' }] }),
    });
    expect(await answer.json()).toMatchObject({ choices: [{ message: { role: 'assistant' } }] });
    server.kill('SIGTERM');
    expect(await once(server, 'exit')).toEqual([0, null]);
  } finally {
    server.kill('SIGKILL');
  }
});

it('the folders hold no link, and the libraries of this platform only', () => {
  for (const app of apps) {
    const entries = readdirSync(join(place, app), { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => entry.isSymbolicLink())).toEqual([]);
    const libraries = join(place, app, 'node_modules/onnxruntime-node/bin/napi-v6');
    expect(readdirSync(libraries)).toEqual([process.platform]);
    expect(readdirSync(join(libraries, process.platform))).toEqual([process.arch]);
  }
});
