// Compiled, never run: each line under "@ts-expect-error" must be an error, all others must not.
import type { Id, Tensor } from '@user-llm/tensor';
import { defineEventSchema, type Batch, type EventTokenizer } from '../src/index.js';

const schema = defineEventSchema({
  item: { kind: 'id' },
  genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 4 },
  maker: { kind: 'id', from: 'item' },
});

declare const batch: Batch<typeof schema>;
declare const tokenizer: EventTokenizer<typeof schema>;
declare function embedItems(items: Tensor<Id<'item'>, readonly ['batch', 'event']>): void;
declare function embedGenres(genres: Tensor<Id<'genre'>, readonly ['batch', 'event', 'slot']>): void;
declare function readMask(mask: Tensor<'bool', readonly ['batch', 'event']>): void;

// Ids and axes
embedItems(batch.columns.item);
embedItems(batch.labels.item);
embedGenres(batch.columns.genre);
readMask(batch.mask);
// @ts-expect-error item ids are not genres
embedGenres(batch.columns.item);
// @ts-expect-error genres are not items
embedItems(batch.columns.genre);
// @ts-expect-error ids of another feature of the same shape
embedItems(batch.columns.maker);
// @ts-expect-error a mask is not ids
embedItems(batch.mask);
// @ts-expect-error lengths have no events
readMask(batch.lengths);
// @ts-expect-error a feature that the schema lacks
void batch.columns.price;

// Schemas
tokenizer.sizeOf('genre');
// @ts-expect-error a feature that the schema lacks
tokenizer.sizeOf('price');
defineEventSchema({ mood: { kind: 'a kind of a plugin', anything: 7 } });
// @ts-expect-error several ids need slots
defineEventSchema({ genre: { kind: 'multi-id' } });
// @ts-expect-error an option that is misspelled
defineEventSchema({ item: { kind: 'id', minimumCout: 2 } });
// @ts-expect-error an origin that there is not
defineEventSchema({ item: { kind: 'id', from: 'user' } });
