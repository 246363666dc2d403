import { basename } from 'node:path';
import { bindGiven, type Graph } from '@user-llm/graph';
import { bytesPerElement, elements, writeFileAtomically, type Tensor, type TypedArray } from '@user-llm/tensor';
import { embeddedBytes, lower } from './lowering/lower.js';
import { writeModel, type Model, type ModelInitializer } from './onnx-model.js';

/** Beyond this much data a model keeps its weights in a file of their own; protobuf's limit is 2 GiB. */
const inlineLimit = 2 ** 31 - 2 ** 24;
const alignment = 4096;

/** How a model is written. */
export interface ExportOptions {
  /** Whether weights lie in `FILE.data` beside the model: always, or when they would not fit into it. */
  readonly externalData?: 'always' | 'when-needed';
}

/**
 * Writes a graph with its parameters as an ONNX file that plain onnxruntime runs.
 *
 * @param parameters Values of those inputs that become part of the file, by name.
 * @param file Path of the model. External data goes to `FILE.data`, which is written first.
 * @throws UserLlmError `unknown-feed` when a parameter is not an input of the graph, `dtype-mismatch`,
 *   `axis-mismatch` or `shape-mismatch` when it has another type, and what `writeFileAtomically` throws.
 */
export async function exportOnnx(
  graph: Graph,
  parameters: Readonly<Record<string, Tensor>>,
  file: string,
  { externalData = 'when-needed' }: ExportOptions = {},
): Promise<void> {
  bindGiven(graph, parameters);
  const model = lower(graph, { embedded: parameters, name: basename(file, '.onnx') });
  if (externalData === 'when-needed' && embeddedBytes(model) < inlineLimit) {
    await writeFileAtomically(file, writeModel(model));
    return;
  }
  const { model: outside, parts } = moveOut(model, `${basename(file)}.data`, new Set(Object.keys(parameters)));
  await writeFileAtomically(`${file}.data`, parts);
  await writeFileAtomically(file, writeModel(outside));
}

/** The model with the named initializers in another file, and that file's content. */
function moveOut(model: Model, location: string, names: ReadonlySet<string>): { model: Model; parts: Uint8Array[] } {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const initializers = (model.initializers ?? []).map((initializer): ModelInitializer => {
    const { name, dtype, shape, data } = initializer;
    if (!names.has(name) || !ArrayBuffer.isView(data)) return initializer;
    const padding = (alignment - (offset % alignment)) % alignment;
    if (padding > 0) parts.push(new Uint8Array(padding));
    const at = offset + padding;
    const bytes = elements(shape) * (dtype === 'uint32' ? 4 : bytesPerElement(dtype));
    const view = data as TypedArray;
    parts.push(new Uint8Array(view.buffer, view.byteOffset, bytes));
    offset = at + bytes;
    return { name, dtype, shape, data: { location, offset: at } };
  });
  return { model: { ...model, initializers }, parts };
}
