import { multiply, type Float, type FloatScalar, type Optimizer, type ParameterSpec } from '@user-llm/graph';
import { adafactor, adam, adamW, chain, clipByGlobalNorm, lion, sgd, type ParameterGroup } from '@user-llm/optimizers';
import type { Registry } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { validated } from '../config/validated.js';
import type { OptimizerConfig } from './optimizer-config.js';

interface Settings {
  readonly learningRate: () => FloatScalar;
  readonly weightDecay: number;
  readonly groups: readonly ParameterGroup[];
}

const builtIn: Readonly<Record<string, (settings: Settings) => Optimizer>> = {
  adamw: adamW,
  adam,
  sgd,
  lion,
  adafactor,
};

/** Names of the optimizers that need no plugin. */
export const optimizerNames: readonly string[] = Object.keys(builtIn);

/** Embeddings of tokens, features and positions, and what is learned as an input; vectors and scalars never decay. */
const neverDecayed = /(^|\.)(norm[^.]*|bias|gates?|embed[^.]*|features|positions?|latents?|prompt|absent)(\.|$)/i;

/** Whether weight decay may shrink a parameter: matrices may, but for embeddings and what is learned as an input. */
export function isDecayed(name: string, { shape }: Pick<ParameterSpec, 'shape'>): boolean {
  return shape.length >= 2 && !neverDecayed.test(name);
}

/**
 * The optimizer that a config asks for, with clipping before it and its learning rate fed.
 *
 * @param rate The learning rate of the step: an input, given to `trainStepGraphs` as a control.
 * @param parameters What is trained, by name.
 * @throws UserLlmError `unknown-part` when there is no such optimizer, `bad-config` when it refuses its options, and
 *   `bad-hyper-parameter`.
 */
export function buildOptimizer(
  config: OptimizerConfig,
  rate: FloatScalar,
  parameters: ReadonlyMap<string, ParameterSpec>,
  registry?: Registry,
): Optimizer {
  const { name, learningRate, weightDecay, clip, options } = config;
  const kept = new Set([...parameters].filter(([name, spec]) => !isDecayed(name, spec)).map(([name]) => name));
  const groups = [{ match: (name: string) => kept.has(name), weightDecay: 0 }];
  const make = builtIn[name];
  const optimizer = make
    ? make({ weightDecay, ...options, learningRate: () => rate, groups })
    : chain(ofPlugin(config, registry), scaledBy(rate, 1 / learningRate));
  return clip === null ? optimizer : chain(clipByGlobalNorm(clip), optimizer);
}

/** An optimizer of a plugin, at the peak of the learning rate. */
function ofPlugin({ name, learningRate, weightDecay, options }: OptimizerConfig, registry?: Registry): Optimizer {
  const part = registry?.all('optimizers').get(name);
  if (part === undefined) {
    throw new UserLlmError('unknown-part', {
      what: `optimizer ${JSON.stringify(name)}`,
      expected: `one of ${[...optimizerNames, ...(registry?.all('optimizers').keys() ?? [])].join(', ')}`,
      mend: 'Correct the name, or add the plugin that offers it.',
    });
  }
  return part.build(validated(`optimizer ${name}`, part.config, { learningRate, weightDecay, ...options }));
}

/** Updates times the learning rate over its peak, for optimizers that know a fixed rate only. */
function scaledBy(rate: FloatScalar, factor: number): Optimizer {
  return {
    name: 'schedule',
    init: () => ({}),
    update: (gradients) => {
      const share = multiply(rate, factor);
      const updates = Object.entries(gradients).map(([name, x]) => [name, multiply(x as Float, share)] as const);
      return { updates: Object.fromEntries(updates), state: {} };
    },
  };
}
