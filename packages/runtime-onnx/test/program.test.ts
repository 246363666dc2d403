import {
  add,
  addSizes,
  evaluate,
  graph,
  input,
  matmul,
  multiplySizes,
  range,
  reshape,
  scatterAdd,
  sizeValue,
  symbol,
  toReference,
  type Graph,
  type Value,
} from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { OnnxRuntime, type OnnxValue } from '../src/index.js';
import { languageModel, normal, numbers, whole } from './support/models.js';

/** y = x multiplied `times` times by w: work for as long as one likes. */
function longGraph(width: number, times: number): Graph {
  const x = input('x', 'float32', ['row', 'column'], [width, width]);
  const w = input('w', 'float32', ['column', 'column2'], [width, width]);
  let y = x;
  for (let time = 0; time < times; time++) {
    y = reshape(matmul(y, w), ['row', 'column'], [width, width]);
  }
  return graph([x, w], { y });
}

/** Feeds of `longGraph` under which nothing overflows. */
function longFeeds(width: number): Record<string, Tensor> {
  return {
    x: normal('x', ['row', 'column'], [width, width], 1),
    w: normal('w', ['column', 'column2'], [width, width], width ** -0.5),
  };
}

/** A value of another runtime. */
function foreign(value: Value): Value {
  const { axes, dtype, shape } = value;
  const read = () => value.read();
  return { axes, dtype, shape, read, write: (tensor) => value.write(tensor), dispose: () => value.dispose() };
}

