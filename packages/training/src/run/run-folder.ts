import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Tensor, UserLlmError, writeFileAtomically, writeSafetensors } from '@user-llm/tensor';
import { readTensors } from '../checkpoint/checkpoint-store.js';
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

  /** A file's JSON; nothing when there is no such file. */
  async readJson(...names: readonly string[]): Promise<unknown> {
    const path = this.file(...names);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? undefined : Promise.reject(error),
    );
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new UserLlmError('bad-run-folder', {
        what: path,
        expected: 'JSON',
        got: (error as Error).message,
        mend: 'Train in another folder.',
      });
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

  /** What a stage left behind; nothing while it is not done. */
  async result(
    index: number,
    name: string,
    like: Weights,
  ): Promise<{ result: StageResult; weights: Weights } | undefined> {
    const folder = join('stages', `${index}-${name}`);
    const result = (await this.readJson(folder, 'result.json')) as StageResult | undefined;
    if (result === undefined) return undefined;
    const read = await readTensors(this.file(folder, 'result.safetensors'));
    const weights = Object.entries(read).map(([name, { dtype, shape, data }]): [string, Tensor] => [
      name,
      new Tensor(dtype, like[name]?.axes ?? [], shape, data),
    ]);
    return { result, weights: Object.fromEntries(weights) };
  }

  /** Keeps what a stage has trained, and lets go of its checkpoints. */
  async finishStage(index: number, name: string, result: StageResult, weights: Weights): Promise<void> {
    const folder = await this.stage(index, name);
    await writeSafetensors(join(folder, 'result.safetensors'), Object.entries(weights));
    await writeFileAtomically(join(folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
    await rm(join(folder, 'checkpoints'), { recursive: true, force: true });
  }
}
