import type { TensorType } from '@user-llm/graph';
import type { DType } from '@user-llm/tensor';
import type { SeamName } from './define-plugin.js';
import type { FusionSizes } from './fusion.js';
import type { EncoderInputs } from './user-encoder.js';

type Loose = Readonly<Record<string, unknown>>;

/** Axes in their order, with their sizes where these are known. */
type Sizes = Readonly<Record<string, number | undefined>>;

/** A tensor that a function gave, and what was asked for. */
export interface AskedTensor {
  readonly tensor: unknown;
  /** In words: `float32[batch, item 9]`. */
  readonly expected: string;
  readonly dtype: DType;
  readonly sizes: Sizes;
}

/** What is asked of what a part of a model builds. */
export interface ModuleDemands {
  /** Fields that are whole numbers from 1. */
  readonly counts: readonly string[];
  readonly functions: readonly string[];
  /** The tensors in what functions give, those of optional functions too. */
  readonly results: Readonly<Record<string, (result: Loose) => readonly AskedTensor[]>>;
}

/** A size that is not asked for. */
const open = undefined;

/**
 * What a seam asks of a module.
 *
 * @param module What `build` gave.
 * @param known What `build` was given beside the config.
 */
export function moduleDemands(seam: SeamName, module: Loose, known: unknown): ModuleDemands {
  const size = (name: string): number => module[name] as number;
  switch (seam) {
    case 'encoders': {
      const { features, item } = known as EncoderInputs;
      const scores = { batch: open, item: features.find(({ name }) => name === item)?.size };
      const embedded = { batch: open, event: open, userWidth: size('userWidth') };
      return {
        counts: ['userWidth', 'maximumEvents'],
        functions: ['apply', 'loss', 'nextItem'],
        results: {
          apply: ({ events, mask }) => [
            asked(events, 'float32', embedded),
            asked(mask, 'bool', { batch: open, event: open }),
          ],
          loss: (loss) => [asked(loss, 'float32', {})],
          nextItem: (made) => [asked(made, 'float32', scores)],
          itemScores: (made) => [asked(made, 'float32', scores)],
        },
      };
    }
    case 'compressors':
      return {
        counts: [],
        functions: ['apply'],
        results: {
          apply: ({ latents, mask }) => [
            asked(latents, 'float32', { batch: open, latent: open, userWidth: known as number }),
            asked(mask, 'bool', { batch: open, latent: open }),
          ],
        },
      };
    case 'fusions': {
      const { modelWidth } = known as FusionSizes;
      const hooks = ({ prefix }: Loose) =>
        prefix ? [asked(prefix, 'float32', { batch: open, token: open, modelWidth })] : [];
      return {
        counts: [],
        functions: ['context', 'hooks', 'apply'],
        results: {
          context: (made) => Object.values(made).map(ofUsers),
          hooks,
          apply: hooks,
        },
      };
    }
    case 'llms': {
      const hidden = { batch: open, token: open, modelWidth: size('modelWidth') };
      const vocabulary = size('vocabularySize');
      const cache = { batch: open, keyValueHead: open, place: open, headSize: open };
      const whole = (made: unknown, caches: unknown) => [
        asked(made, 'float32', hidden),
        ...(Array.isArray(caches) ? (caches as Loose[]) : [{}]).flatMap(({ keys, values }) => [
          asked(keys, 'float32', cache),
          asked(values, 'float32', cache),
        ]),
      ];
      return {
        counts: ['layers', 'modelWidth', 'vocabularySize', 'maximumTokens'],
        functions: ['embed', 'hidden', 'decode', 'logits', 'loss', 'apply'],
        results: {
          embed: (made) => [asked(made, 'float32', hidden)],
          hidden: (made) => [asked(made, 'float32', hidden)],
          decode: ({ hidden: made, caches }) => whole(made, caches),
          branch: ({ hidden: made, branches }) => whole(made, branches),
          logits: (made) => [asked(made, 'float32', { row: open, vocabulary })],
          loss: (made) => [asked(made, 'float32', {})],
          apply: (made) => [asked(made, 'float32', { batch: open, token: open, vocabulary })],
        },
      };
    }
    case 'optimizers':
      return { counts: [], functions: ['init', 'update'], results: {} };
    default:
      return { counts: [], functions: [], results: {} };
  }
}

/** Whether a tensor is another than was asked for; sizes that are known only when the graph runs are not looked at. */
export function unmet({ tensor, dtype, sizes }: AskedTensor): boolean {
  if (!isTensor(tensor) || tensor.dtype !== dtype || `${tensor.axes}` !== `${Object.keys(sizes)}`) return true;
  return Object.values(sizes).some((size, at) => {
    const got = tensor.shape[at];
    return size !== undefined && typeof got === 'number' && got !== size;
  });
}

/** What a tensor is, in words: `float32[batch, item 9]`. */
export function tensorText(tensor: unknown): string {
  if (!isTensor(tensor)) return tensor === undefined ? 'nothing' : `no tensor (${typeof tensor})`;
  const { dtype, axes, shape } = tensor;
  return text(dtype, Object.fromEntries(axes.map((axis, at) => [axis, shape[at]])));
}

function asked(tensor: unknown, dtype: DType, sizes: Sizes): AskedTensor {
  return { tensor, dtype, sizes, expected: text(dtype, sizes) };
}

/** A tensor of any axes behind `batch`. */
function ofUsers(tensor: unknown): AskedTensor {
  const { dtype = 'float32', axes = [] }: Partial<TensorType> = isTensor(tensor) ? tensor : {};
  const sizes = { batch: open, ...Object.fromEntries(axes.slice(1).map((axis) => [axis, open])) };
  return { tensor, dtype, sizes, expected: 'a tensor whose first axis is batch' };
}

function text(dtype: DType, sizes: Readonly<Record<string, unknown>>): string {
  const named = Object.entries(sizes).map(([axis, size]) => (typeof size === 'number' ? `${axis} ${size}` : axis));
  return `${dtype}[${named.join(', ')}]`;
}

function isTensor(value: unknown): value is TensorType {
  const { dtype, axes, shape } = (value ?? {}) as Partial<TensorType>;
  return typeof dtype === 'string' && Array.isArray(axes) && Array.isArray(shape);
}
