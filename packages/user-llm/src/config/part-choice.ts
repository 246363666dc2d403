import { stableJson, type ModelPart } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

/** Which part of a seam, and its own config. */
export const partChoice = z.strictObject({
  name: z.string().min(1).describe('Name of the part, as a plugin offers it.'),
  config: z.record(z.string(), z.json()).default({}).describe("The part's own config; its defaults fill it up."),
});

/** Which part of a seam, and its own config. */
export type PartChoice = z.output<typeof partChoice>;

/**
 * A part's own config, checked by the part, defaults filled in.
 *
 * @param what Names the part in errors.
 * @throws UserLlmError `bad-config` naming what is wrong.
 */
export function partConfig<Config>(what: string, part: ModelPart<Config>, config: unknown): Config {
  const result = part.config['~standard'].validate(config);
  if (result instanceof Promise) {
    throw new UserLlmError('bad-config', { what, expected: 'a config that is checked at once', got: 'a promise' });
  }
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ path = [], message }) => {
    const where = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  throw new UserLlmError('bad-config', {
    what,
    expected: `the fields of the config of ${JSON.stringify(part.name)}`,
    got: issues.join('; '),
    mend: 'Correct these fields.',
  });
}

/**
 * A part's checked config as JSON, for model directories: read again it means the same, whatever defaults the part has by
 * then.
 *
 * @param what Names the part in errors.
 * @param config As `partConfig` gave it.
 * @throws UserLlmError `bad-plugin` when the part does not take that JSON, or changes it.
 */
export function keptConfig<Config>(what: string, part: ModelPart<Config>, config: Config): PartChoice['config'] {
  const json = JSON.parse(JSON.stringify(config ?? {})) as PartChoice['config'];
  const again = part.config['~standard'].validate(json);
  const same = !(again instanceof Promise) && !again.issues && stableJson(again.value ?? {}) === stableJson(json);
  if (same) return json;
  throw new UserLlmError('bad-plugin', {
    what,
    expected: 'a schema that takes the config that it gave, as JSON, and leaves it as it is',
    got: 'one that refuses or changes it',
    mend: 'Fill in defaults in the schema, and make what else you need of the config in build.',
  });
}
