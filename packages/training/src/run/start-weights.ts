import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flattenParameters, initializeParameters } from '@user-llm/graph';
import { Random, Tensor, UserLlmError } from '@user-llm/tensor';
import { parameterGroup } from '@user-llm/user-llm';
import { readTensors } from '../checkpoint/checkpoint-store.js';
import type { Weights } from '../loop/step-figures.js';
import type { LlmCheckpoint } from './llm-checkpoint.js';
import type { RunModel } from './model.js';
import type { RunConfig } from './run-config.js';

/** A JSON file of the model that a run starts from; nothing when it starts from none, or that one has no such file. */
export async function readStart({ start }: RunConfig, name: string): Promise<unknown> {
  if (start === undefined) return undefined;
  const text = await readFile(join(start.model, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

/**
 * First values of all parameters: drawn by the seed, but for the parts that an earlier model or an LLM's checkpoint hands
 * on.
 *
 * @throws UserLlmError `no-start` when the model has nothing of a part, `weights-mismatch` when a shape differs.
 */
export async function startWeights(
  { seed, start }: RunConfig,
  { parameters }: RunModel,
  checkpoint?: LlmCheckpoint,
): Promise<Weights> {
  const llm = Object.entries(checkpoint?.weights ?? {}).map(([name, tensor]) => [`llm.${name}`, tensor] as const);
  const drawn: Weights = {
    ...initializeParameters(parameters, Random.fromSeed(seed).split('parameters')),
    ...Object.fromEntries(llm),
  };
  if (start === undefined) return drawn;
  const path = join(start.model, 'weights.safetensors');
  const read = await readTensors(path);
  const weights: Record<string, Tensor> = { ...drawn };
  for (const part of start.parts) {
    const names = [...flattenParameters(parameters).keys()].filter((name) => parameterGroup(name) === part);
    const there = names.filter((name) => name in read);
    if (names.length > 0 && there.length === 0) throw noStart(path, part);
    for (const name of there) {
      const { axes, shape } = drawn[name]!;
      const { data, shape: given } = read[name]!;
      if (given.join() !== shape.join()) throw misfit(`${path}: ${name}`, shape, given);
      weights[name] = new Tensor('float32', axes, shape, data as Float32Array);
    }
  }
  return weights;
}

function noStart(path: string, part: string): UserLlmError {
  return new UserLlmError('no-start', {
    what: path,
    expected: `parameters of the part ${part}`,
    got: 'none',
    mend: 'Leave the part out of start.parts, or start from a model that has it.',
  });
}

function misfit(what: string, expected: readonly number[], got: readonly number[]): UserLlmError {
  return new UserLlmError('weights-mismatch', {
    what,
    expected: `[${expected.join(', ')}]`,
    got: `[${got.join(', ')}]`,
    mend: 'Give this model the sizes of the one that it starts from.',
  });
}
