import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@user-llm/tensor';
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from './benchmark.js';
import { median } from './median.js';
import { childProgram, referenceScript } from './places.js';
import { StepProcess } from './step-process.js';
import { firstParameters, matrixFlops, trainingBatch } from './train-step-task.js';

const warmUpSteps = 2;
const rounds = 5;
const stepsPerRound = 3;
/** The threads of an engine spin for a while after its last step; the next engine starts when they sleep. */
const pauseMilliseconds = 300;

const python = process.env['PYTHON'] ?? 'python3';
const pythonModes = ['eager', 'sdpa', 'compiled'] as const;

/** An engine that is measured. */
interface Contestant {
  readonly name: string;
  readonly process: StepProcess;
  readonly engine: string;
  compileSeconds: number | undefined;
  readonly firstLoss: number;
  lastLoss: number;
  /** The median of each round, in milliseconds. */
  readonly rounds: number[];
}

/**
 * The training step of an encoder of item histories on both runtimes and, where torch is installed, in PyTorch: the same
 * first values, the same batch, the same losses. Each engine lives in a process of its own; they take turns.
 */
export const trainStep: Benchmark = {
  name: 'train-step',
  description: 'a training step of the encoder (6 layers, width 128, 64 x 50 events, 9,742 items, AdamW)',
  async run(options) {
    const folder = await mkdtemp(join(tmpdir(), 'user-llm-bench-'));
    const processes = new Map<string, StepProcess>();
    try {
      await startAll(folder, processes, options);
      return await measure(processes, options);
    } finally {
      await Promise.allSettled([...processes.values()].map((child) => child.close()));
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function startAll(
  folder: string,
  processes: Map<string, StepProcess>,
  { threads, progress }: BenchmarkOptions,
): Promise<void> {
  const child = childProgram('train-step-child');
  for (const name of ['onnx', 'tfjs']) {
    processes.set(`runtime-${name}`, new StepProcess(process.execPath, [child, name, `${threads}`]));
  }
  if (!hasTorch()) {
    progress(`No PyTorch: ${python} has no torch. Set PYTHON to one that has.`);
    return;
  }
  const task = join(folder, 'task.safetensors');
  await writeSafetensors(task, Object.entries({ ...firstParameters(), ...trainingBatch() }));
  const script = referenceScript('train_step.py');
  for (const mode of pythonModes) {
    const args = [script, '--task', task, '--mode', mode, '--threads', `${threads}`];
    processes.set(`PyTorch ${mode}`, new StepProcess(python, args));
  }
}

function hasTorch(): boolean {
  try {
    execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function measure(
  processes: ReadonlyMap<string, StepProcess>,
  { progress }: BenchmarkOptions,
): Promise<BenchmarkResult> {
  const contestants: Contestant[] = [];
  for (const [name, child] of processes) {
    progress(`${name}: getting ready`);
    contestants.push(await getReady(name, child));
  }
  const ours = contestants[0]!;
  const peaks: number[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    peaks.push((await ours.process.ask('product', 5)).gigaflops);
    for (const contestant of contestants) {
      await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
      const { milliseconds, loss } = await contestant.process.ask('steps', stepsPerRound);
      contestant.rounds.push(median(milliseconds));
      contestant.lastLoss = loss;
    }
  }
  return summarize(contestants, median(peaks));
}

async function getReady(name: string, child: StepProcess): Promise<Contestant> {
  const { engine, compileSeconds } = await child.ready();
  const first = await child.ask('steps', 1);
  const later = await child.ask('steps', warmUpSteps);
  // Without a step of its own for it, compiling is what the first step takes beyond a later one.
  const seconds = compileSeconds ?? (first.milliseconds[0]! - median(later.milliseconds)) / 1000;
  return {
    name,
    process: child,
    engine,
    compileSeconds: seconds,
    firstLoss: first.loss,
    lastLoss: first.loss,
    rounds: [],
  };
}

async function summarize(contestants: readonly Contestant[], peak: number): Promise<BenchmarkResult> {
  const gigaflop = matrixFlops() / 1e9;
  const memory = new Map<Contestant, number>();
  for (const contestant of contestants) memory.set(contestant, (await contestant.process.ask('memory', 1)).peakBytes);
  const rows = contestants.map((contestant) => {
    const ms = median(contestant.rounds);
    return {
      engine: contestant.name,
      'median ms': ms,
      'least ms': Math.min(...contestant.rounds),
      'GFLOP/s': (gigaflop / ms) * 1000,
      'compile s': contestant.compileSeconds,
      'peak MiB': memory.get(contestant)! / 2 ** 20,
      'first loss': contestant.firstLoss,
      'last loss': contestant.lastLoss,
    };
  });
  const [ours, tfjs, ...others] = contestants as [Contestant, Contestant, ...Contestant[]];
  // Round by round, so that what else the machine did meanwhile slows both sides of a ratio.
  const timesAsFast = (other: Contestant): number => median(other.rounds.map((ms, round) => ms / ours.rounds[round]!));
  const ratios: Record<string, number> = {
    'runtime-onnx: share of the peak of matrix products': (gigaflop / median(ours.rounds)) * (1000 / peak),
    'runtime-onnx times as fast as runtime-tfjs': timesAsFast(tfjs),
  };
  const [fastest] = others.toSorted((a, b) => median(a.rounds) - median(b.rounds));
  if (fastest) {
    ratios[`runtime-onnx times as fast as ${fastest.name}, PyTorch's fastest`] = timesAsFast(fastest);
    ratios[`peak memory of runtime-onnx over that of ${fastest.name}`] = memory.get(ours)! / memory.get(fastest)!;
  }
  const versions = Object.fromEntries(contestants.map(({ name, engine }) => [name, engine]));
  return { rows, ratios, versions: { ...versions, 'peak of matrix products': `${peak.toFixed(0)} GFLOP/s` } };
}
