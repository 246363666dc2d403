import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserLlmError } from '../../src/errors.js';
import { fillWords } from '../../src/random/fill.js';
import { Random } from '../../src/random/random.js';

const random = Random.fromSeed(42);
const hex = (words: Uint32Array) => [...words].map((word) => word.toString(16));
const bitsOf = (numbers: Float32Array | Float64Array) => hex(new Uint32Array(numbers.buffer));

describe('the same seed gives the same bits', () => {
  it('on every platform, today and tomorrow', () => {
    expect({
      bits: hex(random.bits(3)),
      uniform: bitsOf(random.uniform(3)),
      normal: bitsOf(random.normal(3)),
      normalDouble: bitsOf(random.normal(new Float64Array(2))),
      integers: [...random.integers(6, 100)],
      permutation: [...random.permutation(8)],
      named: hex(random.split('dropout').bits(2)),
      long: hex(random.split('a name of more than eight bytes').bits(2)),
      numbered: hex(random.at(7).bits(2)),
    }).toMatchInlineSnapshot(`
      {
        "bits": [
          "6d3e048f",
          "1022172d",
          "19a3f86f",
        ],
        "integers": [
          43,
          13,
          67,
          21,
          64,
          40,
        ],
        "long": [
          "9714861e",
          "9ea90aee",
        ],
        "named": [
          "3aba6ec4",
          "6bf80787",
        ],
        "normal": [
          "be3d2513",
          "bfc3d3e9",
          "bfa3ec5a",
        ],
        "normalDouble": [
          "7aa5e3b8",
          "bfc7a4a2",
          "4a6b2ae9",
          "bff47d8b",
        ],
        "numbered": [
          "e5fae15f",
          "5c7d3a2b",
        ],
        "permutation": [
          2,
          3,
          6,
          0,
          5,
          1,
          4,
          7,
        ],
        "uniform": [
          "3eda7c08",
          "3d8110b8",
          "3dcd1fc0",
        ],
      }
    `);
  });

  it('and draws are prefixes of longer draws', () => {
    expect(random.bits(9).subarray(0, 4)).toEqual(random.bits(4));
    expect(random.normal(5000).subarray(0, 1500)).toEqual(random.normal(1500));
    const long = random.uniform(new Float64Array(2000));
    expect(long.subarray(0, 777)).toEqual(random.uniform(new Float64Array(777)));
  });

  it('other seeds give others', () => {
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2n ** 64n - 1n];
    expect(new Set(seeds.map((seed) => hex(Random.fromSeed(seed).bits(2)).join())).size).toBe(seeds.length);
    expect(Random.fromSeed(7).bits(4)).toEqual(Random.fromSeed(7n).bits(4));
  });

  it('fills the array it is given', () => {
    const into = new Float32Array(10);
    expect(random.uniform(into.subarray(5))).toHaveLength(5);
    expect(into.subarray(0, 5).every((number) => number === 0)).toBe(true);
    expect(into.subarray(5)).toEqual(random.uniform(5));
    expect(random.integers(new Int32Array(5), 9)).toEqual(random.integers(5, 9));
    expect(random.bits(new Uint32Array(5))).toEqual(random.bits(5));
    expect(random.bits(0)).toHaveLength(0);
  });
});

describe('split', () => {
  it('by number is at()', () => {
    expect(random.split(3).map((child) => child.state)).toEqual([0, 1, 2].map((index) => random.at(index).state));
    expect(random.split(0)).toEqual([]);
  });

  it('gives distinct values for distinct paths', () => {
    const names = ['', 'a', 'b', 'ab', 'a\0', '\0a', '0', 'abcdefgh', 'abcdefgh\0', 'abcdefghi', 'ä', '\u{1f600}'];
    const children = [random, random.at(0), random.at(1), random.at(2 ** 32 - 1), random.at(0).at(0)];
    const states = [...children, ...names.map((name) => random.split(name))].map((child) => child.state.key.join());
    expect(new Set(states).size).toBe(states.length);
  });
});

