import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flattenParameters } from '@user-llm/graph';
import { loadTokenizer, type TokenizerRoles } from '@user-llm/llm';
import type { EncoderInputs, EventSchema, Item, Plugin, Registry } from '@user-llm/plugin';
import { EventTokenizer } from '@user-llm/tokenization';
import { SafetensorsFile, UserLlmError, type Tensor } from '@user-llm/tensor';
import { z } from 'zod';
import { userLlmRegistry } from '../built-in-parts.js';
import { composeInputs } from '../compose/compose-inputs.js';
import { composeUserLlm, type UserLlmModel } from '../compose/compose.js';
import { requireSameSchema } from '../config/same-schema.js';
import { parseUserLlmConfig, type UserLlmConfig } from '../config/user-llm-config.js';
import { encoderHashOf } from '../model/encoder-hash.js';
import type { ModelParts, TrainedOn } from '../model/model-parts.js';
import { checkedWeights, type Weights } from '../model/weights.js';
import { missingParts, usedPlugins } from '../plugins/used-plugins.js';
import { badModel, modelFiles, modelVersion, parseManifest, type ModelManifest } from './manifest.js';
import { fileDigest, fileExists } from './write-directory.js';

/**
 * Reads a model directory and checks all of it: every file's hash, versions, vocabularies, the encoder's hash. One of
 * version 1 is read with the defaults that its parts have now, and its encoder gets another hash.
 *
 * @param plugins Those that the model's parts come from, beside our own.
 * @throws UserLlmError `missing-model` when there is none, `missing-file`, `corrupted-file`, `unknown-version`,
 *   `bad-model`, `missing-plugin` naming what is missing of which plugin, and what reading and composing throw.
 */
export async function loadModel(path: string, plugins: readonly Plugin[] = []): Promise<ModelParts> {
  const manifest = await readManifest(path);
  const config = parseUserLlmConfig(manifest.config);
  const registry = userLlmRegistry(plugins);
  requirePlugins(path, manifest, config, registry);
  await checkFiles(path, manifest);
  const kinds = [...registry.all('features').values()];
  const eventTokenizer = await readText(path, modelFiles.eventTokenizer, (text) => {
    const json = JSON.parse(text) as { readonly schema: EventSchema };
    requireSameSchema(config.events, json.schema);
    return EventTokenizer.fromJSON(json, json.schema, kinds);
  });
  if (eventTokenizer.hash !== manifest.eventTokenizer) {
    throw mismatch(path, `an event tokenizer of the hash ${manifest.eventTokenizer}`, eventTokenizer.hash);
  }
  const vectors = await readVectors(path, manifest);
  const composed = composeUserLlm(config, composeInputs(eventTokenizer, config.item, registry, vectors));
  const current = manifest.version === modelVersion;
  // What was saved stands, also where parts have got further fields since.
  const model = current ? { ...composed, config } : composed;
  const features = JSON.stringify(model.features.map(({ name, size, slots }) => ({ name, size, slots })));
  if (features !== JSON.stringify(manifest.features)) throw mismatch(path, JSON.stringify(manifest.features), features);
  const weights = await readWeights(join(path, modelFiles.weights), model);
  const encoderHash = encoderHashOf(model, weights, eventTokenizer.hash, vectors);
  if (current && encoderHash !== manifest.encoder) {
    throw mismatch(path, `an encoder of the hash ${manifest.encoder}`, encoderHash);
  }
  const chatTemplate = manifest.files[modelFiles.chatTemplate]
    ? await readFile(join(path, modelFiles.chatTemplate), 'utf8')
    : undefined;
  return {
    model,
    weights,
    eventTokenizer,
    textTokenizer: await readText(path, modelFiles.textTokenizer, (text) =>
      loadTokenizer(text, { ...rolesOf(manifest), ...(chatTemplate !== undefined && { chatTemplate }) }),
    ),
    catalogue: await readText(path, modelFiles.catalogue, itemsOf),
    ...(vectors && { vectors }),
    encoderHash,
    plugins: usedPlugins(registry, config),
    recommendPrompt: manifest.recommendPrompt,
    ...(manifest.trainedOn && { trainedOn: manifest.trainedOn as TrainedOn }),
  };
}

/**
 * What the `model.json` of a model directory says.
 *
 * @throws UserLlmError `missing-model`, `unknown-version`, `bad-model`.
 */
