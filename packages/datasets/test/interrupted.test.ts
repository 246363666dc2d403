import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDataset, simulated } from '../src/index.js';
import { testFolder } from './support.js';

// Inside the package, so that the bundle finds its dependencies.
const bundle = join(dirname(dirname(fileURLToPath(import.meta.url))), 'out-tsc', `preparer-${process.pid}`);
const size = { users: 200, items: 400, events: 20_000 };

beforeAll(async () => {
  const conditions = ['@user-llm/source'];
  await build({
    logLevel: 'silent',
    configFile: false,
    build: { ssr: fileURLToPath(new URL('preparer.ts', import.meta.url)), outDir: bundle, minify: false },
    resolve: { conditions },
    ssr: { noExternal: [/^@user-llm\//], resolve: { conditions } },
  });
}, 60_000);

afterAll(() => {
  rmSync(bundle, { recursive: true, force: true });
});

interface Ending {
  readonly signal: NodeJS.Signals | null;
  readonly said: string;
}

/** Prepares a data set in a process of its own. `killAt` is a step in which it is killed; `blocks` is the largest file. */
function prepareApart(output: string, { killAt, blocks }: { killAt?: string; blocks?: number }): Promise<Ending> {
  const limit = blocks === undefined ? '' : `ulimit -f ${blocks}; `;
  const child = spawn(
    'bash',
    ['-c', `${limit}exec "$0" "$@"`, process.execPath, join(bundle, 'preparer.js'), output, JSON.stringify(size)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (killAt !== undefined && said.includes(killAt)) child.kill('SIGKILL');
  });
  return new Promise((resolve) => child.once('close', (_, signal) => resolve({ signal, said })));
}

describe.skipIf(process.platform === 'win32')('a preparation that does not end well (skipped on Windows)', () => {
  it.each(['read events', 'write events'])(
    'killed in "%s", leaves what was there, and the next one tidies up',
    async (killAt) => {
      const folder = testFolder();
      const output = join(folder, 'data');
      const before = await prepareDataset({ source: simulated({ ...size, seed: 9 }), output });
      expect((await prepareApart(output, { killAt })).signal).toBe('SIGKILL');
      expect(readdirSync(folder).length).toBeGreaterThan(1);
      expect(JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8'))).toEqual(before);

      const { signal, said } = await prepareApart(output, {});
      expect([signal, said.trim().split('\n').at(-1)]).toEqual([null, 'done']);
      expect(readdirSync(folder)).toEqual(['data']);
      const whole = join(folder, 'whole');
      await prepareDataset({ source: simulated(size), output: whole });
      for (const file of readdirSync(whole))
        expect(readFileSync(join(output, file))).toEqual(readFileSync(join(whole, file)));
    },
  );

  it('killed between taking the old data set away and putting the new one there, gives the old one back', async () => {
    const folder = testFolder();
    const output = join(folder, 'data');
    const before = await prepareDataset({ source: simulated({ ...size, seed: 9 }), output });
    const nobody = 2 ** 22 + 1;
    const aside = join(folder, `.data.preparing-${hostname()}-${nobody}-x`);
    mkdirSync(aside);
    renameSync(output, join(aside, 'replaced'));
    const failing = { ...simulated(size), locate: () => Promise.reject(new Error('no raw files')) };
    await expect(prepareDataset({ source: failing, output })).rejects.toThrow('no raw files');
    expect(readdirSync(folder)).toEqual(['data']);
    expect(JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8'))).toEqual(before);
  });

  it.each([
    ['its own input', 100],
    ['the work of the engine', 2000],
  ])(
    'disk full while it writes %s (a limit on the size of files): an error that says so, and nothing left',
    async (_, blocks) => {
      const folder = testFolder();
      const { said } = await prepareApart(join(folder, 'data'), { blocks });
      expect(said.trim().split('\n').at(-1)).toMatch(/^(disk-full|write-failed)$/);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('stopped by a signal, leaves nothing', async () => {
    const folder = testFolder();
    mkdirSync(join(folder, 'raw'));
    writeFileSync(join(folder, 'raw', 'kept'), '');
    const controller = new AbortController();
    const stopped = prepareDataset({
      source: simulated(size),
      output: join(folder, 'data'),
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 'filter' || step === 'write events') controller.abort();
      },
    });
    await expect(stopped).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['raw']);
  });
});
