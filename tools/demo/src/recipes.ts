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

/**
 * The minutes at an effort; 1 is the usual.
 *
 * @param effort Training time relative to the usual.
 */
export function minutesAt(effort: number): Minutes {
  return { pretrain: 0.75 * effort, language: 1.1 * effort, tune: 0.85 * effort };
}

/** What the demo trains with: what it was called with, and what comes of it. */
export interface Setting {
  /** Folder of the prepared data set. */
  readonly dataset: string;
  readonly seed: number;
  readonly minutes: Minutes;
  /** Path of a checkpoint that takes the place of the decoder that is trained from scratch. */
  readonly llm?: string | undefined;
}

/** Events of a history that are read at most. */
export const maximumEvents = 50;

/** What is read of each event: the film, its genres, the user's rating. */
export const events = {
  item: { kind: 'id' },
  genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 6 },
  rating: { kind: 'ordinal' },
} as const satisfies EventSchema;

/** What is judged: the next film, and the favourite genre of what was read. */
export const judgedTasks: readonly Task[] = [nextItemTask(), favouriteCategoryTask({ noun: 'genre' })];

/**
 * What is trained and asked: the genre of the time to come besides. The test knows but one event of it, so it is not
 * judged.
 */
export const askedTasks: readonly Task[] = [...judgedTasks, favouriteCategoryTask({ noun: 'genre', over: 'future' })];

/** The decoder that is trained from scratch: a Llama of 2 layers, 950,912 parameters with its 4,096 tokens. */
const scratchLlm = {
  name: 'llama',
  config: { width: 128, layers: 2, heads: 4, feedForward: 384, maximumTokens: 8192 },
};

const taskMix = [
  { name: 'next-item', weight: 6 },
  { name: 'favourite-genre', weight: 1 },
  { name: 'future-favourite-genre', weight: 1 },
];

function modelConfig(fusion: 'cross-attention' | 'soft-prompt'): RunConfigInput['model'] {
  return {
    events,
    encoder: {
      name: 'autoregressive',
      config: { width: 64, layers: 2, heads: 2, dropout: 0.3, maximumEvents },
    },
    compressor: { name: 'perceiver', config: { latents: 16, layers: 2, heads: 4, recency: 8, readLatents: false } },
    fusion: { name: fusion, config: fusion === 'cross-attention' ? { heads: 4 } : {} },
    llm: scratchLlm,
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
    sequenceTokens: 64,
    optimizer: { learningRate: llm === undefined ? 3e-3 : 5e-4, schedule: { kind: 'cosine', warmUpSteps: 50 } },
  };
  return defineRun({
    name: 'base',
    seed,
    model: modelConfig('cross-attention'),
    data: { dataset },
    text: llm === undefined ? { kind: 'train', vocabularySize: 4096 } : { kind: 'checkpoint', path: llm },
    stages: [pretrain, language],
  });
}

/** Share of a fusion's tuning time in which the LLM learns which titles the encoder's vectors stand for. */
const alignShare = 0.4;

/**
 * The run that tunes one way to know the user, from the same start and equally long in all: a fusion aligns the LLM with
 * the encoder's vectors first.
 */
export function tuneRun(way: Way, { dataset, seed, minutes, llm }: Setting, start: string): Run {
  const optimizer = (factors: Readonly<Record<string, number>>) =>
    ({
      learningRate: llm === undefined ? 2e-3 : 5e-4,
      factors,
      schedule: { kind: 'linear', warmUpSteps: 20, final: 0.05 },
    }) as const;
  const fused = way.kind === 'fusion';
  const align: RunConfigInput['stages'][number] = {
    kind: 'align',
    budget: { minutes: minutes.tune * alignShare },
    events: 1,
    maximumTokens: llm === undefined ? 16 : 32,
    // Gates start at 0, and nothing behind them learns before they open.
    optimizer: optimizer({ '*.gate': 30 }),
  };
  const tune: RunConfigInput['stages'][number] = {
    kind: 'tune',
    budget: { minutes: minutes.tune * (fused ? 1 - alignShare : 1) },
    tasks: taskMix,
    form: fused ? { kind: 'context' } : { kind: 'text', lastEvents: way.lastEvents },
    maximumEvents,
    // Long prompts in smaller batches: as many tokens a step, more steps.
    batchSize: fused ? 64 : way.lastEvents > 10 ? 16 : 32,
    // A checkpoint has a context of its own; that of the smallest ones is 512 tokens.
    maximumTokens: llm === undefined ? 1280 : 448,
    tokenBuckets: fused ? [32, 64, 128] : llm === undefined ? [256, 512, 1280] : [256, 448],
    // The encoder knows histories already; what reaches it through young layers is mostly noise.
    optimizer: optimizer({ '*.gate': 10, 'encoder.*': 0.1 }),
  };
  return defineRun({
    name: way.name,
    seed,
    model: modelConfig(fused ? way.fusion : 'cross-attention'),
    data: { dataset },
    start: { model: start },
    ...(llm !== undefined && { text: { kind: 'checkpoint', path: llm } }),
    stages: fused ? [align, tune] : [tune],
  });
}
