import { UserLlmError } from '@user-llm/tensor';
import { afterEach, describe, expect, it } from 'vitest';
import { memoryStore } from '../src/index.js';
import { closeAll, serve, Turnstile, until } from './serve.js';

afterEach(closeAll);

const items = (body: object) => (body as { history: { item: string }[] }).history.map(({ item }) => item);

describe('/v1/users/{user}/events', () => {
  it('makes the user, then appends; the history comes back with titles', async () => {
    const { call, model } = await serve();
    const made = await call('POST', '/v1/users/u%2F1%20%C3%A9/events', { item: '0', time: 1000, rating: 4.5 });
    expect([made.status, made.body]).toEqual([201, { id: 'u/1 é', object: 'user', events: 1, unknown_items: [] }]);
    const more = await call('POST', '/v1/users/u%2F1%20%C3%A9/events', {
      events: [
        { item: '9', time: '1970-01-01T00:00:02Z' },
        { item: '1', time: 2000, tags: ['a'] },
      ],
    });
    expect([more.status, more.body]).toMatchObject([200, { events: 3, unknown_items: ['9'] }]);
    const { body } = await call('GET', '/v1/users/u%2F1%20%C3%A9?limit=2');
    expect(body).toEqual({
      id: 'u/1 é',
      object: 'user',
      events: 3,
      encoder: 'fake-1',
      history: [
        { item: '9', time: 2000, title: null, categories: [] },
        { item: '1', time: 2000, tags: ['a'], title: 'Brazil', categories: ['Drama'] },
      ],
    });
    expect(model.calls).toMatchObject({ encode: 1, append: 1 });
  });

  it('puts a late event in its place and encodes anew', async () => {
    const { call, model } = await serve();
    await call('POST', '/v1/users/u/events', {
      events: [
        { item: '0', time: 3 },
        { item: '1', time: 1 },
      ],
    });
    await call('POST', '/v1/users/u/events', { item: '2', time: 2 });
    expect(items((await call('GET', '/v1/users/u')).body)).toEqual(['1', '2', '0']);
    expect(model.calls).toMatchObject({ encode: 2, append: 0 });
    const { body } = await call('POST', '/v1/completions', { user: 'u', prompt: 'x' });
    expect(body).toMatchObject({ choices: [{ text: '3 events, last 0; x' }] });
  });

  it('loses no event of many that are appended at once', async () => {
    const { call, model } = await serve({ limits: { concurrency: 8, waiting: 100 } });
    let rounds = 0;
    model.appending = () => new Promise((resolve) => setTimeout(resolve, (rounds++ * 7) % 5));
    await call('POST', '/v1/users/u/events', { item: 'start', time: 1 });
    const names = Array.from({ length: 24 }, (_, at) => `i${at}`);
    const replies = await Promise.all(names.map((item) => call('POST', '/v1/users/u/events', { item, time: 1 })));
    expect(replies.map(({ status }) => status)).toEqual(names.map(() => 200));
    const { body } = await call('GET', '/v1/users/u');
    expect(body).toMatchObject({ events: 25 });
    expect(items(body).sort()).toEqual([...names, 'start'].sort());
    expect(model.calls.append).toBeGreaterThan(24);
    const answer = await call('POST', '/v1/completions', { user: 'u', prompt: 'x' });
    expect(answer.body).toMatchObject({ choices: [{ text: expect.stringMatching(/^25 events, /) }] });
  });

  it('takes the time of a clock that is ahead, and of long ago', async () => {
    const { call } = await serve();
    for (const time of [Date.now() + 3_600_000, -8.64e15, '0001-01-01T00:00:00+01:00'])
      expect((await call('POST', '/v1/users/u/events', { item: '1', time })).status).toBeLessThan(300);
  });

  it('ends at the deadline, whatever the encoder does, and gives the place back', async () => {
    const { call, model } = await serve({ limits: { deadlineMs: 40, concurrency: 1 } });
    model.encode = () => new Promise(() => undefined);
    const { status, body } = await call('POST', '/v1/users/u/events', { item: '0' });
    expect([status, body.error!['code']]).toEqual([504, 'deadline']);
    expect((await call('GET', '/health')).body).toMatchObject({ running: 0, waiting: 0 });
  });

  it('keeps the latest events, and counts all', async () => {
    const { call } = await serve({ limits: { maximumEvents: 3 } });
    const batch = (from: number) => ({ events: [0, 1].map((at) => ({ item: `${from + at}`, time: from + at })) });
    for (const from of [0, 2, 4]) await call('POST', '/v1/users/u/events', batch(from));
    const { body } = await call('GET', '/v1/users/u');
    expect([items(body), body['events']]).toEqual([['3', '4', '5'], 6]);
  });

  it.each([
    ['no item', {}, 'item'],
    ['a time in words', { item: '1', time: 'yesterday' }, 'time'],
    ['a time of two days ahead', { item: '1', time: Date.now() + 2 * 86_400_000 }, 'time'],
    ['a year to come', { events: [{ item: '1' }, { item: '2', time: '9000-01-01T00:00:00Z' }] }, 'events.1.time'],
    ['a time that no date tells', { item: '1', time: -8.64e15 - 1 }, 'time'],
    ['no events', { events: [] }, 'events'],
    ['too many events', { events: Array.from({ length: 1001 }, () => ({ item: '1' })) }, 'events'],
    ['an unknown field beside events', { events: [{ item: '1' }], undo: true }, ''],
    ['a field that holds an object', { events: [{ item: '1', place: { x: 1 } }] }, 'events.0.place'],
    ["another user's event", { item: '1', user: 'v' }, 'user'],
  ])('refuses %s', async (_name, body, param) => {
    const { call, store } = await serve();
    const reply = await call('POST', '/v1/users/u/events', body);
    expect([reply.status, reply.body.error]).toMatchObject([400, { code: 'bad_request', param }]);
    expect(await store.get({ tenant: 'default', user: 'u' })).toBeUndefined();
  });
});

