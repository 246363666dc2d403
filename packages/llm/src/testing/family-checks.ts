import type { Runtime } from '@user-llm/graph';
import type { LanguageModel } from '@user-llm/plugin';
import { demand, type Check } from '@user-llm/plugin/testing';
import { hasCheckpoints } from '../families/known-families.js';
import { checkpointChecks } from './checkpoint-checks.js';
import { decodingChecks } from './decoding-checks.js';
import { hookChecks } from './hook-checks.js';
import { ModelBench } from './model-bench.js';
import { readingChecks } from './reading-checks.js';

/** A family of language models and a small model of it: two layers or more, 16 positions or more, 8 tokens or more. */
export interface FamilyUnderTest {
  readonly family: LanguageModel;
  /** Config of the small model, as a user gives it. */
  readonly config: unknown;
  /** Loads when the first check runs. */
  readonly runtime: () => Promise<Runtime>;
}

/** A check of a model that runs. */
export type BenchCheck = (bench: ModelBench) => Promise<void>;

/**
 * What every family of language models must do: shapes and names; no token sees later ones or other rows; reading
 * through caches and in branches is reading at once; hooks are called, and count for what they return; the loss is the
 * cross-entropy of the logits, with a gradient for every parameter; a saved model is the same when it is loaded, where the
 * family has `checkpoints`.
 */
export function familyChecks({ family, config, runtime }: FamilyUnderTest): readonly Check[] {
  let opened: Promise<ModelBench> | undefined;
  const open = async (): Promise<ModelBench> => {
    const checked = await family.config['~standard'].validate(config);
    demand(
      checked.issues === undefined,
      'config of the small model',
      'one that is valid',
      JSON.stringify(checked.issues),
    );
    const valid = (checked as { readonly value: unknown }).value;
    return new ModelBench(family.build(valid), await runtime());
  };
  const own = {
    ...readingChecks,
    ...decodingChecks,
    ...hookChecks,
    ...(hasCheckpoints(family) && checkpointChecks(family, config)),
  };
  return [
    {
      name: 'a config that is none is refused',
      run: async () => {
        const { issues } = await family.config['~standard'].validate({ layers: 'many' });
        demand(issues !== undefined && issues.length > 0, 'validation of a wrong config', 'issues', 'none');
      },
    },
    ...Object.entries(own).map(([name, check]: [string, BenchCheck]) => ({
      name,
      run: async () => check(await (opened ??= open())),
    })),
  ];
}
