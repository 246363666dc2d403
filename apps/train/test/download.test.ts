import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir, readlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../src/index.js';

const commit = 'c0ffee'.padEnd(40, '0');
const weights = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 31) % 251);
const config = new TextEncoder().encode('{"model_type":"llama"}');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const gitHash = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

let folder: string;
let server: Server;
let said = '';
/** What was asked, with the header that tells from which byte on. */
let asked: string[] = [];
/** Bytes of the weights that are sent before the connection breaks. */
let breakAfter: number | undefined;
let served: Uint8Array = weights;
let siblings: readonly object[];

const listed = (name: string, bytes: Uint8Array, large: boolean): object => ({
  rfilename: name,
  size: bytes.length,
  blobId: gitHash(bytes),
  ...(large && { lfs: { sha256: sha256(bytes), size: bytes.length } }),
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { url = '' } = request;
  const { range, authorization } = request.headers;
  asked.push(range ? `${url} ${range}` : url);
  const owner = url.split('/').find((part) => ['open', 'gated', 'private'].includes(part));
  if (owner === 'private' || (owner === 'gated' && authorization !== 'Bearer secret'))
    return void response.writeHead(owner === 'private' ? 403 : 401).end();
  if (url.startsWith('/api/models/') && owner && !url.includes('/nothing'))
    return void response.end(JSON.stringify({ sha: commit, siblings }));
  const content = url.endsWith('/model.safetensors') ? served : url.endsWith('/config.json') ? config : undefined;
  if (!content) return void response.writeHead(404).end();
  const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from });
  const to = content === served && breakAfter !== undefined ? from + breakAfter : content.length;
  if (to >= content.length) return void response.end(content.subarray(from));
  response.write(content.subarray(from, to), () => setTimeout(() => response.destroy(), 100));
}

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((said += String(text)), true));
  server = createServer(answer);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm-hub-'));
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  vi.stubEnv('HF_HOME', folder);
  vi.stubEnv('HF_HUB_CACHE', '');
  vi.stubEnv('HF_TOKEN', '');
  [said, asked, breakAfter, served] = ['', [], undefined, weights];
  siblings = [
    listed('config.json', config, false),
    listed('model.safetensors', weights, true),
    listed('pytorch_model.bin', weights, true),
    listed('onnx/model.json', config, false),
    listed('README.md', config, false),
  ];
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

afterAll(() => {
  vi.restoreAllMocks();
  server.close();
});

const cached = (...parts: string[]): string => join(folder, 'hub', 'models--open--tiny', ...parts);
const download = (...args: string[]): Promise<number> => main(['llm', 'download', ...args]);

