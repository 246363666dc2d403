import { defineRun, strategyNames, type Run, type RunConfigInput, type Strategy } from '@user-llm/training';
import { plainTexts } from './plain-texts.js';
import { events, taskMix, type Recipe, type Setting, type Way } from './recipe.js';

const maximumEvents = 200;
const longestTextPrompt = 50;

/** Share of a fusion's tuning time in which the LLM learns which titles the encoder's vectors stand for. */
const alignShare = 0.4;

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
  minutes: { pretrain: 20, language: 0, tune: 20 },
  baseRun,
  tuneRun,
};

function fused(fusion: 'cross-attention' | 'soft-prompt', strategy: Strategy): Way {
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

function modelConfig(way: Way): RunConfigInput['model'] {
  const fusion = way.kind === 'fusion' ? way.fusion : 'cross-attention';
  return {
    events,
    encoder,
    compressor: { name: 'perceiver', config: { latents: 16, layers: 2, heads: 4, recency: 8, readLatents: false } },
    fusion: { name: fusion, config: fusion === 'cross-attention' ? { heads: 8, every: 3, initialGate: 0.5 } : {} },
    ...(way.strategy === 'lora' && { lora: { rank: 8, targets: ['q_proj', 'v_proj'] } }),
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

/** A fusion aligns the LLM with the encoder's vectors first; all ways are tuned equally long. */
function tuneRun(way: Way, { dataset, seed, minutes, llm }: Setting, start: string): Run {
  const optimizer = (factors: Readonly<Record<string, number>> = {}) =>
    ({ learningRate: 1e-3, factors, schedule: { kind: 'linear', warmUpSteps: 10, final: 0.05 } }) as const;
  const align: RunConfigInput['stages'][number] = {
    kind: 'align',
    budget: { minutes: minutes.tune * alignShare },
    strategy: way.strategy,
    events: 1,
    batchSize: 16,
    // Titles have 11 tokens on average, one in a hundred more than 24; the marker before them has 3.
    maximumTokens: 24,
    optimizer: optimizer(),
  };
  const tune: RunConfigInput['stages'][number] = {
    kind: 'tune',
    budget: { minutes: minutes.tune * (way.kind === 'fusion' ? 1 - alignShare : 1) },
    strategy: way.strategy,
    tasks: taskMix,
    form: way.kind === 'fusion' ? { kind: 'context' } : { kind: 'text', lastEvents: way.lastEvents },
    maximumEvents: way.kind === 'fusion' ? maximumEvents : way.lastEvents,
    batchSize: way.kind === 'fusion' ? 8 : way.lastEvents > 10 ? 1 : 4,
    // Each length is compiled anew and keeps memory of its own: several GiB where it is long.
    ...(way.kind === 'fusion'
      ? { maximumTokens: 96, tokenBuckets: [48, 96] }
      : way.lastEvents > 10
        ? { maximumTokens: 1536, tokenBuckets: [1536] }
        : { maximumTokens: 384, tokenBuckets: [256, 384] }),
    // The encoder knows histories already; what reaches it through young layers is mostly noise.
    optimizer: optimizer({ 'encoder.*': 0.1 }),
  };
  return defineRun({
    name: way.name,
    seed,
    model: modelConfig(way),
    data: { dataset },
    start: { model: start, parts: ['encoder'] },
    text: { kind: 'checkpoint', path: llm! },
    stages: way.kind === 'fusion' ? [align, tune] : [tune],
  });
}
