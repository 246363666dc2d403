import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';
import { modelFiles, readManifest, type ModelManifest } from '@user-llm/user-llm';
import { sha256 } from '../checkpoint/checkpoint-store.js';
import { configHash } from './config-hash.js';
import { encoderFormat, parseEncoderManifest, type EncoderManifest } from './encoder-folder.js';
import type { RunConfig } from './run-config.js';

/** The model that a run starts from, a whole User-LLM or a user encoder without an LLM: every file is as it was written. */
export interface StartModel {
  readonly path: string;
  /** Its config: without an LLM, what of it belongs to one has no meaning. */
  readonly config: ModelManifest['config'] | EncoderManifest['config'];
  /** Tells it from others. */
  readonly hash: string;
  /** Path of one of its files; nothing when it has no such file. */
  file(name: string): string | undefined;
}

/**
 * Opens the model that a run starts from; nothing when it starts from none.
 *
 * @throws UserLlmError `missing-model`, `unknown-version`, `bad-model`, and `corrupted-file` when a file is missing or has
 *   another hash than when it was written.
 */
export async function openStart({ start }: RunConfig): Promise<StartModel | undefined> {
  if (start === undefined) return undefined;
  const path = start.model;
  const manifest = await manifestOf(path);
  for (const [name, { sha256: written }] of Object.entries(manifest.files)) {
    const file = join(path, name);
    const found = await sha256(file).catch(() => 'no such file');
    if (found !== written) throw corrupted(file, written, found);
  }
  return {
    path,
    config: manifest.config,
    hash: configHash(manifest),
    file: (name) => (name in manifest.files ? join(path, name) : undefined),
  };
}

/** A JSON file of the model that a run starts from; nothing when it has no such file. */
export async function startJson(start: StartModel | undefined, name: string): Promise<unknown> {
  const file = start?.file(name);
  return file === undefined ? undefined : (JSON.parse(await readFile(file, 'utf8')) as unknown);
}

async function manifestOf(path: string): Promise<ModelManifest | EncoderManifest> {
  const file = join(path, modelFiles.manifest);
  const json: unknown = await readFile(file, 'utf8')
    .then(JSON.parse)
    .catch(() => undefined);
  const { format } = (json ?? {}) as { readonly format?: unknown };
  return format === encoderFormat ? parseEncoderManifest(file, json) : readManifest(path);
}

function corrupted(what: string, written: string, found: string): UserLlmError {
  return new UserLlmError('corrupted-file', {
    what,
    expected: `content with the SHA-256 ${written}`,
    got: found,
    mend: 'Copy the whole folder again: this file was damaged, changed or exchanged.',
  });
}
