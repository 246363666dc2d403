import { initializeParameters, type Runtime } from '@user-llm/graph';
import { loadTokenizer, trainBpe } from '@user-llm/llm';
import type { Event, EventSchema, Item } from '@user-llm/plugin';
import { Random, Tensor } from '@user-llm/tensor';
import { EventTokenizer } from '@user-llm/tokenization';
import { composeUserLlm, defineUserLlm, encodedFeatures, userLlmRegistry } from '@user-llm/user-llm';
import { evaluationData, type EvaluationData, type ModelInHand } from '../src/index.js';

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

/** A User-LLM small enough for tests, untrained. */
export async function tinyModel(data: EvaluationData, runtime: Runtime, seed = 1): Promise<ModelInHand> {
  const events = data.histories.flatMap((history) => history.events);
  const eventTokenizer = await EventTokenizer.fit(schema, { events, items: data.catalogue.values() });
  const texts = films.map(({ title }) => `Which item does this user choose next?\nAnswer: ${title!}`);
  const textTokenizer = loadTokenizer(trainBpe(texts, { vocabularySize: 280 }));
  const config = defineUserLlm({
    events: schema,
    encoder: {
      name: 'autoregressive',
      config: { width: 8, layers: 1, heads: 2, maximumEvents: 4, featureWidth: 4, dropout: 0 },
    },
    compressor: { name: 'perceiver', config: { latents: 3, layers: 1, heads: 2 } },
    fusion: { name: 'cross-attention', config: { heads: 2 } },
    llm: {
      name: 'llama',
      config: {
        vocabularySize: textTokenizer.vocabularySize,
        width: 8,
        layers: 2,
        heads: 2,
        feedForward: 16,
        maximumTokens: 256,
        deviation: 0.3,
      },
    },
  });
  const model = composeUserLlm(config, { registry: userLlmRegistry(), features: encodedFeatures(eventTokenizer) });
  const weights = initializeParameters(model.parameters, Random.fromSeed(seed)) as Readonly<Record<string, Tensor>>;
  return { model, weights, eventTokenizer, textTokenizer, runtime };
}

/** The same model with all gates of its fusion open that far. */
export function withGates(held: ModelInHand, gate: number): ModelInHand {
  const opened = Object.entries(held.weights).map(([name, tensor]) => {
    if (!/^fusion\..*gate$/u.test(name)) return [name, tensor] as const;
    return [name, new Tensor('float32', [], [], Float32Array.of(gate)) as unknown as Tensor] as const;
  });
  return { ...held, weights: Object.fromEntries(opened) };
}
