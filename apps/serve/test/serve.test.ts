import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromTable, prepareDataset } from '@user-llm/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readApiKeys } from '../src/api-keys.js';
import { main } from '../src/cli.js';
import { datasetUsers } from '../src/histories.js';
import { taskQuestions } from '../src/questions.js';
import { serve, type ServeOptions } from '../src/serve.js';
import { fakeModel } from './fake-model.js';

let folder: string;
let data: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm-serve-'));
  mkdirSync(join(folder, 'model'));
  const rows = ['who,what,when,rating', 'u,b,2000,3', 'v,a,1000,5', 'u,a,1000,4.5', 'v,c,3000,', 'u,c,3000,1'];
  writeFileSync(join(folder, 'events.csv'), rows.join('\n'));
  data = join(folder, 'data');
  const columns = { user: 'who', item: 'what', time: 'when', rating: 'rating' };
  await prepareDataset({
    source: fromTable({ columns, timeUnit: 'milliseconds' }),
    input: join(folder, 'events.csv'),
    output: data,
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const defaults: ServeOptions = {
  host: '127.0.0.1',
  port: 0,
  name: 'fake',
  plugins: [],
  questions: [],
  itemNoun: 'movie',
  categoryNoun: 'genre',
  concurrency: 1,
  queue: 4,
  deadline: 5,
  drain: 1,
  logLevel: 'silent',
};

/** Serves, does something at the server's address, and ends it. */
async function during<T>(options: Partial<ServeOptions>, work: (url: string, said: readonly string[]) => Promise<T>) {
  const ending = new AbortController();
  const said: string[] = [];
  let disposed = false;
  const load = () =>
    Promise.resolve({
      model: fakeModel,
      dispose: () => {
        disposed = true;
        return Promise.resolve();
      },
    });
  const { promise: url, resolve: listening } = deferred<string>();
  const served = serve({ ...defaults, model: join(folder, 'model'), ...options }, load, ending.signal, (line) => {
    said.push(line);
    const address = /http:\/\/\S+/.exec(line)?.[0];
    if (address !== undefined) listening(address);
  });
  const result = await Promise.race([url, served.then(() => 'ended')]).then(async (at) => {
    await new Promise((resolve) => setImmediate(resolve));
    return work(at, said);
  });
  ending.abort();
  await served;
  expect(disposed).toBe(true);
  return result;
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  const kept: { resolve?: (value: T) => void } = {};
  const promise = new Promise<T>((resolve) => {
    kept.resolve = resolve;
  });
  return { promise, resolve: (value) => kept.resolve?.(value) };
}

const json = async (url: string, init?: RequestInit) =>
  (await (await fetch(url, init)).json()) as Record<string, unknown>;

describe('serve', () => {
  it('knows the users of a data set, with everything in their events', async () => {
    await during({ data }, async (url, said) => {
      expect(await json(`${url}/v1/users/u`)).toMatchObject({
        events: 3,
        history: [
          { item: 'a', time: 1000, rating: 4.5, title: 'Alien' },
          { item: 'b', time: 2000, rating: 3 },
          { item: 'c', time: 3000, rating: 1 },
        ],
      });
      const examples = await json(`${url}/v1/examples`);
      expect(examples['users']).toEqual(['u', 'v']);
      expect(examples['questions']).toContain('Which movie does this user choose next?');
      expect(said.join('\n')).toContain('2 of ');
    });
  });

  it('keeps users in a store from one start to the next, and whom it deleted, deleted', async () => {
    const options = { data, store: join(folder, 'users') };
    const event = { headers: { 'content-type': 'application/json' }, body: '{"item":"z"}' };
    await during(options, async (url) => {
      await fetch(`${url}/v1/users/u/events`, { method: 'POST', ...event });
      await fetch(`${url}/v1/users/v`, { method: 'DELETE' });
    });
    await during(options, async (url) => {
      expect(await json(`${url}/v1/users/u`)).toMatchObject({ events: 4 });
      expect((await fetch(`${url}/v1/users/v`)).status).toBe(404);
    });
  });

  it("asks for keys, and shows a data set's users to its tenant alone", async () => {
    const [ours, theirs] = ['0123456789abcdef', 'fedcba9876543210'];
    const apiKeyFile = join(folder, 'keys');
    writeFileSync(apiKeyFile, `# keys\n${ours}\nother ${theirs}\n`);
    await during({ data, apiKeyFile }, async (url) => {
      const status = async (key: string) =>
        (await fetch(`${url}/v1/users/u`, { headers: { authorization: `Bearer ${key}` } })).status;
      expect([await status(ours), await status(theirs), await status('x')]).toEqual([200, 404, 401]);
      const examples = async (key: string) =>
        (await json(`${url}/v1/examples`, { headers: { authorization: `Bearer ${key}` } }))['users'];
      expect([await examples(ours!), await examples(theirs!)]).toEqual([['u', 'v'], []]);
    });
  });

  it('keeps the limits that it is told', async () => {
    const limits = { maximumTokens: 8, defaultTokens: 4, maximumEvents: 2, maximumBodyBytes: 500, cachedUsers: 0 };
    await during({ data, ...limits }, async (url) => {
      const ask = async (body: object) =>
        fetch(`${url}/v1/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ user: 'u', prompt: 'x', ...body }),
        });
      expect((await ask({ max_tokens: 9 })).status).toBe(400);
      expect((await ask({ metadata: 'x'.repeat(500) })).status).toBe(413);
      for (let times = 0; times < 2; times++)
        expect((await ask({ max_tokens: 8 })).headers.get('x-user-llm-context')).toBe('miss');
      expect(await json(`${url}/v1/users/u`)).toMatchObject({ events: 3, history: [{ item: 'b' }, { item: 'c' }] });
    });
  });

  it('answers only to names of this machine when it needs no keys', async () => {
    await during({}, async (url) => {
      expect((await fetch(url)).status).toBe(200);
      const { port } = new URL(url);
      const { request } = await import('node:http');
      const status = await new Promise((resolve, reject) => {
        const sent = request({ port, host: '127.0.0.1', path: '/v1/models', headers: { host: 'evil.example' } });
        sent.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
        sent.end();
      });
      expect(status).toBe(403);
    });
  });

  it('says what is missing', async () => {
    const load = () => Promise.reject(new Error('not reached'));
    const never = new AbortController().signal;
    const model = join(folder, 'none');
    await expect(serve({ ...defaults, model }, load, never, () => undefined)).rejects.toMatchObject({
      code: 'model-not-found',
    });
  });
});

describe('datasetUsers', () => {
  it('spreads its examples over the data set', async () => {
    const users = await datasetUsers(data, 'default');
    expect([users.count, users.examples(1), users.examples(9)]).toEqual([2, ['u'], ['u', 'v']]);
    expect(await users.histories({ tenant: 'other', user: 'u' })).toBeUndefined();
    expect(await users.histories({ tenant: 'default', user: 'w' })).toBeUndefined();
  });
});

describe('readApiKeys', () => {
  it.each([
    ['no key', '# nothing\n'],
    ['a short key', 'short\n'],
    ['three words', 'tenant key-0123456789 more\n'],
    ['a key twice', 'a 0123456789abcdef\nb 0123456789abcdef\n'],
  ])('refuses %s', async (_name, content) => {
    const file = join(folder, 'bad-keys');
    writeFileSync(file, content);
    await expect(readApiKeys(file)).rejects.toMatchObject({ code: 'bad-api-keys' });
  });

  it('refuses a file that is not there', async () => {
    await expect(readApiKeys(join(folder, 'no-file'))).rejects.toMatchObject({ code: 'bad-api-keys' });
  });
});

it('asks in the words of the tasks', () => {
  expect(taskQuestions('place', 'category')).toEqual([
    'Which place does this user choose next?',
    "What is this user's favourite category?",
    'Which category will this user choose most from now on?',
  ]);
});

describe('main', () => {
  const output = async (args: readonly string[]) => {
    const written: string[] = [];
    const { write: out } = process.stdout;
    const { write: err } = process.stderr;
    const take = ((text: string) => written.push(text) > 0) as typeof out;
    process.stdout.write = process.stderr.write = take;
    try {
      const code = await main(args, () => Promise.reject(new Error('not reached')));
      return { code, text: written.join('') };
    } finally {
      process.stdout.write = out;
      process.stderr.write = err;
    }
  };

  it('teaches by --help', async () => {
    const { code, text } = await output(['--help']);
    expect(code).toBe(0);
    for (const taught of [
      '--store',
      '--api-key-file',
      '--maximum-tokens',
      'curl',
      '/v1/chat/completions',
      'npm run demo',
    ])
      expect(text).toContain(taught);
  });

  it('tells wrong usage from failure', async () => {
    expect((await output(['--port', '99999'])).code).toBe(2);
    expect((await output(['--bits', '5'])).code).toBe(2);
    expect(await output([join(folder, 'none')])).toMatchObject({ code: 1, text: expect.stringContaining('none') });
  });
});
