import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { JsonTokenizer } from '@user-llm/llm';
import type { JsonValue } from '@user-llm/plugin';
import { writeFileAtomically, writeSafetensors, type Tensor } from '@user-llm/tensor';
import type { ModelParts } from '../model/model-parts.js';
import { modelFiles, modelVersion, type ModelManifest } from './manifest.js';
import { fileDigest, writeDirectoryAtomically } from './write-directory.js';

/**
 * Writes a model directory whole or not at all; an older one at the path is replaced.
 *
 * @throws UserLlmError `not-a-model` when there is something else at the path, `write-failed`.
 */
export async function saveModel(path: string, parts: ModelParts): Promise<void> {
  const { model, weights, eventTokenizer, textTokenizer, catalogue, vectors } = parts;
  await writeDirectoryAtomically(path, async (folder) => {
    const files: Record<string, ModelManifest['files'][string]> = {};
    const put = async (name: string, write: (file: string) => Promise<void>): Promise<void> => {
      const file = join(folder, name);
      await write(file);
      files[name] = await fileDigest(file);
    };
    const text = (content: string | Iterable<string>) => (file: string) => writeFileAtomically(file, content);
    const tensors = (named: Readonly<Record<string, unknown>>) => (file: string) =>
      writeSafetensors(file, Object.entries(named as Readonly<Record<string, Tensor>>));
    await put(modelFiles.eventTokenizer, text(JSON.stringify(eventTokenizer.toJSON())));
    await put(modelFiles.textTokenizer, text(JSON.stringify(textTokenizer.json)));
    if (textTokenizer.chatTemplate !== undefined) await put(modelFiles.chatTemplate, text(textTokenizer.chatTemplate));
    await put(modelFiles.catalogue, text(catalogue.map((item) => `${JSON.stringify(item)}\n`)));
    await put(modelFiles.weights, tensors(weights));
    if (vectors && Object.keys(vectors).length > 0) await put(modelFiles.vectors, tensors(vectors));
    const manifest: ModelManifest = {
      format: 'user-llm-model',
      version: modelVersion,
      config: model.config as unknown as ModelManifest['config'],
      plugins: parts.plugins.map(({ name }) => name),
      software: softwareOf(parts.plugins),
      ...(parts.trainedOn && { trainedOn: parts.trainedOn }),
      features: model.features.map(({ name, size, slots }) => ({ name, size, slots })),
      encoder: parts.encoderHash,
      eventTokenizer: eventTokenizer.hash,
      textTokenizer: rolesOf(textTokenizer),
      recommendPrompt: parts.recommendPrompt,
      files,
    };
    const json = manifest as unknown as JsonValue;
    await writeFileAtomically(join(folder, modelFiles.manifest), `${JSON.stringify(json, null, 2)}\n`);
  });
}

/** The versions of this package and of plugins that state theirs, by name. */
function softwareOf(plugins: ModelParts['plugins']): Record<string, string> {
  const name = '@user-llm/user-llm';
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string };
  const theirs = plugins.flatMap((plugin) => (plugin.version === undefined ? [] : [[plugin.name, plugin.version]]));
  return { [name]: version, ...(Object.fromEntries(theirs) as Record<string, string>) };
}

/** The names of the special tokens that play a role. */
function rolesOf({ specialTokens, begin, end, ends, padding }: JsonTokenizer): ModelManifest['textTokenizer'] {
  const nameOf = (token: number | undefined): string | undefined =>
    Object.keys(specialTokens).find((name) => specialTokens[name] === token);
  const [first, last, filler] = [nameOf(begin), nameOf(end)!, nameOf(padding)];
  const alsoEnd = ends.flatMap((token) => (token === end ? [] : nameOf(token)!));
  return {
    end: last,
    ...(first !== undefined && { begin: first }),
    ...(filler !== undefined && { padding: filler }),
    ...(alsoEnd.length > 0 && { alsoEnd }),
  };
}
