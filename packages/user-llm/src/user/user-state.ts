import type { EncodedFeature, EventAppender, UserState } from '@user-llm/plugin';
import { decodeSafetensors, encodeSafetensors, Tensor, UserLlmError } from '@user-llm/tensor';
import type { UserLlmModel } from '../compose/compose.js';
import type { EventIds } from '../events/history.js';

// T events kept, S slots of a feature, E user width, M places of what the encoder keeps.

/** What a `UserState` holds, opened. */
export interface UserContents extends EventIds {
  /** How many events the state has seen, those that fell out of the window too. */
  readonly watermark: number;
  /** When the last event was, in milliseconds since 1970; absent without events. */
  readonly lastTime?: number;
  /** Embeddings of the events, `[event, userWidth]`. */
  readonly embeddings: Tensor<'float32', readonly ['event', 'userWidth']>;
  /** What the encoder needs to append an event, whole; absent where that is not kept. */
  readonly kept?: Readonly<Record<string, Tensor<'float32'>>>;
}

const format = 'user-llm-user-state';
const version = '1';
const idsName = (feature: string): string => `ids.${feature}`;
const keptName = (name: string): string => `kept.${name}`;

/**
 * A user's state as bytes: safetensors of the last events' ids and embeddings, and of what the encoder needs to append.
 *
 * @param encoder Hash of the encoder and its vocabularies.
 */
export async function packUserState(
  features: readonly EncodedFeature[],
  appender: EventAppender | undefined,
  encoder: string,
  contents: UserContents,
): Promise<UserState> {
  const { length, columns, watermark, lastTime, embeddings, kept } = contents;
  const ids = features.map(
    ({ name, slots }) =>
      [idsName(name), new Tensor('int32', ['event', 'slot'], [length, slots], columns[name]!)] as const,
  );
  const state = Object.entries(kept ?? {}).map(
    ([name, tensor]) => [keptName(name), firstPlaces(appender!.state[name]!, tensor, length)] as const,
  );
  const tensors = { ...Object.fromEntries(ids), ...Object.fromEntries(state), embeddings };
  const metadata = { format, version, encoder, watermark: `${watermark}` };
  const bytes = await encodeSafetensors(
    tensors as unknown as Record<string, Tensor>,
    lastTime === undefined ? metadata : { ...metadata, lastTime: `${lastTime}` },
  );
  return { encoder, watermark, state: bytes };
}

/**
 * Opens a user's state.
 *
 * @param encoder Hash of the encoder that will read it.
 * @throws UserLlmError `encoder-mismatch` for a state of another encoder or other vocabularies, `bad-user-state` for bytes
 *   that are no such state.
 */
export function unpackUserState(
  { features, maximumEvents, encoder: { appender, userWidth } }: UserLlmModel,
  encoder: string,
  user: UserState,
): UserContents {
  if (user.encoder !== encoder) throw otherEncoder(encoder, user.encoder);
  const { tensors, metadata } = decoded(user.state);
  if (metadata.get('format') !== format || metadata.get('version') !== version) {
    throw badState(`format ${format}, version ${version}`, `${metadata.get('format')}, ${metadata.get('version')}`);
  }
  if (metadata.get('encoder') !== encoder) throw otherEncoder(encoder, metadata.get('encoder') ?? 'none');
  const watermark = Number(metadata.get('watermark'));
  if (watermark !== user.watermark) throw badState(`the watermark ${user.watermark}`, `${watermark} in its bytes`);
  const embeddings = tensors.get('embeddings');
  const [length = 0, ...width] = embeddings?.shape ?? [];
  if (embeddings?.dtype !== 'float32' || `${width}` !== `${userWidth}` || length > maximumEvents) {
    const got = embeddings ? `${embeddings.dtype}[${embeddings.shape.join(', ')}]` : 'none';
    throw badState(`embeddings float32[at most ${maximumEvents}, ${userWidth}]`, got);
  }
  const columns = features.map(({ name, slots, size }) => {
    const ids = tensors.get(idsName(name));
    if (ids?.dtype !== 'int32' || `${ids.shape}` !== `${length},${slots}`) throw badState(`ids of ${name}`, 'none');
    const data = ids.data as Int32Array;
    const beyond = data.find((id) => id < 0 || id >= size);
    if (beyond !== undefined) throw badState(`ids of ${name} from 0 to ${size - 1}`, `${beyond}`);
    return [name, data] as const;
  });
  const state = Object.entries(appender?.state ?? {}).flatMap(([name, spec]) => {
    const tensor = tensors.get(keptName(name));
    return tensor ? [[name, allPlaces(spec, tensor as unknown as Tensor, length)] as const] : [];
  });
  const lastTime = metadata.get('lastTime');
  return {
    length,
    columns: Object.fromEntries(columns),
    watermark,
    ...(lastTime !== undefined && { lastTime: Number(lastTime) }),
    embeddings: embeddings
      .rename('axis0', 'event')
      .rename('axis1', 'userWidth') as unknown as UserContents['embeddings'],
    ...(state.length > 0 && { kept: Object.fromEntries(state) }),
  };
}

type Kept = EventAppender['state'][string];

/** The places of a cache that hold something, `[..., T, ...]`; the rest is not worth keeping. */
function firstPlaces({ axes }: Kept, tensor: Tensor<'float32'>, length: number): Tensor<'float32'> {
  return axes.includes('place') ? tensor.slice('place', 0, length).contiguous() : tensor;
}

/** The cache as the encoder takes it, `[..., M, ...]`, zeros behind what is kept. */
function allPlaces({ axes, shape }: Kept, tensor: Tensor, length: number): Tensor<'float32'> {
  const at = axes.indexOf('place');
  const expected = shape.map((size, axis) => (axis === at ? length : size));
  if (tensor.dtype !== 'float32' || `${tensor.shape}` !== `${expected}`) {
    throw badState(`float32[${expected.join(', ')}]`, `${tensor.dtype}[${tensor.shape.join(', ')}]`);
  }
  const data = tensor.data as Float32Array;
  if (at < 0) return new Tensor('float32', axes, shape, data);
  const whole = new Tensor('float32', axes, shape);
  const inner = shape.slice(at + 1).reduce((product, size) => product * size, 1);
  const used = length * inner;
  const outer = shape.slice(0, at).reduce((product, size) => product * size, 1);
  for (let row = 0; row < outer; row++) {
    whole.data.set(data.subarray(row * used, (row + 1) * used), row * shape[at]! * inner);
  }
  return whole;
}

function decoded(bytes: Uint8Array): ReturnType<typeof decodeSafetensors> {
  try {
    return decodeSafetensors(bytes);
  } catch (cause) {
    throw badState('whole safetensors bytes', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function otherEncoder(expected: string, got: string): UserLlmError {
  return new UserLlmError('encoder-mismatch', {
    what: 'user state',
    expected: `one of the encoder ${expected}`,
    got: `one of ${got}`,
    mend: "Encode the user's events again with this model.",
  });
}

function badState(expected: string, got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-user-state', {
    what: 'user state',
    expected,
    got,
    mend: "Encode the user's events again.",
    cause,
  });
}
