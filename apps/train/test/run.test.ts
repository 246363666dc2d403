import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../src/index.js';
import { readConfig } from '../src/run/read-config.js';

const folder = mkdtempSync(join(tmpdir(), 'user-llm-train-'));
const configPath = join(folder, 'run.json');
let said = '';
/** Told what is said, as it is said. */
let listen = (_: string): void => undefined;

function hear(text: string | Uint8Array): boolean {
  said += String(text);
  listen(String(text));
  return true;
}

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(hear);
  vi.spyOn(process.stderr, 'write').mockImplementation(hear);
  const rows = Array.from({ length: 30 }, (_, user) =>
    Array.from({ length: 8 }, (_, at) => `u${user},i${(user + at) % 12},${1_600_000_000 + 60 * at},${1 + (at % 5)}`),
  ).flat();
  writeFileSync(join(folder, 'events.csv'), ['user,item,time,rating', ...rows, ''].join('\n'));
  const prepare = ['data', 'prepare', '--source', 'table', '--input', join(folder, 'events.csv')];
  const columns = ['--columns', 'user=user,item=item,time=time,rating=rating', '--out', join(folder, 'data')];
  expect(await main([...prepare, ...columns])).toBe(0);
  const config = {
    model: {
      events: { item: { kind: 'id' } },
      encoder: { name: 'autoregressive', config: { width: 8, layers: 1, heads: 1, maximumEvents: 8 } },
    },
    data: { dataset: 'data' },
    stages: [
      { kind: 'pretrain', budget: { steps: 12 }, batchSize: 8, validation: { every: 6 }, test: true },
      { kind: 'pretrain', name: 'again', budget: { steps: 3 }, batchSize: 4 },
    ],
    threads: 1,
  };
  writeFileSync(configPath, JSON.stringify(config));
  said = '';
}, 60_000);

afterEach(() => {
  said = '';
});

afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const weights = (run: string) => readFileSync(join(folder, run, 'model/weights.safetensors'));

