import { join } from 'node:path';
import { flattenParameters, initializeParameters } from '@user-llm/graph';
import type { JsonTokenizer } from '@user-llm/llm';
import type { Registry } from '@user-llm/plugin';
import { Random, Tensor, UserLlmError } from '@user-llm/tensor';
import { modelFiles, parameterGroup, partConfig, type ParameterGroupName } from '@user-llm/user-llm';
import { readTensors } from '../checkpoint/checkpoint-store.js';
import type { Weights } from '../loop/step-figures.js';
import { configHash } from './config-hash.js';
import type { LlmCheckpoint } from './llm-checkpoint.js';
import type { RunModel } from './model.js';
import type { RunConfig } from './run-config.js';
import { startJson, type StartModel } from './start-model.js';

type ModelConfig = RunConfig['model'];

/** What first values are found by. */
export interface StartInputs {
  readonly config: RunConfig;
  readonly model: RunModel;
  readonly registry: Registry;
  /** The LLM's tokenizer; absent when the run has no LLM. */
  readonly text?: JsonTokenizer | undefined;
  /** The LLM that the run starts from, if it does. */
  readonly checkpoint?: LlmCheckpoint | undefined;
  /** The earlier model that the run starts from, if it does. */
  readonly start?: StartModel | undefined;
}

/**
 * First values of all parameters: drawn by the seed, but for the parts that an earlier model or an LLM's checkpoint hands
 * on. A part is taken whole or not at all.
 *
 * @throws UserLlmError `no-start` when a part of the earlier model has another config, other parameters or, for the LLM,
 *   another tokenizer.
 */
export async function startWeights(inputs: StartInputs): Promise<Weights> {
  const { config, model, checkpoint, start } = inputs;
  const llm = Object.entries(checkpoint?.weights ?? {}).map(([name, tensor]) => [`llm.${name}`, tensor] as const);
  const drawn: Weights = {
    ...initializeParameters(model.parameters, Random.fromSeed(config.seed).split('parameters')),
    ...Object.fromEntries(llm),
  };
  if (start === undefined) return drawn;
  const read = await readTensors(join(start.path, modelFiles.weights));
  const weights: Record<string, Tensor> = { ...drawn };
  for (const part of config.start?.parts ?? []) {
    const names = namesOf(part, flattenParameters(model.parameters).keys());
    if (names.length === 0) continue;
    requireSameConfig(part, inputs, start);
    if (part === 'llm') await requireSameTokenizer(inputs, start);
    requireSameShapes(start.path, part, shapesOf(names, drawn), shapesOf(namesOf(part, Object.keys(read)), read));
    for (const name of names) {
      const { axes, shape } = drawn[name]!;
      weights[name] = new Tensor('float32', axes, shape, read[name]!.data as Float32Array);
    }
  }
  return weights;
}

function namesOf(part: ParameterGroupName, names: Iterable<string>): string[] {
  return [...names].filter((name) => parameterGroup(name) === part);
}

/** `name [2, 3]` for each name. */
function shapesOf(names: readonly string[], tensors: Weights): string[] {
  return names.map((name) => `${name} [${tensors[name]!.shape.join(', ')}]`);
}

function requireSameShapes(path: string, part: string, expected: readonly string[], got: readonly string[]): void {
  const missing = expected.find((each) => !got.includes(each));
  const further = got.find((each) => !expected.includes(each));
  if (missing === undefined && further === undefined) return;
  throw noStart(path, part, missing ?? 'no further parameters', further ?? 'none of this name');
}

function requireSameConfig(part: ParameterGroupName, { model, registry }: StartInputs, start: StartModel): void {
  const own = fieldsOf(part, model.config, registry);
  const earlier = fieldsOf(part, start.config as ModelConfig, registry);
  const names = [...new Set([...Object.keys(own), ...Object.keys(earlier)])];
  const differing = names.filter((name) => configHash(own[name]) !== configHash(earlier[name]));
  if (differing.length === 0) return;
  const told = (fields: Readonly<Record<string, unknown>>) =>
    differing.map((name) => `${name} ${JSON.stringify(fields[name]) ?? 'absent'}`).join(', ');
  throw noStart(start.path, part, told(own), told(earlier));
}

/** What a part is built by, defaults filled in. */
function fieldsOf(
  part: ParameterGroupName,
  config: ModelConfig,
  registry: Registry,
): Readonly<Record<string, unknown>> {
  if (part === 'lora') return { ...config.lora };
  const choice = config[part];
  if (choice === undefined) return {};
  const found = registry.get(`${part}s`, choice.name);
  const own = partConfig(`${part}s ${JSON.stringify(choice.name)}`, found, choice.config) as object;
  return { ...own, name: choice.name, ...(part === 'encoder' && { item: config.item }) };
}

async function requireSameTokenizer({ text }: StartInputs, start: StartModel): Promise<void> {
  const earlier = await startJson(start, modelFiles.textTokenizer);
  if (configHash(text?.json) === configHash(earlier)) return;
  throw noStart(start.path, 'llm', "this run's tokenizer", earlier === undefined ? 'none' : 'another one');
}

function noStart(path: string, part: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('no-start', {
    what: `${part} of ${path}`,
    expected,
    got,
    mend: 'Give this run the config and the tokenizer of the model that it starts from, or leave the part out of start.parts.',
  });
}
