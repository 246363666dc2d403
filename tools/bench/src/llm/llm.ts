import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createDecoder,
  llama,
  loadLanguageModel,
  QuantizedMatrix,
  quantizeLanguageModel,
  type DecodeStepper,
  type LlamaConfig,
  type LoadedLanguageModel,
  type Weight,
} from '@user-llm/llm';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from '../benchmark.js';
import { median } from '../median.js';
import { decodeRate, effort, prefillRate, type Effort, type TokenRate } from './decoder-timing.js';
import { findLlamaCpp, LlamaCpp, type LlamaCppSource } from './llama-cpp.js';
import { squareProduct, vectorProduct, type Product } from './machine-peaks.js';
import { smolLm2 } from './smol-lm2.js';

const rounds = 5;
const decodeSteps = 48;
const promptTokens = 512;
const largeBatch = 8;
/** Threads of an engine spin for a while after its last run; the next engine starts when they sleep. */
const pauseMilliseconds = 300;

/** A width of weights, on our side and in llama.cpp. */
interface Contestant {
  readonly kind: Kind;
  readonly stepper: DecodeStepper;
  readonly bytes: number;
  readonly llamaCpp: LlamaCpp | undefined;
  readonly rates: Record<'decode' | 'batch' | 'prefill', TokenRate[]>;
  /** Tokens per second of llama.cpp. */
  readonly there: Record<'decode' | 'prefill', number[]>;
}

/** By the kind of most matrices, the file that llama.cpp reads: each of its matrices has the bits that ours has. */
const kinds = {
  F32: ['F32', 'F32'],
  Q8_0: ['Q8_0', 'Q8_0'],
  Q4_1: 'own',
  Q4_0: ['Q4_0', 'Q8_0'],
} as const;
type Kind = keyof typeof kinds;