describe.each([1, 2])('programs on %d threads', (threads) => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: threads });
  });
  afterAll(() => runtime.dispose());

  test('frozen weights that nothing reads are left out', async () => {
    const feeds = longFeeds(4);
    const spare = input('spare', 'float32', ['column'], [4]);
    const source = longGraph(4, 1);
    const wider = graph([...Object.values(source.inputs), spare], source.outputs);
    const program = await runtime.compile(wider, { w: feeds['w']!, spare: normal('spare', ['column'], [4]) });
    const alone = await runtime.compile(wider, { spare: normal('spare', ['column'], [4]) });
    const got = (await program.run({ x: feeds['x']! }))['y']!.readSync();
    expect(numbers(got)).toEqual(numbers((await alone.run(feeds))['y']!.readSync()));
    await Promise.all([program.dispose(), alone.dispose()]);
  });

  test('a value is read into the memory of a tensor of its type', async () => {
    const value = runtime.value(normal('x', ['row', 'column'], [2, 3]));
    const wanted = numbers(value.readSync());
    const same = new Tensor('float32', ['row', 'column'], [2, 3]) as Tensor;
    expect(await value.read(same)).toBe(same);
    expect(numbers(same)).toEqual(wanted);
    const within = new Tensor('float32', ['row', 'column'], [2, 3], new Float32Array(9), { offset: 2 }) as Tensor;
    expect(value.readSync(within)).toBe(within);
    expect([...(within.data as Float32Array)]).toEqual([0, 0, ...wanted, 0]);
    const others = [
      new Tensor('float32', ['row', 'column'], [3, 2]),
      new Tensor('float32', ['row', 'place'], [2, 3]),
      new Tensor('int32', ['row', 'column'], [2, 3]),
      (new Tensor('float32', ['column', 'row'], [3, 2]) as Tensor).permute(['row', 'column']),
    ] as Tensor[];
    for (const other of others) {
      const read = value.readSync(other);
      expect(read).not.toBe(other);
      expect(numbers(read)).toEqual(wanted);
      expect(numbers(other).every((number) => number === 0)).toBe(true);
    }
    value.dispose();
  });

  test('programs that are given the same tensors share what is made of them', async () => {
    const { x, w } = longFeeds(4) as { x: Tensor; w: Tensor };
    const spare = normal('spare', ['column'], [4]);
    const opened = vi.spyOn(runtime.engine, 'createSession');
    const { inputs, outputs } = longGraph(4, 1);
    const wider = graph([...Object.values(inputs), input('spare', 'float32', ['column'], [4])], outputs);
    const programs = [
      await runtime.compile(wider, { w, spare }),
      await runtime.compile(longGraph(4, 2), { w }),
      await runtime.compile(longGraph(4, 2), { w: w.cast('float64').cast('float32') as Tensor }),
    ];
    const whole = opened.mock.calls.map(([, options]) => options!.weights!.whole);
    opened.mockRestore();
    expect(whole[1]).toBe(whole[0]);
    expect(whole[2]).not.toBe(whole[0]);
    await programs[0]!.dispose();
    const [, same, other] = programs;
    expect(numbers((await same!.run({ x }))['y']!.readSync())).toEqual(
      numbers((await other!.run({ x }))['y']!.readSync()),
    );
    await Promise.all(programs.map((program) => program.dispose()));
  });

  test('weights that only a later program reads join those that are shared', async () => {
    const { x, w } = longFeeds(4) as { x: Tensor; w: Tensor };
    const more = normal('more', ['column'], [4]);
    const opened = vi.spyOn(runtime.engine, 'createSession');
    const { inputs, outputs } = longGraph(4, 1);
    const extra = input('more', 'float32', ['column'], [4]);
    const wider = graph([...Object.values(inputs), extra], { ...outputs, twice: add(extra, extra) });
    const first = await runtime.compile(longGraph(4, 1), { w });
    const second = await runtime.compile(wider, { w, more });
    const whole = opened.mock.calls.map(([, options]) => options!.weights!.whole);
    opened.mockRestore();
    expect(whole[1]).toBe(whole[0]);
    await first.dispose();
    const results = await second.run({ x });
    expect(numbers(results['twice']!.readSync())).toEqual(numbers(more).map((value) => 2 * value));
    await second.dispose();
  });

  test('another view of a tensor that was frozen before is a tensor of its own', async () => {
    const sources = [
      [2, 3],
      [3, 2],
    ].map(([rows, columns]) => {
      const x = input('x', 'float32', ['row'], [rows!]);
      const w = input('w', 'float32', ['row', 'column'], [rows!, columns!]);
      return graph([x, w], { y: matmul(reshape(x, ['one', 'row'], [1, rows!]), w) });
    });
    const w = new Tensor('float32', ['row', 'column'], [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)) as Tensor;
    const views = [w, w.reshape(['row', 'column'], [3, 2]) as Tensor];
    const programs = [await runtime.compile(sources[0]!, { w: views[0]! })];
    programs.push(await runtime.compile(sources[1]!, { w: views[1]! }));
    const ones = (rows: number): Tensor =>
      new Tensor('float32', ['row'], [rows], new Float32Array(rows).fill(1)) as Tensor;
    expect(numbers(programs[0]!.runSync({ x: ones(2) })['y']!.readSync())).toEqual([5, 7, 9]);
    expect(numbers(programs[1]!.runSync({ x: ones(3) })['y']!.readSync())).toEqual([9, 12]);
    await Promise.all(programs.map((program) => program.dispose()));
  });

  test('sizes that frozen inputs bind hold for feeds', async () => {
    const inner = symbol('inner');
    const x = input('x', 'float32', ['row', 'column'], [symbol('rows'), inner]);
    const w = input('w', 'float32', ['column', 'width'], [inner, 2]);
    const w32 = normal('w', ['column', 'width'], [3, 2]);
    const program = await runtime.compile(graph([x, w], { y: matmul(x, w) }), { w: w32 });
    expect(program.runSync({ x: normal('x', ['row', 'column'], [4, 3]) })['y']!.shape).toEqual([4, 2]);
    await expect(program.run({ x: normal('x', ['row', 'column'], [4, 2]) })).rejects.toMatchObject({
      code: 'shape-mismatch',
    });
    await program.dispose();
  });

  test('batch and sequence may be symbolic, frozen weights and fed ones alike', async () => {
    const [batch, time] = [symbol('batch'), symbol('time')];
    const { ids, logits, parameters, tokens } = languageModel(batch, time);
    const flat = reshape(logits, ['place', 'token'], [multiplySizes(batch, time), tokens]);
    const places = range('time', time);
    const count = sizeValue(addSizes(multiplySizes(batch, time), 1));
    const source = graph([ids, ...Object.values(parameters)], { flat, places, count });
    const weights = Object.fromEntries(
      Object.entries(parameters).map(([name, { axes, shape }]) => [
        name,
        normal(name, axes, shape as readonly number[]),
      ]),
    );
    const fed = await runtime.compile(source);
    const frozen = await runtime.compile(source, weights);
    for (const [users, events] of [
      [1, 1],
      [3, 4],
      [2, 17],
    ] as const) {
      const feeds = { ids: whole('ids', ids.axes, [users, events], tokens) };
      const all = Object.entries({ ...feeds, ...weights }).map(
        ([name, tensor]) => [name, toReference(tensor)] as const,
      );
      const wanted = evaluate(source, Object.fromEntries(all));
      for (const results of [await fed.run({ ...feeds, ...weights }), await frozen.run(feeds)]) {
        for (const [name, { shape, data }] of Object.entries(wanted)) {
          const got = results[name]!.readSync();
          expect(got.shape).toEqual(shape);
          expect(Math.max(...numbers(got).map((value, at) => Math.abs(value - data[at]!)))).toBeLessThan(2e-5);
        }
      }
    }
    await Promise.all([fed.dispose(), frozen.dispose()]);
  });

  test('heavily repeated indices add up exactly, each time', async () => {
    const [rows, count, width] = [13, 3000, 64];
    const ids = input('ids', 'int32', ['event'], [count]);
    const x = input('x', 'float32', ['event', 'width'], [count, width]);
    const program = await runtime.compile(graph([ids, x], { y: scatterAdd(ids, x, 'item', rows) }));
    const feeds = {
      ids: whole('repeated', ['event'], [count], rows),
      x: whole('counts', ['event', 'width'], [count, width], 100).cast('float32') as Tensor,
    };
    const wanted = new Array<number>(rows * width).fill(0);
    const places = numbers(feeds.ids);
    numbers(feeds.x).forEach((value, at) => {
      wanted[places[Math.floor(at / width)]! * width + (at % width)]! += value;
    });
    for (let run = 0; run < 20; run++) {
      expect(numbers((await program.run(feeds))['y']!.readSync())).toEqual(wanted);
    }
    await program.dispose();
  });
});

