import type { ModelPart } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

/**
 * A part's own config, checked by the part, defaults filled in.
 *
 * @throws UserLlmError `bad-config` naming what is wrong.
 */
export function validated<Config>(what: string, schema: ModelPart<Config>['config'], value: unknown): Config {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    throw new UserLlmError('bad-config', { what, expected: 'a config that is checked at once', got: 'a promise' });
  }
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ path = [], message }) => {
    const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  throw new UserLlmError('bad-config', { what, expected: 'the fields of its config', got: issues.join('; ') });
}
