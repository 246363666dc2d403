import {
  add,
  cast,
  cumulativeSum,
  divide,
  maximum,
  multiply,
  notEqual,
  range,
  reshape,
  sum,
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
import { eventEmbedding, idsOf, type EventEmbeddingParameters, type Events } from './event-embedding.js';
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
        const all = embedding.apply(own(given), features);
        const [batch, time] = all.shape;
        const axes = ['batch', 'event', 'userWidth'] as const;
        // Rows that have fewer events are padded with 0, and padding does not count.
        const known_BT = cast(notEqual(idsOf(features, inputs.item), 0), 'float32');
        const known = reshape(known_BT as Float, axes, [batch!, time!, 1]) as Events;
        const events = multiply(all, known) as Events;
        const before = state['total'] as Float<readonly ['batch', 'userWidth']>;
        const totals = add(cumulativeSum(events, 'event'), reshape(before, axes, [batch!, 1, width]));
        const earlier = reshape(cast(lengths, 'float32'), axes, [batch!, 1, 1]);
        const counts = maximum(add(cumulativeSum(known, 'event'), earlier), 1);
        const total: Symbolic = add(before, sum(events, 'event'));
        return { events: finish(own(given), divide(totals, counts)), state: { total } };
      },
    },
  };
}
