import { describe, expect, it } from 'vitest';
import type { AnswerOf, Feature, FieldValue, FittedFeature, Metric, Task } from '../src/index.js';
import { UserLlmError } from '@user-llm/tensor';
import { featureChecks, metricChecks, taskChecks, type Check } from '../src/testing/index.js';

/** Names of the checks that a part fails. */
async function failed(checks: readonly Check[]): Promise<string[]> {
  const verdicts = await Promise.allSettled(checks.map((check) => check.run()));
  return checks.filter((_, at) => verdicts[at]!.status === 'rejected').map(({ name }) => name);
}

type FeatureFlaw =
  | 'throws'
  | 'no-unknown'
  | 'too-large'
  | 'writes-beside'
  | 'forgets'
  | 'takes-any-state'
  | 'names-padding'
  | 'learns-nothing'
  | 'fails-on-nothing'
  | 'other-each-time';

let fits = 0;

/** The first letter of a text, right but for a flaw. */
function letters(flaw?: FeatureFlaw): Feature<{ kind: string }> {
  const fitted = (known: readonly string[]): FittedFeature => ({
    size: flaw === 'too-large' ? 2 + known.length : 4 + known.length,
    slots: 1,
    encode: (value, out, offset) => {
      if (flaw === 'throws' && Array.isArray(value)) throw new Error('not a text');
      const at = known.indexOf(String(value ?? '').slice(0, 1));
      const missing = value === null || value === undefined;
      out[offset] = missing ? (flaw === 'no-unknown' ? 0 : 1) : at === -1 ? 1 : 3 + at;
      if (flaw === 'writes-beside') out[offset + 1] = 0;
    },
    decode: (id) => (flaw === 'names-padding' && id === 0 ? 'nothing' : known[id - 3]),
    toJSON: () => ({ known: flaw === 'forgets' ? [] : known, ...(flaw === 'other-each-time' && { fits }) }),
  });
  return {
    specVersion: 1,
    kind: 'letters',
    options: {
      '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as { kind: string } }) },
    },
    fit: () => {
      const known = new Set<string>();
      fits++;
      return {
        observe: (value: FieldValue) => {
          if (typeof value === 'string' && value !== '' && flaw !== 'learns-nothing') known.add(value[0]!);
        },
        finish: () => {
          if (flaw === 'fails-on-nothing' && known.size === 0) throw new Error('no values');
          return fitted([...known]);
        },
      };
    },
    load: (state) => {
      const known = (state as { known?: unknown } | null)?.known;
      if (Array.isArray(known)) return fitted(known as string[]);
      if (flaw === 'takes-any-state') return fitted([]);
      throw new UserLlmError('bad-feature-state', { what: 'letters' });
    },
  };
}

describe('featureChecks', () => {
  const sample = { spec: { kind: 'letters' }, values: ['Alien', 'Big', 7] };

  it('accepts a feature that is right', async () => {
    expect(await failed(featureChecks(letters(), sample))).toEqual([]);
  });

  it.each<[FeatureFlaw, RegExp]>([
    ['throws', /^turns any value into ids/],
    ['no-unknown', /^turns a missing value/],
    ['too-large', /^turns any value into ids/],
    ['writes-beside', /^turns any value into ids/],
    ['forgets', /^is the same after JSON/],
    ['takes-any-state', /^refuses a state/],
    ['names-padding', /^says nothing of reserved ids/],
    ['learns-nothing', /^learns an id of its own/],
    ['fails-on-nothing', /^learns from any value/],
    ['other-each-time', /^learns the same/],
  ])('refuses a feature that %s', async (flaw, check) => {
    expect(await failed(featureChecks(letters(flaw), sample))).toContainEqual(expect.stringMatching(check));
  });

  it('refuses a sample with another kind or number of slots', async () => {
    const other = { ...sample, spec: { kind: 'words', slots: 2 } };
    expect(await failed(featureChecks(letters(), other))).toEqual([
      expect.stringMatching(/^is named/),
      expect.stringMatching(/^has as many slots/),
    ]);
  });
});

type TaskFlaw =
  'shows-the-future' | 'tells-the-answer' | 'one-phrasing' | 'random' | 'changes' | 'wrong-template' | 'mute';

