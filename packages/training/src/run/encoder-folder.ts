import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EncoderInputs, Item } from '@user-llm/plugin';
import { UserLlmError, writeFileAtomically, writeSafetensors } from '@user-llm/tensor';
import type { EventTokenizer } from '@user-llm/tokenization';
import { modelFiles } from '@user-llm/user-llm';
import { z } from 'zod';
import { sha256 } from '../checkpoint/checkpoint-store.js';
import type { Weights } from '../loop/step-figures.js';
import { runConfig, type RunConfig } from './run-config.js';

/** What `model.json` calls the folder of a user encoder without an LLM. */
export const encoderFormat = 'user-llm-encoder';

const encoderManifest = z.strictObject({
  format: z.literal(encoderFormat),
  version: z.literal(1),
  /** The encoder's config, as the field `model` of a run without an LLM. */
  config: runConfig.shape.model,
  /** Every other file: its length, and SHA-256 in hexadecimal. */
  files: z.record(z.string(), z.strictObject({ bytes: z.int(), sha256: z.string() })),
});

/** What `model.json` says of a user encoder without an LLM. */
export type EncoderManifest = z.output<typeof encoderManifest>;

/** A trained user encoder, and what it is of use with. */
export interface TrainedEncoder {
  readonly config: RunConfig['model'];
  readonly tokenizer: EventTokenizer;
  readonly catalogue: readonly Item[];
  readonly weights: Weights;
  readonly vectors?: EncoderInputs['vectors'];
}

/**
 * Writes the folder of a user encoder without an LLM: the files of a model directory but for the LLM's. The manifest goes
 * first and comes last, so that a folder with one is whole.
 *
 * @throws UserLlmError `write-failed`.
 */
export async function saveEncoder(path: string, encoder: TrainedEncoder): Promise<void> {
  const { config, tokenizer, catalogue, weights, vectors } = encoder;
  const manifest = join(path, modelFiles.manifest);
  await mkdir(path, { recursive: true });
  await rm(manifest, { force: true });
  const lines = catalogue.map((item) => `${JSON.stringify(item)}\n`);
  await writeFileAtomically(join(path, modelFiles.catalogue), lines);
  await writeFileAtomically(join(path, modelFiles.eventTokenizer), JSON.stringify(tokenizer.toJSON()));
  await writeSafetensors(join(path, modelFiles.weights), Object.entries(weights));
  if (vectors) await writeSafetensors(join(path, modelFiles.vectors), Object.entries(vectors));
  const { catalogue: items, eventTokenizer, weights: parameters } = modelFiles;
  const files: Record<string, EncoderManifest['files'][string]> = {};
  for (const name of [items, eventTokenizer, parameters, ...(vectors ? [modelFiles.vectors] : [])]) {
    const file = join(path, name);
    files[name] = { bytes: (await stat(file)).size, sha256: await sha256(file) };
  }
  const about = { format: encoderFormat, version: 1, config, files };
  await writeFileAtomically(manifest, `${JSON.stringify(about, null, 2)}\n`);
}

/**
 * Checks what `model.json` says of a user encoder without an LLM.
 *
 * @param path Names the file in errors.
 * @throws UserLlmError `bad-model` when it says anything else, or has another version.
 */
export function parseEncoderManifest(path: string, json: unknown): EncoderManifest {
  const parsed = encoderManifest.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new UserLlmError('bad-model', {
    what: path,
    expected: 'the manifest of a user encoder, version 1',
    got: z.prettifyError(parsed.error),
    mend: 'Copy the whole folder again, or train the encoder again.',
    cause: parsed.error,
  });
}