describe('DELETE /v1/users/{user}', () => {
  it('removes state and context; what comes late stays out until it is let back', async () => {
    const { call, store } = await serve();
    await call('POST', '/v1/users/u/events', { item: '0' });
    await call('POST', '/v1/completions', { user: 'u', prompt: 'x' });
    const { body } = await call('DELETE', '/v1/users/u');
    expect(body).toEqual({ id: 'u', object: 'user.deleted', deleted: true, existed: true, time: expect.any(String) });
    expect(await store.get({ tenant: 'default', user: 'u' })).toBeUndefined();
    const gone = [
      await call('GET', '/v1/users/u'),
      await call('GET', '/v1/users/u/recommendations'),
      await call('POST', '/v1/completions', { user: 'u', prompt: 'x' }),
    ];
    expect(gone.map(({ status, body: { error } }) => [status, error!['code']])).toEqual(
      gone.map(() => [404, 'user_not_found']),
    );
    const late = await call('POST', '/v1/users/u/events', { item: '1' });
    expect([late.status, late.body.error]).toMatchObject([410, { code: 'user_deleted' }]);
    expect((await call('DELETE', '/v1/users/u')).body).toMatchObject({ deleted: true, existed: false });
    const back = await call('POST', '/v1/users/u/events', { events: [{ item: '2' }], restore: true });
    expect([back.status, back.body]).toMatchObject([201, { events: 1 }]);
    const answer = await call('POST', '/v1/completions', { user: 'u', prompt: 'x' });
    expect(answer.body).toMatchObject({ choices: [{ text: '1 events, last 2; x' }] });
    expect(answer.headers.get('x-user-llm-context')).toBe('miss');
  });

  it('removes what the store cannot read', async () => {
    const store = memoryStore();
    const { call } = await serve({ store });
    await call('POST', '/v1/users/u/events', { item: '0' });
    store.get = () => Promise.reject(new UserLlmError('bad-user-record', { what: 'a record' }));
    expect((await call('GET', '/v1/users/u')).status).toBe(500);
    expect((await call('DELETE', '/v1/users/u')).body).toMatchObject({ deleted: true, existed: true });
  });

  it('takes JSON without a body as none', async () => {
    const { call } = await serve();
    await call('POST', '/v1/users/u/events', { item: '0' });
    expect((await call('DELETE', '/v1/users/u', '')).body).toMatchObject({ deleted: true, existed: true });
    expect((await call('POST', '/v1/users/u/events', '')).status).toBe(400);
  });

  it('keeps events out that were on their way, also when the user is back with as many', async () => {
    const { call, model } = await serve();
    await call('POST', '/v1/users/u/events', { events: [{ item: 'secret-1' }, { item: 'secret-2' }] });
    const turnstile = new Turnstile();
    const { encode, appending } = model;
    model.appending = turnstile.pass;
    model.encode = async (events) => {
      await turnstile.pass();
      return encode(events);
    };
    // One of a user with a history, and one of a user without.
    const late = ['u', 'v'].map((user) => call('POST', `/v1/users/${user}/events`, { item: 'late' }));
    await until(() => turnstile.waiting === 2);
    Object.assign(model, { encode, appending });
    for (const user of ['u', 'v']) {
      await call('DELETE', `/v1/users/${user}`);
      await call('POST', `/v1/users/${user}/events`, { events: [{ item: 'new-1' }], restore: true });
      await call('POST', `/v1/users/${user}/events`, { item: 'new-2' });
    }
    turnstile.let(2);
    for (const { status, body } of await Promise.all(late))
      expect([status, body.error]).toMatchObject([410, { code: 'user_deleted' }]);
    for (const user of ['u', 'v'])
      expect(items((await call('GET', `/v1/users/${user}`)).body)).toEqual(['new-1', 'new-2']);
  });

  it("breaks off answers about the user, and no one else's", async () => {
    const { call, url, model } = await serve();
    for (const user of ['u', 'v']) await call('POST', `/v1/users/${user}/events`, { item: '0' });
    const turnstile = new Turnstile();
    model.pace = turnstile.pass;
    const stream = fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: 'u', prompt: 'x', stream: true }),
    });
    turnstile.let();
    const reader = (await stream).body!.pipeThrough(new TextDecoderStream()).getReader();
    let said = (await reader.read()).value!;
    const [broken, other] = ['u', 'v'].map((user) => call('POST', '/v1/completions', { user, prompt: 'x' }));
    await until(() => turnstile.waiting === 3);
    await call('DELETE', '/v1/users/u');
    const { status, body } = (await broken)!;
    expect([status, body.error]).toMatchObject([410, { code: 'user_deleted' }]);
    for (let next = await reader.read(); !next.done; next = await reader.read()) said += next.value;
    expect(said).toContain('user_deleted');
    expect(said).not.toContain('[DONE]');
    turnstile.let(100);
    expect((await other)!.status).toBe(200);
    expect(model.calls.aborted).toBe(2);
  });

  it('keeps no context that was being made when the user was deleted', async () => {
    const { call, model } = await serve();
    await call('POST', '/v1/users/u/events', { item: '0' });
    const turnstile = new Turnstile();
    const { context } = model;
    model.context = async (state) => {
      await turnstile.pass();
      return context(state);
    };
    const asked = call('POST', '/v1/completions', { user: 'u', prompt: 'x' });
    await until(() => turnstile.waiting === 1);
    await call('DELETE', '/v1/users/u');
    turnstile.let(9);
    await asked;
    // The same event, time and all: only a context that was kept could be a hit.
    await call('POST', '/v1/users/u/events', { events: [{ item: '0' }], restore: true });
    const again = await call('POST', '/v1/completions', { user: 'u', prompt: 'x' });
    expect(again.headers.get('x-user-llm-context')).toBe('miss');
  });
});