/** Asks for the rating that the user will give next, right but for a flaw. */
function ratingTask(flaw?: TaskFlaw): Task {
  const phrasings = ['How will this user rate what comes next?', 'Which rating comes next?'];
  return {
    specVersion: 1,
    name: 'next-rating',
    version: 3,
    answers: 'label',
    phrasings: 2,
    metrics: ['accuracy'],
    example: ({ history, position, length = Infinity, phrasing = 0 }) => {
      const event = history.events[position];
      if (event?.rating === undefined || event.rating === null || flaw === 'mute') return undefined;
      if (flaw === 'changes') (history.events as unknown[]).pop();
      const way = phrasing % 2;
      const random = flaw === 'random' ? ` ${Math.random()}` : '';
      const told = flaw === 'tells-the-answer' ? ` It is rated ${event.rating}.` : '';
      return {
        task: 'next-rating',
        template: `next-rating@${flaw === 'wrong-template' ? 2 : 3}#${way}`,
        user: history.user,
        history: history.events.slice(Math.max(0, position - length), position + (flaw === 'shows-the-future' ? 1 : 0)),
        instruction: phrasings[flaw === 'one-phrasing' ? 0 : way]! + random + told,
        target: String(event.rating),
      };
    },
  };
}

describe('taskChecks', () => {
  it('accepts a task that is right', async () => {
    expect(await failed(taskChecks(ratingTask()))).toEqual([]);
  });

  it.each<[TaskFlaw, RegExp]>([
    ['shows-the-future', /^tells of events before/],
    ['tells-the-answer', /^keeps the answer out/],
    ['one-phrasing', /^puts a question in each/],
    ['random', /^gives the same example/],
    ['changes', /./],
    ['wrong-template', /^puts a question in each/],
    ['mute', /^can be asked/],
  ])('refuses a task that is %s', async (flaw, check) => {
    expect(await failed(taskChecks(ratingTask(flaw)))).toContainEqual(expect.stringMatching(check));
  });

  it('tries a task on a sample of the caller', async () => {
    const unrated = { histories: [{ user: 'u', events: [{ user: 'u', item: 'a', time: 0 }] }], catalogue: new Map() };
    expect(await failed(taskChecks(ratingTask(), unrated))).toEqual(['can be asked']);
  });
});

type MetricFlaw = 'zero-for-none' | 'not-a-number' | 'another-mean' | 'first-counts-double' | 'upside-down' | 'sorts';

/** The share of answers at the top, or word for word right; right but for a flaw. */
function exact(answers: 'item' | 'text', flaw?: MetricFlaw): Metric {
  const hit = (answer: AnswerOf['item' | 'text']): number => {
    if ('ranks' in answer) {
      if (flaw === 'sorts') (answer.ranks as number[]).sort();
      return answer.ranks[0] === 1 ? 1 : 0;
    }
    if (flaw === 'not-a-number' && answer.prediction === '') return NaN;
    return answer.prediction === answer.reference ? 1 : 0;
  };
  return {
    specVersion: 1,
    name: 'exact',
    answers,
    higherIsBetter: flaw !== 'upside-down',
    score: (given) => {
      if (given.length === 0) return { value: flaw === 'zero-for-none' ? 0 : NaN };
      const each = given.map(hit);
      if (flaw === 'first-counts-double') each[0]! *= 2;
      const value = each.reduce((sum, one) => sum + one, 0) / each.length;
      return { value: flaw === 'another-mean' ? value / 2 : value, each };
    },
  };
}

describe('metricChecks', () => {
  it.each(['item', 'text'] as const)('accepts a metric of answers of kind %s that is right', async (answers) => {
    expect(await failed(metricChecks(exact(answers)))).toEqual([]);
  });

  it.each<[MetricFlaw, 'item' | 'text', RegExp]>([
    ['zero-for-none', 'text', /^scores no answers/],
    ['not-a-number', 'text', /^scores any answers/],
    ['another-mean', 'text', /^scores each answer/],
    ['first-counts-double', 'item', /^gives the same again/],
    ['upside-down', 'item', /^puts perfect answers/],
    ['sorts', 'item', /./],
  ])('refuses a metric that is %s', async (flaw, answers, check) => {
    expect(await failed(metricChecks(exact(answers, flaw)))).toContainEqual(expect.stringMatching(check));
  });
});
