import { loadTokenizer, trainBpe } from '@user-llm/llm';
import type { Event, EventSchema, Item } from '@user-llm/plugin';
import { EventTokenizer } from '@user-llm/tokenization';
import { UserLlm, type UserLlmConfigInput } from '@user-llm/user-llm';

const titles = ['Alien', 'Aliens', 'Brazil', 'Casablanca', 'Dune', 'Dune: Part Two', 'Fargo', 'Heat'];

/** Items `m0` to `m7`. */
export const catalogue: readonly Item[] = titles.map((title, at) => ({
  item: `m${at}`,
  title,
  categories: [at % 2 === 0 ? 'Drama' : 'Horror'],
}));

const schema = { item: { kind: 'id' }, rating: { kind: 'ordinal' } } as const satisfies EventSchema;

const event = (user: string, item: number, at: number): Event => ({
  user,
  item: `m${item}`,
  time: at * 3_600_000,
  rating: 1 + ((item + at) % 5),
});

/**
 * A User-LLM of random weights whose gates are open, so that who is asked about changes the answer.
 *
 * @param chatTemplate The form in which it reads conversations; none when absent.
 * @param fusion How the LLM reads users.
 */
export async function tinyUserLlm(
  chatTemplate?: string,
  fusion: UserLlmConfigInput['fusion'] = { name: 'cross-attention', config: { heads: 2, deviation: 1 } },
): Promise<UserLlm> {
  const training = titles.flatMap((_, item) => ['a', 'b'].map((user, at) => event(user, item, item + at)));
  const eventTokenizer = await EventTokenizer.fit(schema, { events: training, items: catalogue });
  const textTokenizer = loadTokenizer(
    trainBpe([...titles, 'Which movie does this user choose next?'], { vocabularySize: 300, minimumFrequency: 1 }),
    chatTemplate === undefined ? {} : { chatTemplate },
  );
  const userLlm = UserLlm.create({
    config: {
      events: schema,
      encoder: {
        name: 'autoregressive',
        config: { width: 16, layers: 1, heads: 2, maximumEvents: 6, featureWidth: 8, dropout: 0 },
      },
      compressor: { name: 'perceiver', config: { latents: 3, layers: 1, heads: 2 } },
      fusion,
      llm: {
        name: 'llama',
        config: {
          vocabularySize: textTokenizer.vocabularySize,
          width: 32,
          layers: 2,
          heads: 2,
          feedForward: 64,
          maximumTokens: 128,
          deviation: 0.3,
        },
      },
    },
    eventTokenizer,
    textTokenizer,
    catalogue,
    weights: { seed: 5 },
  });
  for (const [name, weight] of Object.entries(userLlm.weights)) if (name.endsWith('.gate')) weight.data.fill(2);
  return userLlm;
}
