import { createHash } from 'node:crypto';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import { firstValueId, type EventTokenizer } from '@user-llm/tokenization';
import { modelFiles } from '@user-llm/user-llm';
import { readTensors } from '../checkpoint/checkpoint-store.js';
import { readIdVectors, vectorTable, type IdVectors } from '../data/id-vectors.js';
import { trainedItems, type TokenizedData } from '../data/training-data.js';
import type { RunConfig } from './run-config.js';
import type { StartModel } from './start-model.js';

type Files = Readonly<Record<string, IdVectors>>;
type Vectors = NonNullable<TokenizedData['vectors']>;

/**
 * The files of vectors that a run names, by feature.
 *
 * @throws UserLlmError `bad-config` for a feature that there is not, and as `readIdVectors`.
 */
export async function readVectorFiles({ data, model }: RunConfig): Promise<Files> {
  const files = Object.entries(data.vectors ?? {}).map(async ([feature, path]) => {
    if (feature in model.events) return [feature, await readIdVectors(path)] as const;
    throw new UserLlmError('bad-config', {
      what: 'data.vectors',
      expected: `features among ${Object.keys(model.events).join(', ')}`,
      got: JSON.stringify(feature),
      mend: 'Name the feature whose ids the file has vectors of.',
    });
  });
  return Object.fromEntries(await Promise.all(files));
}

/**
 * The data with the vectors of files, or with those of the model that the encoder starts from.
 *
 * @throws UserLlmError as `vectorTable`.
 */
export async function withVectors(
  data: TokenizedData,
  config: RunConfig,
  files: Files,
  start: StartModel | undefined,
): Promise<TokenizedData> {
  const vectors = Object.keys(files).length > 0 ? tablesOf(data.tokenizer, files) : await startVectors(config, start);
  if (vectors === undefined) return data;
  const { item } = config.model;
  const seen = vectors[item] && { [item]: seenIds(data.tokenizer, item, await trainedItems(data)) };
  const hash = createHash('sha256');
  for (const [name, tensor] of Object.entries(vectors)) {
    hash.update(JSON.stringify([name, tensor.shape])).update(new Uint8Array(tensor.contiguous().data.slice().buffer));
  }
  return { ...data, vectors, ...(seen && { seen }), vectorsHash: hash.digest('hex') };
}

function tablesOf(tokenizer: EventTokenizer, files: Files): Vectors {
  return Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, vectorTable(name, tokenizer.feature(name).fitted, file)]),
  );
}

async function startVectors(config: RunConfig, start: StartModel | undefined): Promise<Vectors | undefined> {
  const path = config.start?.parts.includes('encoder') ? start?.file(modelFiles.vectors) : undefined;
  if (path === undefined) return undefined;
  const read = Object.entries(await readTensors(path)).map(([name, { shape, data }]) => {
    const [ids, width] = shape as [number, number];
    return [name, new Tensor('float32', ['id', 'vectorWidth'] as const, [ids, width], data as Float32Array)] as const;
  });
  return Object.fromEntries(read);
}

/** 1 for the ids of items that training events have, and for those that stand for no single item. */
function seenIds(tokenizer: EventTokenizer, item: string, trained: ReadonlyMap<string, number>) {
  const { fitted } = tokenizer.feature(item);
  const seen = Float32Array.from({ length: fitted.size }, (_, id) => {
    const value = id < firstValueId ? undefined : fitted.decode(id);
    return Number(value === undefined || trained.has(value));
  });
  return new Tensor('float32', ['id'] as const, [fitted.size], seen);
}
