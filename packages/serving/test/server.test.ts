import type { FastifyBaseLogger } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { createServer, memoryStore } from '../src/index.js';
import { fakeModel } from './fake-model.js';
import { closeAll, serve, Turnstile, until } from './serve.js';

afterEach(closeAll);

describe('the queue', () => {
  it('turns away with 429 and Retry-After what does not fit, and serves the rest in turn', async () => {
    const { call, model } = await serve({ limits: { concurrency: 1, waiting: 2 } });
    const turnstile = new Turnstile();
    model.pace = turnstile.pass;
    const order: string[] = [];
    const ask = async (prompt: string) => {
      const reply = await call('POST', '/v1/completions', { prompt });
      if (reply.status === 200) order.push(prompt);
      return reply;
    };
    const waiting = async () => ((await call('GET', '/health')).body as unknown as { waiting: number }).waiting;
    const asked = [ask('a')];
    await until(() => turnstile.waiting === 1);
    asked.push(ask('b'));
    while ((await waiting()) < 1);
    asked.push(ask('c'));
    while ((await waiting()) < 2);
    const refused = await ask('d');
    expect([refused.status, refused.body.error]).toMatchObject([429, { code: 'queue_full', type: 'rate_limit_error' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    turnstile.let(100);
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(order).toEqual(['a', 'b', 'c']);
    expect((await ask('e')).status).toBe(200);
  });

  it('does not keep those waiting who need no model', async () => {
    const { call, model } = await serve({ limits: { concurrency: 1, waiting: 0 } });
    await call('POST', '/v1/users/u/events', { item: '0' });
    const turnstile = new Turnstile();
    model.pace = turnstile.pass;
    const asked = call('POST', '/v1/completions', { prompt: 'a' });
    await until(() => turnstile.waiting === 1);
    expect((await call('GET', '/v1/users/u')).status).toBe(200);
    expect((await call('DELETE', '/v1/users/u')).status).toBe(200);
    expect((await call('GET', '/v1/users/u/recommendations')).status).toBe(429);
    turnstile.let(100);
    expect((await asked).status).toBe(200);
  });

  it('lets those go who no longer wait', async () => {
    const { url, call, model } = await serve({ limits: { concurrency: 1, waiting: 1 } });
    const turnstile = new Turnstile();
    model.pace = turnstile.pass;
    const first = call('POST', '/v1/completions', { prompt: 'a' });
    await until(() => turnstile.waiting === 1);
    const client = new AbortController();
    const second = fetch(`${url}/v1/users/u`, { signal: client.signal });
    const waiting = async () => ((await call('GET', '/health')).body as unknown as { waiting: number }).waiting;
    while ((await waiting()) < 1);
    client.abort();
    await expect(second).rejects.toThrow();
    while ((await waiting()) > 0);
    turnstile.let(100);
    expect((await first).status).toBe(200);
  });
});

describe('drain', () => {
  it('ends what has begun, turns new work away, then closes', async () => {
    const { call, model, server, url } = await serve();
    const turnstile = new Turnstile();
    model.pace = turnstile.pass;
    const asked = call('POST', '/v1/completions', { prompt: 'a' });
    await until(() => turnstile.waiting === 1);
    const drained = server.drain(10_000);
    const health = await call('GET', '/health');
    expect([health.status, health.body]).toMatchObject([503, { status: 'draining', running: 1 }]);
    expect((await call('GET', '/live')).status).toBe(200);
    const refused = await call('POST', '/v1/completions', { prompt: 'b' });
    expect([refused.status, refused.body.error!['code'], refused.headers.get('retry-after')]).toEqual([
      503,
      'draining',
      '5',
    ]);
    turnstile.let(100);
    expect((await asked).status).toBe(200);
    await drained;
    await expect(fetch(`${url}/live`)).rejects.toThrow();
  });

  it('breaks off at its limit what takes longer', async () => {
    const { call, model, server } = await serve();
    model.pace = () => new Promise((resolve) => setTimeout(resolve, 20));
    const asked = call('POST', '/v1/completions', { prompt: 'forever', max_tokens: 500 });
    await until(() => model.calls.tokens > 0);
    await server.drain(10);
    const { status, body } = await asked;
    expect([status, body.error!['code']]).toEqual([503, 'draining']);
    await until(() => model.calls.aborted === 1);
  });

  it('does not wait for a model that heeds no signal', async () => {
    const { call, model, server } = await serve();
    model.pace = () => new Promise(() => undefined);
    const asked = call('POST', '/v1/completions', { prompt: 'a' });
    while (((await call('GET', '/health')).body as unknown as { running: number }).running < 1);
    await server.drain(10);
    const { status, body } = await asked;
    expect([status, body.error!['code']]).toEqual([503, 'draining']);
  });
});

describe('API keys', () => {
  it('let in, and keep tenants apart', async () => {
    const { call, url } = await serve({
      apiKeys: [
        { key: 'sk-a', tenant: 'a' },
        { key: 'sk-b', tenant: 'b' },
      ],
    });
    const [a, b] = ['sk-a', 'sk-b'].map((key) => ({ authorization: `Bearer ${key}` }));
    await call('POST', '/v1/users/u/events', { item: '0' }, a);
    expect((await call('GET', '/v1/users/u', undefined, a)).status).toBe(200);
    expect((await call('GET', '/v1/users/u', undefined, b)).status).toBe(404);
    await call('DELETE', '/v1/users/u', undefined, b);
    expect((await call('GET', '/v1/users/u', undefined, a)).status).toBe(200);
    for (const headers of [{}, { authorization: 'Bearer sk-c' }, { authorization: 'sk-a' }]) {
      const refused = await call('GET', '/v1/users/u', undefined, headers as Record<string, string>);
      expect([refused.status, refused.body.error]).toMatchObject([401, { code: 'bad_api_key' }]);
    }
    expect((await fetch(`${url}/`)).status).toBe(200);
    expect((await call('GET', '/health')).status).toBe(200);
  });
});

describe('privacy', () => {
  it('logs and counts without telling who the users are', async () => {
    const lines: string[] = [];
    const write = (...line: unknown[]) =>
      void lines.push(JSON.stringify(line, (_, value: unknown) => (value instanceof Error ? value.stack : value)));
    const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
    const logger: FastifyBaseLogger = Object.assign(
      Object.fromEntries(levels.map((level) => [level, write])) as Record<(typeof levels)[number], typeof write>,
      { level: 'trace', child: () => logger },
    );
    const { call, url } = await serve({ logger });
    const user = 'alice@example.org';
    const path = `/v1/users/${encodeURIComponent(user)}`;
    await call('POST', `${path}/events`, { item: user });
    await call('GET', path);
    await call('GET', `${path}/nonsense`);
    await call('POST', `${path}/events`, { item: '' });
    await call('POST', '/v1/chat/completions', { user, messages: [{ role: 'user', content: 'x' }] });
    await call('POST', '/v1/completions', { user, prompt: 'fail' });
    await call('DELETE', path);
    await call('POST', `${path}/events`, { item: '0' });
    const said = lines.join('\n') + (await (await fetch(`${url}/metrics`)).text());
    expect(lines.length).toBeGreaterThan(7);
    expect(said).not.toContain('alice');
    // The error told what the user had chosen, which here is the user's own id.
    expect(said).toMatch(/secret of [0-9a-f]{12}/);
    const hashes = new Set([...said.matchAll(/"user":"([0-9a-f]{12})"/g)].map(([, hash]) => hash));
    expect(hashes.size).toBe(1);
  });

  it('answers only to its own names, where they are given', async () => {
    const { call } = await serve({ hosts: ['localhost'] });
    expect((await call('GET', '/v1/models')).status).toBe(403);
    const { server } = await serve({ hosts: ['localhost'] });
    const reply = await server.app.inject({ url: '/v1/models', headers: { host: 'localhost:8080' } });
    expect(reply.statusCode).toBe(200);
  });
});

describe('what there is besides', () => {
  it('shows users to try to their tenant alone', async () => {
    const apiKeys = ['a', 'b'].map((tenant) => ({ key: `sk-${tenant}`, tenant }));
    const { call } = await serve({ apiKeys, examples: { users: ['u'], questions: ['what next'], tenant: 'a' } });
    const examples = (tenant: string) =>
      call('GET', '/v1/examples', undefined, { authorization: `Bearer sk-${tenant}` });
    expect((await examples('a')).body).toMatchObject({ users: ['u'], questions: ['what next'] });
    expect((await examples('b')).body).toMatchObject({ users: [], questions: ['what next'] });
  });

  it('answers in its own form to a path that is no URL', async () => {
    const { call } = await serve();
    const { status, body } = await call('GET', '/v1/users/%E0%A4%A');
    expect([status, body.error]).toMatchObject([400, { type: 'invalid_request_error', code: 'bad_request' }]);
  });

  it('lists the model, finds items by title, offers examples', async () => {
    const { call } = await serve({ examples: { users: ['u'], questions: ['what next'] } });
    expect((await call('GET', '/v1/models')).body).toMatchObject({
      object: 'list',
      data: [{ id: 'fake', object: 'model' }],
    });
    expect((await call('GET', '/v1/models/fake')).status).toBe(200);
    expect((await call('GET', '/v1/models/other')).status).toBe(404);
    expect((await call('GET', '/v1/items?query=amelie')).body).toMatchObject({
      data: [{ item: '3', title: 'Amélie' }],
    });
    expect((await call('GET', '/v1/items?query=AL')).body).toMatchObject({ data: [{ title: 'Alien' }] });
    expect((await call('GET', '/v1/items?query=zzz')).body).toMatchObject({ data: [] });
    expect((await call('GET', '/v1/examples')).body).toMatchObject({ users: ['u'], questions: ['what next'] });
    expect((await call('GET', '/v1/nothing')).body.error).toMatchObject({ code: 'route_not_found' });
  });

  it('serves a page that loads nothing from elsewhere', async () => {
    const { url } = await serve();
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await page.text();
    const linked = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link!);
    expect(linked.sort()).toEqual(['data:,', 'page.css', 'page.js']);
    for (const link of linked.slice(1)) expect((await fetch(`${url}/${link}`)).status).toBe(200);
  });

  it('counts tokens and times', async () => {
    const { call, url } = await serve();
    await call('POST', '/v1/completions', { prompt: 'a b c' });
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('user_llm_tokens_total{kind="prompt"} 3');
    expect(text).toContain('user_llm_time_to_first_token_seconds_count 1');
    expect(text).toContain('user_llm_requests_total{route="/v1/completions",status="200"} 1');
    expect(text).toContain('user_llm_requests_running 0');
  });

  it('refuses limits that are none, and a port that is taken', async () => {
    const options = { model: fakeModel(), store: memoryStore() };
    expect(() => createServer({ ...options, limits: { concurrency: 0 } })).toThrow(
      expect.objectContaining({ code: 'bad-options' }),
    );
    const { url } = await serve();
    const second = createServer(options);
    await expect(second.listen({ port: Number(new URL(url).port) })).rejects.toMatchObject({ code: 'cannot-listen' });
    await second.close();
  });
});
