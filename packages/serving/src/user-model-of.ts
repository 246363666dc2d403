import type { Event, UserState } from '@user-llm/plugin';
import {
  encodeConversation,
  encodePrompt,
  eventInputs,
  modelGraph,
  type ContextValues,
  type UserLlm,
  type UserLlmModel,
} from '@user-llm/user-llm';
import type { UserModel } from './user-model.js';

/** How a User-LLM is served. */
export interface UserModelOptions {
  /** What the API calls it; `user-llm` when absent. */
  readonly name?: string;
}

/**
 * A User-LLM as a model that a server answers with; it stays the caller's, to be disposed of after the server.
 *
 * Answers of about one length that are asked for at the same time are written together, one token of each per step.
 */
export function userModelOf(userLlm: UserLlm, { name = 'user-llm' }: UserModelOptions = {}): UserModel<ContextValues> {
  const { textTokenizer, model } = userLlm.parts;
  const maximumTokens = model.llm.maximumTokens - prefixTokens(model);
  const countTokens: UserModel['countTokens'] = (prompt, messages) => {
    // One word without an end takes long to read: a prompt that is far too long shows it by its beginning.
    for (let length = 5 * maximumTokens; length < prompt.length; length *= 2) {
      const { length: tokens } = encodePrompt(textTokenizer, prompt.slice(0, length));
      // What follows may change the last tokens of it, but not as many.
      if (tokens > 1.2 * maximumTokens) return tokens;
    }
    return encodeConversation(textTokenizer, prompt, messages).length;
  };
  let nobody: Promise<ContextValues> | undefined;
  return {
    name,
    encoderHash: userLlm.encoderHash,
    items: userLlm.catalogue,
    recommendsBy: ['encoder', 'llm'],
    encode: (events: readonly Event[]) => userLlm.encode(events),
    append: (state: UserState, events: readonly Event[]) => userLlm.append(state, events),
    context: (state) => (state ? userLlm.context(state) : (nobody ??= userLlm.context())),
    generate: (request) => userLlm.generate(request),
    recommend: (state, count, { by, exclude, signal }) => userLlm.recommend(state, count, { by, exclude, signal }),
    countTokens,
    maximumTokens,
    longestPrompt: maximumTokens * longestToken(textTokenizer),
  };
}

/** Positions that a user's soft prompt takes before the tokens. */
function prefixTokens(model: UserLlmModel): number {
  const { batch, inputs } = eventInputs(model.features, 1, model.maximumEvents);
  const { outputs } = modelGraph(model, inputs, (tree) => {
    const prefix = model.prompt(tree, model.userContext(tree, batch));
    return prefix ? { prefix } : {};
  });
  return Number(outputs['prefix']?.shape[1] ?? 0);
}

/** UTF-16 units of the longest token's name, which are no fewer than those of the text that it stands for. */
function longestToken({ json }: UserLlm['parts']['textTokenizer']): number {
  const { vocab } = json.model;
  const names = Array.isArray(vocab) ? vocab.map(([piece]) => piece) : Object.keys(vocab);
  const added = json.added_tokens.map(({ content }) => content);
  return [...names, ...added].reduce((longest, { length }) => Math.max(longest, length), 0);
}
