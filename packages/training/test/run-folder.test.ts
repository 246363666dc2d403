import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { simulated } from '@user-llm/datasets';
import { definePlugin } from '@user-llm/plugin';
import { beforeAll, describe, expect, it } from 'vitest';
import { dataInMemory, defineRun, runTraining, type RunConfigInput } from '../src/index.js';
import { withRunLock } from '../src/run/run-lock.js';
import { testFolder, testRuntime } from './support.js';
import { tinyData, tinyEncoder, tinyEvents, tinyItems, tinyRun } from './tiny-run.js';

const folder = testFolder();
const runtime = testRuntime();
const at = (...names: readonly string[]): string => join(folder, ...names);

const pretrain = { kind: 'pretrain', budget: { steps: 2 }, batchSize: 8 } as const;

describe('the lock of a run folder', () => {
  /** A folder with the lock of a process. */
  const locked = (pid: number, host = hostname()): string => {
    mkdirSync(at('locked'), { recursive: true });
    writeFileSync(at('locked', `run.lock-${pid}-${host}`), '');
    return at('locked');
  };

  it('keeps a second training out, and is gone at the end', async () => {
    const run = tinyRun({ model: tinyEncoder, stages: [pretrain] });
    const options = { folder: at('one'), data: await tinyData(), runtime: await runtime() };
    await withRunLock(at('one'), async () => {
      await expect(runTraining(run, options)).rejects.toMatchObject({
        code: 'run-in-use',
        message: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
      });
    });
    expect(existsSync(at('one'))).toBe(false);
    await runTraining(run, options);
    expect(readdirSync(at('one')).filter((name) => name.includes('lock'))).toEqual([]);
  });

  it('is taken over from a process that is no more, also of the same number', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    for (const gone of [pid, process.pid]) {
      expect(await withRunLock(locked(gone), () => Promise.resolve('held'))).toBe('held');
      expect(readdirSync(at('locked'))).toEqual([]);
    }
  });

  it.each([
    ['of a process at work', process.ppid, hostname()],
    ['of another host', 1, 'else-where'],
  ])('%s is respected', async (_, pid, host) => {
    const held = withRunLock(locked(pid, host), () => Promise.resolve());
    const told = `process ${pid} on ${host}`;
    await expect(held).rejects.toMatchObject({ code: 'run-in-use', message: expect.stringContaining(told) });
    expect(readdirSync(at('locked'))).toEqual([`run.lock-${pid}-${host}`]);
    rmSync(at('locked'), { recursive: true });
  });

  it('is held by one of many', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    const place = locked(pid);
    let [atWork, most] = [0, 0];
    const work = async () => {
      most = Math.max(most, ++atWork);
      await new Promise(setImmediate);
      atWork--;
    };
    const ends = await Promise.allSettled(Array.from({ length: 8 }, () => withRunLock(place, work)));
    expect(most).toBe(1);
    expect(ends.map(({ status }) => status)).toContain('fulfilled');
    for (const end of ends) {
      if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'run-in-use' });
    }
  });

  it('says when a folder cannot be made', async () => {
    writeFileSync(at('afile'), '');
    const held = withRunLock(at('afile', 'x'), () => Promise.resolve());
    await expect(held).rejects.toMatchObject({ code: 'write-failed' });
  });
});

describe('what a stage has left', () => {
  const stages: RunConfigInput['stages'] = [pretrain, { ...pretrain, name: 'again' }];
  const run = tinyRun({ model: tinyEncoder, stages });
  const stage = (...names: readonly string[]): string => at('stages', 'stages', '0-pretrain', ...names);
  const goOn = async (data = tinyData()) =>
    runTraining(run, { folder: at('stages'), data: await data, runtime: await runtime() });

  beforeAll(async () => {
    const stop = new AbortController();
    const { status } = await runTraining(run, {
      folder: at('stages'),
      data: await tinyData(),
      runtime: await runtime(),
      signal: stop.signal,
      onProgress: ({ stageNumber }) => void (stageNumber === 2 && stop.abort()),
    });
    expect(status).toBe('stopped');
  }, 60_000);

  it('is not gone on with by other data, or parted in another way', async () => {
    const split = { kind: 'leave-last-out', validation: 1, seed: 0 } as const;
    const fewer = dataInMemory(tinyEvents.slice(1), tinyItems, split);
    await expect(goOn(fewer)).rejects.toMatchObject({
      code: 'checkpoint-mismatch',
      message: expect.stringContaining(stage()),
    });
    const parted = dataInMemory(tinyEvents, tinyItems, { ...split, validation: 0.5 });
    await expect(goOn(parted)).rejects.toMatchObject({ code: 'checkpoint-mismatch' });
  });

  it.each(['result.safetensors', 'result.json'])('is not gone on with when %s is damaged', async (name) => {
    const file = stage(name);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - 9));
    await expect(goOn()).rejects.toMatchObject({ code: 'bad-run-folder', message: expect.stringContaining(file) });
    writeFileSync(file, name.endsWith('.json') ? '{}' : bytes.map((byte, place) => (place === 300 ? byte ^ 1 : byte)));
    await expect(goOn()).rejects.toMatchObject({ code: 'bad-run-folder' });
    writeFileSync(file, bytes);
  });

  it('is gone on with as it was', async () => {
    expect(await goOn()).toMatchObject({ status: 'done' });
  });

  it('is not gone on with by a damaged config', async () => {
    writeFileSync(at('stages', 'run.json'), '{ "format": "user-llm-run" }');
    await expect(goOn()).rejects.toMatchObject({ code: 'bad-run-folder' });
  });
});

describe('raw files of a run', () => {
  const world = { ...simulated({ users: 20, items: 12, events: 100 }), name: 'small-world' };
  const plugins = [definePlugin({ name: 'a-world', specVersion: 1, datasets: [world] })];
  const raw = (encoder: object = {}) =>
    defineRun({
      plugins,
      model: { ...tinyEncoder, events: { item: { kind: 'id' } }, ...encoder },
      data: { raw: { source: 'small-world' } },
      stages: [pretrain],
    });

  it('tell how far they are, and leave nothing behind when they are stopped', async () => {
    const steps: string[] = [];
    const stop = new AbortController();
    const options = { folder: at('raw'), runtime: await runtime() };
    const stopped = runTraining(raw(), {
      ...options,
      signal: stop.signal,
      onPrepare: () => {
        stop.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(existsSync(at('raw'))).toBe(false);
    const onPrepare = ({ step }: { readonly step: string }) => void steps.push(step);
    expect(await runTraining(raw(), { ...options, onPrepare })).toMatchObject({ status: 'done' });
    expect(steps).toEqual(expect.arrayContaining(['read events', 'write events', 'finish']));
  }, 60_000);

  it('leave no data set of a model that cannot be', async () => {
    const encoder = { name: 'autoregressive', config: { ...tinyEncoder.encoder.config, maximumEvents: 12, heads: 3 } };
    const running = runTraining(raw({ encoder }), { folder: at('no model'), runtime: await runtime() });
    await expect(running).rejects.toMatchObject({ name: 'UserLlmError' });
    expect(existsSync(at('no model'))).toBe(false);
  }, 60_000);

  it('do not take the place of a data set that is there', async () => {
    mkdirSync(at('taken', 'data'), { recursive: true });
    writeFileSync(at('taken', 'data', 'manifest.json'), '{}');
    const running = runTraining(raw(), { folder: at('taken'), runtime: await runtime() });
    await expect(running).rejects.toMatchObject({ code: 'bad-run-folder' });
    expect(existsSync(at('taken', 'data', 'manifest.json'))).toBe(true);
  });
});
