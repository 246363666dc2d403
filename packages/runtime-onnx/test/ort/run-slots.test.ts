import { describe, expect, it } from 'vitest';
import { RunSlots, defaultParallelRuns } from '../../src/ort/run-slots.js';

describe('RunSlots', () => {
  it('lets in as many as there are slots, the others in the order in which they came', async () => {
    const slots = new RunSlots(2);
    const entered: number[] = [];
    const enter = async (index: number): Promise<void> => {
      await slots.take();
      entered.push(index);
    };
    const all = [0, 1, 2, 3].map(enter);
    await Promise.all(all.slice(0, 2));
    expect(entered).toEqual([0, 1]);
    expect(slots.tryTake()).toBe(false);
    slots.give();
    await all[2];
    slots.give();
    await all[3];
    expect(entered).toEqual([0, 1, 2, 3]);
    slots.give();
    slots.give();
    expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).toEqual([true, true, false]);
  });

  it('lets go of those whose signal aborts while they wait', async () => {
    const slots = new RunSlots(1);
    await slots.take();
    const controller = new AbortController();
    const leaving = slots.take(controller.signal);
    const staying = slots.take(new AbortController().signal);
    controller.abort();
    await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
    slots.give();
    await staying;
    expect(slots.tryTake()).toBe(false);
  });
});

describe('defaultParallelRuns', () => {
  it('leaves a thread of the pool free, and is at least one', () => {
    expect(defaultParallelRuns(1)).toBe(1);
    expect(defaultParallelRuns(2)).toBe(1);
    expect(defaultParallelRuns(Number.NaN)).toBeLessThanOrEqual(3);
    expect(defaultParallelRuns(1000)).toBeGreaterThanOrEqual(1);
  });
});
