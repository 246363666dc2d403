import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equal } from '../../src/compare.js';
import { bytesPerElement, dtypes, viewBytes, type BaseDType } from '../../src/dtype.js';
import { UserLlmError } from '../../src/errors.js';
import { elements } from '../../src/layout.js';
import { openSafetensors } from '../../src/safetensors/sharded-safetensors.js';
import { safetensorsBytes, writeSafetensors } from '../../src/safetensors/write-safetensors.js';
import { Tensor } from '../../src/tensor.js';
import { temporaryFolder } from '../temporary-folder.js';
import { fileOf, readEverything } from './hostile-file.js';

const inFolder = temporaryFolder();

/** A tensor of any dtype and shape, its bytes arbitrary (0 and 1 in a bool). */
const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom<BaseDType>(...dtypes), fc.array(fc.nat(4), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const length = elements(shape) * bytesPerElement(dtype);
    const byte = dtype === 'bool' ? { max: 1 } : {};
    return fc.uint8Array({ minLength: length, maxLength: length, ...byte }).map((bytes) => {
      const axes = shape.map((_, axis) => `axis${axis}`);
      return new Tensor(dtype, axes, shape, viewBytes(dtype, bytes.slice().buffer, 0, elements(shape)));
    });
  });

const anyName = fc
  .string({ unit: 'binary', maxLength: 12 })
  .filter((name) => name !== '__metadata__' && !/\p{Surrogate}/u.test(name));
const anyTensors = fc
  .uniqueArray(fc.tuple(anyName, anyTensor), { selector: ([name]) => name, maxLength: 6 })
  .map((named) => new Map(named));
const anyMetadata = fc.dictionary(anyName, anyName, { noNullPrototype: true, maxKeys: 3 });

async function bytesOf(tensors: ReadonlyMap<string, Tensor>, metadata: Record<string, string>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of safetensorsBytes('fuzz', tensors, metadata)) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Reads bytes as a file: all tensors, or `undefined` where a typed error refuses them. Any other error is thrown. */
async function readOrRefuse(bytes: Uint8Array): Promise<Map<string, Tensor> | undefined> {
  const path = inFolder('fuzzed.safetensors');
  await writeFile(path, bytes);
  try {
    return await readEverything(path);
  } catch (error) {
    if (UserLlmError.isInstance(error, 'bad-safetensors') || UserLlmError.isInstance(error, 'unsupported-dtype')) {
      expect(error.message.length).toBeLessThan(2000);
      return undefined;
    }
    throw error;
  }
}

/** Whatever is read must lie within the file: nothing is made up. */
function checkBounded(tensors: Map<string, Tensor> | undefined, bytes: Uint8Array): void {
  const read = [...(tensors?.values() ?? [])].reduce((sum, { data }) => sum + data.byteLength, 0);
  expect(read).toBeLessThan(bytes.length);
}

describe('any tensors', () => {
  it('are read as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(anyTensors, anyMetadata, async (tensors, metadata) => {
        const path = inFolder('any.safetensors');
        await writeSafetensors(path, tensors, metadata);
        const read = await readEverything(path);
        expect([...read.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, tensor] of read) {
          expect(equal(tensor, tensors.get(name)!)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('damaged files are read right or refused with a typed error', () => {
  const anyFile = fc.tuple(anyTensors, anyMetadata);

  it('with bytes changed, anywhere or in the header', async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.boolean()), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(anyFile, changes, async ([tensors, metadata], changed) => {
        const bytes = await bytesOf(tensors, metadata);
        const header = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
        for (const [at, byte, anywhere] of changed) {
          bytes[at % (anywhere ? bytes.length : header)] = byte;
        }
        checkBounded(await readOrRefuse(bytes), bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('with a character of the header replaced by one that JSON knows', async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:-0123456789eE.\\ntfu ')), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(anyFile, changes, async ([tensors, metadata], changed) => {
        const bytes = await bytesOf(tensors, metadata);
        const header = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
        for (const [at, character] of changed) {
          bytes[8 + (at % header)] = character.charCodeAt(0);
        }
        checkBounded(await readOrRefuse(bytes), bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('cut short or made longer is always refused', async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, fc.nat(), fc.uint8Array({ minLength: 1 }), async ([tensors, metadata], at, more) => {
        const bytes = await bytesOf(tensors, metadata);
        expect(await readOrRefuse(bytes.subarray(0, at % bytes.length))).toBeUndefined();
        expect(await readOrRefuse(Buffer.concat([bytes, more]))).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });

  it('with any JSON as a header', async () => {
    const size = fc.oneof(fc.nat(9), fc.maxSafeInteger(), fc.double(), fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53));
    const entry = fc.record({
      dtype: fc.oneof(fc.constantFrom('U8', 'F32', 'BOOL', 'F4', 'I64', 'C64'), fc.string()),
      shape: fc.oneof(
        { weight: 5, arbitrary: fc.array(size, { maxLength: 4 }) },
        { weight: 1, arbitrary: fc.jsonValue() },
      ),
      data_offsets: fc.oneof({ weight: 5, arbitrary: fc.tuple(size, size) }, { weight: 1, arbitrary: fc.jsonValue() }),
    });
    const header = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue())));
    await fc.assert(
      fc.asyncProperty(header, fc.uint8Array({ maxLength: 32 }), async (json, data) => {
        const bytes = fileOf(JSON.stringify(json), data);
        checkBounded(await readOrRefuse(bytes), bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('of any bytes at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        checkBounded(await readOrRefuse(bytes), new Uint8Array(bytes.length + 1));
      }),
      { numRuns: 300 },
    );
  });

  it('with any JSON as the index of shards', async () => {
    const shard = fc.oneof(fc.constant('model.safetensors'), fc.string(), fc.jsonValue());
    const index = fc.oneof(
      fc.jsonValue(),
      fc.record({ weight_map: fc.oneof(fc.dictionary(fc.string(), shard), fc.jsonValue()) }),
    );
    const path = inFolder('fuzzed.safetensors.index.json');
    await writeSafetensors(inFolder('model.safetensors'), []);
    await fc.assert(
      fc.asyncProperty(index, async (json) => {
        await writeFile(path, JSON.stringify(json));
        const error = await openSafetensors(path).catch((thrown: unknown) => thrown);
        expect(UserLlmError.isInstance(error)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
