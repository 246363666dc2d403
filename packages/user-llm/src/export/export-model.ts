import { graph as makeGraph, optimize, orderedNodes, type Graph, type Symbolic } from '@user-llm/graph';
import { cacheNames, contextWeights, llmWeights, prefillGraph, prefixTokens, stepGraph } from '@user-llm/llm';
import { exportOnnx } from '@user-llm/runtime-onnx';
import { writeFileAtomically, type Tensor } from '@user-llm/tensor';
import { join } from 'node:path';
import { modelFiles } from '../directory/manifest.js';
import { writeDirectoryAtomically } from '../directory/write-directory.js';
import { mergedLlmWeights, userContextOf } from '../inference/decoders.js';
import { itemScoresGraph, userGraph } from '../inference/graphs.js';
import { ItemCatalogue } from '../model/catalogue.js';
import type { ModelParts } from '../model/model-parts.js';
import { answerMarkerTokens } from '../prompt/prompt-format.js';
import { onnxSteps, type OnnxManifest } from './export-manifest.js';

/** The manifest of an exported model. */
export const onnxManifestFile = 'user-llm-onnx.json';

/**
 * Writes a model as ONNX files with a manifest that says how any onnxruntime answers and ranks with them; whole or not at
 * all, an older export is replaced. LoRA is merged into the LLM's weights.
 *
 * @throws UserLlmError `not-a-model` when there is something else at the path, and what `exportOnnx` throws.
 */
export async function exportModel(path: string, parts: ModelParts): Promise<void> {
  const { model, weights, eventTokenizer, textTokenizer, catalogue } = parts;
  const own = weights as unknown as Readonly<Record<string, Tensor>>;
  const context = userContextOf(model);
  const prefixed = (prefix: string, named: Readonly<Record<string, Tensor>>) =>
    Object.entries(named).map(([name, tensor]) => [prefix + name, tensor] as const);
  const decoding: Record<string, Tensor> = Object.fromEntries([
    ...prefixed(llmWeights, mergedLlmWeights(model, weights)),
    ...prefixed(contextWeights, own).filter(([name]) => name.startsWith(`${contextWeights}fusion.`)),
  ]);
  const models: Readonly<Record<keyof OnnxManifest['models'], readonly [Graph, Readonly<Record<string, Tensor>>]>> = {
    user: [userGraph(model), own],
    items: [itemScoresGraph(model), own],
    prefill: [prefillGraph(model.llm, context), decoding],
    step: [stepGraph(model.llm, context, true), decoding],
  };
  await writeDirectoryAtomically(
    path,
    async (folder) => {
      const described: Partial<Record<keyof OnnxManifest['models'], OnnxManifest['models']['user']>> = {};
      for (const name of Object.keys(models) as (keyof typeof models)[]) {
        const [whole, values] = models[name];
        const graph = withoutUnread(whole, values);
        const embedded = Object.fromEntries(Object.entries(values).filter(([input]) => input in graph.inputs));
        await exportOnnx(optimize(graph), embedded, join(folder, `${name}.onnx`));
        described[name] = describe(`${name}.onnx`, graph, embedded);
      }
      const { begin, end, ends, chatTemplate, vocabularySize } = textTokenizer;
      const manifest: OnnxManifest = {
        format: 'user-llm-onnx',
        version: 1,
        encoder: parts.encoderHash,
        steps: [...onnxSteps],
        models: described as OnnxManifest['models'],
        events: {
          maximum: model.maximumEvents,
          features: model.features.map(({ name, size, slots }) => ({ name, size, slots })),
          tokenizer: modelFiles.eventTokenizer,
          catalogue: modelFiles.catalogue,
          itemIds: [...new ItemCatalogue(catalogue, eventTokenizer, model.config.item).ids],
        },
        text: {
          tokenizer: modelFiles.textTokenizer,
          ...(begin !== undefined && { begin }),
          end,
          ends: [...ends],
          ...(chatTemplate !== undefined && { chatTemplate: modelFiles.chatTemplate }),
          vocabulary: vocabularySize,
          maximumTokens: model.llm.maximumTokens,
          prefixTokens: prefixTokens(model.llm, context),
          answerMarker: answerMarkerTokens(textTokenizer),
          ...(model.config.titles === 'constrained' && { titles: model.config.titles }),
        },
        cache: { names: cacheNames(model.llm.layers), ...model.llm.cache },
      };
      const put = (name: string, content: string | string[]) => writeFileAtomically(join(folder, name), content);
      await put(modelFiles.eventTokenizer, JSON.stringify(eventTokenizer.toJSON()));
      await put(modelFiles.textTokenizer, JSON.stringify(textTokenizer.json));
      if (chatTemplate !== undefined) await put(modelFiles.chatTemplate, chatTemplate);
      await put(
        modelFiles.catalogue,
        catalogue.map((item) => `${JSON.stringify(item)}\n`),
      );
      await put(onnxManifestFile, `${JSON.stringify(manifest, null, 2)}\n`);
    },
    onnxManifestFile,
  );
}

/** The graph without inputs for parameters that nothing reads. */
function withoutUnread({ inputs, outputs }: Graph, parameters: Readonly<Record<string, Tensor>>): Graph {
  const read = new Set(orderedNodes(Object.values(outputs)));
  const kept = Object.entries(inputs).filter(([name, { node }]) => !(name in parameters) || read.has(node));
  return makeGraph(
    kept.map(([, tensor]) => tensor),
    outputs,
  );
}

function describe(
  file: string,
  { inputs, outputs }: Graph,
  embedded: Readonly<Record<string, Tensor>>,
): OnnxManifest['models']['user'] {
  const ports = (named: Readonly<Record<string, Symbolic>>) =>
    Object.entries(named).map(([name, { dtype, axes, shape }]) => ({
      name,
      dtype,
      axes: [...axes],
      shape: shape.map((size) => (typeof size === 'number' ? size : size.text)),
    }));
  const fed = Object.entries(inputs).filter(([name]) => !(name in embedded));
  return { file, inputs: ports(Object.fromEntries(fed)), outputs: ports(outputs) };
}
