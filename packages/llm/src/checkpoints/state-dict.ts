import type { ParameterSpec } from '@user-llm/graph';
import type { StoredTensor } from '@user-llm/plugin';
import { Tensor, UserLlmError, type Axes } from '@user-llm/tensor';

/** Parameters by name. */
export type Parameters = ReadonlyMap<string, ParameterSpec>;

/**
 * All tensors of a checkpoint: those that a family tells, and every other parameter under its own name.
 *
 * @throws UserLlmError `bad-argument` for a family that tells parameters twice, or ones that it does not have.
 */
export function storedTensors(told: readonly StoredTensor[], parameters: Parameters): StoredTensor[] {
  const held = new Set<string>();
  for (const name of told.flatMap(({ holds }) => holds)) {
    if (held.has(name) || !parameters.has(name))
      throw new UserLlmError('bad-argument', {
        what: `state dict: ${name}`,
        expected: 'each parameter of the model once',
        got: held.has(name) ? 'the same twice' : 'one that it does not have',
      });
    held.add(name);
  }
  const others = [...parameters.keys()].filter((name) => !held.has(name));
  return [...told, ...others.map((name) => ({ name, holds: [name] }))];
}

/** The shape of a tensor in the checkpoint. */
export function storedShape({ holds, transposed }: StoredTensor, parameters: Parameters): number[] {
  const shapes = holds.map((name) => parameters.get(name)!.shape);
  const joined = [shapes.reduce((rows, shape) => rows + shape[0]!, 0), ...shapes[0]!.slice(1)];
  return transposed ? joined.reverse() : joined;
}

/** The parameters that a tensor of a checkpoint holds. */
export function parametersOf(
  { holds, transposed }: StoredTensor,
  tensor: Tensor<'float32'>,
  parameters: Parameters,
): (readonly [string, Tensor<'float32'>])[] {
  const rows = transposed ? turned(tensor) : tensor;
  let start = 0;
  return holds.map((name) => {
    const { axes, shape } = parameters.get(name)!;
    const end = start + shape[0]!;
    const own = holds.length === 1 ? rows : rows.slice(rows.axes[0]!, start, end);
    start = end;
    return [name, new Tensor('float32', axes, shape, own.contiguous().data)] as const;
  });
}

/** A tensor of a checkpoint from the parameters that it holds. */
export function storedFrom({ holds, transposed }: StoredTensor, weights: Readonly<Record<string, Tensor>>): Tensor {
  const parts = holds.map((name) => {
    const weight = weights[name];
    if (weight) return weight;
    throw new UserLlmError('missing-weight', { what: `weight ${name}`, expected: 'a tensor', got: 'nothing' });
  });
  const joined = parts.length === 1 ? parts[0]! : stacked(parts);
  return transposed ? turned(joined) : joined;
}

function stacked(parts: readonly Tensor[]): Tensor<'float32'> {
  const contents = parts.map((part) => part.cast('float32').contiguous().data);
  const data = new Float32Array(contents.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const content of contents) {
    data.set(content, offset);
    offset += content.length;
  }
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  return new Tensor('float32', parts[0]!.axes, [rows, ...parts[0]!.shape.slice(1)], data);
}

function turned<T extends Tensor>(matrix: T): T {
  return matrix.permute([...matrix.axes].reverse() as unknown as Axes as never).contiguous() as unknown as T;
}
