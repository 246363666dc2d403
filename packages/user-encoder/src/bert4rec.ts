import { constant, multiplySizes, reshape, type ParameterTree, type SymbolicParameters } from '@user-llm/graph';
import { dropoutStreams, randomStreams } from '@user-llm/layers';
import type { PretrainingBatch, UserEncoder, UserEncoderModule } from '@user-llm/plugin';
import { scalar } from '@user-llm/tensor';
import { z } from 'zod';
import { checkInputs } from './bad-config.js';
import { chooseRows, mostOf } from './chosen-rows.js';
import { eventTower, type EventTowerParameters } from './event-tower.js';
import { labelRows } from './label-rows.js';
import { eventAt } from './last-event.js';
import { lossFields } from './loss-config.js';
import { hideEvents, withMaskBehind, type MaskedEvents } from './masked-events.js';
import { predictionFields } from './prediction-fields.js';
import { predictions, type PredictionParameters } from './predictions.js';
import { towerFields } from './tower-config.js';

const what = 'BERT4Rec';

/** Config of BERT4Rec: what each field means is in its description. */
export const bert4recConfig = z.strictObject({
  ...towerFields,
  ...lossFields,
  ...predictionFields,
  maskProbability: z.number().gt(0).lt(1).default(0.2).describe('Probability that an event is hidden in training.'),
  lastShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Share of histories of which the last event alone is hidden, as when it is asked what comes next.'),
});

/** Config of BERT4Rec as it is written. */
export type Bert4recOptions = z.input<typeof bert4recConfig>;

/** Config of BERT4Rec, defaults filled in. */
export type Bert4recConfig = z.output<typeof bert4recConfig>;

type Own = SymbolicParameters<EventTowerParameters & PredictionParameters>;

/** The most events that are hidden in a batch of so many positions, when that is known. */
function mostHidden({ maskProbability, lastShare }: Bert4recConfig, { mask, rows }: PretrainingBatch): number {
  const [batch, time] = mask.shape;
  if (typeof batch !== 'number' || typeof time !== 'number') return Infinity;
  const named = rows?.shape[0];
  const events = batch + (typeof named === 'number' ? named : batch * time);
  return mostOf(events, maskProbability * (1 - lastShare)) + mostOf(batch, lastShare);
}

/**
 * BERT4Rec (Sun et al. 2019): a Transformer that reads both ways, trained to tell events that are hidden; asked what
 * comes next, it is given a hidden event behind the last.
 *
 * It gives one embedding per event, `[batch, event, userWidth]`, of the whole history. Which events are hidden depends
 * on the batch's seed alone; without one it is those of seed 0.
 */
export const bert4rec: UserEncoder<Bert4recConfig> = {
  specVersion: 1,
  name: 'bert4rec',
  config: bert4recConfig,
  build: (settings, inputs): UserEncoderModule => {
    checkInputs(what, inputs);
    const { maximumEvents, maskProbability, lastShare } = settings;
    const tower = eventTower(settings, inputs, { what, causal: false, positions: maximumEvents + 1 });
    const outputs = predictions(what, settings, inputs, tower.tables);
    const encode = (parameters: never, { features, mask }: MaskedEvents, seed: PretrainingBatch['seed']) =>
      tower.apply(parameters, features, { mask, dropout: dropoutStreams(seed, what) });
    return {
      parameters: { ...tower.parameters, ...outputs.parameters } as ParameterTree,
      userWidth: settings.width,
      maximumEvents,
      apply: ((parameters, batch) => ({
        events: encode(parameters, batch, batch.seed),
        mask: batch.mask,
      })) as UserEncoderModule['apply'],
      loss: (parameters, batch) => {
        const hidden = hideEvents(batch, {
          item: inputs.item,
          probability: maskProbability,
          lastShare,
          seed: batch.seed ?? constant(scalar('int32', 0)),
          streams: randomStreams(`${what}/hidden`),
        });
        const events = encode(parameters, hidden, batch.seed);
        const flat = reshape(hidden.hidden, ['row'], [multiplySizes(events.shape[0]!, events.shape[1]!)]);
        const rows = chooseRows(flat, mostHidden(settings, batch));
        return outputs.loss(parameters as Own, labelRows(events, hidden.labels, rows), batch.seed);
      },
      nextItem: (parameters, batch) => {
        const asked = withMaskBehind(batch);
        const events = encode(parameters, asked, batch.seed);
        return outputs.scores(parameters as Own, eventAt(events, asked.lengths));
      },
    };
  },
};
