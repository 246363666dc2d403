import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer, trainBpe } from '@user-llm/llm';
import { EventTokenizer } from '@user-llm/tokenization';
import { UserLlm } from '@user-llm/user-llm';
import { afterAll, beforeAll, expect, it } from 'vitest';

const bin = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin/user-llm-serve.mjs');

let folder: string;
let command: ChildProcess | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm-command-'));
  const items = ['Alien', 'Brazil', 'Fargo'].map((title, at) => ({ item: `m${at}`, title }));
  const events = items.map(({ item }, time) => ({ user: 'u', item, time }));
  const schema = { item: { kind: 'id' } } as const;
  const textTokenizer = loadTokenizer(
    trainBpe(
      items.map(({ title }) => title),
      { vocabularySize: 270, minimumFrequency: 1 },
    ),
  );
  const userLlm = UserLlm.create({
    config: {
      events: schema,
      encoder: { name: 'autoregressive', config: { width: 8, layers: 1, heads: 1, maximumEvents: 4, featureWidth: 8 } },
      compressor: { name: 'perceiver', config: { latents: 2, layers: 1, heads: 1 } },
      fusion: { name: 'cross-attention', config: { heads: 1 } },
      llm: {
        name: 'llama',
        config: { vocabularySize: 270, width: 16, layers: 1, heads: 1, feedForward: 32, maximumTokens: 2048 },
      },
    },
    eventTokenizer: await EventTokenizer.fit(schema, { events, items }),
    textTokenizer,
    catalogue: items,
    weights: { seed: 1 },
  });
  await userLlm.save(join(folder, 'model'));
  await userLlm.dispose();
});
afterAll(() => {
  command?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

it('serves a model directory; SIGTERM lets a stream that has begun end, and exits with 0', async () => {
  command = spawn(process.execPath, [bin, join(folder, 'model'), '--port', '0', '--log-level', 'warn'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const ended = new Promise<number | null>((resolve) => command!.once('exit', resolve));
  const address = new Promise<string>((resolve, reject) => {
    const take = (text: Buffer) => {
      said += text.toString();
      const found = /http:\/\/[\d.:]+/.exec(said)?.[0];
      if (found !== undefined) resolve(found);
    };
    command!.stdout!.on('data', take);
    command!.stderr!.on('data', take);
    void ended.then((code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  const url = await address;
  const send = (path: string, body: object) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await send('/v1/users/ann/events', { item: 'm1' })).status).toBe(201);
  const question = { user: 'ann', messages: [{ role: 'user', content: 'What next?' }], max_tokens: 400, stream: true };
  const stream = await send('/v1/chat/completions', question);
  expect(stream.headers.get('x-user-llm-events')).toBe('1');
  command.kill('SIGTERM');
  expect(await stream.text()).toMatch(/data: \[DONE\]\n\n$/);
  expect(await ended).toBe(0);
  expect(said).toContain('Ending');
}, 180_000);
