import {
  concat,
  constant,
  gather,
  gelu,
  rename,
  type Float,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import { linear, type LinearParameters } from '@user-llm/layers';
import type { EncoderInputs } from '@user-llm/plugin';
import { embedFeature, type EventEmbeddingParameters } from './event-embedding.js';
import type { FeatureTable } from './feature-table.js';
import { initializationOf, type TowerConfig } from './tower-config.js';

// C candidates, F widths of their features side by side, E userWidth.

/** Parameters of an item tower: two linear maps. */
export type ItemTowerParameters = {
  readonly itemTower: {
    readonly linear1: LinearParameters<'featureWidth', 'hidden'>;
    readonly linear2: LinearParameters<'hidden', 'userWidth'>;
  };
};

/** Embeddings of items in the space of users. */
export interface ItemTower {
  readonly parameters: ItemTowerParameters;
  /** Embeddings of items by their ids `[C]`: `[C, E]`. */
  apply<C extends string>(
    own: SymbolicParameters<ItemTowerParameters & EventEmbeddingParameters>,
    ids: Symbolic<'int32', readonly [C]>,
  ): Float<readonly [C, 'userWidth']>;
}

/**
 * An item tower: the embeddings of the item's id and of what is known of it side by side, then two linear maps with
 * GELU between them.
 *
 * @param tables Embeddings, shared with the user tower.
 * @param hidden Width between the maps.
 */
export function itemTower(
  config: TowerConfig,
  inputs: EncoderInputs,
  tables: Readonly<Record<string, FeatureTable>>,
  hidden: number,
): ItemTower {
  const known = Object.entries(inputs.itemFeatures ?? {}).filter(([name]) => name !== inputs.item);
  const columns = known.map(([name, ids]) => [name, constant(ids)] as const);
  const size = [inputs.item, ...known.map(([name]) => name)].reduce((sum, name) => sum + tables[name]!.width, 0);
  const inner = { axis: 'hidden', size: hidden } as const;
  const linear1 = linear({ axis: 'featureWidth', size }, inner, initializationOf(config));
  const linear2 = linear(inner, { axis: 'userWidth', size: config.width }, initializationOf(config));
  return {
    parameters: { itemTower: { linear1: linear1.parameters, linear2: linear2.parameters } },
    apply: <C extends string>(
      own: SymbolicParameters<ItemTowerParameters & EventEmbeddingParameters>,
      ids: Symbolic<'int32', readonly [C]>,
    ) => {
      type Part = Float<readonly ['candidate', 'featureWidth']>;
      const candidates = rename(ids, ids.axes[0], 'candidate') as Symbolic<'int32'>;
      const parts = [
        embedFeature(tables[inputs.item]!, own.features[inputs.item]!, candidates) as Part,
        ...columns.map(
          ([name, column]) =>
            embedFeature(tables[name]!, own.features[name]!, gather(column, candidates) as Symbolic<'int32'>) as Part,
        ),
      ] as [Part, ...Part[]];
      const { linear1: first, linear2: second } = own.itemTower;
      const mapped = linear2.apply(second, gelu(linear1.apply(first, concat(parts, 'featureWidth'))));
      return rename(mapped, 'candidate', ids.axes[0]) as Float<readonly [C, 'userWidth']>;
    },
  };
}