describe('users from elsewhere', () => {
  const histories = ({ user }: { user: string }) =>
    Promise.resolve(user === 'known' ? ['2', '0'].map((item, time) => ({ user, item, time })) : undefined);

  it('are found, put in the store, and appended to', async () => {
    const { call, store, model } = await serve({ histories });
    expect(items((await call('GET', '/v1/users/known')).body)).toEqual(['2', '0']);
    expect(await store.get({ tenant: 'default', user: 'known' })).toMatchObject({ watermark: 2 });
    await call('POST', '/v1/users/known/events', { item: '1' });
    expect(model.calls).toMatchObject({ encode: 1, append: 1 });
    expect((await call('GET', '/v1/users/unknown')).status).toBe(404);
  });

  it('do not come back from there once deleted', async () => {
    const { call } = await serve({ histories });
    expect((await call('DELETE', '/v1/users/known')).body).toMatchObject({ existed: true });
    expect((await call('GET', '/v1/users/known')).status).toBe(404);
    await call('POST', '/v1/users/known/events', { events: [{ item: '1' }], restore: true });
    expect(items((await call('GET', '/v1/users/known')).body)).toEqual(['1']);
  });
});

it('encodes a user anew when the encoder is another one', async () => {
  const store = memoryStore();
  const first = await serve({ store });
  await first.call('POST', '/v1/users/u/events', { events: [{ item: '0' }, { item: '1' }] });
  const second = await serve({ store });
  second.model.encoderHash = 'fake-2';
  expect((await second.call('GET', '/v1/users/u')).body).toMatchObject({ encoder: 'fake-2', events: 2 });
  expect(second.model.calls).toMatchObject({ encode: 1, append: 0 });
  expect(await store.get({ tenant: 'default', user: 'u' })).toMatchObject({ encoder: 'fake-2', watermark: 2 });
});

