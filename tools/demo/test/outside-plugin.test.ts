import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromTable, prepareDataset } from '@user-llm/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../../..');

/** A team's folder outside the repository: its plugin, what `npm install` would put there, data and a config. */
let team: string;
beforeAll(async () => {
  team = mkdtempSync(join(tmpdir(), 'a-team-'));
  copyFileSync(join(here, 'a-team/plugin.mjs'), join(team, 'plugin.mjs'));
  mkdirSync(join(team, 'node_modules'));
  symlinkSync(join(root, 'node_modules/@user-llm'), join(team, 'node_modules/@user-llm'));
  await prepareData();
  writeFileSync(join(team, 'run.json'), JSON.stringify(config));
}, 60_000);
afterAll(() => {
  rmSync(team, { recursive: true, force: true });
});

/** 40 users who walk around one of four circles of six items, each circle of one genre. */
async function prepareData(): Promise<void> {
  const genres = ['Drama', 'Comedy', 'Western', 'Horror'];
  const rows = Array.from({ length: 40 }, (_, user) =>
    Array.from({ length: 6 + (user % 5) }, (__, at) => `u${user},i${(user % 4) + 4 * ((user + at) % 6)},${at + 1}`),
  );
  writeFileSync(join(team, 'events.csv'), ['user,item,time', ...rows.flat(), ''].join('\n'));
  const items = Array.from(
    { length: 24 },
    (_, item) => `i${item},Film ${String.fromCharCode(65 + item)},${genres[item % 4]}`,
  );
  writeFileSync(join(team, 'items.csv'), ['item,title,genres', ...items, ''].join('\n'));
  const source = fromTable({
    columns: { user: 'user', item: 'item', time: 'time' },
    items: { input: join(team, 'items.csv'), columns: { item: 'item', title: 'title', categories: 'genres' } },
  });
  await prepareDataset({ source, input: join(team, 'events.csv'), output: join(team, 'data') });
}

const config = {
  plugins: ['./plugin.mjs'],
  model: {
    events: { item: { kind: 'id' } },
    encoder: { name: 'running-mean', config: { width: 8 } },
    compressor: { name: 'scaled-mean' },
    fusion: { name: 'cross-attention', config: { heads: 2 } },
    llm: { name: 'llama', config: { width: 16, layers: 2, heads: 2, feedForward: 32, maximumTokens: 256 } },
  },
  data: { dataset: 'data' },
  text: { kind: 'train', vocabularySize: 320 },
  stages: [
    {
      kind: 'pretrain',
      budget: { steps: 40 },
      batchSize: 8,
      optimizer: { learningRate: 0.02 },
      validation: { every: 20 },
    },
    { kind: 'tune', strategy: 'proj', budget: { steps: 4 }, batchSize: 4, tasks: [{ name: 'favourite-genre' }] },
  ],
  threads: 1,
};

/** A command of this repository, called in the team's folder. */
function start(app: 'train' | 'evaluate' | 'serve', args: readonly string[]) {
  const child = spawn(process.execPath, [join(root, `apps/${app}/bin/user-llm-${app}.mjs`), ...args], {
    cwd: team,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (text: Buffer) => (said.out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (said.err += text.toString()));
  const ended = new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, ...said });
    });
  });
  return { child, said, ended };
}

const call = (app: 'train' | 'evaluate', ...args: string[]) => start(app, args).ended;

/** Resolves to what a pattern finds in what a command says. */
async function heard({ said, ended }: ReturnType<typeof start>, pattern: RegExp): Promise<string> {
  const over = ended.then(({ code, err }) => {
    throw new Error(`ended with ${code}: ${err}`);
  });
  for (;;) {
    const found = pattern.exec(said.out)?.[0];
    if (found !== undefined) {
      over.catch(() => undefined);
      return found;
    }
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
}

describe('a plugin outside the repository, of under 80 lines', () => {
  it('trains by a config', async () => {
    expect(readFileSync(join(team, 'plugin.mjs'), 'utf8').trim().split('\n').length).toBeLessThan(80);
    const { code, out, err } = await call('train', 'run', 'run.json', '--out', 'run');
    expect([code, err]).toEqual([0, expect.stringContaining('stage tune')]);
    // By chance one of the 24 items would be worth 0.19.
    expect(Number(/pretrain: .* best (0?\.\d+)/.exec(out)?.[1])).toBeGreaterThan(0.19);
    const manifest = JSON.parse(readFileSync(join(team, 'run/model/model.json'), 'utf8')) as { plugins: string[] };
    expect(manifest.plugins).toEqual(['a-team']);
  }, 180_000);

  it('is judged', async () => {
    const report = ['--data', 'data', '--out', 'report', '--resamples', '20', '--costs', '1'];
    const { code, out, err } = await call('evaluate', 'run', 'run/model', '--plugin', './plugin.mjs', ...report);
    expect([code, err]).toEqual([0, expect.any(String)]);
    expect(out).toMatch(/^ {2}encoder alone +[.\d]+ [.\d]+-[.\d]+/mu);
    expect(out).toMatch(/^ {2}User-LLM by cross-attention +[.\d]+ [.\d]+-[.\d]+/mu);
    expect(out).toMatch(/another user +\d?\.\d+/u);
  }, 180_000);

  it('answers over HTTP', async () => {
    const serving = start('serve', ['run/model', '--plugin', './plugin.mjs', '--port', '0', '--log-level', 'warn']);
    try {
      const url = await heard(serving, /http:\/\/[\d.:]+/);
      const post = (path: string, body: object) =>
        fetch(`${url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      expect((await post('/v1/users/ann/events', { events: [{ item: 'i0' }, { item: 'i4' }] })).status).toBe(201);
      const question = { user: 'ann', messages: [{ role: 'user', content: "What is this user's favourite genre?" }] };
      const answer = await post('/v1/chat/completions', { ...question, max_tokens: 4 });
      expect([answer.status, answer.headers.get('x-user-llm-events')]).toEqual([200, '2']);
      for (const by of ['encoder', 'llm']) {
        const found = await fetch(`${url}/v1/users/ann/recommendations?k=3&by=${by}`);
        expect((await found.json()) as object).toMatchObject({ data: { length: 3 } });
      }
    } finally {
      serving.child.kill('SIGTERM');
    }
    expect((await serving.ended).code).toBe(0);
  }, 180_000);

  it('is asked for by name where it is missing', async () => {
    for (const failing of [
      call('evaluate', 'run', 'run/model', '--data', 'data'),
      start('serve', ['run/model', '--port', '0']).ended,
    ]) {
      const { code, err } = await failing;
      expect(code).toBe(1);
      expect(err).toMatch(/no encoders "running-mean", compressors "scaled-mean".*a-team: --plugin FILE/s);
    }
  }, 60_000);

  it('has its own config checked', async () => {
    const wide = ['--set', 'model.encoder.config.width=wide'];
    const { code, err } = await call('train', 'run', 'run.json', '--out', 'bad', ...wide);
    expect(code).toBe(1);
    expect(err).toMatch(/width: must be a whole number/);
  }, 60_000);
});
