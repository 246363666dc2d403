import {
  add,
  cast,
  cumulativeSum,
  divide,
  gather,
  linearCrossEntropy,
  matmulTransposed,
  maximum,
  mean,
  multiply,
  not,
  parameter,
  range,
  reshape,
  slice,
  stopGradient,
  sum,
  where,
  type Float,
  type Symbolic,
} from '@user-llm/graph';
import { describe, expect, it } from 'vitest';
import type { EventBatch, UserEncoder, UserEncoderModule } from '../src/index.js';
import { encoderChecks } from '../src/testing/index.js';

type Wrong =
  | 'reads padding'
  | 'looks ahead'
  | 'mixes users'
  | 'hears nothing'
  | 'turns its mask round'
  | 'leaves an item out'
  | 'starts anew each time'
  | 'learns nothing'
  | 'scores otherwise from the last'
  | 'forgets what it appended to';

type Own = { readonly items: Float<readonly ['item', 'userWidth']> };

let built = 0;

/** The running mean of a user's items, right but for what `wrong` names. */
function encoder(wrong?: Wrong): UserEncoder {
  return {
    specVersion: 1,
    name: 'running-mean',
    config: {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          Object.keys(value as object).length === 0 ? { value } : { issues: [{ message: 'takes nothing' }] },
      },
    },
    build: (_, { features, item }): UserEncoderModule => {
      const width = 4;
      const { size } = features.find(({ name }) => name === item)!;
      const deviation = wrong === 'starts anew each time' ? ++built : 1;
      const read = ({ items }: Own, { features: ids, mask }: Pick<EventBatch, 'features' | 'mask'>) => {
        const known = gather(items, ids[item]!) as Float;
        const heard = wrong === 'hears nothing' ? multiply(known, 0) : known;
        return wrong === 'reads padding' ? heard : (where(mask, heard, 0) as Float);
      };
      const count = (mask: EventBatch['mask']) => cast(mask, 'float32') as Float;
      const means = (own: Own, batch: EventBatch): Float => {
        const [whole, heard] = [read(own, batch), count(batch.mask)];
        const total =
          wrong === 'looks ahead'
            ? add(multiply(whole, 0), reshape(sum(whole, 'event') as Float, whole.axes, [whole.shape[0]!, 1, width]))
            : (cumulativeSum(whole, 'event') as Float);
        const running = divide(total, maximum(cumulativeSum(heard, 'event') as Float, 1)) as Float;
        return wrong === 'mixes users' ? add(running, mean(whole) as Float) : running;
      };
      const last = (own: Own, batch: EventBatch) =>
        divide(sum(read(own, batch), 'event') as Float, maximum(sum(count(batch.mask), 'event') as Float, 1)) as Float<
          readonly ['batch', 'userWidth']
        >;
      const scores = ({ items }: Own, user: Float<readonly ['batch', 'userWidth']>) => {
        const all = matmulTransposed(user, items) as Float<readonly ['batch', 'item']>;
        return wrong === 'leaves an item out' ? slice(all, 'item', 0, size - 1) : all;
      };
      return {
        parameters: {
          items: parameter(['item', 'userWidth'], [size, width], { kind: 'normal', standardDeviation: deviation }),
        },
        userWidth: width,
        maximumEvents: 6,
        apply: (own: Own, batch) => ({
          events: means(own, batch) as Float<readonly ['batch', 'event', 'userWidth']>,
          mask: wrong === 'turns its mask round' ? (not(batch.mask) as EventBatch['mask']) : batch.mask,
        }),
        loss: (own: Own, batch) => {
          const loss = linearCrossEntropy(means(own, batch) as never, own.items as never, batch.labels[item] as never, {
            ignore: 0,
          });
          return wrong === 'learns nothing' ? stopGradient(loss) : loss;
        },
        nextItem: (own: Own, batch) => scores(own, last(own, batch)),
        itemScores: (own: Own, user) =>
          scores(own, wrong === 'scores otherwise from the last' ? multiply(user, 2) : user),
        appender: {
          state: { total: { axes: ['userWidth'], shape: [width] } },
          append: (own: Own, { features: ids, lengths, state }) => {
            const known = gather(own.items, ids[item]!) as Float;
            const [batch, events] = known.shape;
            const before =
              wrong === 'forgets what it appended to' ? multiply(state['total'] as Float, 0) : state['total'];
            const total = add(
              cumulativeSum(known, 'event') as Float,
              reshape(before as Float, known.axes, [batch!, 1, width]) as never,
            ) as Float;
            const places = reshape(add(range('event', events!), 1), ['batch', 'event', 'userWidth'], [1, events!, 1]);
            const counts = add(reshape(lengths, ['batch', 'event', 'userWidth'], [batch!, 1, 1]), places as never);
            return {
              events: divide(total, cast(counts as Symbolic<'int32'>, 'float32') as never) as never,
              state: { total: add(state['total'] as Float, sum(known, 'event') as never) },
            };
          },
        },
      };
    },
  };
}

const verdictsOf = async (of: UserEncoder, causal = true) => {
  const checks = encoderChecks(of, {}, { causal });
  const verdicts = await Promise.allSettled(checks.map((check) => check.run()));
  return checks.flatMap(({ name }, at) => {
    const verdict = verdicts[at]!;
    return verdict.status === 'rejected' ? [{ name, error: verdict.reason as unknown }] : [];
  });
};

describe('encoderChecks', () => {
  for (const check of encoderChecks(encoder()))
    it(`accepts an encoder that is right: ${check.name}`, () => check.run());

  it.each([
    ['reads padding', 'padding is not read'],
    ['looks ahead', 'an event shows in no embedding before it'],
    ['mixes users', 'users of a batch do not read each other'],
    ['hears nothing', 'an event shows in its embedding and in the scores after it'],
    ['turns its mask round', 'hands on the mask of the events'],
    ['leaves an item out', 'gives an embedding per event, scores of the catalogue, and one number as the loss'],
    ['starts anew each time', 'built again it says the same, from the same first values'],
    ['learns nothing', 'its loss has finite slopes, and some that are not 0'],
    [
      'scores otherwise from the last',
      'scores from the last embedding, where it offers them, are those of the history',
    ],
    ['forgets what it appended to', 'events appended, where it offers that, have the embeddings of the whole history'],
  ] as const)('refuses one that %s', async (wrong, check) => {
    const refused = await verdictsOf(encoder(wrong));
    expect(refused.map(({ name }) => name)).toContain(check);
    for (const { error } of refused) expect(error).toMatchObject({ code: 'not-conforming' });
  });

  it('lets one look ahead that says so', async () => {
    const names = (await verdictsOf(encoder('looks ahead'), false)).map(({ name }) => name);
    expect(names).toEqual(['events appended, where it offers that, have the embeddings of the whole history']);
  });

  it('refuses a config that the encoder refuses', async () => {
    const verdicts = await Promise.allSettled(encoderChecks(encoder(), { width: 'wide' }).map((check) => check.run()));
    for (const verdict of verdicts) expect(verdict).toMatchObject({ reason: { code: 'not-conforming' } });
  });
});
