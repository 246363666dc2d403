import type { UserModel } from '@user-llm/serving';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (items: readonly string[]) => new TextEncoder().encode(items.join(','));

/** A model without weights, which answers with the items that it knows of the user. */
export const fakeModel: UserModel = {
  name: 'fake',
  encoderHash: 'fake-1',
  items: [{ item: 'a', title: 'Alien' }],
  recommendsBy: ['encoder'],
  encode: (events) =>
    Promise.resolve({ encoder: 'fake-1', watermark: events.length, state: bytes(events.map(({ item }) => item)) }),
  append: (state, events) =>
    Promise.resolve({
      encoder: 'fake-1',
      watermark: state.watermark + events.length,
      state: bytes([...text(state.state).split(','), ...events.map(({ item }) => item)]),
    }),
  context: (state) => Promise.resolve(state ? text(state.state) : 'nobody'),
  async *generate({ context }) {
    await Promise.resolve();
    yield String(context);
  },
  recommend: () => Promise.resolve([{ item: 'a', title: 'Alien', score: 1 }]),
  countTokens: (prompt) => prompt.split(' ').length,
};
