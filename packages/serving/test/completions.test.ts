import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, dataOf, serve, Turnstile, until } from './serve.js';

afterEach(closeAll);

const ask = (more: object = {}) => ({ user: 'u', messages: [{ role: 'user', content: 'what next' }], ...more });

describe('POST /v1/chat/completions', () => {
  it("answers from the user's events, in OpenAI's shape", async () => {
    const { call } = await serve();
    await call('POST', '/v1/users/u/events', { events: [{ item: '0' }, { item: '1' }] });
    const first = await call('POST', '/v1/chat/completions', ask({ model: 'fake' }));
    expect(first.status).toBe(200);
    expect(first.body).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'fake',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: '2 events, last 1; what next', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 6, total_tokens: 8 },
    });
    expect([first.headers.get('x-user-llm-events'), first.headers.get('x-user-llm-context')]).toEqual(['2', 'miss']);
    const second = await call('POST', '/v1/chat/completions', ask());
    expect(second.headers.get('x-user-llm-context')).toBe('hit');
  });

  it('tells the model how to draw tokens', async () => {
    const { call, model } = await serve();
    const fields = { temperature: 0.7, top_p: 0.9, top_k: 40, min_p: 0.05, repetition_penalty: 1.1, seed: 3 };
    await call('POST', '/v1/chat/completions', ask({ user: undefined, ...fields }));
    expect(model.sampling).toEqual({
      temperature: 0.7,
      topP: 0.9,
      topK: 40,
      minP: 0.05,
      repetitionPenalty: 1.1,
      seed: 3,
    });
    await call('POST', '/v1/completions', { prompt: 'x', top_p: null });
    expect(model.sampling).toEqual({ temperature: 0 });
  });

  it('answers differently once an event is appended', async () => {
    const { call } = await serve();
    await call('POST', '/v1/users/u/events', { item: '0' });
    const before = await call('POST', '/v1/completions', { user: 'u', prompt: 'x' });
    await call('POST', '/v1/users/u/events', { item: '2' });
    const after = await call('POST', '/v1/completions', { user: 'u', prompt: 'x' });
    const text = (reply: typeof after) => (reply.body as unknown as { choices: { text: string }[] }).choices[0]!.text;
    expect([text(before), text(after)]).toEqual(['1 events, last 0; x', '2 events, last 2; x']);
    expect(after.headers.get('x-user-llm-context')).toBe('miss');
  });

  it('cuts at max_tokens and says so', async () => {
    const { call } = await serve();
    const { body } = await call('POST', '/v1/chat/completions', ask({ user: undefined, max_tokens: 2 }));
    expect(body).toMatchObject({
      choices: [{ message: { content: '0 events, ' }, finish_reason: 'length' }],
      usage: { completion_tokens: 2 },
    });
  });

  it.each([
    // words, stop, max_tokens; text, tokens, reason
    [['a ', 'b ', 'c'], undefined, 3, 'a b c', 3, 'length'],
    [['a ', 'b ', 'c'], undefined, 4, 'a b c', 3, 'stop'],
    [['a ', 'b ', 'c'], 'c', 3, 'a b ', 3, 'stop'],
    [['a ', 'b ', 'c'], ' b', 3, 'a', 2, 'stop'],
    [['a ', 'b ', 'c'], ['x', ' c, d'], 4, 'a b c', 3, 'stop'],
    [['a ', '', '\ufffd'], undefined, 3, 'a \ufffd', 2, 'stop'],
    [['a ', '', 'é'], undefined, 3, 'a é', 3, 'length'],
  ] as const)(
    'counts the tokens of %j with stop %j and max_tokens %d',
    async (words, stop, max, text, tokens, reason) => {
      const { call, model, url } = await serve();
      model.words = words;
      const question = { prompt: 'x', stop, max_tokens: max };
      const { body } = await call('POST', '/v1/completions', question);
      const [choices, usage] = [[{ text, finish_reason: reason }], { completion_tokens: tokens }];
      expect(body).toMatchObject({ choices, usage });
      const streamed = await fetch(`${url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...question, stream: true, stream_options: { include_usage: true } }),
      });
      type Chunk = { choices: { text: string; finish_reason: string | null }[]; usage: object | null };
      const chunks = dataOf(await streamed.text())
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Chunk);
      expect(chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.text)).join('')).toBe(text);
      expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe(reason);
      expect(chunks.at(-1)!.usage).toMatchObject(usage);
    },
  );

  it("cuts at the end of the LLM's room and says so", async () => {
    const { call, model } = await serve();
    model.maximumTokens = 8;
    const { body } = await call('POST', '/v1/completions', { prompt: 'forever', max_tokens: 100 });
    expect(body).toMatchObject({
      choices: [{ finish_reason: 'length' }],
      usage: { prompt_tokens: 1, completion_tokens: 7 },
    });
  });

  it('refuses a prompt without room for an answer, and does not even read one that is far too long', async () => {
    const { call, model } = await serve();
    Object.assign(model, { maximumTokens: 4, longestPrompt: 20 });
    const long = await call('POST', '/v1/completions', { prompt: 'a b c d' });
    expect([long.status, long.body.error]).toMatchObject([400, { code: 'too_many_tokens' }]);
    expect(model.calls).toMatchObject({ tokens: 0, countTokens: 1 });
    const longer = await call(
      'POST',
      '/v1/chat/completions',
      ask({ user: undefined, messages: [{ role: 'user', content: 'x'.repeat(21) }] }),
    );
    expect([longer.status, longer.body.error]).toMatchObject([400, { code: 'too_many_tokens' }]);
    expect(model.calls.countTokens).toBe(1);
    await call('POST', '/v1/completions', { prompt: 'a' });
    expect(model.calls.countTokens).toBe(2);
  });

  it('streams chunks and ends with [DONE]', async () => {
    const { url, call } = await serve();
    await call('POST', '/v1/users/u/events', { item: '3' });
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ask({ stream: true, stream_options: { include_usage: true } })),
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const data = dataOf(await response.text());
    expect(data.pop()).toBe('[DONE]');
    const chunks = data.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(new Set(chunks.map(({ id, object }) => `${id} ${object}`)).size).toBe(1);
    expect(chunks[0]).toMatchObject({ object: 'chat.completion.chunk', usage: null });
    const choices = chunks.flatMap(({ choices }) => choices as { delta: object; finish_reason: string | null }[]);
    expect(choices.map(({ delta }) => delta)).toEqual([
      { role: 'assistant', content: '' },
      ...['1 ', 'events, ', 'last ', '3; ', 'what ', 'next'].map((content) => ({ content })),
      {},
    ]);
    expect(choices.map((choice) => choice.finish_reason)).toEqual([...Array<null>(7).fill(null), 'stop']);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 2, completion_tokens: 6, total_tokens: 8 },
    });
  });

  it('sends each token when it is there, and stops the model when the client goes away', async () => {
    const { url, model, server } = await serve({ limits: { concurrency: 1 } });
    const turnstile = new Turnstile();
    model.pace = turnstile.pass;
    const client = new AbortController();
    const asked = fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'forever', stream: true, max_tokens: 100 }),
      signal: client.signal,
    });
    turnstile.let();
    const reader = (await asked).body!.getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toContain('"text":"0 "');
    expect(model.calls.tokens).toBe(1);
    client.abort();
    await expect(reader.read()).rejects.toThrow();
    await until(() => model.signal!.aborted);
    turnstile.let();
    await until(() => model.calls.aborted === 1);
    expect(model.calls.tokens).toBe(1);
    turnstile.let(100);
    // Its place is free again.
    const { statusCode } = await server.app.inject({
      method: 'POST',
      url: '/v1/completions',
      payload: { prompt: 'x' },
    });
    expect(statusCode).toBe(200);
  });

  it('breaks off at the deadline: 504, or an error in the stream that has begun', async () => {
    const { url, call, model } = await serve({ limits: { deadlineMs: 100, concurrency: 1 } });
    let tokens = 0;
    // A model that never comes to its second token, and heeds no signal.
    model.pace = () => (tokens++ < 1 ? Promise.resolve() : new Promise(() => undefined));
    const response = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'forever', stream: true }),
    });
    const data = dataOf(await response.text());
    expect(JSON.parse(data.at(-1)!)).toMatchObject({ error: { code: 'deadline', type: 'server_error' } });
    const whole = await call('POST', '/v1/completions', { prompt: 'forever' });
    expect([whole.status, whole.body.error!['code']]).toEqual([504, 'deadline']);
    model.context = () => new Promise(() => undefined);
    const early = await call('POST', '/v1/completions', { prompt: 'forever' });
    expect([early.status, early.body.error!['code']]).toEqual([504, 'deadline']);
    expect((await call('GET', '/health')).body).toMatchObject({ running: 0, waiting: 0 });
  });
});

describe('bad requests', () => {
  const bad: readonly (readonly [string, unknown, number, string, string | null])[] = [
    ['no JSON', '{"user":', 400, 'bad_request', null],
    ['no messages', { user: 'u' }, 400, 'bad_request', 'messages'],
    ['a message without a role', { messages: [{ content: 'x' }] }, 400, 'bad_request', 'messages.0.role'],
    [
      'an image',
      ask({ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }),
      400,
      'bad_request',
      'messages.0.content',
    ],
    ['the assistant last', { messages: [{ role: 'assistant', content: 'x' }] }, 400, 'bad_request', 'messages.0.role'],
    ['an empty question', { messages: [{ role: 'user', content: ' ' }] }, 400, 'bad_request', 'messages'],
    ['a temperature of 3', ask({ temperature: 3 }), 400, 'bad_request', 'temperature'],
    ['no token to draw from', ask({ top_k: 0 }), 400, 'bad_request', 'top_k'],
    ['too many tokens', ask({ max_tokens: 1e6 }), 400, 'bad_request', 'max_tokens'],
    [
      'too many tokens by their newer name',
      ask({ max_tokens: 1, max_completion_tokens: 1e6 }),
      400,
      'bad_request',
      'max_completion_tokens',
    ],
    [
      'a user who says nothing',
      ask({ messages: [{ role: 'user', content: null }, ...ask().messages] }),
      400,
      'bad_request',
      'messages.0.content',
    ],
    ['two answers', ask({ n: 2 }), 400, 'unsupported_parameter', 'n'],
    ['tools', ask({ tools: [{}] }), 400, 'unsupported_parameter', 'tools'],
    [
      'JSON as the form',
      ask({ response_format: { type: 'json_object' } }),
      400,
      'unsupported_parameter',
      'response_format',
    ],
    ['another model', ask({ model: 'gpt' }), 404, 'model_not_found', null],
    ['an unknown user', ask({ user: 'nobody' }), 404, 'user_not_found', null],
    ['a body beyond the limit', ask({ metadata: 'x'.repeat(4000) }), 413, 'request_too_large', null],
  ];
  it.each(bad)('%s', async (_name, body, status, code, param) => {
    const { call, model } = await serve({ limits: { maximumBodyBytes: 2000 } });
    const reply = await call('POST', '/v1/chat/completions', body);
    expect(reply.status).toBe(status);
    expect(reply.body).toEqual({ error: { message: expect.any(String), type: expect.any(String), param, code } });
    expect(model.calls.tokens).toBe(0);
  });

  it('takes what asks for nothing', async () => {
    const { call } = await serve();
    const harmless = { n: 1, tools: [], response_format: { type: 'text' }, presence_penalty: 0, logprobs: false };
    const nothing = { user: null, model: null, logit_bias: {}, max_completion_tokens: null };
    const messages = [{ role: 'assistant', content: null }, ...ask().messages];
    const reply = await call('POST', '/v1/chat/completions', { ...harmless, ...nothing, store: true, messages });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ choices: [{ message: { content: '0 events, last none; what next' } }] });
  });

  it.each([
    ['/v1/completions', { prompt: 'x', max_tokens: 0 }, 'max_tokens: expected number to be >=1'],
    ['/v1/completions', { prompt: 'x', seed: 'x' }, 'seed: expected number, received string'],
    ['/v1/completions', { prompt: 3 }, 'prompt: expected a text'],
    ['/v1/completions', { prompt: 'x', stop: 3 }, 'stop: expected a text, or up to 4 texts'],
    ['/v1/completions', '[]', 'the request: expected object, received array'],
    ['/v1/chat/completions', { messages: [] }, 'messages: expected array to have >=1 items'],
    [
      '/v1/chat/completions',
      { messages: [{ role: 'x', content: 'x' }] },
      'messages.0.role: expected one of "system"|"developer"|"user"|"assistant"',
    ],
    [
      '/v1/users/u/events',
      { item: '1', time: 'x' },
      'time: expected milliseconds since 1970, or a date and time of ISO 8601 with its offset from UTC',
    ],
    ['/v1/users/u/events', { events: [{ item: '1' }], undo: 1 }, 'the request: expected no field undo'],
  ])('says at %s of %j what it expected', async (path, body, message) => {
    const { call } = await serve();
    expect((await call('POST', path, body)).body.error).toMatchObject({ message });
  });

  it('answers an unknown user as nobody when the request allows it', async () => {
    const { call } = await serve();
    const reply = await call('POST', '/v1/completions', { user: 'nobody', allow_anonymous: true, prompt: 'x' });
    expect(reply.body).toMatchObject({ choices: [{ text: '0 events, last none; x' }] });
    expect(reply.headers.get('x-user-llm-context')).toBeNull();
  });

  it('does not read plain text, which web pages can send anywhere', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/v1/completions`, { method: 'POST', body: '{"prompt":"x"}' });
    expect(response.status).toBe(415);
  });

  it('tells nothing of an error inside', async () => {
    const { call } = await serve();
    const reply = await call('POST', '/v1/completions', { prompt: 'fail' });
    expect(reply.status).toBe(500);
    expect(JSON.stringify(reply.body)).not.toContain('secret');
  });
});
