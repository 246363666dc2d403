import type { EventSchema, Plugin, Registry } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { parameterGroupNames, userLlmConfig, userLlmJsonSchema, type UserLlmConfigInput } from '@user-llm/user-llm';
import { z } from 'zod';
import { alignConfig } from '../stages/align/align-config.js';
import { languageConfig } from '../stages/language/language-config.js';
import { tuneConfig } from '../stages/tune/tune-config.js';
import { pretrainConfig } from '../stages/pretrain/pretrain-config.js';
import { splitConfig } from './split-config.js';

const { llm, ...parts } = userLlmConfig.shape;

const rawConfig = z.strictObject({
  source: z.string().describe('Name of a source of data: `movielens`, `amazon`, `google-local`, or one of a plugin.'),
  input: z
    .string()
    .optional()
    .describe('A file, a folder, a glob or an address; absent for a source that makes its data itself.'),
  minHistory: z.int().min(1).default(1).describe('Users with fewer events are dropped.'),
  kCore: z.int().min(1).default(1).describe('Users and items with fewer events are dropped until none is left.'),
});

const dataConfig = z.strictObject({
  dataset: z
    .string()
    .optional()
    .describe(
      'Folder of a data set made by `user-llm-train data prepare`; absent when data in memory are handed over.',
    ),
  vectors: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      "Files of vectors known of a feature's ids beforehand, by feature, such as embeddings of the items' texts: JSON lines with `id` and `vector`, or safetensors with `vectors` [ids, width] and the ids as a JSON list in its metadata. Items with vectors get ids although no event has them. Those of `start` when absent.",
    ),
  raw: rawConfig
    .optional()
    .describe('Raw files, in place of `dataset`: the run makes a data set of them, in its folder.'),
  split: splitConfig.describe('How events are parted into training, validation and test.'),
});

const textConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('train').describe('Learns a byte-level BPE from the catalogue and from prompts of the tasks.'),
    vocabularySize: z.int().min(260).default(4096).describe('Tokens at most, special ones included.'),
  }),
  z.strictObject({
    kind: z.literal('file').describe('Reads a tokenizer.json.'),
    path: z.string().describe('Path of the file.'),
  }),
  z.strictObject({
    kind: z
      .literal('checkpoint')
      .describe('Takes an LLM as it is: tokenizer, sizes and parameters; model.llm is not read.'),
    path: z
      .string()
      .describe(
        'A Hugging Face folder (config.json, safetensors, tokenizer.json) of a family that is built in or that a plugin brings, a GGUF file, or a .bin of llama2.c.',
      ),
  }),
]);

const startConfig = z.strictObject({
  model: z
    .string()
    .describe(
      'Folder `model` of an earlier run: parameters of these parts are taken, with the encoder the vocabularies of events, and the tokenizer of the LLM unless `text` is given.',
    ),
  parts: z
    .array(z.enum(parameterGroupNames))
    .min(1)
    .default(['encoder', 'llm'])
    .describe(
      'Parts whose parameters are taken, of those that this run has; the others start anew. They must have the same config, vocabularies and tokenizer.',
    ),
});

const stageConfig = z.discriminatedUnion('kind', [pretrainConfig, languageConfig, alignConfig, tuneConfig]);

/** A training run: model, data, stages; every field with its meaning and unit. */
export const runConfig = z.strictObject({
  name: z.string().min(1).default('run').describe('Name of the run in trackers.'),
  seed: z.int().min(0).default(0).describe('Seed of first values, of the order of examples and of dropout.'),
  plugins: z
    .array(z.string())
    .default([])
    .describe('Modules whose default export is a plugin: paths beside the config file, or names of packages.'),
  model: z
    .strictObject({ ...parts, llm: llm.optional() })
    .describe(
      'The model, as user-llm has it; without an LLM (here or in `text`) the user encoder alone. `vocabularySize` of the LLM is filled in.',
    ),
  data: dataConfig.prefault({}).describe('What it is trained on.'),
  text: textConfig
    .optional()
    .describe("Where the LLM's tokenizer comes from; `train` when there is an LLM and no `start`. Or the whole LLM."),
  start: startConfig.optional().describe('Parameters to start from; drawn by the seed when absent.'),
  stages: z.array(stageConfig).min(1).describe('What is trained one after the other.'),
  trackers: z
    .array(z.string())
    .default(['jsonl', 'tensorboard'])
    .describe('Where figures go: `jsonl`, `tensorboard`, or trackers of plugins.'),
  threads: z.int().min(1).optional().describe('Threads of a training step; all cores when absent.'),
});

/** A checked run, defaults filled in. */
export type RunConfig = Omit<z.output<typeof runConfig>, 'model'> & {
  readonly model: Omit<z.output<typeof runConfig>['model'], 'events'> & { readonly events: EventSchema };
};

/** A run as it is written: fields with defaults may be left out. */
export type RunConfigInput = Omit<z.input<typeof runConfig>, 'model' | 'plugins'> & {
  readonly model: Omit<UserLlmConfigInput, 'llm'> & { readonly llm?: UserLlmConfigInput['llm'] };
  /** Modules, or plugins themselves. */
  readonly plugins?: readonly (string | Plugin)[];
};

/** A config of one stage, defaults filled in. */
export type StageConfig = RunConfig['stages'][number];

/** A run that is ready: its config, and the plugins that it was given as values. */
export interface Run {
  readonly config: RunConfig;
  readonly plugins: readonly Plugin[];
}

/**
 * Checks a run and fills in defaults.
 *
 * @throws UserLlmError `bad-config` that lists every field that is wrong.
 *
 * @example
 * export default defineRun({
 *   model: { events: { item: { kind: 'id' } }, encoder: { name: 'autoregressive' } },
 *   data: { dataset: 'data/ml-1m' },
 *   stages: [{ kind: 'pretrain', budget: { minutes: 20 }, validation: { every: 500 } }],
 * });
 */
export function defineRun(config: RunConfigInput): Run {
  const plugins = (config.plugins ?? []).filter((plugin) => typeof plugin !== 'string');
  const modules = (config.plugins ?? []).filter((plugin) => typeof plugin === 'string');
  return { config: parseRunConfig({ ...config, plugins: modules }), plugins };
}

/**
 * As `defineRun`, for what was read from a file.
 *
 * @throws UserLlmError `bad-config` that lists every field that is wrong.
 */
export function parseRunConfig(config: unknown): RunConfig {
  const parsed = runConfig.safeParse(config);
  if (!parsed.success) throw badRun(z.prettifyError(parsed.error), parsed.error);
  const names = parsed.data.stages.map(({ name, kind }) => name ?? kind);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw badRun(`two stages named ${JSON.stringify(twice)}: give them names`);
  return parsed.data as RunConfig;
}

/**
 * The JSON Schema (2020-12) of a run as it is written, for editors and other languages.
 *
 * @param registry Its parts' own configs are described too, where they are zod schemas; any part is allowed when absent.
 */
export function runJsonSchema(registry?: Registry): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(runConfig, { io: 'input' });
  const model = schema.properties!['model'] as Readonly<Record<string, unknown>>;
  const parts = userLlmJsonSchema(registry)['properties'] as Readonly<Record<string, unknown>>;
  const properties = { ...(model['properties'] as object), ...parts };
  return { ...schema, properties: { ...schema.properties, model: { ...model, properties } } };
}

function badRun(got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-config', {
    what: 'config of a training run',
    expected: 'the fields of runConfig',
    got,
    mend: 'Correct these fields; `user-llm-train schema` describes all of them.',
    ...(cause !== undefined && { cause }),
  });
}
