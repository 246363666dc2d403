import { UserLlmError } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { createRegistry, definePlugin, seamNames, type Plugin, type Tracker } from '../src/index.js';

const tracker = (name: string): Tracker => ({
  specVersion: 1,
  name,
  open: () => Promise.resolve({ log: () => undefined, close: () => Promise.resolve() }),
});

function codeOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (UserLlmError.isInstance(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing thrown';
}

describe('definePlugin', () => {
  it('hands a plugin back with its own type', () => {
    const plugin = definePlugin({ name: 'team', specVersion: 1, trackers: [tracker('csv')] });
    expect(plugin.trackers[0].name).toBe('csv');
  });

  it.each([
    ['another version', { name: 'team', specVersion: 2 }, /specVersion 1, got 2/],
    ['an unknown seam', { name: 'team', specVersion: 1, encoder: [] }, /keys among .*encoders.*got encoder/],
    ['no name', { name: '', specVersion: 1 }, /expected a name/],
    [
      'a part without a name',
      { name: 'team', specVersion: 1, trackers: [tracker('')] },
      /a name for each of its trackers/,
    ],
    ['a seam that is no list', { name: 'team', specVersion: 1, trackers: tracker('a') }, /a list of trackers/],
    [
      'a part without a function of its seam',
      { name: 'team', specVersion: 1, encoders: [{ name: 'q' }] },
      /the function build of "q" among its encoders/,
    ],
    [
      'a part without a schema',
      { name: 'team', specVersion: 1, features: [{ kind: 'f', fit: () => 0, load: () => 0 }] },
      /options, a Standard Schema, of "f" among its features/,
    ],
    ['a version that is no text', { name: 'team', specVersion: 1, version: 2 }, /a version that is text, got 2/],
    ['two parts of one name', { name: 'team', specVersion: 1, trackers: [tracker('a'), tracker('a')] }, /"a" twice/],
  ])('refuses %s', (_, plugin, message) => {
    expect(codeOf(() => definePlugin(plugin as unknown as Plugin))).toMatch(message);
  });
});

describe('createRegistry', () => {
  const first = definePlugin({ name: 'first', specVersion: 1, trackers: [tracker('jsonl')] });
  const second = definePlugin({ name: 'second', specVersion: 1, trackers: [tracker('csv')] });

  it('finds parts by seam and name, in the order of the plugins', () => {
    const registry = createRegistry([first, second]);
    expect(registry.get('trackers', 'csv')).toBe(second.trackers[0]);
    expect([...registry.all('trackers').keys()]).toEqual(['jsonl', 'csv']);
    for (const seam of seamNames) expect(registry.all(seam).size).toBe(seam === 'trackers' ? 2 : 0);
  });

  it('is a value: another registry knows nothing of it', () => {
    createRegistry([first]);
    expect(createRegistry([]).all('trackers').size).toBe(0);
  });

  it('says which parts there are when one is unknown', () => {
    expect(codeOf(() => createRegistry([first, second]).get('trackers', 'mlflow'))).toMatch(
      /unknown-part: trackers "mlflow": expected one of jsonl, csv/,
    );
  });

  it('refuses two plugins, or two parts, of one name', () => {
    expect(codeOf(() => createRegistry([first, first]))).toMatch(/bad-plugin/);
    const rival = definePlugin({ name: 'rival', specVersion: 1, trackers: [tracker('jsonl')] });
    expect(codeOf(() => createRegistry([first, rival]))).toMatch(/"jsonl" from first and from rival/);
  });
});
