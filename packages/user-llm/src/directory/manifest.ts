import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { userLlmConfig } from '../config/user-llm-config.js';

/** The version of model directories that this package writes; it reads version 1 too. */
export const modelVersion = 2;

/** The files of a model directory. */
export const modelFiles = {
  manifest: 'model.json',
  eventTokenizer: 'event-tokenizer.json',
  textTokenizer: 'tokenizer.json',
  catalogue: 'catalogue.jsonl',
  weights: 'weights.safetensors',
  /** The LLM's form of conversations; there only where it has one. */
  chatTemplate: 'chat_template.jinja',
  /** Vectors known of ids beforehand; there only where the encoder has such. */
  vectors: 'vectors.safetensors',
} as const;

/** What `model.json` says. */
export const modelManifest = z.strictObject({
  format: z.literal('user-llm-model'),
  version: z.union([z.literal(1), z.literal(modelVersion)]),
  /** The model's config, as `userLlmConfig`; from version 2 on with the parts' own defaults filled in. */
  config: userLlmConfig,
  /** Names of the plugins that the config's parts come from, beside our own. */
  plugins: z.array(z.string()),
  /** Versions by name: of the package that wrote it, and of those plugins that state theirs. Absent in version 1. */
  software: z.record(z.string(), z.string()).optional(),
  /** The data that it was trained on (`data`, a hash) and their split, where that is known. */
  trainedOn: z
    .strictObject({
      data: z.string(),
      split: z.looseObject({ kind: z.enum(['leave-last-out', 'time', 'held-out-users']) }),
    })
    .optional(),
  /** The features of events: name, number of ids, ids per event. */
  features: z.array(z.strictObject({ name: z.string(), size: z.int(), slots: z.int() })),
  /** Hash of the encoder and its vocabularies: states of users carry the same. */
  encoder: z.string(),
  /** Hash of the event tokenizer's content. */
  eventTokenizer: z.string(),
  /** Special tokens of the text tokenizer by role, where it has such. */
  textTokenizer: z.strictObject({
    begin: z.string().optional(),
    end: z.string(),
    padding: z.string().optional(),
    alsoEnd: z.array(z.string()).optional(),
  }),
  /** What is asked when the LLM recommends items. */
  recommendPrompt: z.string(),
  /** Every other file: its length, and SHA-256 in hexadecimal. */
  files: z.record(
    z.string().regex(/^\w[\w.-]*$/, 'must be the name of a file, without a folder'),
    z.strictObject({ bytes: z.int(), sha256: z.string() }),
  ),
});

/** What `model.json` says. */
export type ModelManifest = z.output<typeof modelManifest>;

/**
 * Reads what `model.json` holds.
 *
 * @param path Names the file in errors.
 * @throws UserLlmError `encoder-alone` for the folder of a run without an LLM, `unknown-version` for a version that
 *   this package does not read, `bad-model` for anything else.
 */
export function parseManifest(path: string, text: string): ModelManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw badModel(path, 'JSON', cause instanceof Error ? cause.message : String(cause), cause);
  }
  const { format, version } = (json ?? {}) as { readonly format?: unknown; readonly version?: unknown };
  if (format === 'user-llm-encoder') throw encoderAlone(path);
  if (format !== 'user-llm-model') throw badModel(path, 'format "user-llm-model"', JSON.stringify(format) ?? 'none');
  if (version !== 1 && version !== modelVersion) {
    throw new UserLlmError('unknown-version', {
      what: path,
      expected: `version 1 or ${modelVersion}`,
      got: JSON.stringify(version) ?? 'none',
      mend: 'Install the version of @user-llm/user-llm that wrote it, and save the model again.',
    });
  }
  const parsed = modelManifest.safeParse(json);
  if (parsed.success) return parsed.data;
  throw badModel(path, 'the fields of a manifest', z.prettifyError(parsed.error), parsed.error);
}

/** The error of the folder that a training run without an LLM leaves. */
function encoderAlone(what: string): UserLlmError {
  return new UserLlmError('encoder-alone', {
    what,
    expected: 'a whole User-LLM',
    got: 'a user encoder without an LLM',
    mend: 'Its own figures come of "test": true in its stage pretrain. For a whole model train a run with model.llm and "start": { "model": FOLDER, "parts": ["encoder"] }.',
  });
}

/** The error of a model directory that is not whole and consistent. */
export function badModel(what: string, expected: string, got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-model', {
    what,
    expected,
    got,
    mend: 'Copy or save the model again: a file was damaged, changed or exchanged.',
    cause,
  });
}