describe('/v1/users/{user}/recommendations', () => {
  it('ranks what the user has not seen', async () => {
    const { call } = await serve();
    await call('POST', '/v1/users/u/events', { item: '0' });
    const { body } = await call('GET', '/v1/users/u/recommendations?k=2&by=llm');
    expect(body).toEqual({
      object: 'list',
      user: 'u',
      by: 'llm',
      data: [
        { rank: 1, item: '1', title: 'Brazil', score: -0 },
        { rank: 2, item: '2', title: 'Casablanca', score: -1 },
      ].map((entry) => ({ ...entry, score: entry.score + 0 })),
    });
    const all = await call('GET', '/v1/users/u/recommendations?exclude_seen=false');
    expect(all.body).toMatchObject({ by: 'encoder', data: [{ item: '0' }, {}, {}, {}] });
  });

  it.each(['k=0', 'k=x', 'by=magic', 'exclude_seen=maybe', 'n=3'])('refuses %s', async (query) => {
    const { call } = await serve();
    await call('POST', '/v1/users/u/events', { item: '0' });
    expect((await call('GET', `/v1/users/u/recommendations?${query}`)).body.error).toMatchObject({
      code: 'bad_request',
    });
  });
});

describe('Idempotency-Key', () => {
  const events = (items: readonly string[]) => ({ events: items.map((item) => ({ item })) });

  it('appends a request once, however often it is sent, also at the same time and after a restart', async () => {
    const store = memoryStore();
    const { call } = await serve({ store });
    const headers = { 'idempotency-key': 'first' };
    const made = await call('POST', '/v1/users/u/events', events(['0', '1']), headers);
    const again = await call('POST', '/v1/users/u/events', events(['0', '1']), headers);
    expect([again.status, again.body]).toEqual([made.status, made.body]);
    await call('POST', '/v1/users/u/events', { item: '2' }, { 'idempotency-key': 'second' });
    const late = await call('POST', '/v1/users/u/events', events(['0', '1']), headers);
    expect(late.body).toEqual(made.body);
    const restarted = await serve({ store });
    const twins = Array.from({ length: 6 }, () =>
      restarted.call('POST', '/v1/users/u/events', { item: '3' }, { 'idempotency-key': 'third' }),
    );
    expect((await Promise.all(twins)).map(({ body }) => body['events'] as unknown)).toEqual(twins.map(() => 4));
    expect(items((await restarted.call('GET', '/v1/users/u')).body).sort()).toEqual(['0', '1', '2', '3']);
    // Another user may use the same key, and a request without one is a new one each time.
    expect((await call('POST', '/v1/users/v/events', events(['0', '1']), headers)).body).toMatchObject({ events: 2 });
    for (const expected of [5, 6])
      expect((await call('POST', '/v1/users/u/events', { item: '4' })).body).toMatchObject({ events: expected });
  });

  it('is refused for other events, or when it is too long', async () => {
    const { call } = await serve();
    await call('POST', '/v1/users/u/events', { item: '0' }, { 'idempotency-key': 'k' });
    const reused = await call('POST', '/v1/users/u/events', { item: '1' }, { 'idempotency-key': 'k' });
    expect([reused.status, reused.body.error]).toMatchObject([422, { code: 'request_reused' }]);
    const long = await call('POST', '/v1/users/u/events', { item: '0' }, { 'idempotency-key': 'k'.repeat(256) });
    expect(long.status).toBe(400);
    expect((await call('GET', '/v1/users/u')).body).toMatchObject({ events: 1 });
  });

  it('is known for the latest 64 requests', async () => {
    const { call } = await serve();
    const send = (at: number) => call('POST', '/v1/users/u/events', { item: '0' }, { 'idempotency-key': `k${at}` });
    for (let at = 0; at <= 64; at++) await send(at);
    expect((await send(64)).body).toMatchObject({ events: 65 });
    expect((await send(1)).body).toMatchObject({ events: 2 });
    expect((await send(0)).body).toMatchObject({ events: 66 });
  });
});
