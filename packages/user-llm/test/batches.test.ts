import { input } from '@user-llm/graph';
import type { TextTokenizer } from '@user-llm/plugin';
import { batchOf, currentWindows, EventTokenizer } from '@user-llm/tokenization';
import { describe, expect, it } from 'vitest';
import {
  decodeAnswer,
  encodeAnswer,
  encodedFeatures,
  encodePrompt,
  eventFeeds,
  eventInputs,
  historyFeeds,
  idsOf,
} from '../src/index.js';
import { catalogue, history, textTokenizer } from './world.js';

const schema = {
  item: { kind: 'id' },
  gap: { kind: 'bucket', from: 'time-gap' },
  genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 1 },
  genres: { kind: 'multi-id', from: 'item', field: 'categories', slots: 2 },
} as const;

describe('batches of histories', () => {
  it('are fed the same by a tokenizer’s batch and by single histories', async () => {
    const events = [...history('a', [0, 1, 2]), ...history('b', [3])];
    const tokenizer = await EventTokenizer.fit(schema, { events, items: catalogue });
    const timelines = tokenizer.encode(events);
    const ours = eventFeeds(batchOf(tokenizer, timelines, currentWindows(timelines, 2)));
    const features = encodedFeatures(tokenizer);
    const rows = ['a', 'b'].map((user) =>
      idsOf(
        tokenizer as unknown as EventTokenizer,
        events.filter((event) => event.user === user),
        2,
      ),
    );
    expect(rows.map(({ seen, length }) => [seen, length])).toEqual([
      [3, 2],
      [1, 1],
    ]);
    const single = historyFeeds(features, rows);
    expect(Object.keys(single).sort()).toEqual(Object.keys(ours).sort());
    for (const [name, tensor] of Object.entries(single)) {
      expect([tensor.axes, tensor.shape, tensor.toArray()], name).toEqual([
        ours[name]!.axes,
        ours[name]!.shape,
        ours[name]!.toArray(),
      ]);
    }
    const { batch, inputs } = eventInputs(features, 2, 2, input('seed', 'int32', [], []));
    expect(inputs.map(({ shape }) => shape)).toEqual([
      [2, 2],
      [2, 2],
      [2, 2],
      [2, 2, 2],
      [2, 2],
    ]);
    expect(Object.keys(batch.features)).toEqual(['item', 'gap', 'genre', 'genres']);
    expect(batch.seed).toBeDefined();
  });

  it('of appended events have the time gaps of the whole history', async () => {
    const events = history('a', [0, 1, 2, 3]);
    const tokenizer = (await EventTokenizer.fit(schema, { events, items: catalogue })) as unknown as EventTokenizer;
    const whole = idsOf(tokenizer, events, 10);
    const last = idsOf(tokenizer, events.slice(2), 10, events[1]!.time);
    expect([...last.columns['gap']!]).toEqual([...whole.columns['gap']!.slice(2)]);
    expect([...idsOf(tokenizer, events.slice(2), 10).columns['gap']!]).not.toEqual([...last.columns['gap']!]);
  });
});

describe('the form of a question', () => {
  it('begins, asks for the answer, and ends', () => {
    const prompt = encodePrompt(textTokenizer, 'What comes next?');
    expect(prompt[0]).toBe(textTokenizer.begin);
    expect(textTokenizer.decode(prompt)).toBe('What comes next?\nAnswer:');
    const answer = encodeAnswer(textTokenizer, '  Dune: Part Two\n');
    expect(answer.at(-1)).toBe(textTokenizer.end);
    expect(textTokenizer.decode([...prompt, ...answer])).toBe('What comes next?\nAnswer: Dune: Part Two');
    expect(decodeAnswer(textTokenizer, answer)).toBe('Dune: Part Two');
  });

  it.each([
    ['nothing', [], ''],
    ['what its texts open with', [62, 32], '> '],
  ])('opens with %s', (_, opensWith, opening) => {
    const plain: TextTokenizer = {
      vocabularySize: 256,
      opensWith,
      end: 0,
      encode: (text) => [...Buffer.from(text)],
      decode: (tokens) => Buffer.from(tokens).toString(),
    };
    expect(plain.decode(encodePrompt(plain, 'Who?'))).toBe(`${opening}Who?\nAnswer:`);
    expect(decodeAnswer(plain, encodeAnswer(plain, 'Ann'))).toBe('Ann');
  });
});
