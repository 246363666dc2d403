import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c, jsonLinesTracker, tensorBoardTracker } from '../src/index.js';
import { maskedCrc32c } from '../src/trackers/crc32c.js';
import { testFolder } from './support.js';

const folder = testFolder();
const golden = JSON.parse(readFileSync(new URL('goldens/tensorboard.json', import.meta.url), 'utf8')) as {
  readonly file: string;
  readonly checksums: readonly (readonly [string, number, number])[];
};

describe('CRC-32C', () => {
  it('is that of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e);
  });

  it('is that of TensorBoard, plain and masked', () => {
    for (const [text, plain, masked] of golden.checksums) {
      const bytes = new TextEncoder().encode(text);
      expect([crc32c(bytes), maskedCrc32c(bytes)]).toEqual([plain, masked]);
    }
  });
});

describe('the TensorBoard tracker', () => {
  it("writes the bytes that TensorBoard's own writer writes", async () => {
    const times = [1_700_000_000_500, 1_700_000_000_500];
    for (let at = 0; at < 5; at++) times.push(1_700_000_001_000 + 1000 * at);
    const tracker = tensorBoardTracker(() => times.shift()!);
    const run = await tracker.open({ folder: join(folder, 'board'), name: 'run', config: {} });
    run.log(0, { loss: 8.25 });
    run.log(1, { 'pretrain/loss': 7.1, 'pretrain/gradientNorm': 0.333 });
    run.log(127, { größe: -1e-30, nan: Number.NaN, infinity: Infinity });
    run.log(128, {});
    run.log(5_000_000_000, { ['x'.repeat(200)]: 3.4e38 });
    await run.close();
    const [name] = readdirSync(join(folder, 'board', 'tensorboard'));
    expect(name).toMatch(/^events\.out\.tfevents\.1700000000\.user-llm\.\d+$/);
    const written = readFileSync(join(folder, 'board', 'tensorboard', name!));
    expect(written.toString('base64')).toBe(golden.file);
  });
});

describe('the JSON lines tracker', () => {
  it('adds a line for each step, also after a resumption', async () => {
    const place = join(folder, 'lines');
    mkdirSync(place);
    for (const step of [1, 2]) {
      const run = await jsonLinesTracker(() => 0).open({ folder: place, name: 'run', config: {} });
      run.log(step, { loss: 1 / step, broken: Number.NaN });
      await run.close();
    }
    expect(readFileSync(join(place, 'figures.jsonl'), 'utf8')).toBe(
      [
        '{"time":"1970-01-01T00:00:00.000Z","step":1,"loss":1,"broken":null}',
        '{"time":"1970-01-01T00:00:00.000Z","step":2,"loss":0.5,"broken":null}',
        '',
      ].join('\n'),
    );
  });
});