describe('a program', () => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: 2, pendingRuns: 2 });
  });
  afterAll(() => runtime.dispose());

  const small = (): Graph => {
    const x = input('x', 'float32', ['row', 'column'], [symbol('row'), 2]);
    return graph([x], { y: add(x, 1) });
  };
  const fed = (rows: number): Tensor => normal('x', ['row', 'column'], [rows, 2]);

  test('runs on the spot, into values of the caller, and on values', async () => {
    const program = await runtime.compile(small());
    const wanted = numbers(fed(2)).map((value) => Math.fround(value + 1));
    expect(numbers(program.runSync({ x: fed(2) })['y']!.readSync())).toEqual(wanted);
    const y = runtime.value(normal('nothing', ['row', 'column'], [2, 2], 0));
    const results = await program.run({ x: runtime.value(fed(2)) }, { into: { y } });
    expect(results['y']).toBe(y);
    expect(numbers(await y.read())).toEqual(wanted);
    y.write(fed(2));
    expect(numbers(program.runSync({ x: y }, { into: { y } })['y']!.readSync())).toEqual(wanted);
    await expect(program.run({ x: fed(2) }, { into: { y: foreign(y) } })).rejects.toMatchObject({
      code: 'foreign-value',
    });
    y.dispose();
    expect(() => y.readSync()).toThrow(expect.objectContaining({ code: 'disposed' }) as Error);
    await program.dispose();
  });

  test('goes on into the same values, whatever is fed, moved or refused between', async () => {
    const program = await runtime.compile(small());
    const value = (rows: number): OnnxValue => runtime.value(normal('nothing', ['row', 'column'], [rows, 2], 0));
    const [y, other, wide] = [value(2), value(2), value(3)];
    const x = runtime.value(fed(2));
    const plusOne = (tensor: Tensor): number[] => numbers(tensor).map((number) => Math.fround(number + 1));
    const into = async (target: Value, feed: Tensor | Value): Promise<number[]> =>
      numbers(await (await program.run({ x: feed }, { into: { y: target } }))['y']!.read());
    for (const name of ['first', 'second']) {
      const [two, three] = [2, 3].map((rows) => normal(name, ['row', 'column'], [rows, 2]));
      x.write(two!);
      expect(await into(y, two!)).toEqual(plusOne(two!));
      expect(await into(other, x)).toEqual(plusOne(two!));
      expect(await into(wide, three!)).toEqual(plusOne(three!));
      expect(await into(y, x)).toEqual(plusOne(two!));
      // Its memory changes places with another.
      expect(await into(x, x)).toEqual(plusOne(two!));
    }
    const columns = new Tensor('float32', ['column', 'row'], [2, 2], Float32Array.of(1, 2, 3, 4));
    const turned = columns.permute(['row', 'column']) as Tensor;
    await into(y, fed(2));
    expect(await into(y, turned)).toEqual([2, 4, 3, 5]);
    await expect(into(y, fed(3))).rejects.toMatchObject({ code: 'shape-mismatch' });
    await expect(into(y, columns as Tensor)).rejects.toMatchObject({ code: 'axis-mismatch' });
    await expect(into(y, fed(2).cast('float64') as Tensor)).rejects.toMatchObject({ code: 'dtype-mismatch' });
    const together = await Promise.all([into(y, fed(2)), into(y, fed(2))]);
    expect(together).toEqual([plusOne(fed(2)), plusOne(fed(2))]);
    const again = await runtime.compile(small());
    expect(numbers(again.runSync({ x: fed(2) }, { into: { y } })['y']!.readSync())).toEqual(plusOne(fed(2)));
    await again.dispose();
    await expect(again.run({ x: fed(2) }, { into: { y } })).rejects.toMatchObject({ code: 'disposed' });
    y.dispose();
    await expect(into(y, fed(2))).rejects.toMatchObject({ code: 'disposed' });
    await program.dispose();
    await expect(into(other, x)).rejects.toMatchObject({ code: 'disposed' });
  });

  test('lets the event loop turn, takes no more runs than told, and ends one that is aborted', async () => {
    const program = await runtime.compile(longGraph(320, 120));
    const feeds = longFeeds(320);
    let ticks = 0;
    let over = false;
    const tick = (): void => {
      ticks++;
      if (!over) setImmediate(tick);
    };
    setImmediate(tick);
    const first = program.run(feeds);
    const second = program.run(feeds);
    await expect(program.run(feeds)).rejects.toMatchObject({ code: 'overloaded' });
    const [one, other] = await Promise.all([first, second]);
    over = true;
    expect(ticks).toBeGreaterThan(5);
    expect(numbers(one['y']!.readSync())).toEqual(numbers(other['y']!.readSync()));
    const control = new AbortController();
    const aborted = program.run(feeds, { signal: control.signal });
    setImmediate(() => control.abort());
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    expect(numbers((await program.run(feeds))['y']!.readSync())).toEqual(numbers(one['y']!.readSync()));
    await program.dispose();
  });

  test('says what is wrong with its feeds', async () => {
    const program = await runtime.compile(small());
    const cases: readonly (readonly [Record<string, Tensor | Value>, string])[] = [
      [{}, 'missing-feed'],
      [{ x: fed(2), z: fed(2) }, 'unknown-feed'],
      [{ x: fed(2).cast('float64') as Tensor }, 'dtype-mismatch'],
      [{ x: normal('x', ['row', 'column'], [2, 3]) }, 'shape-mismatch'],
      [{ x: normal('x', ['column'], [2]) }, 'shape-mismatch'],
      [{ x: normal('x', ['column', 'row'], [2, 2]) }, 'axis-mismatch'],
      [{ x: foreign(runtime.value(fed(2))) }, 'foreign-value'],
    ];
    for (const [feeds, code] of cases) {
      const error = await program.run(feeds).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code });
      expect((error as Error).message).toMatch(/"x"|"z"/);
    }
    const mine = runtime.value(fed(2));
    mine.dispose();
    await expect(program.run({ x: mine })).rejects.toMatchObject({ code: 'disposed' });
    await program.dispose();
    await program.dispose();
    await expect(program.run({ x: fed(2) })).rejects.toMatchObject({ code: 'disposed' });
    expect(() => program.runSync({ x: fed(2) })).toThrow(expect.objectContaining({ code: 'disposed' }) as Error);
  });
});