/** Decoding and reading of SmolLM2-135M at every width of weights, and llama.cpp on files of the same widths. */
export const llm: Benchmark = {
  name: 'llm',
  description: 'SmolLM2-135M: decoding, reading 512 tokens, loading; llama.cpp beside it',
  async run(options) {
    const model = smolLm2();
    const folder = await mkdtemp(join(tmpdir(), 'user-llm-bench-'));
    const runtime = await OnnxRuntime.create({ intraOpThreads: options.threads });
    const contestants: Contestant[] = [];
    const products: Product[] = [];
    const peaks: Peaks = { bandwidth: [], flops: [] };
    try {
      options.progress('loading');
      const loaded = await load(model);
      products.push(await vectorProduct(runtime), await squareProduct(runtime));
      const [vector, square] = products as [Product, Product];
      const there = findLlamaCpp();
      if (!there) options.progress('No llama.cpp: PYTHON has no llama_cpp, and NODE_LLAMA_CPP names none (README).');
      for (const kind of Object.keys(kinds) as Kind[]) {
        options.progress(`${kind}: getting ready`);
        contestants.push(await contestant(kind, loaded, runtime, there && { source: there, model, folder }, options));
      }
      for (let round = 0; round < rounds; round++) {
        options.progress(`round ${round + 1} of ${rounds}`);
        peaks.bandwidth.push(await vector.bytesPerSecond());
        await pause();
        peaks.flops.push(await square.operationsPerSecond());
        await pause();
        for (const own of contestants) await measure(own);
      }
      return summarize(contestants, peaks, loaded, runtime);
    } finally {
      for (const { stepper, llamaCpp } of contestants) await Promise.all([stepper.dispose(), llamaCpp?.close()]);
      for (const product of products) await product.close();
      await runtime.dispose();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Loaded {
  readonly real: LoadedLanguageModel;
  readonly stored: LoadedLanguageModel<Weight>;
  readonly taken: { readonly real: Effort; readonly stored: Effort };
}

async function load(model: string): Promise<Loaded> {
  let real: LoadedLanguageModel | undefined;
  let stored: LoadedLanguageModel<Weight> | undefined;
  const taken = {
    real: await effort(async () => (real = await loadLanguageModel(model))),
    stored: await effort(async () => (stored = await loadLanguageModel(model, { weights: 'as-stored' }))),
  };
  return { real: real!, stored: stored!, taken };
}

function weightsOf(kind: Kind, { real, stored }: Loaded): Readonly<Record<string, Weight>> {
  if (kind === 'Q4_1') return stored.weights;
  return kind === 'F32'
    ? (real.weights as Record<string, Weight>)
    : quantizeLanguageModel(real, kind === 'Q8_0' ? 8 : 4).weights;
}

async function contestant(
  kind: Kind,
  loaded: Loaded,
  runtime: OnnxRuntime,
  there: { readonly source: LlamaCppSource; readonly model: string; readonly folder: string } | undefined,
  { threads }: BenchmarkOptions,
): Promise<Contestant> {
  const weights = weightsOf(kind, loaded);
  const stepper = createDecoder({ llm: llama.build(loaded.real.config as LlamaConfig), weights, runtime });
  const bytes = Object.values(weights).reduce(
    (sum, weight) => sum + (weight instanceof QuantizedMatrix ? weight.byteLength : weight.data.byteLength),
    0,
  );
  const llamaCpp = there && (await LlamaCpp.open(there.source, there.model, kinds[kind], there.folder, threads));
  const own: Contestant = {
    kind,
    stepper,
    bytes,
    llamaCpp,
    rates: { decode: [], batch: [], prefill: [] },
    there: { decode: [], prefill: [] },
  };
  await decodeRate(stepper, 1, 4);
  await prefillRate(stepper, promptTokens);
  await llamaCpp?.rate('decode', 4);
  return own;
}

/** What the machine can do at most, round by round. */
interface Peaks {
  /** Bytes per second. */
  readonly bandwidth: number[];
  /** Operations per second. */
  readonly flops: number[];
}

const pause = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));

async function measure({ stepper, llamaCpp, rates, there }: Contestant): Promise<void> {
  rates.decode.push(await decodeRate(stepper, 1, decodeSteps));
  await pause();
  if (llamaCpp) there.decode.push(await llamaCpp.rate('decode', decodeSteps));
  await pause();
  rates.prefill.push(await prefillRate(stepper, promptTokens));
  await pause();
  if (llamaCpp) there.prefill.push(await llamaCpp.rate('prefill', promptTokens));
  await pause();
  rates.batch.push(await decodeRate(stepper, largeBatch, decodeSteps / 2));
  await pause();
}

function summarize(
  contestants: readonly Contestant[],
  { bandwidth, flops }: Peaks,
  { taken: loading, real: { config: raw } }: Loaded,
  runtime: OnnxRuntime,
): BenchmarkResult {
  const config = raw as LlamaConfig;
  const of = (rates: readonly number[]): number | undefined => (rates.length > 0 ? median(rates) : undefined);
  const speeds = (rates: readonly TokenRate[]): number[] => rates.map(({ tokensPerSecond }) => tokensPerSecond);
  const efforts = (rates: readonly TokenRate[]): number[] =>
    rates.map(({ processorMilliseconds }) => processorMilliseconds);
  const rows = contestants.map(({ kind, bytes, rates, there }) => ({
    weights: kind,
    MiB: bytes / 2 ** 20,
    'decode tokens/s': of(speeds(rates.decode)),
    'decode, processor ms/token': of(efforts(rates.decode)),
    'llama.cpp decode': of(there.decode),
    [`batch ${largeBatch} tokens/s`]: of(speeds(rates.batch)),
    'prefill tokens/s': of(speeds(rates.prefill)),
    'prefill, processor ms/token': of(efforts(rates.prefill)),
    'llama.cpp prefill': of(there.prefill),
  }));
  // Round by round, so that what else the machine did meanwhile slows both sides of a ratio.
  const over = (ours: readonly number[], theirs: readonly number[]): number =>
    median(ours.map((rate, round) => rate / theirs[round]!));
  const real = contestants[0]!;
  const matrices = (real.bytes / 4 - real.stepper.vocabularySize * config.width) * 2;
  // Scores of the pairs that a causal model has, and what is read by them.
  const attention = (config.layers * config.width * 4 * (promptTokens + 1)) / 2;
  const prefillPeakShare = over(speeds(real.rates.prefill), flops);
  const ratios: Record<string, number> = {
    'F32 decode, share of memory bandwidth over bytes of weights':
      over(speeds(real.rates.decode), bandwidth) * real.bytes,
    [`F32 batch ${largeBatch} over batch 1`]: over(speeds(real.rates.batch), speeds(real.rates.decode)),
    'F32 prefill, share of the matrix peak by linear maps alone': prefillPeakShare * matrices,
    'F32 prefill, share of the matrix peak': prefillPeakShare * (matrices + attention),
    'seconds to load in float32': loading.real.seconds,
    'seconds to load as stored': loading.stored.seconds,
    'processor seconds to load in float32': loading.real.processorSeconds,
    'processor seconds to load as stored': loading.stored.processorSeconds,
  };
  for (const { kind, rates, there } of contestants.filter(({ llamaCpp }) => llamaCpp)) {
    ratios[`${kind} decode over llama.cpp's`] = over(speeds(rates.decode), there.decode);
    ratios[`${kind} prefill over llama.cpp's`] = over(speeds(rates.prefill), there.prefill);
  }
  const versions = {
    onnxruntime: runtime.engine.version,
    ...(real.llamaCpp && { 'llama.cpp': real.llamaCpp.engine }),
    'memory bandwidth': `${(median(bandwidth) / 1e9).toFixed(1)} GB/s`,
    'matrix peak': `${(median(flops) / 1e9).toFixed(0)} GFLOP/s`,
  };
  return { rows, ratios, versions };
}
