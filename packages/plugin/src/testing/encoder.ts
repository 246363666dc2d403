import { input } from '@user-llm/graph';
import type { UserEncoder, UserEncoderModule } from '../user-encoder.js';
import { demand, type Check } from './check.js';
import { appended, changedAt, encode, outputsOf, realEvents, slice, usual } from './encoder-runs.js';
import { historyFeeds, known } from './histories.js';
import {
  asArray,
  check,
  demandDifferent,
  demandEqual,
  demandFinite,
  demandType,
  firstValues,
  opened,
  run,
  shakenValues,
  slopes,
  validated,
  type Arrays,
} from './model-part.js';

/** What an encoder says of itself. */
export interface EncoderClaims {
  /** Whether an event shows in no embedding before it; true unless told. */
  readonly causal?: boolean;
}

/**
 * What every user encoder must do: give an embedding per event and scores of the whole catalogue, for batches of any
 * size; read no padding and no other user; say the same each time it is built; learn from its loss; and where it offers
 * them, append events as if it had read the whole history, and score from the last event what it scores from all.
 *
 * It is tried on histories of three features: `item` of 12 ids, `genre` of 7 in three slots, `rating` of 6.
 *
 * @param config As it is written; a small model with room for at least 3 events.
 */
export function encoderChecks(
  encoder: UserEncoder,
  config: unknown = {},
  { causal = true }: EncoderClaims = {},
): readonly Check[] {
  const build = (): UserEncoderModule => encoder.build(validated(encoder, config), known);
  return [
    check('reads at least 3 events, into embeddings of a known width', () => {
      const { maximumEvents, userWidth } = build();
      demand(maximumEvents >= 3, 'maximumEvents', 'at least 3', String(maximumEvents));
      demand(Number.isSafeInteger(userWidth) && userWidth > 0, 'userWidth', 'a whole number', String(userWidth));
    }),
    check('gives an embedding per event, scores of the catalogue, and one number as the loss', () => {
      const module = build();
      const [users, places] = [2, 3];
      const { events, next, loss } = outputsOf(module, users, places).outputs;
      const float = { dtype: 'float32' } as const;
      demandType('embeddings', events!, {
        ...float,
        axes: ['batch', 'event', 'userWidth'],
        shape: [users, places, module.userWidth],
      });
      demandType('scores', next!, { ...float, axes: ['batch', 'item'], shape: [users, known.features[0]!.size] });
      demandType('loss', loss!, { ...float, axes: [], shape: [] });
      const read = encode(module, usual(module));
      for (const name of ['events', 'next', 'loss']) demandFinite(name, read[name]!.data);
    }),
    check('hands on the mask of the events', () => {
      const module = build();
      const expected = asArray(historyFeeds(usual(module))['mask']!).data;
      demandEqual('mask', encode(module, usual(module))['mask']!.data, expected);
    }),
    check('reads batches of any size by one graph', () => {
      const module = build();
      const histories = usual(module);
      const fixed = encode(module, histories);
      const open = encode(module, histories, 'open');
      for (const name of ['events', 'next']) demandEqual(name, open[name]!.data, fixed[name]!.data);
    }),
    check('an event shows in its embedding and in the scores after it', () => {
      const module = build();
      const histories = usual(module);
      const last = histories.lengths[0]! - 1;
      const [before, after] = [encode(module, histories), encode(module, changedAt(histories, 0, last))];
      const { userWidth } = module;
      const embedding = ({ data }: Arrays[string]) => data.slice(last * userWidth, (last + 1) * userWidth);
      demandDifferent('embedding of a changed event', embedding(after['events']!), embedding(before['events']!));
      const scores = ({ data, shape }: Arrays[string]) => data.slice(0, shape[1]);
      demandDifferent('scores after a changed event', scores(after['next']!), scores(before['next']!));
    }),
    check('padding is not read', () => {
      const module = build();
      const histories = usual(module);
      const before = encode(module, histories);
      const filled = encode(module, { ...histories, padding: 5 });
      const less = { ...histories, lengths: histories.lengths.map((length) => length - Number(length > 1)) };
      const tight = { ...less, places: histories.places - 1 };
      demandEqual('embeddings', realEvents(filled, histories), realEvents(before, histories));
      for (const name of ['next', 'loss']) demandEqual(name, filled[name]!.data, before[name]!.data);
      const [wide, narrow] = [encode(module, less), encode(module, tight)];
      demandEqual('embeddings before more padding', realEvents(wide, less), realEvents(narrow, tight));
      demandEqual('scores before more padding', wide['next']!.data, narrow['next']!.data);
    }),
    check('users of a batch do not read each other', () => {
      const module = build();
      const histories = usual(module);
      const together = encode(module, histories);
      const alone = encode(module, { ...histories, lengths: histories.lengths.slice(0, 1) });
      demandEqual('embeddings', together['events']!.data.slice(0, alone['events']!.data.length), alone['events']!.data);
      demandEqual('scores', together['next']!.data.slice(0, alone['next']!.data.length), alone['next']!.data);
    }),
    ...(causal
      ? [
          check('an event shows in no embedding before it', () => {
            const module = build();
            const histories = usual(module);
            const before = encode(module, histories)['events']!.data;
            for (let event = 1; event < histories.lengths[0]!; event++) {
              const after = encode(module, changedAt(histories, 0, event))['events']!.data;
              const end = event * module.userWidth;
              demandEqual(`embeddings before event ${event}`, after.slice(0, end), before.slice(0, end));
            }
          }),
        ]
      : []),
    check('built again it says the same, from the same first values', () => {
      const [one, other] = [build(), build()];
      const [first, second] = [firstValues(one), firstValues(other)];
      demand(`${Object.keys(first)}` === `${Object.keys(second)}`, 'names of parameters', 'the same', 'others');
      for (const [name, { data }] of Object.entries(first))
        demandEqual(name, data as Float32Array, second[name]!.data as Float32Array);
      const histories = usual(one);
      const [said, again] = [encode(one, histories), encode(other, histories)];
      for (const name of ['events', 'next', 'loss']) demandEqual(name, again[name]!.data, said[name]!.data);
    }),
    check('its loss has finite slopes, and some that are not 0', () => {
      const module = build();
      const { lengths, places } = usual(module);
      const { inputs, outputs, named } = outputsOf(module, lengths.length, places);
      const found = run(inputs, slopes(outputs['loss'] as never, named), {
        ...historyFeeds(usual(module)),
        ...firstValues(module),
      });
      for (const [name, { data }] of Object.entries(found)) demandFinite(name, data);
      const some = Object.values(found).some(({ data }) => data.some((slope) => slope !== 0));
      demand(some, 'slopes of the loss', 'some that are not 0', 'none');
    }),
    check('scores from the last embedding, where it offers them, are those of the history', () => {
      const module = build();
      if (!module.itemScores) return;
      const histories = usual(module);
      const { events, next } = encode(module, histories);
      const last = input('last', 'float32', ['batch', 'userWidth'], [1, module.userWidth]);
      const { tree, named } = opened(module);
      const scores = module.itemScores(tree, last);
      histories.lengths.forEach((length, user) => {
        if (length === 0) return;
        const embedding = slice(events!, user, length - 1, length);
        const feeds = { ...shakenValues(module), last: { ...embedding, shape: [1, module.userWidth] } };
        const found = run([last, ...Object.values(named)], { scores }, feeds)['scores']!.data;
        demandEqual(`scores of user ${user}`, found, next!.data.slice(user * found.length, (user + 1) * found.length));
      });
    }),
    check('events appended, where it offers that, have the embeddings of the whole history', () => {
      const module = build();
      if (!module.appender) return;
      const histories = usual(module);
      const whole = realEvents(encode(module, histories), histories);
      demandEqual('embeddings', appended(module, module.appender, histories), whole);
    }),
  ];
}
