import { UserLlmError, bytesPerElement, elements, type BaseDType } from '@user-llm/tensor';
import { engineMemory } from './engine-memory.js';
import type { Feeds, Fetches, HostTensor, ValueInfo } from './engine.js';
import { transferred } from './session-errors.js';

/** The typed array that each dtype lies in, as `Object.prototype.toString` names it. */
const arrayTags: Readonly<Record<BaseDType, string>> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  float16: 'Uint16Array',
  bfloat16: 'Uint16Array',
  int8: 'Int8Array',
  int32: 'Int32Array',
  int64: 'BigInt64Array',
  uint8: 'Uint8Array',
  bool: 'Uint8Array',
};

/**
 * Checks that a tensor's memory is what its dtype and shape say.
 *
 * @throws UserLlmError `wrong-dtype`, `wrong-shape`, or `bad-buffer` for memory that can move (resizable) or is gone
 * (transferred).
 */
export function checkMemory(what: string, { dtype, shape, data }: HostTensor): void {
  const tag = Object.prototype.toString.call(data).slice(8, -1);
  if (tag !== arrayTags[dtype]) {
    throw new UserLlmError('wrong-dtype', { what, expected: `${arrayTags[dtype]} for ${dtype}`, got: tag });
  }
  if ((data.buffer as { readonly resizable?: boolean }).resizable === true) {
    throw new UserLlmError('bad-buffer', {
      what,
      expected: 'a buffer of fixed length',
      got: 'a resizable ArrayBuffer',
      mend: 'Allocate it without maxByteLength.',
    });
  }
  const bytes = elements(shape) * bytesPerElement(dtype);
  if (bytes > 0 && data.buffer.byteLength === 0) throw transferred(what);
  if (data.byteLength !== bytes) {
    throw new UserLlmError('wrong-shape', {
      what,
      expected: `${elements(shape)} elements for the shape [${shape.join(', ')}]`,
      got: `${data.length}`,
    });
  }
}

/**
 * Checks feeds against a session's inputs: all there, none unknown, each of the right dtype, rank and fixed sizes.
 *
 * @throws UserLlmError `missing-feed`, `unknown-input`, `wrong-dtype`, `wrong-shape`, `bad-buffer`.
 */
export function checkFeeds(inputs: readonly ValueInfo[], feeds: Feeds): void {
  for (const input of inputs) {
    const tensor = feeds[input.name];
    if (tensor === undefined) {
      throw new UserLlmError('missing-feed', {
        what: `input ${input.name}`,
        expected: `a ${input.dtype} tensor [${input.shape.join(', ')}]`,
        got: 'none',
        mend: `Feed all of: ${inputs.map(({ name }) => name).join(', ')}.`,
      });
    }
    checkTensor('input', input, tensor);
  }
  checkNames('input', inputs, feeds);
}

/**
 * Checks fetches against a session's outputs, as `checkFeeds` does; `null` stands for memory that the engine makes.
 *
 * @throws UserLlmError `unknown-output`, `wrong-dtype`, `wrong-shape`, `bad-buffer`.
 */
export function checkFetches(outputs: readonly ValueInfo[], fetches: Fetches): void {
  checkNames('output', outputs, fetches);
  for (const output of outputs) {
    const tensor = fetches[output.name];
    if (tensor !== undefined && tensor !== null) checkTensor('output', output, tensor);
  }
}

function checkTensor(role: string, info: ValueInfo, tensor: HostTensor): void {
  const what = `${role} ${info.name}`;
  if (tensor.dtype !== info.dtype) {
    throw new UserLlmError('wrong-dtype', { what, expected: info.dtype, got: tensor.dtype });
  }
  // A model may leave a shape out altogether, which reads as rank 0.
  const fits =
    info.shape.length === 0 ||
    (info.shape.length === tensor.shape.length &&
      info.shape.every((size, axis) => typeof size === 'string' || size === tensor.shape[axis]));
  if (!fits) {
    throw new UserLlmError('wrong-shape', {
      what,
      expected: `[${info.shape.map((size) => (size === '' ? 'any' : size)).join(', ')}]`,
      got: `[${tensor.shape.join(', ')}]`,
    });
  }
  if (!engineMemory(tensor)) checkMemory(what, tensor);
}

function checkNames(role: 'input' | 'output', known: readonly ValueInfo[], given: Feeds | Fetches): void {
  const names = new Set(known.map(({ name }) => name));
  const unknown = Object.keys(given).find((name) => !names.has(name));
  if (unknown === undefined) return;
  throw new UserLlmError(`unknown-${role}`, {
    what: 'run',
    expected: `${role} names among ${[...names].join(', ')}`,
    got: unknown,
  });
}
