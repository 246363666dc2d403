import { input, joinAxes, type Feeds, type Float, type ParameterTree, type Runtime } from '@user-llm/graph';
import type { HiddenStates, LanguageModelModule } from '@user-llm/plugin';
import { LossEvaluator } from '../../loop/loss-evaluator.js';
import type { Shapes } from '../../loop/step-graphs.js';
import type { LossGraph } from '../../loop/training-task.js';
import { requireLlm } from '../need.js';
import type { Stage, StageInputs } from '../stage.js';
import type { LanguageConfig } from './language-config.js';
import { languageTexts } from './language-texts.js';
import { joined, packedBatches, packedFeeds, type PackedShape } from './packed-sequences.js';

type LlmTree = { readonly llm: never };

/** The stage `language`: the LLM alone, on texts. */
export async function languageStage(config: LanguageConfig, inputs: StageInputs): Promise<Stage> {
  const name = config.name ?? config.kind;
  const { userLlm, text } = requireLlm(name, inputs);
  const { llm } = userLlm;
  const { trained, heldOut } = await languageTexts(config, inputs, text);
  const { batchSize, sequenceTokens } = config;
  const shape: PackedShape = { batchSize, sequenceTokens };
  const parameters: ParameterTree = { llm: llm.parameters };
  const loss = (tree: LlmTree, shapes: Shapes) => textLoss(llm, tree.llm, shapes);
  const validation =
    config.validation && new TextValidation(inputs.runtime, parameters, loss, joined(heldOut, heldOut.keys()), shape);
  return {
    task: {
      name,
      parameters,
      loss,
      batches: (from) => packedBatches(trained, shape, inputs.seed, from),
      ...(validation && { validate: (weights, signal) => validation.figures(weights, signal) }),
    },
    trains: (parameter) => parameter.startsWith('llm.'),
    dispose: async () => validation?.dispose(),
  };
}

/** Mean cross-entropy of every token with the one after it. */
function textLoss(llm: LanguageModelModule, parameters: never, shapes: Shapes): LossGraph {
  const tokens = input('tokens', 'int32', ['batch', 'token'], shapes['tokens'] as readonly [number, number]);
  const labels = input('labels', 'int32', ['row'], shapes['labels'] as readonly [number]);
  return { inputs: [tokens, labels], loss: llm.loss(parameters, rowsOf(llm.hidden(parameters, { tokens })), labels) };
}

/** All positions, one after the other: `[row, modelWidth]`. */
function rowsOf(hidden_BLD: HiddenStates): Float<readonly ['row', 'modelWidth']> {
  return joinAxes(hidden_BLD, ['batch', 'token'], 'row', ['row', 'modelWidth']);
}

/** Mean cross-entropy per token of texts that are held out. */
class TextValidation {
  readonly #evaluator: LossEvaluator;
  readonly #stream: Int32Array;
  readonly #shape: PackedShape;

  constructor(
    runtime: Runtime,
    parameters: ParameterTree,
    loss: (tree: LlmTree, shapes: Shapes) => LossGraph,
    stream: Int32Array,
    shape: PackedShape,
  ) {
    this.#evaluator = new LossEvaluator(runtime, parameters, loss);
    this.#stream = stream;
    this.#shape = shape;
  }

  async figures(weights: Feeds, signal?: AbortSignal): Promise<{ readonly loss: number }> {
    const { batchSize, sequenceTokens } = this.#shape;
    const perBatch = batchSize * sequenceTokens;
    const labels = this.#stream.length - 1;
    let sum = 0;
    for (let first = 0; first < labels; first += perBatch) {
      signal?.throwIfAborted();
      const loss = await this.#evaluator.of(packedFeeds(this.#stream, first, this.#shape), weights);
      sum += loss * Math.min(perBatch, labels - first);
    }
    return { loss: sum / labels };
  }

  dispose(): Promise<void> {
    return this.#evaluator.dispose();
  }
}
