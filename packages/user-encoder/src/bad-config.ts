import { UserLlmError } from '@user-llm/tensor';
import type { EncodedFeature, EncoderInputs } from '@user-llm/plugin';

/** An error that a config does not fit the data. */
export function badConfig(what: string, expected: string, got: string, mend?: string): UserLlmError {
  return new UserLlmError('bad-config', { what, expected, got, ...(mend !== undefined && { mend }) });
}

/**
 * The feature of a name.
 *
 * @throws UserLlmError `bad-config` when events have no such feature.
 */
export function featureOf(inputs: EncoderInputs, name: string, what: string): EncodedFeature {
  const found = inputs.features.find((feature) => feature.name === name);
  if (found) return found;
  const names = inputs.features.map((feature) => feature.name).join(', ');
  throw badConfig(what, `one of the features ${names}`, JSON.stringify(name));
}

/**
 * Checks what an encoder is built for.
 *
 * @throws UserLlmError `bad-config` when there is no item feature, it has several slots or no values, or vectors do not fit.
 */
export function checkInputs(what: string, inputs: EncoderInputs): void {
  const item = featureOf(inputs, inputs.item, `${what}: item`);
  if (item.slots !== 1) throw badConfig(`${what}: item`, 'a feature of one slot', `${item.slots} slots`);
  if (item.size <= 3) throw badConfig(`${what}: item`, 'ids beyond the reserved 0, 1 and 2', `${item.size} ids`);
  for (const [name, vectors] of Object.entries(inputs.vectors ?? {})) {
    const { size } = featureOf(inputs, name, `${what}: vectors`);
    if (vectors.shape[0] !== size)
      throw badConfig(`${what}: vectors of ${name}`, `${size} rows, one per id`, `${vectors.shape[0]}`);
  }
  for (const [name, ids] of Object.entries(inputs.itemFeatures ?? {})) {
    featureOf(inputs, name, `${what}: item features`);
    if (ids.shape[0] !== item.size)
      throw badConfig(`${what}: item features, ${name}`, `${item.size} rows, one per item`, `${ids.shape[0]}`);
  }
}
