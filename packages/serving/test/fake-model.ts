import type { Event } from '@user-llm/plugin';
import type { Sampling, UserModel } from '../src/index.js';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What happens inside of a `fakeModel`, for tests to see and to steer. */
export interface FakeModel extends UserModel<string> {
  /** Calls so far. */
  readonly calls: {
    encode: number;
    append: number;
    context: number;
    aborted: number;
    tokens: number;
    countTokens: number;
  };
  /** What it answers, token by token; what its state says when absent. */
  words?: readonly string[];
  maximumTokens?: number;
  longestPrompt?: number;
  /** Awaited before every token. */
  pace: () => Promise<void>;
  /** Awaited before an append is done. */
  appending: () => Promise<void>;
  encoderHash: string;
  /** Of the answer begun last. */
  signal?: AbortSignal;
  sampling?: Sampling;
}

/** A model without weights: its state is the list of items, and it answers with their number and the last of them. */
export function fakeModel(): FakeModel {
  const stateOf = (items: readonly string[]) => ({
    encoder: model.encoderHash,
    watermark: items.length,
    state: new TextEncoder().encode(items.join(',')),
  });
  const itemsOf = (events: readonly Event[]) => events.map(({ item }) => item);
  const model: FakeModel = {
    name: 'fake',
    encoderHash: 'fake-1',
    items: ['Alien', 'Brazil', 'Casablanca', 'Amélie'].map((title, at) => ({
      item: String(at),
      title,
      categories: ['Drama'],
    })),
    recommendsBy: ['encoder', 'llm'],
    calls: { encode: 0, append: 0, context: 0, aborted: 0, tokens: 0, countTokens: 0 },
    pace: () => Promise.resolve(),
    appending: () => Promise.resolve(),
    encode: (events) => {
      model.calls.encode++;
      return Promise.resolve(stateOf(itemsOf(events)));
    },
    append: async (state, events) => {
      model.calls.append++;
      await model.appending();
      return stateOf([...text(state.state).split(',').filter(Boolean), ...itemsOf(events)]);
    },
    context: (state) => {
      model.calls.context++;
      return Promise.resolve(state ? text(state.state) : '');
    },
    async *generate({ context, prompt, maximumTokens, signal, messages: _, ...sampling }) {
      Object.assign(model, { signal, sampling });
      if (prompt === 'fail') throw new Error(`secret of ${context}`);
      const items = context.split(',').filter(Boolean);
      const said = `${items.length} events, last ${items.at(-1) ?? 'none'}; ${prompt}`.split(/(?<= )/);
      const usual = prompt === 'forever' ? Array.from({ length: maximumTokens }, (_, at) => `${at} `) : said;
      const words = model.words ?? usual;
      for (const word of words.slice(0, maximumTokens)) {
        await model.pace();
        if (signal.aborted) {
          model.calls.aborted++;
          throw signal.reason as Error;
        }
        model.calls.tokens++;
        yield word;
      }
    },
    recommend: (_state, count, { by, exclude }) =>
      Promise.resolve(
        model.items
          .filter(({ item }) => !exclude.includes(item))
          .slice(0, count)
          .map(({ item, title }, at) => ({ item, title: title!, score: by === 'llm' ? -at : 1 / (at + 1) })),
      ),
    countTokens: (prompt) => {
      model.calls.countTokens++;
      return prompt.split(' ').length;
    },
  };
  return model;
}
