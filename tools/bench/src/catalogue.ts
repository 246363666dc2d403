import type { Benchmark } from './benchmark.js';

/** The benchmarks by name; each is loaded only when it is asked for, and its engines with it. */
export type Catalogue = Readonly<Record<string, () => Promise<Benchmark>>>;

/** Every benchmark of this workspace. */
export const catalogue: Catalogue = {
  data: async () => (await import('./data.js')).data,
  'event-loop': async () => (await import('./event-loop.js')).eventLoop,
  llm: async () => (await import('./llm/llm.js')).llm,
  operators: async () => (await import('./operators.js')).operators,
  titles: async () => (await import('./llm/titles.js')).titles,
  tokenization: async () => (await import('./tokenization.js')).tokenization,
  'tune-step': async () => (await import('./llm/tune-step.js')).tuneStep,
  'train-step': async () => (await import('./train-step.js')).trainStep,
};