describe('state', () => {
  it('goes through JSON', () => {
    const child = random.split('encoder').at(3);
    const again = Random.fromState(JSON.parse(JSON.stringify(child)) as typeof child.state);
    expect(again.bits(5)).toEqual(child.bits(5));
  });

  it('of a stream resumes at the very next word', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('bits', 'uniform', 'normal', 'below'), { maxLength: 60 }),
        fc.nat(200),
        (draws, skipped) => {
          const stream = random.stream();
          for (let word = 0; word < skipped; word++) {
            stream.bits();
          }
          const resumed = Random.resume(JSON.parse(JSON.stringify(stream)) as typeof stream.state);
          for (const draw of draws) {
            const [left, right] = [stream, resumed].map((from) => (draw === 'below' ? from.below(10) : from[draw]()));
            expect(left).toBe(right);
          }
          expect(resumed.state).toEqual(stream.state);
        },
      ),
    );
  });

  it('of a stream walks the words that bits() gives', () => {
    const stream = random.stream();
    expect(Uint32Array.from({ length: 300 }, () => stream.bits())).toEqual(random.bits(300));
    const far = Random.resume({ ...random.state, position: 2 ** 40 + 1 });
    expect(far.bits()).toBe(fillWords(random.state.key, 2 ** 40, new Uint32Array(2))[1]);
  });
});

describe('permutation', () => {
  it('has every number once', () => {
    fc.assert(
      fc.property(fc.nat(300), (length) => {
        const sorted = random.at(length).permutation(length).sort();
        expect([...sorted]).toEqual(Array.from({ length }, (_, index) => index));
      }),
    );
  });
});

describe('bad arguments are refused by name', () => {
  it.each<[string, string, () => unknown]>([
    ['bad-seed', 'a negative seed', () => Random.fromSeed(-1)],
    ['bad-seed', 'a fraction', () => Random.fromSeed(0.5)],
    ['bad-seed', 'an unsafe number', () => Random.fromSeed(2 ** 53)],
    ['bad-seed', 'more than 64 bits', () => Random.fromSeed(2n ** 64n)],
    ['bad-random-state', 'another algorithm', () => Random.fromState({ algorithm: 'mt19937', key: [1, 2] } as never)],
    ['bad-random-state', 'a key too short', () => Random.fromState({ ...random.state, key: [1] } as never)],
    ['bad-random-state', 'a word too large', () => Random.fromState({ ...random.state, key: [2 ** 32, 0] })],
    ['bad-random-state', 'no state', () => Random.fromState(null as never)],
    ['bad-count', 'a position that is none', () => Random.resume({ ...random.state, position: -1 })],
    ['bad-count', 'a negative length', () => random.bits(-1)],
    ['bad-count', 'a fractional length', () => random.uniform(1.5)],
    ['bad-count', 'an index too large', () => random.at(2 ** 32)],
    ['bad-count', 'nothing to choose from', () => random.integers(3, 0)],
    ['bad-count', 'more than int32 holds', () => random.integers(3, 2 ** 31 + 1)],
    ['bad-count', 'a permutation of -1', () => random.permutation(-1)],
    ['bad-count', 'below nothing', () => random.stream().below(0)],
    ['bad-distribution', 'bounds in the wrong order', () => random.uniform(1, { low: 1, high: 0 })],
    ['bad-distribution', 'an infinite bound', () => random.uniform(1, { high: Infinity })],
    ['bad-distribution', 'a negative deviation', () => random.normal(1, { standardDeviation: -1 })],
    ['bad-distribution', 'a mean that is NaN', () => random.normal(1, { mean: NaN })],
  ])('%s: %s', (code, _, act) => {
    expect(act).toThrow(UserLlmError);
    expect(act).toThrow(expect.objectContaining({ code }) as Error);
  });
});
