import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { download, movielens, prepareDataset, type DownloadProgress } from '../src/index.js';
import { testFolder } from './support.js';

const ratings = `userId,movieId,rating,timestamp\n${Array.from({ length: 30_000 }, (_, n) => `${n % 97},${(n * 7919) % 1009},${(n % 10) / 2 + 0.5},${1_000_000 + n}`).join('\n')}\n`;
const archive = zip({ 'ml-25m/': '', 'ml-25m/ratings.csv': ratings, 'ml-25m/README.txt': 'read me' });
const md5 = createHash('md5').update(archive).digest('hex');

/** A zip archive with these files; a name that ends in a slash is a folder. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const [locals, central]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = deflateRawSync(content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(Buffer.byteLength(content), 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), data]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, place, Buffer.from(name)]));
    locals.push(local);
    at += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(Buffer.concat(central).length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...locals, ...central, Buffer.from('PK\x05\x06'), end]);
}

interface Behaviour {
  /** Bytes of an answer after which the connection is cut, one for each answer; the rest are whole. */
  readonly cuts?: number[];
  readonly md5?: string | undefined;
  readonly ranges?: boolean;
  /** Changes with the file. */
  etag?: string;
}

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** A publisher that has files by name, and keeps what it was asked. */
async function publisher(files: Readonly<Record<string, Buffer>>, behaviour: Behaviour = {}) {
  const { cuts = [], ranges = true } = behaviour;
  const asked: string[] = [];
  let cut: { readonly at: number; readonly socket: Socket | null } | undefined;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const name = (request.url ?? '').slice(1);
    asked.push(`${name}${request.headers.range === undefined ? '' : ` ${request.headers.range}`}`);
    if (name === 'moved.zip.md5') return void response.writeHead(404).end();
    if (name.endsWith('.md5')) {
      const known = behaviour.md5;
      return void (known === undefined ? response.writeHead(404).end() : response.end(`MD5 (${name}) = ${known}\n`));
    }
    const file = files[name];
    if (file === undefined) return void response.writeHead(404).end('not here');
    const etag = behaviour.etag ?? '"1"';
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const partial = ranges && from > 0 && request.headers['if-range'] === etag;
    if (partial && from >= file.length) {
      return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
    }
    const body = partial ? file.subarray(from) : file;
    const headers = { 'content-length': body.length, etag };
    const range = { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` };
    response.writeHead(partial ? 206 : 200, partial ? { ...headers, ...range } : headers);
    const length = cuts.shift();
    if (length === undefined) return void response.end(body);
    cut = { at: (partial ? from : 0) + length, socket: response.socket };
    response.write(body.subarray(0, length));
  };
  /** Cuts the connection when the bytes that were sent have arrived. */
  const onProgress = ({ bytes = 0 }: DownloadProgress) => {
    if (cut && bytes >= cut.at) cut.socket?.destroy();
  };
  const listening = createServer(answer);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const mirror = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  return { mirror, asked, onProgress };
}

const quick = { retryDelay: 1 };

describe('download', () => {
  it('fetches, checks and unpacks, and the source reads what it left', async () => {
    const { mirror, asked } = await publisher({ 'ml-25m.zip': archive }, { md5 });
    const output = join(testFolder(), 'raw');
    const told: DownloadProgress[] = [];
    const [file] = await download('ml-25m', { output, mirror, onProgress: (progress) => told.push(progress) });
    expect(file).toEqual({
      path: join(output, 'ml-25m.zip'),
      address: `${mirror}/ml-25m.zip`,
      bytes: archive.length,
      checked: true,
      unpacked: [join(output, 'README.txt'), join(output, 'ratings.csv')],
    });
    expect(readFileSync(join(output, 'ratings.csv'), 'utf8')).toBe(ratings);
    expect(readdirSync(output)).toEqual(['README.txt', 'ml-25m.zip', 'ratings.csv']);
    expect(told.filter(({ bytes }) => bytes === archive.length)).toMatchObject([{ step: 'fetch', of: archive.length }]);
    expect([...new Set(told.map(({ step }) => step))]).toEqual(['fetch', 'check', 'unpack']);
    const manifest = await prepareDataset({ source: movielens, input: output, output: join(output, '../data') });
    expect(manifest.counts.events).toBe(30_000);

    // What is there is not fetched again.
    await download('ml-25m', { output, mirror });
    expect(asked).toEqual(['ml-25m.zip', 'ml-25m.zip.md5', 'ml-25m.zip.md5']);
  });

  it('goes on where it was cut, several times', async () => {
    const { mirror, asked, onProgress } = await publisher({ 'ml-25m.zip': archive }, { md5, cuts: [1000, 5000, 1] });
    const output = testFolder();
    const [file] = await download('ml-25m', { output, mirror, onProgress, ...quick });
    expect(file).toMatchObject({ checked: true, bytes: archive.length });
    expect(asked).toEqual([
      'ml-25m.zip',
      'ml-25m.zip bytes=1000-',
      'ml-25m.zip bytes=6000-',
      'ml-25m.zip bytes=6001-',
      'ml-25m.zip.md5',
    ]);
  });

  it('goes on in another process, after a cut at the very end too', async () => {
    const output = testFolder();
    const first = await publisher({ 'ml-25m.zip': archive }, { cuts: [1000] });
    const options = { output, retries: 0, onProgress: first.onProgress, ...quick };
    await expect(download('ml-25m', { ...options, mirror: first.mirror })).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('1000 bytes') as unknown,
    });
    expect(readdirSync(output)).toEqual(['.ml-25m.zip.part', '.ml-25m.zip.part.json']);
    // The same server, whose address the part remembers.
    writeFileSync(join(output, '.ml-25m.zip.part'), archive);
    await download('ml-25m', { ...options, mirror: first.mirror });
    expect(first.asked[1]).toBe(`ml-25m.zip bytes=${archive.length}-`);
    expect(readFileSync(join(output, 'ml-25m.zip')).equals(archive)).toBe(true);
  });

  it.each([
    ['the file has changed meanwhile', { etag: '"2"' }],
    ['the server knows no ranges', { ranges: false }],
  ])('begins anew when %s', async (_, later) => {
    const behaviour: Behaviour = { md5, cuts: [1000], ...('ranges' in later && later) };
    const { mirror, onProgress } = await publisher({ 'ml-25m.zip': archive }, behaviour);
    const output = testFolder();
    await expect(download('ml-25m', { output, mirror, onProgress, retries: 0 })).rejects.toMatchObject({
      code: 'download-failed',
    });
    if ('etag' in later) behaviour.etag = later.etag;
    expect(await download('ml-25m', { output, mirror })).toMatchObject([{ checked: true }]);
  });

  it('deletes what has a wrong checksum, but not a file that was there', async () => {
    const wrong = md5.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const { mirror } = await publisher({ 'ml-25m.zip': archive }, { md5: wrong });
    const output = testFolder();
    await expect(download('ml-25m', { output, mirror })).rejects.toMatchObject({ code: 'wrong-checksum' });
    expect(readdirSync(output)).toEqual([]);
    writeFileSync(join(output, 'ml-25m.zip'), archive);
    await expect(download('ml-25m', { output, mirror })).rejects.toMatchObject({ code: 'wrong-checksum' });
    expect(existsSync(join(output, 'ml-25m.zip'))).toBe(true);
  });

  it('says that nothing was checked where the publisher gives no checksum', async () => {
    const files = { 'All_Beauty.jsonl.gz': gzipSync('{}'), 'meta_All_Beauty.jsonl.gz': gzipSync('{}') };
    const { mirror } = await publisher(files);
    const got = await download('amazon-2023/All_Beauty', { output: testFolder(), mirror });
    expect(got).toMatchObject([
      { checked: false, unpacked: [] },
      { checked: false, unpacked: [] },
    ]);
  });

  it('reports a file that is not there by its address', async () => {
    const { mirror } = await publisher({});
    const output = testFolder();
    await expect(download('google-local/Hawai', { output, mirror })).rejects.toMatchObject({
      code: 'download-not-found',
      message: expect.stringContaining(`${mirror}/review-Hawai.json.gz`) as unknown,
    });
    expect(readdirSync(output)).toEqual([]);
  });

  it('without a network, says which file to put where, and takes it from there', async () => {
    const { mirror } = await publisher({});
    server?.close();
    await new Promise((resolve) => server?.once('close', resolve));
    const output = testFolder();
    const path = join(output, 'ml-25m.zip');
    await expect(download('ml-25m', { output, mirror })).rejects.toMatchObject({
      code: 'no-network',
      message: expect.stringMatching(`${mirror}/ml-25m.zip.*put it at ${path}`) as unknown,
    });
    writeFileSync(path, archive);
    expect(await download('ml-25m', { output, mirror })).toMatchObject([{ checked: false }]);
    expect(readFileSync(join(output, 'ratings.csv'), 'utf8')).toBe(ratings);
  });

  it.each([
    ['cut', archive.subarray(0, archive.length - 100)],
    ['of other bytes', Buffer.concat([archive.subarray(0, 200), Buffer.alloc(50), archive.subarray(250)])],
    ['none', Buffer.from('<html>sign in first</html>')],
  ])('reports an archive that is %s', async (_, bytes) => {
    const { mirror } = await publisher({ 'ml-1m.zip': bytes });
    const output = testFolder();
    await expect(download('ml-1m', { output, mirror })).rejects.toMatchObject({ code: 'bad-zip' });
    expect(readdirSync(output)).toEqual(['ml-1m.zip']);
  });

  it.each(['ml-2m', 'amazon-2018/', 'amazon-2018/../x', 'google-local'])('knows no %s', async (name) => {
    await expect(download(name, { output: testFolder() })).rejects.toMatchObject({ code: 'unknown-download' });
  });

  it('can be stopped, and keeps what is here', async () => {
    const { mirror } = await publisher({ 'ml-25m.zip': archive }, { cuts: [1000] });
    const output = testFolder();
    const controller = new AbortController();
    const stopped = download('ml-25m', {
      output,
      mirror,
      signal: controller.signal,
      onProgress: ({ bytes }) => bytes && controller.abort(),
    });
    await expect(stopped).rejects.toThrow();
    expect(readdirSync(output)).toContain('.ml-25m.zip.part');
  });
});
