import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { SafetensorsFile, Tensor, UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

/** Vectors known of ids beforehand, as a file has them. */
export interface IdVectors {
  readonly path: string;
  readonly ids: readonly string[];
  /** Numbers of each vector. */
  readonly width: number;
  /** `[ids, width]`, row-major. */
  readonly numbers: Float32Array;
}

const line = z.strictObject({
  id: z.union([z.string(), z.int().transform(String)]),
  vector: z.array(z.number()).min(1),
});

const idList = z.array(z.union([z.string(), z.int().transform(String)])).min(1);

/**
 * Reads vectors of ids: a safetensors file with a tensor `vectors` `[ids, width]` and the metadata `ids`, a JSON list;
 * or JSON lines `{"id": "...", "vector": [...]}`.
 *
 * @throws UserLlmError `bad-vectors` when the file cannot be read, has another form, vectors of several widths, an id
 *   twice, or numbers that are not finite.
 */
export async function readIdVectors(path: string): Promise<IdVectors> {
  const read = extname(path) === '.safetensors' ? readSafetensors(path) : readLines(path);
  const vectors = await read.catch((cause: unknown) => {
    if (UserLlmError.isInstance(cause) && cause.code === 'bad-vectors') throw cause;
    throw badVectors(path, 'a file that can be read', cause instanceof Error ? cause.message : String(cause), cause);
  });
  const seen = new Set<string>();
  for (const id of vectors.ids) {
    if (seen.has(id)) throw badVectors(path, 'each id once', `${JSON.stringify(id)} twice`);
    seen.add(id);
  }
  const wrong = vectors.numbers.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const id = JSON.stringify(vectors.ids[Math.floor(wrong / vectors.width)]);
    throw badVectors(path, 'finite numbers', `${vectors.numbers[wrong]} in the vector of ${id}`);
  }
  return vectors;
}

async function readLines(path: string): Promise<IdVectors> {
  const ids: string[] = [];
  const rows: number[][] = [];
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (text.trim() === '') continue;
    const where = `${path}, vector ${ids.length + 1}`;
    const parsed = line.safeParse(parseJson(where, text));
    if (!parsed.success) throw badVectors(where, '{"id": "...", "vector": [...]}', z.prettifyError(parsed.error));
    const { id, vector } = parsed.data;
    const width = rows[0]?.length ?? vector.length;
    if (vector.length !== width) throw badVectors(where, `${width} numbers, as before`, `${vector.length}`);
    ids.push(id);
    rows.push(vector);
  }
  const width = rows[0]?.length;
  if (width === undefined) throw badVectors(path, 'at least one vector', 'none');
  const numbers = new Float32Array(ids.length * width);
  rows.forEach((row, at) => {
    numbers.set(row, at * width);
  });
  return { path, ids, width, numbers };
}

async function readSafetensors(path: string): Promise<IdVectors> {
  const file = await SafetensorsFile.open(path);
  try {
    if (!file.names.includes('vectors')) throw badVectors(path, 'a tensor "vectors"', file.names.join(', ') || 'none');
    const parsed = idList.safeParse(parseJson(path, file.metadata.get('ids') ?? 'null'));
    if (!parsed.success) throw badVectors(path, 'metadata "ids", a JSON list', z.prettifyError(parsed.error));
    const ids = parsed.data;
    const { shape } = file.entry('vectors');
    if (shape.length !== 2 || shape[0] !== ids.length || shape[1] === 0) {
      throw badVectors(path, `vectors [${ids.length}, width], a row for each of the ids`, `[${shape.join(', ')}]`);
    }
    const vectors = (await file.read('vectors')).cast('float32').contiguous();
    return { path, ids, width: shape[1]!, numbers: vectors.data };
  } finally {
    await file.close();
  }
}

/** The ids of a feature, as far as vectors are concerned. */
interface KnownIds {
  readonly size: number;
  decode(id: number): string | undefined;
}

/**
 * The vectors of all ids of a feature, `[id, vectorWidth]`; 0 for ids that the file has no vector of.
 *
 * @throws UserLlmError `bad-vectors` when the file has a vector of none of them.
 */
export function vectorTable(
  feature: string,
  known: KnownIds,
  { path, ids, width, numbers }: IdVectors,
): Tensor<'float32', readonly ['id', 'vectorWidth']> {
  const rows = new Map(ids.map((id, row) => [id, row]));
  const table = new Float32Array(known.size * width);
  let found = 0;
  for (let id = 0; id < known.size; id++) {
    const row = rows.get(known.decode(id) ?? '');
    if (row === undefined) continue;
    table.set(numbers.subarray(row * width, (row + 1) * width), id * width);
    found++;
  }
  if (found === 0) {
    const some = JSON.stringify(ids.slice(0, 3));
    throw badVectors(path, `vectors of the ids of the feature ${JSON.stringify(feature)}`, `others, such as ${some}`);
  }
  return new Tensor('float32', ['id', 'vectorWidth'] as const, [known.size, width], table);
}

function parseJson(where: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw badVectors(where, 'JSON', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function badVectors(what: string, expected: string, got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-vectors', {
    what,
    expected,
    got,
    mend: 'Correct the file that data.vectors names: JSON lines with id and vector, or safetensors with vectors and ids.',
    ...(cause !== undefined && { cause }),
  });
}
