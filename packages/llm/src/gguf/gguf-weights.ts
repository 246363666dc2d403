import { flattenParameters } from '@user-llm/graph';
import type { LanguageModelModule } from '@user-llm/plugin';
import { Tensor, UserLlmError, type Axes } from '@user-llm/tensor';
import { storedShape } from '../checkpoints/state-dict.js';
import { QuantizedMatrix, type Weight } from '../quantization/quantized-matrix.js';
import type { GgufArchitecture } from './gguf-architectures.js';
import type { GgufFile } from './gguf-file.js';
import { ggufTensors } from './gguf-names.js';
import { isRopeTensor } from './gguf-rope.js';

/** Parameters whose rows are turned by positions. */
const turned = /\.(q|k)_proj\.(weight|bias)$/;

/**
 * The weights of a model in a GGUF file under our names. All names and shapes are checked before the first tensor is
 * read.
 *
 * @param read Gives a tensor of the file.
 * @throws UserLlmError `missing-weight`, `shape-mismatch`, `unknown-weight`.
 */
export async function ggufWeights<W extends Weight>(
  file: GgufFile,
  llm: LanguageModelModule,
  architecture: GgufArchitecture,
  read: (name: string) => Promise<W>,
): Promise<Record<string, W>> {
  const parameters = flattenParameters(llm.parameters);
  const tensors = ggufTensors(parameters, llm.layers, architecture, (name) => file.entries.has(name));
  for (const tensor of tensors) {
    const { name } = tensor;
    const shape = storedShape(tensor, parameters);
    const found = file.entries.get(name)?.shape;
    if (!found) throw problem('missing-weight', file, name, `[${shape.join(', ')}]`, 'no such tensor');
    if (found.join() !== shape.join())
      throw problem(
        'shape-mismatch',
        file,
        name,
        `[${shape.join(', ')}], as the metadata says`,
        `[${found.join(', ')}]`,
      );
  }
  const known = new Set(tensors.map(({ name }) => name));
  const foreign = [...file.entries.keys()].find((name) => !known.has(name) && !isRopeTensor(name));
  if (foreign !== undefined)
    throw problem('unknown-weight', file, foreign, 'tensors that the metadata tells of', 'another');
  const weights = new Map<string, W>();
  for (const { name, holds } of tensors) {
    const whole = await read(name);
    let row = 0;
    for (const own of holds) {
      const { axes, shape } = parameters.get(own)!;
      const part = holds.length === 1 ? whole : weightRows(whole, counted(row, shape[0]!));
      weights.set(own, withAxes(asOurs(own, part, llm, architecture), axes));
      row += shape[0]!;
    }
  }
  return Object.fromEntries([...parameters.keys()].map((name) => [name, weights.get(name)!]));
}

/** A parameter as our families have it: rows in the order of halves of heads, gains as they are learned. */
function asOurs<W extends Weight>(
  name: string,
  weight: W,
  llm: LanguageModelModule,
  { interleaved, gainsRaised }: GgufArchitecture,
): W {
  if (interleaved && turned.test(name)) return weightRows(weight, halvesOfHeads(weight.shape[0]!, llm.cache.headSize));
  return gainsRaised && name.endsWith('norm.weight') ? lowered(weight) : weight;
}

const counted = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);

/** Rows of which neighbours are turned together, in an order in which these stand half a head apart. */
function halvesOfHeads(rows: number, headSize: number): number[] {
  const half = headSize / 2;
  return counted(0, rows).map((row) => {
    const within = row % headSize;
    return row - within + 2 * (within % half) + Math.floor(within / half);
  });
}

/** Some rows of a weight, in this order. */
function weightRows<W extends Weight>(weight: W, chosen: readonly number[]): W {
  if (weight instanceof QuantizedMatrix) return weight.rows(chosen) as W;
  const { axes, shape, data } = weight.contiguous() as Tensor<'float32'>;
  const width = data.length / shape[0]!;
  const taken = new Float32Array(chosen.length * width);
  chosen.forEach((row, at) => {
    taken.set(data.subarray(row * width, (row + 1) * width), at * width);
  });
  return new Tensor('float32', axes, [chosen.length, ...shape.slice(1)], taken) as Weight as W;
}

function lowered<W extends Weight>(gains: W): W {
  const { axes, shape, data } = gains as Tensor<'float32'>;
  return new Tensor(
    'float32',
    axes,
    shape,
    data.map((gain) => gain - 1),
  ) as Weight as W;
}

function withAxes<W extends Weight>(weight: W, axes: Axes): W {
  if (weight instanceof QuantizedMatrix) return weight;
  const { shape, data } = weight as Tensor<'float32'>;
  return new Tensor('float32', axes, shape, data) as Weight as W;
}

function problem(code: string, { path }: GgufFile, name: string, expected: string, got: string): UserLlmError {
  return new UserLlmError(code, {
    what: `${path}: ${name}`,
    expected,
    got,
    mend: 'Take a file that the conversion script of llama.cpp has made of the whole model.',
  });
}
