import type { EventSchema, Task } from '@user-llm/plugin';
import { favouriteCategoryTask, nextItemTask } from '@user-llm/tasks';
import { defineRun, type Run, type RunConfigInput } from '@user-llm/training';

/** How the demo's decoder gets to know the user: the ways that are tuned and compared. */
export type Way =
  | { readonly name: string; readonly kind: 'fusion'; readonly fusion: 'cross-attention' | 'soft-prompt' }
  | { readonly name: string; readonly kind: 'text'; readonly lastEvents: number };

/** All of them; the first is the one that is served. */
export const ways: readonly Way[] = [
  { name: 'cross-attention', kind: 'fusion', fusion: 'cross-attention' },
  { name: 'soft-prompt', kind: 'fusion', fusion: 'soft-prompt' },
  { name: 'text-10', kind: 'text', lastEvents: 10 },
  { name: 'text-50', kind: 'text', lastEvents: 50 },
];

/** Minutes of training for each part of the demo; all ways to know the user are tuned equally long. */
export interface Minutes {
  readonly pretrain: number;
  readonly language: number;
  readonly tune: number;
}

/** What the demo trains with: what it was called with, and what comes of it. */
export interface Setting {
  /** Folder of the prepared data set. */
  readonly dataset: string;
  readonly seed: number;
  readonly minutes: Minutes;
  /** The decoder. */
  readonly llm: { readonly name: string; readonly config: Record<string, number> };
}

/** Events of a history that are read at most. */
export const maximumEvents = 50;

/** What is read of each event: the film, its genres, the user's rating. */
export const events = {
  item: { kind: 'id' },
  genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 6 },
  rating: { kind: 'ordinal' },
} as const satisfies EventSchema;

/** What is asked: the next film, the favourite genre of the past, and that of the time to come. */
export const tasks: readonly Task[] = [
  nextItemTask(),
  favouriteCategoryTask({ noun: 'genre' }),
  favouriteCategoryTask({ noun: 'genre', over: 'future' }),
];

/** The decoder that is trained from scratch: a Llama of 4 layers, of about a million parameters. */
export const scratchLlm: Setting['llm'] = {
  name: 'llama',
  config: { width: 128, layers: 4, heads: 4, feedForward: 384, maximumTokens: 8192 },
};

const taskMix = [
  { name: 'next-item', weight: 6 },
  { name: 'favourite-genre', weight: 1 },
  { name: 'future-favourite-genre', weight: 1 },
];

function modelConfig(fusion: 'cross-attention' | 'soft-prompt', llm: Setting['llm']): RunConfigInput['model'] {
  return {
    events,
    encoder: {
      name: 'autoregressive',
      config: { width: 64, layers: 2, heads: 2, dropout: 0.3, maximumEvents },
    },
    compressor: { name: 'perceiver', config: { latents: 16, layers: 2, heads: 4 } },
    fusion: { name: fusion, config: fusion === 'cross-attention' ? { heads: 4 } : {} },
    llm,
  };
}

/** The run that all ways start from: the encoder pretrained on histories, the decoder on the catalogue and the prompts. */
export function baseRun({ dataset, seed, minutes, llm }: Setting): Run {
  const pretrain: RunConfigInput['stages'][number] = {
    kind: 'pretrain',
    budget: { minutes: minutes.pretrain },
    batchSize: 64,
    window: { stride: 25 },
    lengthBuckets: [25],
    optimizer: { learningRate: 1e-3, schedule: { kind: 'linear', final: 0.1 } },
  };
  const language: RunConfigInput['stages'][number] = {
    kind: 'language',
    budget: { minutes: minutes.language },
    prompts: { count: 2000, tasks: taskMix.map(({ name }) => name), lastEvents: 10 },
    optimizer: { learningRate: 3e-3, schedule: { kind: 'cosine', warmUpSteps: 50 } },
  };
  return defineRun({
    name: 'base',
    seed,
    model: modelConfig('cross-attention', llm),
    data: { dataset },
    text: { kind: 'train', vocabularySize: 4096 },
    stages: [pretrain, language],
  });
}

/** The run that tunes one way to know the user, from the same start and equally long. */
export function tuneRun(way: Way, { dataset, seed, minutes, llm }: Setting, start: string): Run {
  return defineRun({
    name: way.name,
    seed,
    model: modelConfig(way.kind === 'fusion' ? way.fusion : 'cross-attention', llm),
    data: { dataset },
    start: { model: start },
    stages: [
      {
        kind: 'tune',
        budget: { minutes: minutes.tune },
        tasks: taskMix,
        form: way.kind === 'fusion' ? { kind: 'context' } : { kind: 'text', lastEvents: way.lastEvents },
        maximumEvents,
        batchSize: 64,
        maximumTokens: 1280,
        optimizer: { learningRate: 1e-3, schedule: { kind: 'linear', warmUpSteps: 20, final: 0.05 } },
      },
    ],
  });
}
