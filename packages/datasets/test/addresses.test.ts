import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { UserLlmError } from '@user-llm/tensor';
import { afterEach, describe, expect, it } from 'vitest';
import { fromTable, prepareDataset } from '../src/index.js';
import { rawFiles, rowsOf } from './support.js';

const source = fromTable({ columns: { user: 'who', item: 'what', time: 'at' } });
const content = 'who,what,at\n1,"a, b",5\n2,c,1\n';

async function hasHttpfs(): Promise<boolean> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return await connection.run('LOAD httpfs').then(
      () => true,
      () => false,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const installed = await hasHttpfs();
let server: Server | undefined;
afterEach(() => server?.close());

async function serve(): Promise<string> {
  const listening = createServer((request, response) => {
    if (request.url !== '/clicks.csv') return void response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const [from, to] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, content.length];
    response.writeHead(range ? 206 : 200, {
      'content-length': Math.min(to, content.length) - from,
      'accept-ranges': 'bytes',
      ...(range && { 'content-range': `bytes ${from}-${Math.min(to, content.length) - 1}/${content.length}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : content.slice(from, to));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

describe('a table at an address', () => {
  it.skipIf(!installed)("is read (skipped without DuckDB's extension httpfs)", async () => {
    const { output } = rawFiles({});
    const manifest = await prepareDataset({ source, input: `${await serve()}/clicks.csv`, output });
    expect(manifest.inputs).toMatchObject([{ file: expect.stringMatching(/clicks\.csv$/) as unknown }]);
    expect((await rowsOf(output, 'events')).map(({ item }) => item)).toEqual(['a, b', 'c']);
  });

  it('that cannot be read is an error of ours, and leaves nothing', async () => {
    const { output } = rawFiles({});
    const failed = prepareDataset({ source, input: `${await serve()}/other.csv`, output });
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    expect(UserLlmError.isInstance(error, installed ? 'engine-failed' : 'addresses-unavailable')).toBe(true);
    expect(readdirSync(dirname(output))).toEqual(['raw']);
  });
});
