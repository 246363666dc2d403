import { ChatTemplate } from '@user-llm/llm';
import { encodePrompt, type UserLlm } from '@user-llm/user-llm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createServer, memoryStore, userModelOf, type UserLlmServer } from '../src/index.js';
import { dataOf, until } from './serve.js';
import { tinyUserLlm } from './tiny-user-llm.js';

let userLlm: UserLlm;
let server: UserLlmServer;
let url: string;
beforeAll(async () => {
  userLlm = await tinyUserLlm();
  server = createServer({ model: userModelOf(userLlm, { name: 'tiny' }), store: memoryStore() });
  url = await server.listen({ port: 0 });
}, 60_000);
afterAll(async () => {
  await server.close();
  await userLlm.dispose();
});

const send = (method: string, path: string, body?: object, signal?: AbortSignal) =>
  fetch(`${url}${path}`, {
    method,
    ...(signal && { signal }),
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
const json = async (response: Promise<Response>) => (await (await response).json()) as Record<string, never>;
const append = (user: string, items: readonly number[], from = 0) =>
  json(
    send('POST', `/v1/users/${user}/events`, {
      events: items.map((item, at) => ({ item: `m${item}`, rating: 1 + (at % 5), time: (from + at) * 3_600_000 })),
    }),
  );
const prompt = 'Which movie does this user choose next?';
const answer = async (user: string | undefined, more: object = {}) => {
  const body = await json(send('POST', '/v1/completions', { user, prompt, max_tokens: 12, ...more }));
  return body as unknown as { choices: [{ text: string; finish_reason: string }]; usage: Record<string, number> };
};

describe('a real User-LLM behind the server', () => {
  it('answers as the model does, streamed or not', async () => {
    await append('ann', [0, 2, 4]);
    const whole = await answer('ann');
    const events = [0, 2, 4].map((item, at) => ({
      user: 'ann',
      item: `m${item}`,
      rating: 1 + at,
      time: at * 3_600_000,
    }));
    let expected = '';
    for await (const text of userLlm.generate({ user: events, prompt, maximumTokens: 12 })) expected += text;
    expect(whole.choices[0].text).toBe(expected);
    expect(expected.length).toBeGreaterThan(0);
    expect(whole.usage['prompt_tokens']).toBeGreaterThan(5);
    const streamed = await send('POST', '/v1/completions', { user: 'ann', prompt, max_tokens: 12, stream: true });
    const chunks = dataOf(await streamed.text()).slice(0, -1);
    const texts = chunks.map((chunk) => (JSON.parse(chunk) as typeof whole).choices[0].text);
    expect(texts.join('')).toBe(expected);
  });

  it('answers another way about another user, and once an event is appended', async () => {
    await append('bob', [1, 3, 5]);
    await append('cid', [6, 7, 7]);
    const [bob, cid, nobody] = await Promise.all(['bob', 'cid', undefined].map((user) => answer(user)));
    expect(new Set([bob, cid, nobody].map((each) => each!.choices[0].text)).size).toBe(3);
    await append('bob', [7, 7], 3);
    expect((await answer('bob')).choices[0].text).not.toBe(bob!.choices[0].text);
  });

  it('appends as if the whole history had been encoded, also when many do at once', async () => {
    await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((item) => append('dan', [item], 5)));
    const { history } = (await json(send('GET', '/v1/users/dan'))) as unknown as { history: { item: string }[] };
    expect(history.map(({ item }) => item).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((item) => `m${item}`));
    await append(
      'eve',
      history.map(({ item }) => Number(item.slice(1))),
      5,
    );
    const ranked = async (user: string) => {
      const path = `/v1/users/${user}/recommendations?k=8&exclude_seen=false`;
      const { data } = (await json(send('GET', path))) as unknown as { data: { item: string; score: number }[] };
      return data;
    };
    // Ratings and times of the two differ, so this only says that both rank the whole catalogue.
    expect((await ranked('dan')).map(({ item }) => item).sort()).toEqual(
      (await ranked('eve')).map(({ item }) => item).sort(),
    );
  });

  it.each(['encoder', 'llm'])('recommends by the %s what was not seen, with titles', async (by) => {
    await append('fay', [0, 1]);
    const { data } = (await json(send('GET', `/v1/users/fay/recommendations?k=3&by=${by}`))) as unknown as {
      data: { item: string; title: string; score: number }[];
    };
    expect(data).toHaveLength(3);
    expect(data.every(({ item, title }) => !['m0', 'm1'].includes(item) && title !== '')).toBe(true);
    expect(data.map(({ score }) => score)).toEqual(data.map(({ score }) => score).sort((a, b) => b - a));
  });

  it('writes several answers at once, each as it would be alone', async () => {
    const users = ['ann', 'bob', 'cid', 'dan', undefined];
    const alone: string[] = [];
    for (const user of users) alone.push((await answer(user)).choices[0].text);
    const together = await Promise.all(users.map((user) => answer(user)));
    expect(together.map(({ choices }) => choices[0].text)).toEqual(alone);
  });

  it('stops writing when the client goes away, and answers the next', async () => {
    const client = new AbortController();
    const asked = send(
      'POST',
      '/v1/completions',
      { user: 'ann', prompt, max_tokens: 110, stream: true, temperature: 2, seed: 1 },
      client.signal,
    );
    const reader = (await asked).body!.getReader();
    await reader.read();
    client.abort();
    await expect(reader.read()).rejects.toThrow();
    let running = 1;
    const poll = async () => {
      running = ((await json(send('GET', '/health'))) as Record<string, number>)['running']!;
    };
    await until(() => {
      void poll();
      return running === 0;
    });
    expect((await answer('ann')).choices[0].text).not.toBe('');
  });

  it('lets a deleted user come back without what was known', async () => {
    await append('gil', [0, 1, 2]);
    await send('DELETE', '/v1/users/gil');
    expect((await send('POST', '/v1/users/gil/events', { item: 'm4' })).status).toBe(410);
    const event = { item: 'm6', rating: 4, time: 1 };
    await send('POST', '/v1/users/gil/events', { events: [event], restore: true });
    await send('POST', '/v1/users/hal/events', event);
    const [gil, hal] = await Promise.all(['gil', 'hal'].map((user) => answer(user)));
    expect(gil!.choices[0].text).toBe(hal!.choices[0].text);
  });

  it('counts the tokens that were written, whatever stop holds back or cuts', async () => {
    const plain = await answer('ann');
    expect(plain).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 12 } });
    const { text } = plain.choices[0];
    const held = await answer('ann', { stop: `${text.at(-1)}\u0001` });
    expect(held).toMatchObject({ choices: plain.choices, usage: plain.usage });
    const cut = await answer('ann', { stop: text });
    expect(cut).toMatchObject({ choices: [{ text: '', finish_reason: 'stop' }], usage: plain.usage });
  });

  it('refuses a prompt that is longer than the model reads', async () => {
    const response = await send('POST', '/v1/completions', { user: 'ann', prompt: 'x y z '.repeat(300) });
    expect(response.status).toBe(400);
  });
});