describe('user-llm-train llm download', () => {
  it("lays the cache out as Hugging Face's tools do, without pickles and other forms", async () => {
    expect(await download('open/tiny')).toBe(0);
    const snapshot = cached('snapshots', commit);
    expect(said).toContain(`${snapshot}\n`);
    expect(readdirSync(snapshot).sort()).toEqual(['config.json', 'model.safetensors']);
    expect(readdirSync(cached('blobs')).sort()).toEqual([gitHash(config), sha256(weights)].sort());
    expect(await readlink(join(snapshot, 'model.safetensors'))).toBe(join('..', '..', 'blobs', sha256(weights)));
    expect(readFileSync(join(snapshot, 'model.safetensors')).equals(weights)).toBe(true);
    expect(readFileSync(cached('refs', 'main'), 'utf8')).toBe(commit);
  });

  it('fetches nothing twice', async () => {
    expect(await download('open/tiny')).toBe(0);
    asked = [];
    expect(await download('open/tiny')).toBe(0);
    expect(asked).toEqual(['/api/models/open/tiny/revision/main?blobs=true']);
  });

  it('goes on where a connection broke', async () => {
    breakAfter = 120_000;
    expect(await download('open/tiny')).toBe(0);
    const ranges = asked.flatMap((line) => / (bytes=\d+-)$/.exec(line)?.[1] ?? []);
    expect(ranges.length).toBe(2);
    expect(readFileSync(cached('blobs', sha256(weights))).equals(weights)).toBe(true);
  });

  it('goes on where an earlier download ended', async () => {
    await mkdir(cached('blobs'), { recursive: true });
    await writeFile(cached('blobs', `${sha256(weights)}.incomplete`), weights.subarray(0, 1000));
    expect(await download('open/tiny')).toBe(0);
    expect(asked.at(-1)).toBe(`/open/tiny/resolve/${commit}/model.safetensors bytes=1000-`);
    expect(readFileSync(cached('blobs', sha256(weights))).equals(weights)).toBe(true);
  });

  it('keeps what came when all tries break, and says so', async () => {
    breakAfter = 1000;
    expect(await download('open/tiny')).toBe(1);
    expect(said).toMatch(/gone on with/);
    expect(statSync(cached('blobs', `${sha256(weights)}.incomplete`)).size).toBeGreaterThanOrEqual(1000);
  });

  it('removes content that is not what it should be', async () => {
    served = weights.map((byte) => byte ^ 1);
    expect(await download('open/tiny')).toBe(1);
    expect(said).toMatch(/model\.safetensors: expected content with the hash/);
    expect(readdirSync(cached('blobs'))).toEqual([gitHash(config)]);
  });

  it('copies the files to a folder, which must not be there', async () => {
    const out = join(folder, 'out');
    expect(await download('open/tiny', '--out', out)).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['config.json', 'model.safetensors']);
    expect(statSync(join(out, 'model.safetensors')).size).toBe(weights.length);
    expect(await download('open/tiny', '--out', out)).toBe(1);
    expect(await download('open/tiny', '--out', `${out}2/`)).toBe(0);
    expect(readdirSync(`${out}2`)).toHaveLength(2);
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
    said = '';
    expect(await download('open/tiny', '--out', join(out, 'config.json', 'out'))).toBe(1);
    expect(said).toContain('a place that may be written to');
  });

  it('takes one file alone', async () => {
    expect(await download('open/tiny', '--file', 'config.json')).toBe(0);
    expect(readdirSync(cached('snapshots', commit))).toEqual(['config.json']);
  });

  it('sends the token of the environment', async () => {
    expect(await download('gated/tiny')).toBe(1);
    expect(said).toMatch(/status 401.*Set HF_TOKEN/);
    vi.stubEnv('HF_TOKEN', 'secret');
    expect(await download('gated/tiny')).toBe(0);
  });

  it.each<[string, string[], RegExp]>([
    ['a model that may not be read', ['private/tiny'], /status 403/],
    ['a model that is not there', ['nobody/tiny'], /status 404/],
    ['a revision that is not there', ['open/tiny', '--revision', 'nothing'], /status 404/],
    ['a name that is none', ['../tiny'], /OWNER\/NAME/],
    ['a pickled file', ['open/tiny', '--file', 'pytorch_model.bin'], /pickled weights/],
    ['a file that is not there', ['open/tiny', '--file', 'model.gguf'], /none of that name/],
    ['a file in a folder', ['open/tiny', '--file', 'onnx/model.json'], /at the top/],
  ])('refuses %s', async (_, args, wanted) => {
    expect(await download(...args)).toBe(1);
    expect(said).toMatch(wanted);
  });

  it('refuses a model of pickled weights alone, and names the GGUF files of another', async () => {
    siblings = [listed('config.json', config, false), listed('pytorch_model.bin', weights, true)];
    expect(await download('open/tiny')).toBe(1);
    expect(said).toMatch(/pickled ones alone/);
    siblings = [listed('tiny.Q8_0.gguf', weights, true)];
    expect(await download('open/tiny')).toBe(1);
    expect(said).toMatch(/--file tiny\.Q8_0\.gguf/);
  });

  it('refuses names that lead out of the folder', async () => {
    siblings = [listed('model.safetensors', weights, true), listed('../../evil.json', config, false)];
    expect(await download('open/tiny')).toBe(0);
    expect(readdirSync(cached('snapshots', commit))).toEqual(['model.safetensors']);
  });

  it('says that nobody answers', async () => {
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
    expect(await download('open/tiny')).toBe(1);
    expect(said).toMatch(/Check the network/);
  });
});
