import type { EventSchema } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

/**
 * Checks that an event tokenizer reads what a config says; the order of a feature's options does not matter.
 *
 * @throws UserLlmError `vocabulary-mismatch`.
 */
export function requireSameSchema(config: EventSchema, tokenizer: EventSchema): void {
  const [expected, got] = [canonical(config), canonical(tokenizer)];
  if (expected === got) return;
  throw new UserLlmError('vocabulary-mismatch', {
    what: 'event tokenizer',
    expected: `the features of the config, ${expected}`,
    got,
    mend: 'Fit an event tokenizer with the events of this config, or take the one that the model was trained with.',
  });
}

/** Features in their order, which decides the order of embeddings; options by name. */
function canonical(schema: EventSchema): string {
  const features = Object.entries(schema).map(([name, spec]) => {
    const options = Object.entries(spec).filter(([, value]) => value !== undefined);
    return [name, options.sort(([a], [b]) => (a < b ? -1 : 1))];
  });
  return JSON.stringify(features);
}
