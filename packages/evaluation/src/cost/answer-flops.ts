import { concat, flops, input, reshape, slice, type Graph, type Symbolic } from '@user-llm/graph';
import type { EncodedEvents, UserContext } from '@user-llm/plugin';
import { eventInputs, eventNames, modelGraph, type UserLlmModel, type UserLlmTree } from '@user-llm/user-llm';
import type { FlopsByPart } from './answer-cost.js';

// T events, E user width, L tokens, D model width, P places of the cache.

/** How large an answer is. */
export interface AnswerSize {
  /** Events of the history; only as many as the model reads cost anything. */
  readonly historyEvents: number;
  readonly promptTokens: number;
  /** Tokens that are generated, the first included. */
  readonly answerTokens: number;
}

/**
 * Operations of one answer from the model's own graphs: the encoder, the compressor, the fusion's context, reading the
 * prompt up to the first token, and each further token with the earlier ones cached.
 *
 * @param user `scratch` computes the user's context, `cached` has it, `none` is the LLM alone, as for a text prompt.
 */
export function answerFlops(
  model: UserLlmModel,
  { historyEvents, promptTokens, answerTokens }: AnswerSize,
  user: 'scratch' | 'cached' | 'none',
): FlopsByPart {
  const events = Math.max(1, Math.min(historyEvents, model.maximumEvents));
  const context = user === 'none' ? undefined : contextInputs(model, events);
  const soft = context === undefined ? 0 : softPromptTokens(model, context);
  const places = soft + promptTokens + answerTokens;
  const llm = {
    prefill: flops(decodeGraph(model, promptTokens, places, context, true)),
    decode: Math.max(0, answerTokens - 1) * flops(decodeGraph(model, 1, places, context, false)),
  };
  if (user !== 'scratch') return llm;
  const encoded = flops(encoderGraph(model, events));
  const compressed = flops(userSideGraph(model, events, 'compressor'));
  const whole = flops(userSideGraph(model, events, 'context'));
  return { encoder: encoded, compressor: compressed, context: whole - compressed, ...llm };
}

const part = (tree: UserLlmTree, name: keyof UserLlmTree): never => tree[name] as never;

function encoderGraph(model: UserLlmModel, events: number): Graph {
  const { batch, inputs } = eventInputs(model.features, 1, events);
  return modelGraph(model, inputs, (tree) => ({
    events: model.encoder.apply(part(tree, 'encoder'), batch).events,
  }));
}

/** From the embeddings of events to latents, or on to what the LLM reads. */
function userSideGraph(model: UserLlmModel, count: number, until: 'compressor' | 'context'): Graph {
  const width = model.encoder.userWidth;
  const events = input('events', 'float32', ['batch', 'event', 'userWidth'], [1, count, width]);
  const mask = input(eventNames.mask, 'bool', ['batch', 'event'], [1, count]);
  const encoded = { events, mask } as EncodedEvents;
  return modelGraph(model, [events, mask], (tree) =>
    until === 'context'
      ? model.contextOf(tree, encoded)
      : { latents: model.compressor.apply(part(tree, 'compressor'), encoded).latents },
  );
}

/** What the LLM reads of a user, as inputs. */
function contextInputs(model: UserLlmModel, events: number): UserContext {
  const { outputs } = userSideGraph(model, events, 'context');
  const made = Object.entries(outputs).map(([name, { dtype, axes, shape }]) => {
    return [name, input(`context.${name}`, dtype, axes, shape as never) as Symbolic] as const;
  });
  return Object.fromEntries(made);
}

function softPromptTokens(model: UserLlmModel, context: UserContext): number {
  let tokens = 0;
  modelGraph(model, Object.values(context), (tree) => {
    const prompt = model.prompt(tree, context);
    tokens = (prompt?.shape[1] as number | undefined) ?? 0;
    return prompt ? { prompt } : {};
  });
  return tokens;
}

/** New tokens after cached ones, up to the logits of the next. */
function decodeGraph(
  model: UserLlmModel,
  tokens: number,
  places: number,
  context: UserContext | undefined,
  first: boolean,
): Graph {
  const { llm } = model;
  const { heads, headSize } = llm.cache;
  const ids = input('tokens', 'int32', ['batch', 'token'], [1, tokens]);
  const lengths = input('lengths', 'int32', ['batch'], [1]);
  const cache = (name: string) =>
    input(name, 'float32', ['batch', 'keyValueHead', 'place', 'headSize'], [1, heads, places, headSize]);
  const caches = Array.from({ length: llm.layers }, (_, layer) => ({
    keys: cache(`keys.${layer}`),
    values: cache(`values.${layer}`),
  }));
  const inputs = [ids, lengths, ...caches.flatMap(({ keys, values }) => [keys, values])] as Symbolic[];
  return modelGraph(model, [...inputs, ...Object.values(context ?? {})], (tree) => {
    const embedded = llm.embed(part(tree, 'llm'), ids);
    const prompt = first && context ? model.prompt(tree, context) : undefined;
    const embeddings = prompt ? concat([prompt, embedded], 'token') : embedded;
    const { hidden } = model.decode(tree, { embeddings, lengths, caches, ...(context && { context }) });
    const last = hidden.shape[1] as number;
    const row = reshape(slice(hidden, 'token', last - 1, last), ['row', 'modelWidth'], [1, llm.modelWidth]);
    return { logits: llm.logits(part(tree, 'llm'), row) };
  });
}
