import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Value } from '@user-llm/graph';
import { openSafetensors, UserLlmError, writeFileAtomically, writeSafetensors, type Tensor } from '@user-llm/tensor';
import { z } from 'zod';
import { place, type Place } from './place.js';

const checkpointFile = z.strictObject({
  format: z.literal('user-llm-checkpoint'),
  version: z.literal(1),
  /** Hash of all that decides what steps do: another one means that another training would go on. */
  config: z.string(),
  place,
  /** SHA-256 of the files beside it. */
  files: z.record(z.string(), z.string()),
});

const pointersFile = z.strictObject({ version: z.literal(1), last: z.string(), best: z.string().nullable() });
type Pointers = z.output<typeof pointersFile>;

/** Files of a checkpoint. */
const files = { parameters: 'parameters.safetensors', optimizer: 'optimizer.safetensors', about: 'checkpoint.json' };
const pointersName = 'checkpoints.json';

/** What is kept of a training between steps. */
export interface Checkpoint {
  readonly place: Place;
  /** What is trained, by name. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** State of the optimizer, by name. */
  readonly optimizer: Readonly<Record<string, Tensor>>;
}

/** Values to save, by name. */
export type SavedValues = Readonly<Record<string, Pick<Value, 'dtype' | 'shape' | 'read'>>>;

/**
 * The last and the best checkpoint of one stage, in a folder: a subfolder each, and a file that says which is which.
 *
 * A checkpoint is written aside and renamed, then the file that names it is replaced, and only then is the one before
 * removed: killed at any moment, there is a whole one.
 */
export class CheckpointStore {
  readonly #folder: string;
  readonly #config: string;

  /**
   * @param folder Made when there is none.
   * @param config Hash of all that decides what steps do.
   */
  constructor(folder: string, config: string) {
    this.#folder = folder;
    this.#config = config;
  }

  /**
   * Saves a checkpoint as the last one.
   *
   * @param best Whether it is the best one too.
   * @throws UserLlmError `write-failed` when the file system refuses; the one before is then as it was.
   */
  async save(place: Place, parameters: SavedValues, optimizer: SavedValues, best: boolean): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const before = await this.#pointers();
    await this.#removeAllBut(before);
    const name = await this.#freeName(place.step);
    const aside = join(this.#folder, `.${name}.tmp`);
    await mkdir(aside);
    const hashes: Record<string, string> = {};
    for (const [file, values] of [
      [files.parameters, parameters],
      [files.optimizer, optimizer],
    ] as const) {
      await writeSafetensors(join(aside, file), lazily(values));
      hashes[file] = await sha256(join(aside, file));
    }
    const about = { format: 'user-llm-checkpoint', version: 1, config: this.#config, place, files: hashes };
    await writeFileAtomically(join(aside, files.about), `${JSON.stringify(about, null, 2)}\n`);
    await rename(aside, join(this.#folder, name));
    const pointers: Pointers = { version: 1, last: name, best: best ? name : (before?.best ?? null) };
    await writeFileAtomically(join(this.#folder, pointersName), `${JSON.stringify(pointers)}\n`);
    await this.#removeAllBut(pointers);
  }

  /**
   * Reads the last or the best checkpoint; nothing when none was saved.
   *
   * @throws UserLlmError `bad-checkpoint` when its files are damaged, `checkpoint-mismatch` when it was made with
   *   another config or data.
   */
  async load(which: 'last' | 'best'): Promise<Checkpoint | undefined> {
    const name = (await this.#pointers())?.[which];
    if (name === undefined || name === null) return undefined;
    const folder = join(this.#folder, name);
    const about = checkpointFile.safeParse(await readJson(join(folder, files.about)));
    if (!about.success) throw damaged(join(folder, files.about), z.prettifyError(about.error));
    if (about.data.config !== this.#config) throw mismatch(folder, this.#config, about.data.config);
    for (const [file, hash] of Object.entries(about.data.files)) {
      const found = await sha256(join(folder, file)).catch(() => 'no such file');
      if (found !== hash) throw damaged(join(folder, file), `content with the SHA-256 ${found}, not ${hash}`);
    }
    return {
      place: about.data.place,
      parameters: await readTensors(join(folder, files.parameters)),
      optimizer: await readTensors(join(folder, files.optimizer)),
    };
  }

  async #pointers(): Promise<Pointers | undefined> {
    const path = join(this.#folder, pointersName);
    const json = await readJson(path);
    if (json === undefined) return undefined;
    const parsed = pointersFile.safeParse(json);
    if (!parsed.success) throw damaged(path, z.prettifyError(parsed.error));
    return parsed.data;
  }

  /** A name that no folder has, since the folder of a name may be that of the checkpoint before. */
  async #freeName(step: number): Promise<string> {
    const taken = new Set(await readdir(this.#folder));
    const name = `step-${String(step).padStart(8, '0')}`;
    for (let attempt = 1; ; attempt++) {
      const candidate = attempt === 1 ? name : `${name}-${attempt}`;
      if (!taken.has(candidate)) return candidate;
    }
  }

  /** Removes what nobody names, such as what was being written when the process was killed. */
  async #removeAllBut(kept: Pointers | undefined): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const ours = /^\.?step-\d{8}(-\d+)?(\.tmp)?$/.test(name);
      if (ours && name !== kept?.last && name !== kept?.best) {
        await rm(join(this.#folder, name), { recursive: true, force: true });
      }
    }
  }
}

function* lazily(values: SavedValues): Generator<[string, Pick<Value, 'dtype' | 'shape' | 'read'>]> {
  for (const [name, value] of Object.entries(values)) {
    yield [name, { dtype: value.dtype, shape: value.shape, read: () => value.read() }];
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/** Every tensor of a safetensors file. */
export async function readTensors(path: string): Promise<Record<string, Tensor>> {
  const file = await openSafetensors(path);
  try {
    const tensors: Record<string, Tensor> = {};
    for (const name of file.names) tensors[name] = await file.read(name);
    return tensors;
  } finally {
    await file.close();
  }
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw damaged(path, (error as Error).message);
  }
}

function damaged(path: string, got: string): UserLlmError {
  return new UserLlmError('bad-checkpoint', {
    what: path,
    expected: 'a whole checkpoint of version 1',
    got,
    mend: 'Remove the folder of checkpoints to start the stage again.',
  });
}

function mismatch(folder: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('checkpoint-mismatch', {
    what: `checkpoint ${folder}`,
    expected: `one made with this config and data (${expected.slice(0, 12)})`,
    got: `one made with others (${got.slice(0, 12)})`,
    mend: 'Go on with the config and data that it was made with, or train in another folder.',
  });
}