describe('user-llm-train run', () => {
  it('trains the stages, says what it trained and how well, and writes the model', async () => {
    expect(await main(['run', configPath, '--out', join(folder, 'whole')])).toBe(0);
    expect(said).toMatch(/^stage pretrain\nparameters +trained +frozen +unused\nencoder +[\d,]+ +0 +0\n/);
    expect(said).toMatch(/pretrain \(1 of 2\) {2}step 12 of 12 {2}loss \d\.\d{4} {2}validation: hr@1 /);
    expect(said).toMatch(/\npretrain: 12 steps in 0:0\d, best 0\.\d{4} after step \d+, test: hr@1 0\.\d{4} /);
    expect(said).toContain(`\nmodel in ${join(folder, 'whole', 'model')}\n`);
    expect(weights('whole').length).toBeGreaterThan(1000);
  }, 60_000);

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stopped by %s saves, says how to go on, and goes on to the same bits',
    async (signal) => {
      const out = join(folder, signal);
      listen = (text) => {
        if (text.includes('step 6 of 12')) process.emit(signal);
      };
      expect(await main(['run', configPath, '--out', out])).toBe(130);
      listen = () => undefined;
      expect(said).toContain(`Stopped and saved. Go on with: user-llm-train resume ${out}`);
      expect(await main(['resume', out])).toBe(0);
      expect(weights(signal).equals(weights('whole'))).toBe(true);
    },
    60_000,
  );

  it('takes fields from the command line', async () => {
    const settings = ['stages=[{"kind":"pretrain","budget":{"steps":1}}]', 'seed=9', 'model.encoder.config.width=16'];
    const set = settings.flatMap((setting) => ['--set', setting]);
    expect(await main(['run', configPath, '--out', join(folder, 'set'), ...set])).toBe(0);
    const { config } = JSON.parse(readFileSync(join(folder, 'set/run.json'), 'utf8')) as {
      config: { seed: number; model: { encoder: { config: object } }; data: { dataset: string } };
    };
    expect(config).toMatchObject({ seed: 9, model: { encoder: { config: { width: 16 } } } });
    // A path counts from the folder of the config.
    expect(config.data.dataset).toBe(join(folder, 'data'));
  }, 60_000);

  it('warns of factors that fit no parameter of the model', async () => {
    const factors = { 'encoder.*': 0.5, 'fusion.*.gate': 2 };
    const stages = [{ kind: 'pretrain', budget: { steps: 1 }, optimizer: { factors } }];
    const set = ['--set', `stages=${JSON.stringify(stages)}`];
    expect(await main(['run', configPath, '--out', join(folder, 'factors'), ...set])).toBe(0);
    expect(said).toContain('warning: optimizer.factors: "fusion.*.gate" fits no parameter of the model\n');
    expect(said).not.toContain('"encoder.*"');
  }, 60_000);

  it('tells how far raw files are, and stopped by then leaves nothing behind', async () => {
    const [path, out] = [join(folder, 'raw.json'), join(folder, 'raw')];
    const config = JSON.parse(readFileSync(configPath, 'utf8')) as object;
    const stages = [{ kind: 'pretrain', budget: { steps: 1 }, batchSize: 8 }];
    writeFileSync(path, JSON.stringify({ ...config, data: { raw: { source: 'simulate' } }, stages }));
    listen = (text) => {
      if (text.includes('read events')) process.emit('SIGINT');
    };
    expect(await main(['run', path, '--out', out])).toBe(130);
    listen = () => undefined;
    expect(said).toContain('Stopped; nothing was left behind.');
    expect(existsSync(out)).toBe(false);
    said = '';
    expect(await main(['run', path, '--out', out])).toBe(0);
    for (const step of ['check files', 'read events', 'write events', 'stage pretrain']) expect(said).toContain(step);
  }, 60_000);

  it('reads a module', async () => {
    const path = join(folder, 'run.mjs');
    const config = JSON.parse(readFileSync(configPath, 'utf8')) as object;
    const one = { ...config, stages: [{ kind: 'pretrain', budget: { steps: 1 } }] };
    writeFileSync(path, `export default ${JSON.stringify(one)};\n`);
    expect(await main(['run', path, '--out', join(folder, 'module')])).toBe(0);
  }, 60_000);

  it.each([
    ['no such config', ['run', 'nowhere.json', '--out', 'x'], 'nowhere.json'],
    ['a field that is none', ['run', configPath, '--out', 'x', '--set', 'learning=1'], 'learning'],
    ['a setting without a value', ['run', configPath, '--out', 'x', '--set', 'seed'], '--set'],
    ['a place beyond a list', ['run', configPath, '--out', 'x', '--set', 'stages.7.name=a'], '0 to 1'],
    ['a folder without a run', ['resume', join(folder, 'data')], 'run.json'],
    ['a file in the way', ['run', configPath, '--out', join(configPath, 'x')], 'ENOTDIR'],
    ['a run in a file', ['resume', join(configPath, 'x')], 'ENOTDIR'],
  ])('tells what is wrong: %s', async (_, args, named) => {
    expect(await main(args)).toBe(1);
    expect(said).toContain(named);
  });
});

describe('the README', () => {
  it('shows a config that is one', async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const shown = /```json\n(.*?)```/s.exec(readme)![1]!;
    const path = join(folder, 'shown.json');
    writeFileSync(path, shown);
    const { config } = await readConfig(path, []);
    expect(config.stages.map(({ kind }) => kind)).toEqual(['pretrain', 'language', 'tune']);
  });
});

describe('user-llm-train', () => {
  it('teaches by its help', async () => {
    expect(await main(['--help'])).toBe(0);
    for (const command of ['data', 'run', 'resume', 'schema']) expect(said).toContain(command);
    expect(await main(['run', '--help'])).toBe(0);
    expect(said).toContain('"kind": "pretrain"');
    expect(said).toContain('Ctrl-C');
  });

  it('prints the JSON Schema of a run, every field described', async () => {
    expect(await main(['schema'])).toBe(0);
    const schema = JSON.parse(said) as { properties: Record<string, { description?: string }> };
    expect(Object.keys(schema.properties)).toContain('stages');
    const silent: string[] = [];
    const look = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const { properties } = node as { properties?: Record<string, { description?: string }> };
      for (const [name, field] of Object.entries(properties ?? {})) {
        if (!field.description) silent.push(`${path}.${name}`);
      }
      for (const [name, inner] of Object.entries(node)) look(inner, `${path}.${name}`);
    };
    look(schema, '');
    expect(silent).toEqual([]);
  });

  it('says wrong usage by 2', async () => {
    expect(await main(['run', configPath])).toBe(2);
    expect(await main(['walk'])).toBe(2);
  });
});
