import { defineRun, strategyNames, type Run, type RunConfigInput, type Strategy } from '@user-llm/training';
import { plainTexts } from './plain-texts.js';
import { events, taskMix, type FusionName, type Recipe, type Setting, type Way } from './recipe.js';

const maximumEvents = 200;
const longestTextPrompt = 50;

/** The share of an alignment in which films are named; in the rest the encoder's expectations are learned. */
const namingShare = 1 / 2;

/**
 * The share of batches that ask the first choice of a title alone: it has 6.5 of the 7.5 nats that it takes to know how
 * often each title is chosen.
 */
const firstChoiceShare = 0.75;

/** A pretrained LLM that gets to know its users: every fusion by every strategy that leaves the LLM's weights alone. */
export const realLlm: Recipe = {
  ways: [
    ...(['cross-attention', 'soft-prompt'] as const).flatMap((fusion) =>
      strategyNames.filter((strategy) => strategy !== 'full').map((strategy) => fused(fusion, strategy)),
    ),
    told(10),
    told(longestTextPrompt),
  ],
  kCore: 5,
  maximumEvents,
  users: 500,
  beamWidth: 16,
  timedEvents: [10, longestTextPrompt, 256, 1024],
  plainTexts,
  minutes: { pretrain: 20, language: 0, align: 14, tune: 6 },
  baseRun,
  alignRun,
  tuneRun,
};

function fused(fusion: FusionName, strategy: Strategy): Way {
  const label = `${fusion.replace('-p', ' p')}, ${strategy}`;
  return { name: `${fusion}-${strategy}`, label, kind: 'fusion', fusion, strategy };
}

function told(lastEvents: number): Way {
  const label = `text prompt, last ${lastEvents} events`;
  return { name: `text-${lastEvents}`, label, kind: 'text', lastEvents, strategy: 'lora' };
}

const encoder = {
  name: 'autoregressive',
  config: {
    width: 64,
    layers: 2,
    heads: 1,
    feedForward: 64,
    activation: 'relu',
    dropout: 0.1,
    positions: 'rotary',
    maximumEvents,
  },
} as const;

/**
 * Few latents: a soft prompt's are tokens that the LLM reads in each row of each step. The last event's embedding, which
 * follows them, is what the encoder expects next.
 */
const compressor = {
  name: 'perceiver',
  config: { latents: 4, lastEvents: 1, recency: 8, layers: 2, heads: 4, readLatents: false },
} as const;

function modelConfig(fusion: FusionName, strategy: Strategy): RunConfigInput['model'] {
  return {
    events,
    encoder,
    compressor,
    fusion: { name: fusion, config: fusion === 'cross-attention' ? { heads: 8, every: 3, initialGate: 0.5 } : {} },
    ...(strategy === 'lora' && { lora: { rank: 8, targets: ['q_proj', 'v_proj'] } }),
    // Of a title two tokens in twelve are a choice among titles; a row is as much shorter.
    titles: 'constrained',
  };
}

/** The encoder alone, pretrained on histories. */
function baseRun({ dataset, seed, minutes }: Setting): Run {
  return defineRun({
    name: 'base',
    seed,
    model: { events, encoder },
    data: { dataset },
    stages: [
      {
        kind: 'pretrain',
        budget: { minutes: minutes.pretrain },
        batchSize: 128,
        window: { kind: 'last' },
        // With rotary positions steps this large learn most of what there is in minutes: docs/results/ml-1m-encoder.md.
        optimizer: {
          name: 'adam',
          learningRate: 1e-2,
          options: { secondDecay: 0.98 },
          weightDecay: 0,
          clip: null,
          schedule: { kind: 'cosine', warmUpSteps: 100, final: 0.02 },
        },
      },
    ],
  });
}

function optimizer({ learningRate = 1e-3, factors = {} as Readonly<Record<string, number>> } = {}) {
  return { learningRate, factors, schedule: { kind: 'linear', warmUpSteps: 10, final: 0.05 } } as const;
}

function alignRun(fusion: FusionName, { dataset, seed, minutes, llm }: Setting, start: string): Run {
  return defineRun({
    name: `align-${fusion}`,
    seed,
    model: modelConfig(fusion, 'proj'),
    data: { dataset },
    start: { model: start, parts: ['encoder'] },
    text: { kind: 'checkpoint', path: llm! },
    stages: [
      {
        kind: 'align',
        budget: { minutes: minutes.align * namingShare },
        strategy: 'proj',
        // Two films in three that users choose are among 800 of 3,416.
        sampling: 'events',
        firstChoiceShare,
        events: 1,
        batchSize: 32,
        // The marker before a title has 3 tokens. Four titles in a hundred have a choice behind their fifth.
        maximumTokens: 8,
        optimizer: optimizer(),
      },
      {
        kind: 'tune',
        name: 'read',
        budget: { minutes: minutes.align * (1 - namingShare) },
        strategy: 'proj',
        tasks: [{ name: 'next-item' }],
        teacher: 'encoder',
        firstChoiceShare,
        form: { kind: 'context', instruction: false },
        maximumEvents,
        batchSize: 32,
        maximumTokens: 8,
        // The marker alone has 3, which is all that first choices are asked after.
        tokenBuckets: [3, 4, 8],
        optimizer: optimizer({ learningRate: 1.5e-3 }),
      },
    ],
  });
}

/** What a fusion is tuned on that has learned to read the next film already. */
const afterReading = [
  { name: 'next-item', weight: 3 },
  { name: 'favourite-genre', weight: 2 },
  { name: 'future-favourite-genre', weight: 1 },
];

function tuneRun(way: Way, { dataset, seed, minutes, llm }: Setting, start: string): Run {
  const tune: RunConfigInput['stages'][number] = {
    kind: 'tune',
    budget: { minutes: minutes.tune + (way.kind === 'text' ? minutes.align : 0) },
    strategy: way.strategy,
    tasks: way.kind === 'fusion' ? afterReading : taskMix,
    // What teaches is not trained.
    ...(way.kind === 'fusion' && way.strategy !== 'enc' && { teacher: 'encoder' }),
    // A fusion has been asked first choices before.
    ...(way.kind === 'text' && { firstChoiceShare }),
    form: way.kind === 'fusion' ? { kind: 'context' } : { kind: 'text', lastEvents: way.lastEvents },
    maximumEvents: way.kind === 'fusion' ? maximumEvents : way.lastEvents,
    batchSize: way.kind === 'fusion' ? 16 : way.lastEvents > 10 ? 1 : 4,
    // Each length is compiled anew and keeps memory of its own: several GiB where it is long.
    ...(way.kind === 'fusion'
      ? { maximumTokens: 24, tokenBuckets: [16, 24] }
      : way.lastEvents > 10
        ? { maximumTokens: 1536, tokenBuckets: [1536] }
        : { maximumTokens: 384, tokenBuckets: [256, 384] }),
    // The encoder knows histories already; what reaches it through young layers is mostly noise.
    optimizer: optimizer({ factors: { 'encoder.*': 0.1 } }),
  };
  return defineRun({
    name: way.name,
    seed,
    model: modelConfig(way.kind === 'fusion' ? way.fusion : 'cross-attention', way.strategy),
    data: { dataset },
    start: { model: start, parts: way.kind === 'fusion' ? ['encoder', 'compressor', 'fusion'] : ['encoder'] },
    text: { kind: 'checkpoint', path: llm! },
    stages: [tune],
  });
}
