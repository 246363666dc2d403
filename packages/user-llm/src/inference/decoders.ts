import { input, type Runtime } from '@user-llm/graph';
import { mergeLora } from '@user-llm/fusion';
import { createDecoder, quantizeWeights, type DecodeStepper, type DecoderContext, type Weight } from '@user-llm/llm';
import type { Tensor } from '@user-llm/tensor';
import type { UserLlmModel } from '../compose/compose.js';
import type { UserLlmTree } from '../compose/parameters.js';
import type { Weights } from '../model/weights.js';
import type { ContextValues } from '../user/user-encoding.js';
import { contextGraph, userNames } from './graphs.js';

/** What the inputs of a user's context are called in the graphs of decoding. */
const contextInput = (name: string): string => `user.${name}`;

/** A user's context, as a decoder for users takes it. */
export function decoderContext(context: ContextValues): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(context).map(([name, tensor]) => [contextInput(name), tensor]));
}

/** How the LLM's matrices are kept: `UserLlmOptions` says what each means. */
interface Kept {
  readonly bits?: 4 | 8 | undefined;
  readonly compact?: boolean | undefined;
}

/** The LLM that reads users, and the LLM alone; each is made when first needed. */
export class Decoders {
  readonly #model: UserLlmModel;
  readonly #weights: Weights;
  readonly #runtime: () => Promise<Runtime>;
  readonly #kept: Kept;
  readonly #made = new Map<'user' | 'alone', Promise<DecodeStepper>>();
  #merged: Readonly<Record<string, Weight>> | undefined;

  constructor(model: UserLlmModel, weights: Weights, runtime: () => Promise<Runtime>, kept: Kept = {}) {
    this.#model = model;
    this.#weights = weights;
    this.#runtime = runtime;
    this.#kept = kept;
  }

  /** @param kind `alone` for the LLM without users, as a text-prompt baseline runs it. */
  get(kind: 'user' | 'alone'): Promise<DecodeStepper> {
    const known = this.#made.get(kind);
    if (known) return known;
    const made = this.#make(kind);
    this.#made.set(kind, made);
    made.catch(() => this.#made.delete(kind));
    return made;
  }

  async dispose(): Promise<void> {
    for (const made of await Promise.allSettled(this.#made.values())) {
      if (made.status === 'fulfilled') await made.value.dispose();
    }
    this.#made.clear();
  }

  #llmWeights(): Readonly<Record<string, Weight>> {
    const { bits } = this.#kept;
    const merged = mergedLlmWeights(this.#model, this.#weights);
    return bits === undefined ? merged : quantizeWeights(this.#model.llm, merged, bits);
  }

  async #make(kind: 'user' | 'alone'): Promise<DecodeStepper> {
    const { llm } = this.#model;
    this.#merged ??= this.#llmWeights();
    const { compact = false } = this.#kept;
    const decoder = { llm, weights: this.#merged, runtime: await this.#runtime(), compact };
    if (kind === 'alone') return createDecoder(decoder);
    const fusion = Object.fromEntries(Object.entries(this.#weights).filter(([name]) => name.startsWith('fusion.')));
    return createDecoder({ ...decoder, context: userContextOf(this.#model), contextWeights: fusion });
  }
}

/** How a decoder reads users: inputs for the fusion's context, and the fusion's hooks. */
export function userContextOf(model: UserLlmModel): DecoderContext {
  const { outputs } = contextGraph(model);
  const context = Object.entries(outputs).map(
    ([name, { dtype, axes, shape }]) => [name.slice(userNames.context('').length), { dtype, axes, shape }] as const,
  );
  return {
    parameters: { fusion: model.fusion.parameters },
    inputs: (batch) =>
      Object.fromEntries(
        context.map(([name, { dtype, axes, shape }]) => {
          const sizes = [batch, ...shape.slice(1)];
          return [contextInput(name), input(contextInput(name), dtype, axes, sizes as never)];
        }),
      ),
    hooks: (parameters: UserLlmTree, inputs) => {
      const read = context.map(([name]) => [name, inputs[contextInput(name)]!] as const);
      return model.fusion.hooks(parameters.fusion as never, Object.fromEntries(read));
    },
  };
}

/** The LLM's weights by its own names, with LoRA's merged into them. */
export function mergedLlmWeights({ config, llm }: UserLlmModel, weights: Weights): Readonly<Record<string, Tensor>> {
  const of = (part: string): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(weights)
        .filter(([name]) => name.startsWith(`${part}.`))
        .map(([name, tensor]) => [name.slice(part.length + 1), tensor as unknown as Tensor]),
    );
  return config.lora ? mergeLora(of('llm'), of('lora'), config.lora, llm.linearMaps) : of('llm');
}
