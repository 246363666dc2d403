import { defineRun, type Run, type RunConfigInput } from '@user-llm/training';
import { events, taskMix, type FusionName, type Recipe, type Setting, type Way } from './recipe.js';

const maximumEvents = 50;

/** The decoder that is trained from scratch: a Llama of 2 layers, 950,912 parameters with its 4,096 tokens. */
const scratchLlm = {
  name: 'llama',
  config: { width: 128, layers: 2, heads: 4, feedForward: 384, maximumTokens: 8192 },
};

/** The demo: a decoder trained from scratch on the catalogue's text in about a minute, or a small checkpoint. */
export const fromScratch: Recipe = {
  ways: [
    fused('cross-attention', 'User-LLM, cross-attention'),
    fused('soft-prompt', 'User-LLM, soft prompt'),
    told(10),
    told(50),
  ],
  // The decoder has a minute to learn the titles.
  kCore: 20,
  maximumEvents,
  users: 400,
  beamWidth: 16,
  timedEvents: [10, maximumEvents, 256],
  plainTexts: [],
  minutes: { pretrain: 0.75, language: 1.1, align: 0.5, tune: 0.45 },
  seconds: { prepare: 5, evaluate: 110, report: 5 },
  baseRun,
  alignRun,
  tuneRun,
};

function fused(fusion: FusionName, label: string): Way {
  return { name: fusion, label, kind: 'fusion', fusion, strategy: 'full' };
}

function told(lastEvents: number): Way {
  const label = `text prompt, last ${lastEvents} events`;
  return { name: `text-${lastEvents}`, label, kind: 'text', lastEvents, strategy: 'full' };
}

function modelConfig(fusion: FusionName): RunConfigInput['model'] {
  return {
    events,
    encoder: {
      name: 'autoregressive',
      config: { width: 64, layers: 2, heads: 2, dropout: 0.2, maximumEvents },
    },
    compressor: { name: 'perceiver', config: { latents: 16, layers: 1, heads: 4, recency: 8, readLatents: false } },
    // Gates near 0 stay shut with some seeds, the more the larger their steps: what is behind them is noise at first.
    fusion: { name: fusion, config: fusion === 'cross-attention' ? { heads: 4, initialGate: 0.5 } : {} },
    llm: scratchLlm,
  };
}

/** The encoder pretrained on histories, the decoder on the catalogue and the prompts. */
function baseRun({ dataset, seed, minutes, llm }: Setting): Run {
  const pretrain: RunConfigInput['stages'][number] = {
    kind: 'pretrain',
    budget: { minutes: minutes.pretrain },
    batchSize: 64,
    window: { stride: 25 },
    // In less than a minute: steps ten times the usual, and a memory of squared gradients that keeps up.
    optimizer: {
      learningRate: 1e-2,
      options: { secondDecay: 0.98 },
      schedule: { kind: 'linear', warmUpSteps: 50, final: 0.05 },
    },
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

function optimizer(learningRate: number, llm: string | undefined, factors: Readonly<Record<string, number>> = {}) {
  return {
    learningRate: llm === undefined ? learningRate : 5e-4,
    factors,
    schedule: { kind: 'linear', warmUpSteps: 20, final: 0.05 },
  } as const;
}

function alignRun(fusion: FusionName, { dataset, seed, minutes, llm }: Setting, start: string): Run {
  return defineRun({
    name: `align-${fusion}`,
    seed,
    model: modelConfig(fusion),
    data: { dataset },
    start: { model: start },
    ...(llm !== undefined && { text: { kind: 'checkpoint', path: llm } }),
    stages: [
      {
        kind: 'align',
        budget: { minutes: minutes.align },
        events: 1,
        // Many steps rather than large ones: it is over when the vectors are told apart.
        batchSize: 64,
        maximumTokens: llm === undefined ? 16 : 32,
        optimizer: optimizer(5e-3, llm),
      },
    ],
  });
}

function tuneRun(way: Way, { dataset, seed, minutes, llm }: Setting, start: string): Run {
  const tune: RunConfigInput['stages'][number] = {
    kind: 'tune',
    budget: { minutes: minutes.tune + (way.kind === 'text' ? minutes.align : 0) },
    strategy: way.strategy,
    tasks: taskMix,
    form: way.kind === 'fusion' ? { kind: 'context' } : { kind: 'text', lastEvents: way.lastEvents },
    maximumEvents,
    // Long prompts in smaller batches: as many tokens a step, more steps.
    batchSize: way.kind === 'fusion' || way.lastEvents <= 10 ? 32 : 16,
    // A checkpoint has a context of its own; that of the smallest ones is 512 tokens.
    maximumTokens: llm === undefined ? 1280 : 448,
    tokenBuckets: way.kind === 'fusion' ? [32, 64, 128] : llm === undefined ? [256, 512, 1280] : [256, 448],
    // The encoder knows histories already; what reaches it through young layers is mostly noise.
    optimizer: optimizer(2e-3, llm, { 'encoder.*': 0.1 }),
  };
  return defineRun({
    name: way.name,
    seed,
    model: modelConfig(way.kind === 'fusion' ? way.fusion : 'cross-attention'),
    data: { dataset },
    start: { model: start, ...(way.kind === 'fusion' && { parts: ['encoder', 'compressor', 'fusion', 'llm'] }) },
    ...(llm !== undefined && { text: { kind: 'checkpoint', path: llm } }),
    stages: [tune],
  });
}
