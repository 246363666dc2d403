import {
  cast,
  cumulativeSum,
  divide,
  embed,
  greater,
  linearCrossEntropy,
  matmulTransposed,
  maximum,
  multiply,
  parameter,
  reshape,
  sum,
  where,
} from '@user-llm/graph';
import { definePlugin } from '@user-llm/plugin';

/** A Standard Schema that takes a width and nothing else. */
const config = {
  '~standard': {
    version: 1,
    vendor: 'a-team',
    validate: (value) =>
      Number.isInteger(value.width) && Object.keys(value).length === 1
        ? { value }
        : { issues: [{ message: 'must be a whole number, and the only field', path: ['width'] }] },
  },
};

const count = (mask) => cast(mask, 'float32');

const runningMean = {
  specVersion: 1,
  name: 'running-mean',
  config,
  build: ({ width }, { features, item }) => {
    const { size } = features.find(({ name }) => name === item);
    const initializer = { kind: 'normal', standardDeviation: 0.1 };
    const means = ({ items }, { features, mask }) => {
      const known = where(mask, embed(items, features[item]), 0);
      return divide(cumulativeSum(known, 'event'), maximum(cumulativeSum(count(mask), 'event'), 1));
    };
    return {
      parameters: { items: parameter(['item', 'userWidth'], [size, width], initializer) },
      userWidth: width,
      maximumEvents: 12,
      apply: (own, batch) => ({ events: means(own, batch), mask: batch.mask }),
      loss: (own, batch) => linearCrossEntropy(means(own, batch), own.items, batch.labels[item], { ignore: 0 }),
      nextItem: (own, { features, mask }) => {
        const total = sum(where(mask, embed(own.items, features[item]), 0), 'event');
        return matmulTransposed(divide(total, maximum(sum(count(mask), 'event'), 1)), own.items);
      },
    };
  },
};

const scaledMean = {
  specVersion: 1,
  name: 'scaled-mean',
  config: { '~standard': { version: 1, vendor: 'a-team', validate: (value) => ({ value }) } },
  build: (_, userWidth) => ({
    parameters: { scale: parameter(['userWidth'], [userWidth], { kind: 'constant', value: 1 }) },
    apply: ({ scale }, { events, mask }) => {
      const events_B = sum(count(mask), 'event');
      const mean = multiply(divide(sum(where(mask, events, 0), 'event'), maximum(events_B, 1)), scale);
      const batch = events.shape[0];
      return {
        latents: reshape(mean, ['batch', 'latent', 'userWidth'], [batch, 1, userWidth]),
        mask: reshape(greater(events_B, 0), ['batch', 'latent'], [batch, 1]),
      };
    },
  }),
};

export default definePlugin({ name: 'a-team', specVersion: 1, encoders: [runningMean], compressors: [scaledMean] });
