import type { Event, Item } from '@user-llm/plugin';
import { loadTokenizer, trainBpe } from '@user-llm/llm';
import { EventTokenizer } from '@user-llm/tokenization';
import { UserLlm, type CreateOptions, type UserLlmConfigInput } from '../src/index.js';
import { schema, tinyConfig } from './support.js';

const titles = ['Alien', 'Aliens', 'Brazil', 'Casablanca', 'Dune', 'Dune: Part Two', 'Fargo', 'Heat'];
const genres = ['Comedy', 'Drama', 'Horror'];

export const catalogue: readonly Item[] = titles.map((title, at) => ({
  item: `m${at}`,
  title,
  categories: [genres[at % 3]!, ...(at % 2 === 0 ? [genres[(at + 1) % 3]!] : [])],
}));

/** Events of one user, an hour apart. */
export function history(user: string, items: readonly number[], from = 0): Event[] {
  return items.map((item, at) => ({
    user,
    item: `m${item}`,
    time: (from + at) * 3_600_000,
    rating: 1 + ((item + at) % 5),
  }));
}

const training = [history('a', [0, 1, 2, 3, 4]), history('b', [5, 6, 7, 0]), history('c', [1, 1, 2])].flat();

export const textTokenizer = loadTokenizer(
  trainBpe([...titles, 'What comes next?', 'Which genre does this user like best?', ...genres], {
    vocabularySize: 300,
    minimumFrequency: 1,
  }),
);

const llmOf = (width: number): UserLlmConfigInput['llm'] => ({
  name: 'llama',
  config: {
    vocabularySize: textTokenizer.vocabularySize,
    width,
    layers: 2,
    heads: 2,
    feedForward: 2 * width,
    maximumTokens: 64,
    deviation: 0.2,
  },
});

/** A small model of random weights whose gates are open. */
export async function smallModel(
  more: Partial<CreateOptions> & { readonly config?: UserLlmConfigInput } = {},
  gate = 0.7,
): Promise<UserLlm> {
  const eventTokenizer = await EventTokenizer.fit(schema, { events: training, items: catalogue });
  const made = UserLlm.create({
    config: tinyConfig({ llm: llmOf(32) }),
    eventTokenizer,
    textTokenizer,
    catalogue,
    weights: { seed: 3 },
    ...more,
  });
  for (const [name, weight] of Object.entries(made.weights)) if (name.endsWith('.gate')) weight.data.fill(gate);
  return made;
}

export function smallConfig(more: Partial<UserLlmConfigInput> = {}): UserLlmConfigInput {
  return tinyConfig({ llm: llmOf(32), ...more });
}
