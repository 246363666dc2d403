import { UserLlmError } from '@user-llm/tensor';
import type { FeatureSpec, FieldValue } from '../event.js';
import type { Feature, FittedFeature, JsonValue } from '../feature.js';
import { demand, type Check } from './check.js';

/** What a kind of feature is tried on. */
export interface FeatureSample {
  /** How a schema would name the feature, options included. */
  readonly spec: FeatureSpec;
  /** Values to learn from; at least one must get an id of its own. */
  readonly values: readonly FieldValue[];
}

/** Values that may come at any time, whatever was learned. */
const strangeValues: readonly FieldValue[] = [
  ...[null, undefined, '', ' ', 'a value never seen 😀', '\u0000', 'long '.repeat(5000)],
  ...[-1, 0, 1e300, NaN, Infinity, -Infinity, true, false],
  ...[[], [''], ['one', 'one'], Array.from({ length: 500 }, (_, at) => `value ${at}`)],
];

/**
 * What every kind of feature must do: encode any value at all without failing, into ids below `size`, and never into
 * the mask; turn missing values into the unknown id and unneeded slots into padding; be the same again after JSON and
 * when fitted again; and refuse a state that is not its own.
 */
export function featureChecks(feature: Feature, { spec, values }: FeatureSample): readonly Check[] {
  const options = (): unknown => {
    const result = feature.options['~standard'].validate(spec);
    const problem = result instanceof Promise ? 'a promise' : result.issues?.map(({ message }) => message).join('; ');
    demand(problem === undefined, `options of ${feature.kind}`, 'a spec that validates at once', problem ?? '');
    return 'value' in result ? result.value : undefined;
  };
  const fit = (seen: readonly FieldValue[] = values): FittedFeature => {
    const fitter = feature.fit(options());
    for (const value of seen) fitter.observe(value);
    return fitter.finish();
  };
  const check = (name: string, run: () => void): Check => ({
    name,
    // A part that throws something else is as wrong as one that gives a wrong answer.
    run: () => Promise.resolve().then(run),
  });
  return [
    check('is named as its spec names it', () => {
      demand(feature.kind === spec.kind, 'kind', `"${spec.kind}", as in the spec`, `"${feature.kind}"`);
    }),
    check('has as many slots as the spec says, and ids for all that is reserved', () => {
      const { slots, size } = fit();
      demand(slots === (spec.slots ?? 1), 'slots', String(spec.slots ?? 1), String(slots));
      demand(Number.isSafeInteger(size) && size > 3, 'size', 'a whole number above the reserved ids', String(size));
    }),
    check('learns an id of its own for a value', () => {
      const fitted = fit();
      const own = values.some((value) => idsOf(fitted, value).some((id) => id > 2));
      demand(own, 'ids of the values it learned from', 'one above the reserved ids', 'none');
    }),
    check('turns any value into ids below its size, in its own slots alone', () => {
      const fitted = fit();
      for (const value of [...values, ...strangeValues]) checkIds(fitted, value);
    }),
    check('turns a missing value into the unknown id', () => {
      const fitted = fit();
      for (const value of [null, undefined]) {
        const ids = idsOf(fitted, value);
        const right = ids.every((id, slot) => id === (slot === 0 ? 1 : 0));
        demand(right, `ids of ${show(value)}`, '1, then padding', ids.join(' '));
      }
    }),
    check('learns from any value, and from none', () => {
      for (const seen of [[], strangeValues, [...values, ...strangeValues]]) {
        const fitted = fit(seen);
        for (const value of [...values, ...strangeValues]) checkIds(fitted, value);
      }
    }),
    check('learns the same from the same values', () => {
      const [first, second] = [stateOf(fit()), stateOf(fit())];
      demand(first === second, 'state after fitting again', first, second);
    }),
    check('is the same after JSON', () => {
      const fitted = fit();
      const state = stateOf(fitted);
      const loaded = feature.load(JSON.parse(state) as JsonValue);
      demand(loaded.size === fitted.size, 'size after JSON', String(fitted.size), String(loaded.size));
      demand(loaded.slots === fitted.slots, 'slots after JSON', String(fitted.slots), String(loaded.slots));
      for (const value of [...values, ...strangeValues]) {
        const [before, after] = [idsOf(fitted, value).join(' '), idsOf(loaded, value).join(' ')];
        demand(before === after, `ids of ${show(value)} after JSON`, before, after);
      }
      for (let id = 0; id < Math.min(fitted.size, 1000); id++) {
        const [before, after] = [fitted.decode(id), loaded.decode(id)];
        demand(before === after, `meaning of ${id} after JSON`, String(before), String(after));
      }
      demand(stateOf(loaded) === state, 'state after JSON', state, stateOf(loaded));
    }),
    check('says nothing of reserved ids and of those out of range', () => {
      const fitted = fit();
      for (const id of [0, 1, 2, -1, fitted.size, 0.5, NaN]) {
        const said = fitted.decode(id);
        demand(said === undefined, `meaning of ${id}`, 'none', String(said));
      }
    }),
    check('refuses a state that is not its own', () => {
      for (const state of [null, 'state', 7, [], {}] as const) {
        const refusal = thrownBy(() => feature.load(state));
        demand(UserLlmError.isInstance(refusal), `load of ${JSON.stringify(state)}`, 'a UserLlmError', String(refusal));
      }
    }),
  ];
}

function stateOf(fitted: FittedFeature): string {
  return JSON.stringify(fitted.toJSON());
}

function idsOf(fitted: FittedFeature, value: FieldValue): number[] {
  const out = new Int32Array(fitted.slots);
  fitted.encode(value, out, 0);
  return [...out];
}

/** Encodes among other ids: they must stay, all slots must be written, and what is written must be ids of a value. */
function checkIds(fitted: FittedFeature, value: FieldValue): void {
  const { slots, size } = fitted;
  const other = -7;
  const out = new Int32Array(slots + 4).fill(other);
  fitted.encode(value, out, 2);
  const around = [...out.subarray(0, 2), ...out.subarray(slots + 2)];
  demand(
    around.every((id) => id === other),
    `ids beside those of ${show(value)}`,
    'untouched',
    around.join(' '),
  );
  const ids = [...out.subarray(2, slots + 2)];
  const padding = ids.indexOf(0);
  const used = padding === -1 ? ids : ids.slice(0, padding);
  const right =
    used.length > 0 &&
    used.every((id) => id > 0 && id < size && id !== 2) &&
    ids.slice(used.length).every((id) => id === 0);
  const expected = `ids from 1 to below ${size}, none the mask, then padding alone`;
  demand(right, `ids of ${show(value)}`, expected, ids.join(' '));
}

function show(value: FieldValue): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'undefined');
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return 'nothing thrown';
}
