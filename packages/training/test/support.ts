import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initializeParameters, type Runtime } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, type Tensor } from '@user-llm/tensor';
import { afterAll } from 'vitest';
import { CheckpointStore, optimizerConfig, train, type TrainOptions, type TrainResult } from '../src/index.js';
import { smallTask } from './small-task.js';
import type { TrainingBatch } from '../src/loop/training-task.js';

/** A runtime of one thread for the tests of a file. */
export function testRuntime(): () => Promise<Runtime> {
  let made: Promise<OnnxRuntime> | undefined;
  afterAll(async () => (await made)?.dispose());
  return () => (made ??= OnnxRuntime.create({ intraOpThreads: 1 }));
}

/** A folder that goes when the tests of a file are done. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'user-llm-training-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Trains the small task with what a test says, in a folder. */
export async function trainSmall(
  runtime: Runtime,
  folder: string,
  { task = smallTask(), ...options }: Partial<Omit<TrainOptions, 'optimizer'>> & { readonly optimizer?: object } = {},
): Promise<TrainResult> {
  return train({
    weights: initializeParameters(task.parameters, Random.fromSeed(3)),
    trains: () => true,
    budget: { steps: 12 },
    seed: 11,
    runtime,
    checkpoints: new CheckpointStore(join(folder, 'checkpoints'), 'config'),
    folder,
    ...options,
    task,
    optimizer: optimizerConfig.parse({ learningRate: 0.01, ...options.optimizer }),
  });
}

/** The bits of tensors, for equality. */
export function bitsOf(tensors: Readonly<Record<string, Tensor>>): Record<string, string> {
  const bits = Object.entries(tensors).map(([name, { data }]) => {
    const { buffer, byteOffset, byteLength } = data;
    return [name, Buffer.from(buffer, byteOffset, byteLength).toString('hex')] as const;
  });
  return Object.fromEntries(bits.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The first batches of a stage. */
export async function first(batches: AsyncIterable<TrainingBatch>, count: number): Promise<TrainingBatch[]> {
  const taken: TrainingBatch[] = [];
  for await (const batch of batches) if (taken.push(batch) === count) break;
  return taken;
}
