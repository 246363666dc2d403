import { input, type FloatScalar, type ParameterTree, type Symbolic } from '@user-llm/graph';
import type { EncodedFeature, EventSchema, JsonValue, UserEncoderModule } from '@user-llm/plugin';
import { Tensor } from '@user-llm/tensor';
import { BatchLoader, timelinesInMemory, type Batch, type BatchCursor } from '@user-llm/tokenization';
import { encodedFeatures, eventFeeds, eventInputs } from '@user-llm/user-llm';
import type { TokenizedData } from '../../data/training-data.js';
import type { LossGraph, TrainingBatch, TrainingTask } from '../../loop/training-task.js';
import type { NextItemValidation } from './next-item-validation.js';
import type { PretrainConfig } from './pretrain-config.js';

// B batch, T events of a history, R rows that are predicted.

const labelName = (feature: string): string => `labels.${feature}`;
const rowsName = 'rows';

/** What pretraining needs. */
export interface PretrainInputs {
  readonly encoder: UserEncoderModule;
  readonly data: TokenizedData;
  readonly config: PretrainConfig;
  readonly seed: number;
  readonly validation?: NextItemValidation | undefined;
}

/** Pretraining of a user encoder: windows of histories, and the encoder's own loss on them. */
export function pretrainTask({ encoder, data, config, seed, validation }: PretrainInputs): TrainingTask {
  const { tokenizer, timelines, split } = data;
  const features = encodedFeatures(tokenizer);
  const { batchSize, lengthBuckets, minimumEvents, window } = config;
  const length = Math.min(window.length ?? encoder.maximumEvents, encoder.maximumEvents);
  const loader = new BatchLoader(tokenizer, timelinesInMemory(tokenizer, timelines), {
    split,
    window:
      window.kind === 'last' ? { kind: 'last', length } : { kind: 'sliding', length, stride: window.stride ?? length },
    batchSize,
    lengthBuckets,
    minimumEvents,
    seed,
  });
  return {
    name: config.name ?? 'pretrain',
    parameters: { encoder: encoder.parameters } satisfies ParameterTree,
    loss: (tree: { readonly encoder: never }, shapes) => lossGraph(encoder, tree.encoder, features, shapes),
    batches: (from) => batches(loader, batchSize, from),
    ...(validation && { validate: (weights, signal) => validation.figures(weights, signal) }),
  };
}

function lossGraph(
  encoder: UserEncoderModule,
  parameters: never,
  features: readonly EncodedFeature[],
  shapes: Readonly<Record<string, readonly number[]>>,
): LossGraph {
  const [batch, events] = shapes['events.mask'] as readonly [number, number];
  const seed = input('seed', 'int32', [], []);
  const read = eventInputs(features, batch, events, seed);
  const labels = Object.entries(read.batch.features).map(([name, { axes, shape }]): [string, Symbolic<'int32'>] => [
    name,
    input(labelName(name), 'int32', axes, shape as never),
  ]);
  const rows = input(rowsName, 'int32', ['row'], [shapes[rowsName]![0]!]);
  const loss: FloatScalar = encoder.loss(parameters, { ...read.batch, labels: Object.fromEntries(labels), rows });
  return { inputs: [...read.inputs, ...labels.map(([, label]) => label), rows, seed], loss };
}

async function* batches(
  loader: BatchLoader<EventSchema>,
  batchSize: number,
  from: JsonValue | undefined,
): AsyncGenerator<TrainingBatch> {
  const start = from === undefined ? {} : { from: from as unknown as BatchCursor };
  for await (const batch of loader.batches({ epochs: Number.MAX_SAFE_INTEGER, ...start })) {
    yield {
      feeds: pretrainFeeds(batch, batchSize),
      examples: batch.users.length,
      contents: { users: [...batch.users] },
      cursor: { ...batch.next },
    };
  }
}

/**
 * The feeds of a batch, filled up with empty histories to the full number of rows, so that it needs no graph of its own.
 */
function pretrainFeeds(batch: Batch, batchSize: number): Record<string, Tensor> {
  const feeds = eventFeeds(batch);
  for (const [name, label] of Object.entries(eventFeeds({ columns: batch.labels, mask: batch.mask }))) {
    if (name !== 'events.mask') feeds[labelName(name.slice('events.'.length))] = label;
  }
  const full = Object.entries(feeds).map(([name, tensor]) => [name, filledUp(tensor, batchSize)] as const);
  return { ...Object.fromEntries(full), [rowsName]: rowsOf(batch, batchSize) };
}

function filledUp(tensor: Tensor, rows: number): Tensor {
  const { dtype, axes, shape, data } = tensor;
  if (shape[0] === rows) return tensor;
  const elements = (data.length / shape[0]!) * rows;
  const filled = new (data.constructor as Int32ArrayConstructor)(elements);
  filled.set(data as Int32Array);
  return new Tensor(dtype, axes, [rows, ...shape.slice(1)], filled as never);
}

/** Flat positions with an event, their number rounded up to eighths of all, so that few shapes occur. */
function rowsOf({ lengths, mask }: Batch, batchSize: number): Tensor {
  const events = mask.shape[1]!;
  const chosen: number[] = [];
  lengths.data.forEach((length, row) => {
    for (let event = 0; event < length; event++) chosen.push(row * events + event);
  });
  const all = batchSize * events;
  const share = Math.ceil(all / 8);
  const count = Math.min(all, Math.ceil(chosen.length / share) * share);
  const used = new Set(chosen);
  // Filled up with padding; where nothing is left to fill up with, all positions are chosen already.
  for (let at = all - 1; chosen.length < count && at >= 0; at--) if (!used.has(at)) chosen.push(at);
  return new Tensor('int32', ['row'], [count], Int32Array.from(chosen));
}
