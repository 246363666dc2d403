import type { TypedArray } from '@user-llm/tensor';
import { unsupportedDtype } from '../element-type.js';
import type { Fetches, HostTensor, Results } from './engine.js';
import { checkMemory } from './host-tensor.js';
import type { Reply, SentTensor } from './package-protocol.js';
import { ortError } from './status.js';

/**
 * A reply that is no failure.
 *
 * @throws UserLlmError `unsupported-dtype`, or `onnxruntime-...`; the package gives no codes, so the commonest are told by their words.
 */
export function answered(reply: Reply, what: string): Reply {
  if (reply.error === undefined) return reply;
  const unknownType = /unsupported data type: (\d+)/i.exec(reply.error)?.[1];
  if (unknownType !== undefined) throw unsupportedDtype(what, `ONNX element type ${unknownType}`);
  const code = failures.find(([pattern]) => pattern.test(reply.error ?? ''))?.[1] ?? 1;
  throw ortError(what, { code, message: reply.error });
}

const failures: readonly (readonly [RegExp, number])[] = [
  [/file doesn't exist/i, 3],
  [/protobuf parsing failed/i, 7],
  [/invalid dimensions|invalid rank|invalid argument/i, 2],
  [/not implemented|could not find an implementation/i, 9],
  [/not a registered function\/op|is not registered|invalid graph|invalid model/i, 10],
];

/** The tensors of a run: written to the caller's memory where that was given. */
export function takeResults(reply: Reply, fetches: Fetches): Results {
  const tensors = answered(reply, 'run').results ?? [];
  return Object.fromEntries(tensors.map((sent) => [sent.name, received(sent, fetches[sent.name] ?? null)]));
}

function received({ name, dtype, shape, data }: SentTensor, target: HostTensor | null): HostTensor {
  if (target === null) return { dtype, shape, data };
  if (shape.join() !== target.shape.join()) {
    throw ortError(`output ${name}`, {
      code: 2,
      message: `the run made the shape [${shape.join(', ')}], the given memory has [${target.shape.join(', ')}]`,
    });
  }
  checkMemory(`output ${name}`, target);
  bytesOf(target.data).set(bytesOf(data));
  return target;
}

/** Whether two tensors lie in the same bytes. */
export function sameMemory(one: HostTensor, other: HostTensor): boolean {
  const { buffer, byteOffset, byteLength } = one.data;
  return (
    buffer === other.data.buffer &&
    byteOffset === other.data.byteOffset &&
    byteLength === other.data.byteLength &&
    byteLength > 0
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The elements alone: posting a view would copy its whole buffer, and the package refuses shared memory. */
export function ownElements(data: TypedArray): TypedArray {
  const alone = data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength;
  return alone ? data : data.slice();
}