export async function readManifest(path: string): Promise<ModelManifest> {
  const file = join(path, modelFiles.manifest);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UserLlmError('missing-model', {
      what: path,
      expected: `a model directory, with ${modelFiles.manifest}`,
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Correct the path, or train and save a model there.',
      cause,
    });
  });
  return parseManifest(file, text);
}

function requirePlugins(path: string, { plugins }: ModelManifest, config: UserLlmConfig, registry: Registry): void {
  const missing = plugins.filter((name) => !registry.plugins.some((plugin) => plugin.name === name));
  if (missing.length === 0) return;
  throw new UserLlmError('missing-plugin', {
    what: path,
    expected: `the plugins ${plugins.join(', ')}, which the model is made of`,
    got: `no ${missingParts(registry, config) || missing.join(', ')}`,
    mend: `Give the module of ${missing.join(', ')}: --plugin FILE on the command line, plugins in the options of load.`,
  });
}

async function checkFiles(path: string, { files }: ModelManifest): Promise<void> {
  const { manifest: _, vectors: __, chatTemplate: ___, ...needed } = modelFiles;
  const unlisted = Object.values(needed).find((name) => !files[name]);
  if (unlisted !== undefined) throw badModel(path, `${unlisted} among the files of ${modelFiles.manifest}`, 'none');
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const file = join(path, name);
    if (!(await fileExists(file))) {
      throw new UserLlmError('missing-file', {
        what: file,
        expected: `a file of ${bytes} bytes`,
        got: 'nothing',
        mend: 'Copy the whole model directory again.',
      });
    }
    const found = await fileDigest(file);
    if (found.sha256 === sha256) continue;
    throw new UserLlmError('corrupted-file', {
      what: file,
      expected: `${bytes} bytes with the SHA-256 ${sha256}`,
      got: `${found.bytes} bytes with ${found.sha256}`,
      mend: 'Copy the whole model directory again: this file was damaged, changed or exchanged.',
    });
  }
}

async function readWeights(file: string, model: Pick<UserLlmModel, 'parameters'>): Promise<Weights> {
  const specs = flattenParameters(model.parameters);
  const source = await SafetensorsFile.open(file);
  try {
    const read: Record<string, Tensor> = {};
    for (const name of source.names) {
      const axes = specs.get(name)?.axes;
      // Sizes are checked below, where the error can say more.
      const named = axes?.length === source.entry(name).shape.length ? { axes } : {};
      read[name] = (await source.read(name, named)) as unknown as Tensor;
    }
    return checkedWeights(model, read);
  } finally {
    await source.close();
  }
}

async function readVectors(path: string, { files }: ModelManifest): Promise<EncoderInputs['vectors']> {
  if (!files[modelFiles.vectors]) return undefined;
  const source = await SafetensorsFile.open(join(path, modelFiles.vectors));
  try {
    const read = source.names.map(
      async (name) =>
        [name, await source.read(name, { dtype: 'float32', axes: ['id', 'vectorWidth'] as const })] as const,
    );
    return Object.fromEntries(await Promise.all(read));
  } finally {
    await source.close();
  }
}

/** @throws UserLlmError `bad-model` that names the file when its text is not what `save` writes. */
async function readText<T>(path: string, name: string, parse: (text: string) => T): Promise<T> {
  const file = join(path, name);
  const text = await readFile(file, 'utf8');
  try {
    return parse(text);
  } catch (cause) {
    if (UserLlmError.isInstance(cause)) throw cause;
    const said = cause instanceof z.ZodError ? z.prettifyError(cause) : cause;
    throw badModel(
      file,
      'a file that a model was saved with',
      said instanceof Error ? said.message : String(said),
      cause,
    );
  }
}

const catalogueItem = z.looseObject({ item: z.string(), title: z.string().nullish() });

function itemsOf(lines: string): Item[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => catalogueItem.parse(JSON.parse(line)) as Item);
}

function rolesOf({ textTokenizer: { begin, end, padding, alsoEnd = [] } }: ModelManifest): TokenizerRoles {
  return { end, alsoEnd, ...(begin !== undefined && { begin }), ...(padding !== undefined && { padding }) };
}

function mismatch(path: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('encoder-mismatch', {
    what: path,
    expected,
    got,
    mend: 'Take vocabularies, config and weights of one and the same model.',
  });
}
