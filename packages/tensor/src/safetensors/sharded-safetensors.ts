import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Axes } from '../axes.js';
import type { BaseDType, DType } from '../dtype.js';
import { UserLlmError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { badFile, maxHeaderBytes, type SafetensorsEntry } from './header.js';
import { parseStrictJson, type Json } from './json.js';
import {
  SafetensorsFile,
  unknownTensor,
  unreadable,
  type ReadOptions,
  type SafetensorsSource,
} from './safetensors-file.js';

const indexName = 'model.safetensors.index.json';

/**
 * Opens the tensors of a checkpoint: of one `.safetensors` file, of an index (`*.safetensors.index.json`) and the
 * shards beside it, or of a folder with `model.safetensors.index.json` or `model.safetensors`.
 *
 * @throws UserLlmError `unreadable-file` when there is nothing such at `path`, `bad-safetensors` when a file is not
 * whole and consistent, `missing-shard` when the index names a file that is not there.
 */
export async function openSafetensors(path: string): Promise<SafetensorsSource> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (found.isDirectory()) {
    const index = join(path, indexName);
    const sharded = await stat(index).then(
      () => true,
      () => false,
    );
    return sharded ? ShardedSafetensors.open(index) : SafetensorsFile.open(join(path, 'model.safetensors'));
  }
  return path.endsWith('.json') ? ShardedSafetensors.open(path) : SafetensorsFile.open(path);
}

/** The shards of one checkpoint, found through its index and read as if they were one file. */
export class ShardedSafetensors implements SafetensorsSource {
  readonly path: string;
  readonly names: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly #shards: readonly SafetensorsFile[];
  readonly #shardOf: ReadonlyMap<string, SafetensorsFile>;

  private constructor(path: string, shards: readonly SafetensorsFile[], shardOf: ReadonlyMap<string, SafetensorsFile>) {
    this.path = path;
    this.names = [...shardOf.keys()];
    this.metadata = new Map(shards.flatMap((shard) => [...shard.metadata]));
    this.#shards = shards;
    this.#shardOf = shardOf;
  }

  /**
   * Reads an index and opens all its shards, so that what is missing shows at once. Close it when done.
   *
   * @throws UserLlmError as `openSafetensors`.
   */
  static async open(indexPath: string): Promise<ShardedSafetensors> {
    const weightMap = await readIndex(indexPath);
    const shards = new Map<string, SafetensorsFile>();
    try {
      const shardOf = new Map<string, SafetensorsFile>();
      for (const [name, shardName] of weightMap) {
        const shard = shards.get(shardName) ?? (await openShard(indexPath, shardName));
        shards.set(shardName, shard);
        shard.entry(name);
        shardOf.set(name, shard);
      }
      return new ShardedSafetensors(indexPath, [...shards.values()], shardOf);
    } catch (error) {
      await Promise.all([...shards.values()].map((shard) => shard.close()));
      throw error;
    }
  }

  entry(name: string): SafetensorsEntry {
    return this.#shard(name).entry(name);
  }

  read<D extends DType = BaseDType, const A extends Axes = Axes>(
    name: string,
    options?: ReadOptions<D, A>,
  ): Promise<Tensor<D, A>> {
    return this.#shard(name).read(name, options);
  }

  readInto(name: string, bytes: Uint8Array): Promise<void> {
    return this.#shard(name).readInto(name, bytes);
  }

  async close(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.close()));
  }

  #shard(name: string): SafetensorsFile {
    const shard = this.#shardOf.get(name);
    if (!shard) {
      throw unknownTensor(this.path, name, this.names);
    }
    return shard;
  }
}

async function readIndex(path: string): Promise<ReadonlyMap<string, string>> {
  let index: Json;
  try {
    const { size } = await stat(path);
    if (size > maxHeaderBytes) {
      throw badFile(path, `an index of at most ${maxHeaderBytes} bytes`, `${size}`);
    }
    index = parseStrictJson(await readFile(path, 'utf8'), 8);
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      throw badFile(path, 'an index of JSON', cause.message, cause);
    }
    throw UserLlmError.isInstance(cause) ? cause : unreadable(path, cause);
  }
  const map = index instanceof Map ? (index as ReadonlyMap<string, Json>).get('weight_map') : undefined;
  if (!(map instanceof Map) || map.size === 0) {
    throw badFile(path, 'a weight_map of tensor names to file names', 'none');
  }
  for (const [name, shard] of map as ReadonlyMap<string, Json>) {
    // A plain name only: an index from somewhere else must not reach files outside its folder.
    const plain = typeof shard === 'string' && /^[^\\/:\0]+\.safetensors$/.test(shard);
    if (!plain) {
      throw badFile(
        `${path}: ${name}`,
        'the plain name of a .safetensors file beside the index',
        JSON.stringify(shard),
      );
    }
  }
  return map as ReadonlyMap<string, string>;
}

async function openShard(indexPath: string, shardName: string): Promise<SafetensorsFile> {
  const path = join(dirname(indexPath), shardName);
  try {
    return await SafetensorsFile.open(path);
  } catch (error) {
    if (UserLlmError.isInstance(error, 'unreadable-file')) {
      throw new UserLlmError('missing-shard', {
        what: indexPath,
        expected: `the shard ${shardName} beside it`,
        got: error.details.got ?? 'none',
        mend: 'Fetch the missing file too.',
        cause: error,
      });
    }
    throw error;
  }
}
