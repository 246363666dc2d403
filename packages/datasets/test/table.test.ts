import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromTable, openDataset, prepareDataset } from '../src/index.js';

function write(content: string): { input: string; output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'user-llm-table-'));
  writeFileSync(join(folder, 'clicks.csv'), content);
  return { input: join(folder, 'clicks.csv'), output: join(folder, 'out') };
}

const source = fromTable({ columns: { user: 'who', item: 'what', time: 'at' } });

describe('a table of your own', () => {
  it('keeps 64-bit ids, drops duplicates, and opens again', async () => {
    const paths = write('who,what,at\n18446744073709551615,"a, b",5\n7,c,1\n7,c,1\n7,d,1\n');
    const manifest = await prepareDataset({ source, ...paths });
    expect(manifest.counts).toMatchObject({ events: 3, users: 2, itemsWithEvents: 3 });
    expect(manifest.rows.events.duplicates).toBe(1);
    expect((await openDataset(paths.output)).manifest).toEqual(manifest);
  });

  it('refuses many bad rows, naming the reason', async () => {
    const paths = write('who,what,at\n1,a,-5\n2,b,5\n');
    await expect(prepareDataset({ source, ...paths })).rejects.toMatchObject({
      code: 'too-many-bad-rows',
      message: expect.stringContaining('time-out-of-range') as unknown,
    });
  });

  it.each([
    ['bad-separator', 'who;what;at\n1;a;5\n'],
    ['bad-header', 'who,what\n1,a\n'],
    ['empty-file', ''],
  ])('reports %s', async (code, content) => {
    await expect(prepareDataset({ source, ...write(content) })).rejects.toMatchObject({ code });
  });
});
