import { loadTokenizer, trainBpe } from '@user-llm/llm';
import type { Event, Item } from '@user-llm/plugin';
import { Random } from '@user-llm/tensor';
import { dataInMemory, defineRun, type Run, type RunConfigInput, type TrainingData } from '../src/index.js';

const genres = ['Drama', 'Comedy', 'Western', 'Horror'];

/** Items of four genres, each with a title of its own. */
export const tinyItems: readonly Item[] = Array.from({ length: 24 }, (_, item) => ({
  item: `i${item}`,
  title: `Film ${String.fromCharCode(65 + item)}`,
  categories: [genres[item % 4]!],
}));

/** Tokens of `tinyText`. */
export const tinyVocabularySize = 300;

/** A tokenizer of the items' titles. */
export const tinyText = loadTokenizer(
  trainBpe(
    tinyItems.map(({ title }) => title!),
    { vocabularySize: tinyVocabularySize },
  ),
);

/** Users who like one genre each and mostly go from an item to the next of it. */
export const tinyEvents: readonly Event[] = Array.from({ length: 40 }, (_, user) => {
  const stream = Random.fromSeed(17).at(user).stream();
  const length = 6 + stream.below(10);
  return Array.from({ length }, (_, position): Event => {
    const usual = (user % 4) + 4 * ((user + position) % 6);
    const item = stream.below(5) === 0 ? stream.below(24) : usual;
    return { user: `u${user}`, item: `i${item}`, time: 1000 * position, rating: 1 + stream.below(5) };
  });
}).flat();

/** A question for the next item, answered by `target`. */
export const askedNext = (target: string) => ({
  task: 'next-item',
  template: 'next-item@1#0',
  user: 'u',
  history: tinyEvents.slice(0, 5),
  instruction: 'Which item does this user choose next?',
  target,
});

/** Those in memory. */
export const tinyData = (): Promise<TrainingData> =>
  dataInMemory(tinyEvents, tinyItems, { kind: 'leave-last-out', validation: 1, seed: 0 });

/** A model of some thousand parameters with every part. */
export const tinyModel = {
  events: {
    item: { kind: 'id' },
    genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 2 },
    rating: { kind: 'ordinal' },
  },
  encoder: { name: 'autoregressive', config: { width: 16, layers: 1, heads: 2, featureWidth: 4, maximumEvents: 12 } },
  compressor: { name: 'perceiver', config: { latents: 3, layers: 1, heads: 2 } },
  fusion: { name: 'cross-attention', config: { heads: 2 } },
  llm: { name: 'llama', config: { width: 16, layers: 2, heads: 2, feedForward: 32, maximumTokens: 96 } },
} satisfies RunConfigInput['model'];

/** The user encoder of that model alone. */
export const tinyEncoder = { events: tinyModel.events, encoder: tinyModel.encoder } satisfies RunConfigInput['model'];

/** A run on it; only what a test is about has to be said. */
export function tinyRun(config: Partial<RunConfigInput> & Pick<RunConfigInput, 'stages'>): Run {
  const text = config.model && !config.model.llm ? {} : { text: { kind: 'train', vocabularySize: 320 } as const };
  return defineRun({ model: tinyModel, seed: 5, trackers: ['jsonl'], ...text, ...config });
}