describe('userModelOf', () => {
  it.each([
    ['cross-attention', { name: 'cross-attention', config: { heads: 2 } }, 128],
    ['soft-prompt', { name: 'soft-prompt' }, 125],
  ])('knows the room that %s leaves for prompt and answer', async (_name, fusion, room) => {
    const tiny = await tinyUserLlm(undefined, fusion);
    const model = userModelOf(tiny);
    expect(model.maximumTokens).toBe(room);
    const signal = new AbortController().signal;
    const context = await model.context(undefined);
    const answerTo = async (words: number) => {
      const asked = { context, prompt: 'Alien '.repeat(words), maximumTokens: 1, signal };
      for await (const _ of model.generate(asked));
      return model.countTokens(asked.prompt);
    };
    let words = 1;
    while (model.countTokens('Alien '.repeat(words + 1)) < room) words++;
    expect(await answerTo(words)).toBeLessThan(room);
    await expect(answerTo(words + 1)).rejects.toMatchObject({ code: 'too-many-tokens' });
    await tiny.dispose();
  });

  it('reads no more of a prompt than shows that it is too long', () => {
    const { longestPrompt, countTokens } = userModelOf(userLlm);
    const encode = vi.spyOn(userLlm.parts.textTokenizer, 'encode');
    expect(countTokens('x'.repeat(longestPrompt!))).toBeGreaterThan(128);
    const read = Math.max(...encode.mock.calls.map(([text]) => text.length));
    encode.mockRestore();
    expect(read).toBeLessThan(longestPrompt!);
  });

  it('bounds the length of prompts by the longest token', () => {
    const { longestPrompt, countTokens } = userModelOf(userLlm);
    expect(longestPrompt).toBeGreaterThan(128);
    expect(
      countTokens('Which movie does this user choose next? '.repeat(100).slice(0, longestPrompt! + 1)),
    ).toBeGreaterThan(128);
  });
});

describe('a User-LLM with a chat template behind the server', () => {
  const template =
    "{% for message in messages %}{% if message.role == 'assistant' %}{{ raise_exception('no assistant') }}{% endif %}{{ '<|begin|>' + message.role + ': ' + message.content + '<|end|>' }}{% endfor %}<|begin|>assistant:";
  const messages = [
    { role: 'developer', content: 'Be brief. <|end|>' },
    { role: 'user', content: prompt },
  ];
  let chatty: UserLlm;
  let other: UserLlmServer;
  let address: string;
  beforeAll(async () => {
    chatty = await tinyUserLlm(template);
    other = createServer({ model: userModelOf(chatty, { name: 'chatty' }), store: memoryStore() });
    address = await other.listen({ port: 0 });
  }, 60_000);
  afterAll(async () => {
    await other.close();
    await chatty.dispose();
  });
  const chat = (base: string, more: object = {}) =>
    fetch(`${base}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages, max_tokens: 12, ...more }),
    });
  type Said = { choices: [{ message: { content: string } }]; usage: { prompt_tokens: number } };

  it('answers conversations in its form, and counts its tokens', async () => {
    const said = (await (await chat(address)).json()) as Said;
    const turns = messages.map(({ role, content }) => ({ role: role === 'developer' ? 'system' : role, content }));
    const encoded = new ChatTemplate(chatty.parts.textTokenizer).encode(turns);
    expect(said.usage.prompt_tokens).toBe(encoded.length);
    let expected = '';
    for await (const text of chatty.generate({ prompt: '', messages: turns, maximumTokens: 12 })) expected += text;
    expect(said.choices[0].message.content).toBe(expected);
    const completion = await fetch(`${address}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt, max_tokens: 12 }),
    });
    const { usage } = (await completion.json()) as Said;
    expect(usage.prompt_tokens).toBe(encodePrompt(chatty.parts.textTokenizer, prompt).length);
  });

  it('joins the texts where the LLM has no form for turns', async () => {
    const said = (await (await chat(url)).json()) as Said;
    const joined = messages.map(({ content }) => content).join('\n');
    expect(said.usage.prompt_tokens).toBe(encodePrompt(userLlm.parts.textTokenizer, joined).length);
  });

  it('answers 400 to a conversation that the template refuses', async () => {
    const refused = await chat(address, { messages: [{ role: 'assistant', content: 'Hello.' }, ...messages] });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { code: 'bad_chat', message: expect.stringContaining('no assistant') as string },
    });
  });
});
