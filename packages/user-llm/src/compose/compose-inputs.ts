import type { EncoderInputs, Registry } from '@user-llm/plugin';
import type { EventTokenizer } from '@user-llm/tokenization';
import { Tensor } from '@user-llm/tensor';
import { encodedFeatures } from '../events/event-batch.js';
import type { ComposeInputs } from './compose.js';

/**
 * What `composeUserLlm` needs to know of a fitted event tokenizer: its features, and those of each item.
 *
 * @param item Name of the feature that is predicted and ranked.
 * @param vectors Vectors known of a feature's ids beforehand.
 */
export function composeInputs(
  tokenizer: Pick<EventTokenizer, 'features' | 'items'>,
  item: string,
  registry: Registry,
  vectors?: EncoderInputs['vectors'],
): ComposeInputs {
  const itemFeatures = itemFeaturesOf(tokenizer, item);
  return {
    registry,
    features: encodedFeatures(tokenizer),
    ...(vectors && { vectors }),
    ...(Object.keys(itemFeatures).length > 0 && { itemFeatures }),
  };
}

/** Ids of the features that hang on the item, by the ids of the item feature: `[id, slot]`, 0 where nothing is known. */
function itemFeaturesOf(
  { features, items }: Pick<EventTokenizer, 'features' | 'items'>,
  item: string,
): NonNullable<EncoderInputs['itemFeatures']> {
  const ranked = features.find(({ name }) => name === item);
  if (!ranked) return {};
  const { fitted } = ranked;
  const rows = Array.from({ length: fitted.size }, (_, id) => items.rowOf(fitted.decode(id) ?? ''));
  const made = features
    .filter(({ origin, name }) => origin === 'item' && name !== item)
    .map(({ name, slots }) => {
      const ids = new Int32Array(fitted.size * slots);
      rows.forEach((row, id) => {
        if (row > 0) ids.set(items.columns[name]!.subarray(row * slots, (row + 1) * slots), id * slots);
      });
      return [name, new Tensor('int32', ['id', 'slot'] as const, [fitted.size, slots], ids)] as const;
    });
  return Object.fromEntries(made);
}
