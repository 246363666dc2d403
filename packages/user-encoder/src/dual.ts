import {
  add,
  constant,
  divide,
  multiply,
  range,
  rename,
  reshape,
  square,
  squareRoot,
  sum,
  type Float,
  type ParameterTree,
  type SymbolicParameters,
} from '@user-llm/graph';
import { dropoutStreams, randomStreams } from '@user-llm/layers';
import type { EventBatch, UserEncoder, UserEncoderModule } from '@user-llm/plugin';
import { scalar } from '@user-llm/tensor';
import { z } from 'zod';
import { checkInputs } from './bad-config.js';
import { eventTower, type EventTowerParameters } from './event-tower.js';
import { inBatchSoftmax } from './in-batch-loss.js';
import { itemTower, type ItemTowerParameters } from './item-tower.js';
import { labelRows } from './label-rows.js';
import { lastEvent } from './last-event.js';
import { meanTower } from './mean-tower.js';
import { scoresOf } from './predictions.js';
import { towerFields } from './tower-config.js';

const what = 'dual encoder';

/** Config of the dual encoder: what each field means is in its description. */
export const dualConfig = z.strictObject({
  ...towerFields,
  tower: z
    .enum(['transformer', 'mean'])
    .default('transformer')
    .describe('What reads a history: a causal Transformer, or the mean of its events and a feed-forward network.'),
  itemHidden: z
    .int()
    .min(1)
    .optional()
    .describe('Width between the two maps of the item tower; twice the width when absent.'),
  candidates: z
    .int()
    .min(2)
    .default(1024)
    .describe('Most rows of a batch (user and what came next) that are compared with each other, chosen at random.'),
  similarity: z
    .enum(['dot', 'cosine'])
    .default('dot')
    .describe('Whether a score is the product of the embeddings, or of their directions.'),
  temperature: z.number().gt(0).default(1).describe('What scores are divided by; about 0.05 suits `cosine`.'),
});

/** Config of the dual encoder as it is written. */
export type DualOptions = z.input<typeof dualConfig>;

/** Config of the dual encoder, defaults filled in. */
export type DualConfig = z.output<typeof dualConfig>;

type Own = SymbolicParameters<EventTowerParameters & ItemTowerParameters>;

/** Embeddings scaled to length 1. */
function direction<R extends string>(x: Float<readonly [R, 'userWidth']>): Float<readonly [R, 'userWidth']> {
  const length = squareRoot(add(sum(square(x) as Float, 'userWidth') as Float, 1e-12));
  const column = reshape(length, x.axes, [x.shape[0]!, 1]);
  return divide(x as Float, column as Float) as Float<readonly [R, 'userWidth']>;
}

/**
 * A dual encoder: a tower for users, one for items, trained so that a user's embedding is closest to that of the item
 * that came next (Yi et al. 2019).
 *
 * It gives one embedding per event, `[batch, event, userWidth]`, of that event and those before.
 */
export const dualEncoder: UserEncoder<DualConfig> = {
  specVersion: 1,
  name: 'dual',
  config: dualConfig,
  build: (settings, inputs): UserEncoderModule => {
    checkInputs(what, inputs);
    const { width, maximumEvents, similarity, temperature, candidates } = settings;
    const users =
      settings.tower === 'mean' ? meanTower(settings, inputs) : eventTower(settings, inputs, { what, causal: true });
    const items = itemTower(settings, inputs, users.tables, settings.itemHidden ?? 2 * width);
    const { size } = users.tables[inputs.item]!;
    const compared = <R extends string>(x: Float<readonly [R, 'userWidth']>): Float<readonly [R, 'userWidth']> =>
      similarity === 'cosine' ? direction(x) : x;
    const asked = <R extends string>(x: Float<readonly [R, 'userWidth']>): Float<readonly [R, 'userWidth']> =>
      temperature === 1
        ? compared(x)
        : (multiply(compared(x) as Float, 1 / temperature) as Float<readonly [R, 'userWidth']>);
    const encode = (parameters: never, { features, seed }: EventBatch) =>
      users.apply(parameters, features, { dropout: dropoutStreams(seed, what) });
    const scores = (parameters: never, last: Float<readonly ['batch', 'userWidth']>) => {
      const all = compared(items.apply(parameters as Own, range('id', size)));
      return scoresOf(rename(asked(last), 'userWidth', 'featureWidth'), rename(all, 'userWidth', 'featureWidth'));
    };
    return {
      parameters: { ...users.parameters, ...items.parameters } as ParameterTree,
      userWidth: width,
      maximumEvents,
      apply: ((parameters, batch) => ({
        events: encode(parameters, batch),
        mask: batch.mask,
      })) as UserEncoderModule['apply'],
      loss: (parameters, batch) => {
        const rows = labelRows(encode(parameters, batch), batch.labels, batch.rows);
        return inBatchSoftmax({
          users: asked(rows.events),
          labels: rows.labels(inputs.item)[0]!,
          items: (ids) => compared(items.apply(parameters as Own, ids)),
          size,
          most: candidates,
          seed: batch.seed ?? constant(scalar('int32', 0)),
          stream: randomStreams(`${what}/rows`)(),
        });
      },
      nextItem: (parameters, batch) => scores(parameters, lastEvent(encode(parameters, batch), batch.mask)),
      itemScores: scores,
      appender: users.appender,
    };
  },
};
