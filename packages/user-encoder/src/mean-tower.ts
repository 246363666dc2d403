import {
  add,
  cast,
  cumulativeSum,
  divide,
  range,
  reshape,
  type Float,
  type ParameterTree,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import {
  feedForward,
  layerNormalization,
  noDropout,
  type FeedForwardParameters,
  type LayerNormParameters,
} from '@user-llm/layers';
import type { EncoderInputs } from '@user-llm/plugin';
import { eventEmbedding, type EventEmbeddingParameters, type Events } from './event-embedding.js';
import type { EventTower, EventTowerParameters } from './event-tower.js';
import { initializationOf, type TowerConfig } from './tower-config.js';

// B batch, T events of a history, E userWidth.

type MeanParameters = EventEmbeddingParameters & {
  readonly mlp: FeedForwardParameters<'userWidth'>;
  readonly norm: LayerNormParameters<'userWidth'>;
};

type Own = SymbolicParameters<MeanParameters>;

/** The mean of the events up to each one, and a feed-forward network over it: a tower that knows no order. */
export function meanTower(config: TowerConfig, inputs: EncoderInputs): EventTower {
  const { width, dropout: rate } = config;
  const axis = { axis: 'userWidth', size: width } as const;
  const embedding = eventEmbedding(config, inputs);
  const norm = layerNormalization(axis, config.epsilon);
  const mlp = feedForward({
    width: axis,
    hidden: config.feedForward ?? 4 * width,
    activation: config.activation,
    initialization: initializationOf(config),
  });
  const parameters: MeanParameters = { ...embedding.parameters, mlp: mlp.parameters, norm: norm.parameters };
  const finish = (own: Own, mean: Events): Events => norm.apply(own.norm, add(mean, mlp.apply(own.mlp, mean)));
  const own = (given: unknown) => given as Own;
  return {
    tables: embedding.tables,
    parameters: parameters as unknown as EventTowerParameters & ParameterTree,
    apply: (given, ids, { dropout = noDropout } = {}) => {
      const events = dropout(embedding.apply(own(given), ids), rate);
      const counts = add(cast(range('event', events.shape[1]!), 'float32'), 1);
      const totals = cumulativeSum(events, 'event');
      return finish(own(given), divide(totals, reshape(counts, ['event', 'userWidth'], [events.shape[1]!, 1])));
    },
    appender: {
      state: { total: { axes: ['userWidth'], shape: [width] } },
      append: (given, { features, lengths, state }) => {
        const event = embedding.apply(own(given), features);
        const [batch] = event.shape;
        const before = reshape(state['total'] as Float, ['batch', 'event', 'userWidth'], [batch!, 1, width]);
        const total = add(event, before);
        const count = reshape(add(cast(lengths, 'float32'), 1), ['batch', 'event', 'userWidth'], [batch!, 1, 1]);
        const kept: Symbolic = reshape(total, ['batch', 'userWidth'], [batch!, width]);
        return { events: finish(own(given), divide(total, count)), state: { total: kept } };
      },
    },
  };
}
