import { basename } from 'node:path';
import { bindGiven, type Graph } from '@user-llm/graph';
import type { Tensor } from '@user-llm/tensor';
import { lower } from './lowering/lower.js';
import { writeModelFiles } from './model-files.js';

/** Beyond this much data a model keeps its weights in a file of their own; protobuf's limit is 2 GiB. */
const inlineLimit = 2 ** 31 - 2 ** 24;

/** How a model is written. */
export interface ExportOptions {
  /** Whether weights lie in `FILE.HASH.data` beside the model: always, or when they would not fit into it. */
  readonly externalData?: 'always' | 'when-needed';
}

/**
 * Writes a graph with its parameters as an ONNX file that plain onnxruntime runs.
 *
 * @param parameters Values of those inputs that become part of the file, by name.
 * @param file Path of the model. External data goes to `FILE.HASH.data`, named after its content, so that a kill at any
 *   moment leaves the old model or the new one, each with its own data; data of earlier models of FILE is removed.
 * @throws UserLlmError `unknown-feed` when a parameter is not an input of the graph, `dtype-mismatch`,
 *   `axis-mismatch` or `shape-mismatch` when it has another type, `write-failed`.
 */
export async function exportOnnx(
  graph: Graph,
  parameters: Readonly<Record<string, Tensor>>,
  file: string,
  { externalData = 'when-needed' }: ExportOptions = {},
): Promise<void> {
  bindGiven(graph, parameters);
  const model = lower(graph, { embedded: parameters, name: basename(file, '.onnx') });
  const limit = externalData === 'always' ? 0 : inlineLimit;
  await writeModelFiles(model, file, new Set(Object.keys(parameters)), limit);
}
