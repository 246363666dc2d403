import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Tensor, UserLlmError, writeFileAtomically, writeSafetensors } from '@user-llm/tensor';
import { z } from 'zod';
import { readTensors, sha256 } from '../checkpoint/checkpoint-store.js';
import type { Weights } from '../loop/step-figures.js';

/** What a stage that is done has left behind. */
export interface StageResult {
  readonly stage: string;
  readonly ended: 'budget' | 'patience';
  readonly steps: number;
  readonly examples: number;
  /** Seconds of training, validation and saving not counted. */
  readonly seconds: number;
  /** The best validation, and the step it came after. */
  readonly best: { readonly value: number; readonly step: number } | null;
  readonly test?: Readonly<Record<string, number>>;
}

/** A stage that is done, and the parameters that it has trained. */
export interface FinishedStage {
  readonly result: StageResult;
  readonly weights: Weights;
}

/** What `result.json` holds beside the result. */
const resultFile = z.looseObject({
  /** Hash of all that decided what the steps did, as checkpoints carry it. */
  madeWith: z.string(),
  /** SHA-256 of `result.safetensors`. */
  sha256: z.string(),
});

const resultNames = { about: 'result.json', parameters: 'result.safetensors' };

/** The folder of a run: config, figures, a folder per stage with checkpoints and result, and the model at the end. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Path of a file of the run. */
  file(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /**
   * A file's JSON; nothing when there is no such file.
   *
   * @throws UserLlmError `bad-run-folder` when it cannot be read.
   */
  async readJson(...names: readonly string[]): Promise<unknown> {
    const path = this.file(...names);
    try {
      return JSON.parse(await readFile(path, 'utf8')) as unknown;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw badRunFolder(path, 'JSON', (error as Error).message, 'Train in another folder.');
    }
  }

  async writeJson(value: unknown, ...names: readonly string[]): Promise<void> {
    await mkdir(this.path, { recursive: true });
    await writeFileAtomically(this.file(...names), `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Folder of a stage, made when there is none. */
  async stage(index: number, name: string): Promise<string> {
    const folder = this.file('stages', `${index}-${name}`);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /**
   * What a stage left behind; nothing while it is not done.
   *
   * @param like Tensors with the axes of the parameters: files keep none.
   * @param madeWith Hash of all that decides what the stage's steps do.
   * @throws UserLlmError `checkpoint-mismatch` when it was made with another config or other data, `bad-run-folder` when
   *   its files are damaged.
   */
  async result(index: number, name: string, like: Weights, madeWith: string): Promise<FinishedStage | undefined> {
    const folder = join('stages', `${index}-${name}`);
    const json = await this.readJson(folder, resultNames.about);
    if (json === undefined) return undefined;
    const again = 'Remove the folder of this stage and those of later ones to train them again.';
    const about = resultFile.safeParse(json);
    if (!about.success) {
      const problem = z.prettifyError(about.error);
      throw badRunFolder(this.file(folder, resultNames.about), 'the result of a stage', problem, again);
    }
    const { madeWith: before, sha256: written, ...result } = about.data;
    if (before !== madeWith) {
      throw new UserLlmError('checkpoint-mismatch', {
        what: this.file(folder),
        expected: `a stage trained with this config and data (${madeWith.slice(0, 12)})`,
        got: `one trained with others (${before.slice(0, 12)})`,
        mend: 'Go on with the config and data that it was trained with, or train in another folder.',
      });
    }
    const path = this.file(folder, resultNames.parameters);
    const found = await sha256(path).catch(() => 'no such file');
    if (found !== written) {
      throw badRunFolder(path, `content with the SHA-256 ${written}`, found, again);
    }
    const read = await readTensors(path);
    const weights = Object.entries(read).map(([name, { dtype, shape, data }]): [string, Tensor] => [
      name,
      new Tensor(dtype, like[name]?.axes ?? [], shape, data),
    ]);
    return { result: result as unknown as StageResult, weights: Object.fromEntries(weights) };
  }

  /**
   * Keeps what a stage has trained, and lets go of its checkpoints.
   *
   * @param madeWith Hash of all that decided what the stage's steps did.
   */
  async finishStage(index: number, name: string, { result, weights }: FinishedStage, madeWith: string): Promise<void> {
    const folder = await this.stage(index, name);
    const path = join(folder, resultNames.parameters);
    await writeSafetensors(path, Object.entries(weights));
    const about = { ...result, madeWith, sha256: await sha256(path) };
    await writeFileAtomically(join(folder, resultNames.about), `${JSON.stringify(about, null, 2)}\n`);
    await rm(join(folder, 'checkpoints'), { recursive: true, force: true });
  }
}

/** The error of a file of a run that is damaged. */
export function badRunFolder(what: string, expected: string, got: string, mend: string): UserLlmError {
  return new UserLlmError('bad-run-folder', { what, expected, got, mend });
}
