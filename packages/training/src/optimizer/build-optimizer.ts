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
  const { name, learningRate, weightDecay, clip, options, factors } = config;
  const make = builtIn[name];
  const optimizer = make
    ? make({ weightDecay, ...options, learningRate: () => rate, groups: parameterGroups(config, parameters) })
    : chain(ofPlugin(config, registry), scaledBy(rate, 1 / learningRate, factorOf(factors)));
  return clip === null ? optimizer : chain(clipByGlobalNorm(clip), optimizer);
}

/** Parameters that learn alike: by the factor on their learning rate, and whether they decay. */
function parameterGroups(
  { weightDecay, factors }: OptimizerConfig,
  parameters: ReadonlyMap<string, ParameterSpec>,
): ParameterGroup[] {
  const factor = factorOf(factors);
  const groups = new Map<string, ParameterGroup & { readonly names: Set<string> }>();
  for (const [name, spec] of parameters) {
    const own = { learningRateFactor: factor(name), weightDecay: isDecayed(name, spec) ? weightDecay : 0 };
    const key = `${own.learningRateFactor} ${own.weightDecay}`;
    const names = groups.get(key)?.names ?? new Set<string>();
    groups.set(key, { ...own, names, match: (each) => names.has(each) });
    names.add(name);
  }
  return [...groups.values()];
}

/** The factor on a parameter's learning rate: that of the first pattern its name fits, else 1. */
function factorOf(factors: OptimizerConfig['factors']): (name: string) => number {
  const patterns = Object.entries(factors).map(([pattern, factor]) => ({ form: formOf(pattern), factor }));
  return (name) => patterns.find(({ form }) => form.test(name))?.factor ?? 1;
}

/** A pattern of names, with * for any part of them. */
function formOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

/** The patterns of an optimizer's factors that fit none of these names: misspelt, or written for another model. */
export function idleFactors({ factors }: Pick<OptimizerConfig, 'factors'>, names: Iterable<string>): string[] {
  const all = [...names];
  return Object.keys(factors).filter((pattern) => {
    const form = formOf(pattern);
    return !all.some((name) => form.test(name));
  });
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
function scaledBy(rate: FloatScalar, factor: number, ofParameter: (name: string) => number): Optimizer {
  return {
    name: 'schedule',
    init: () => ({}),
    update: (gradients) => {
      const share = multiply(rate, factor);
      const updates = Object.entries(gradients).map(
        ([name, x]) => [name, multiply(multiply(x as Float, share), ofParameter(name))] as const,
      );
      return { updates: Object.fromEntries(updates), state: {} };
    },
  };
}
