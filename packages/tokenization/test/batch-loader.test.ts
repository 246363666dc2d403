import { BatchLoader, EventTokenizer, timelinesInMemory, type BatchCursor } from '../src/index.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { items, schema, worldOf } from './support/small-world.js';

const events = worldOf(50);

async function loaderOf(recipe: object = {}) {
  const tokenizer = await EventTokenizer.fit(schema, { events, items });
  const timelines = tokenizer.encode(events);
  const loader = new BatchLoader(tokenizer, timelinesInMemory(tokenizer, timelines), {
    window: { kind: 'sliding', length: 20, stride: 5 },
    batchSize: 8,
    seed: 3,
    ...recipe,
  });
  return { loader, timelines, tokenizer };
}

describe('batch loader', () => {
  let all: Awaited<ReturnType<typeof loaderOf>>;
  beforeAll(async () => {
    all = await loaderOf();
  });

  it('hands every window of the training part out once per epoch', async () => {
    const seen: string[] = [];
    for await (const batch of all.loader.batches()) {
      batch.users.forEach((user, row) => {
        const length = batch.lengths.data[row]!;
        const ids = batch.columns.item.data.subarray(row * 20, row * 20 + length);
        seen.push(`${user}:${ids.join()}`);
      });
    }
    const expected: string[] = [];
    for (let user = 0; user < all.timelines.users; user++) {
      const { user: name, columns, length } = all.timelines.timeline(user);
      for (let end = length - 3; end >= 1; end -= 5) {
        expected.push(`${name}:${columns['item']!.subarray(Math.max(0, end - 20), end).join()}`);
      }
    }
    expect(seen.sort()).toEqual(expected.sort());
  });

  it('labels each event with the event after it', async () => {
    for await (const { columns, labels, mask } of all.loader.batches()) {
      const [rows, events] = columns.item.shape as [number, number];
      for (let row = 0; row < rows; row++) {
        for (let at = 0; at + 1 < events; at++) {
          if (mask.data[row * events + at + 1] === 0) continue;
          expect(labels.item.data[row * events + at]).toBe(columns.item.data[row * events + at + 1]);
        }
      }
    }
  });

  it('goes on from a cursor with the batches that would have come', async () => {
    const whole: (readonly string[])[] = [];
    const cursors: BatchCursor[] = [];
    for await (const batch of all.loader.batches({ epochs: 2 })) {
      whole.push([...batch.users, batch.columns.item.data.join()]);
      cursors.push(batch.next);
    }
    for (const at of [0, 4, Math.floor(whole.length / 2) - 1, whole.length - 2]) {
      const rest: (readonly string[])[] = [];
      const { loader } = await loaderOf();
      const from = JSON.parse(JSON.stringify(cursors[at])) as BatchCursor;
      for await (const batch of loader.batches({ epochs: 2, from })) {
        rest.push([...batch.users, batch.columns.item.data.join()]);
      }
      expect(rest).toEqual(whole.slice(at + 1));
    }
  });
});
