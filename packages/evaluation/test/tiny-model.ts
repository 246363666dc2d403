import type { Runtime } from '@user-llm/graph';
import { loadTokenizer, trainBpe } from '@user-llm/llm';
import type { Event, EventSchema, Item } from '@user-llm/plugin';
import { Tensor } from '@user-llm/tensor';
import { EventTokenizer } from '@user-llm/tokenization';
import { UserLlm, type CreateOptions } from '@user-llm/user-llm';
import { evaluationData, type EvaluationData } from '../src/index.js';

const schema = {
  item: { kind: 'id' },
  genres: { kind: 'multi-id', from: 'item', field: 'categories', slots: 2 },
} as const satisfies EventSchema;

/** Twelve films of two genres, the last never watched. */
export const films: readonly Item[] = Array.from({ length: 12 }, (_, item) => ({
  item: `i${item}`,
  title: `Film ${'abcdefghijkl'[item]!}`,
  categories: [item % 2 === 0 ? 'Drama' : 'Comedy'],
}));

/** Users who walk around the first eleven films, each some steps. */
export function walks(): EvaluationData {
  const events = Array.from({ length: 10 }, (_, user) =>
    Array.from({ length: 3 + (user % 5) }, (__, step): Event => ({
      user: `u${user}`,
      item: `i${(user + step) % 11}`,
      time: 1000 * step,
    })),
  );
  return evaluationData({ name: 'walks', events: events.flat(), items: films });
}

/** A User-LLM small enough for tests, untrained, with all gates of its fusion open that far. */
export async function tinyUserLlm(
  data: EvaluationData,
  runtime: Runtime,
  gate = 0,
  config: Partial<CreateOptions['config']> = {},
): Promise<UserLlm> {
  const events = data.histories.flatMap((history) => history.events);
  const eventTokenizer = await EventTokenizer.fit(schema, { events, items: data.catalogue.values() });
  const texts = films.map(({ title }) => `Which item does this user choose next?\nAnswer: ${title!}`);
  const textTokenizer = loadTokenizer(trainBpe(texts, { vocabularySize: 280 }));
  const { vocabularySize } = textTokenizer;
  const options: CreateOptions = {
    config: {
      events: schema,
      encoder: {
        name: 'autoregressive',
        config: { width: 8, layers: 1, heads: 2, maximumEvents: 4, featureWidth: 4, dropout: 0 },
      },
      compressor: { name: 'perceiver', config: { latents: 3, layers: 1, heads: 2 } },
      fusion: { name: 'cross-attention', config: { heads: 2 } },
      llm: {
        name: 'llama',
        config: { vocabularySize, width: 8, layers: 2, heads: 2, feedForward: 16, maximumTokens: 256, deviation: 0.3 },
      },
      ...config,
    },
    eventTokenizer,
    textTokenizer,
    catalogue: films,
    weights: { seed: 1 },
    runtime,
  };
  const opened = Object.entries(UserLlm.create(options).weights).map(([name, tensor]) => {
    return [name, /^fusion\..*gate$/u.test(name) ? full(gate) : tensor] as const;
  });
  return UserLlm.create({ ...options, weights: Object.fromEntries(opened) as unknown as Record<string, Tensor> });
}

const full = (value: number) => new Tensor('float32', [], [], Float32Array.of(value));
