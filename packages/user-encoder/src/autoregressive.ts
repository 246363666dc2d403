import type { ParameterTree, SymbolicParameters } from '@user-llm/graph';
import { dropoutStreams } from '@user-llm/layers';
import type { EventBatch, UserEncoder, UserEncoderModule } from '@user-llm/plugin';
import { z } from 'zod';
import { checkInputs } from './bad-config.js';
import { eventTower, type EventTowerParameters } from './event-tower.js';
import { labelRows } from './label-rows.js';
import { lastEvent } from './last-event.js';
import { lossFields } from './loss-config.js';
import { predictionFields } from './prediction-fields.js';
import { predictions, type PredictionParameters } from './predictions.js';
import { towerFields } from './tower-config.js';

const what = 'autoregressive encoder';

/** Config of the autoregressive encoder: what each field means is in its description. */
export const autoregressiveConfig = z.strictObject({
  ...towerFields,
  ...lossFields,
  ...predictionFields,
});

/** Config of the autoregressive encoder as it is written. */
export type AutoregressiveOptions = z.input<typeof autoregressiveConfig>;

/** Config of the autoregressive encoder, defaults filled in. */
export type AutoregressiveConfig = z.output<typeof autoregressiveConfig>;

type Own = SymbolicParameters<EventTowerParameters & PredictionParameters>;

/**
 * The user encoder of User-LLM (arXiv 2402.13598): a causal Transformer over events, each the embeddings of its
 * features side by side, trained to predict the next event.
 *
 * It gives one embedding per event, `[batch, event, userWidth]`, of that event and those before. A user with no events
 * has equal scores for all items.
 */
export const autoregressiveEncoder: UserEncoder<AutoregressiveConfig> = {
  specVersion: 1,
  name: 'autoregressive',
  config: autoregressiveConfig,
  build: (settings, inputs): UserEncoderModule => {
    checkInputs(what, inputs);
    const tower = eventTower(settings, inputs, { what, causal: true });
    const outputs = predictions(what, settings, inputs, tower.tables);
    const encode = (parameters: never, { features, seed }: EventBatch) =>
      tower.apply(parameters, features, { dropout: dropoutStreams(seed, what) });
    return {
      parameters: { ...tower.parameters, ...outputs.parameters } as ParameterTree,
      userWidth: settings.width,
      maximumEvents: settings.maximumEvents,
      apply: (parameters, batch) => ({
        events: encode(parameters as never, batch as never),
        mask: (batch as EventBatch).mask,
      }),
      loss: (parameters, batch) =>
        outputs.loss(parameters as Own, labelRows(encode(parameters, batch), batch.labels, batch.rows), batch.seed),
      nextItem: (parameters, batch) =>
        outputs.scores(parameters as Own, lastEvent(encode(parameters, batch), batch.mask)),
      itemScores: (parameters, last) => outputs.scores(parameters as Own, last),
      appender: tower.appender,
    };
  },
};
