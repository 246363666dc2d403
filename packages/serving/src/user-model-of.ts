import type { Event, UserState } from '@user-llm/plugin';
import { encodeConversation, type ChatMessage, type ContextValues, type UserLlm } from '@user-llm/user-llm';
import type { UserModel } from './user-model.js';

/** How a User-LLM is served. */
export interface UserModelOptions {
  /** What the API calls it; `user-llm` when absent. */
  readonly name?: string;
}

/**
 * A User-LLM as a model that a server answers with; it stays the caller's, to be disposed of after the server.
 *
 * Answers that are asked for at the same time are written together, one token of each per step.
 */
export function userModelOf(userLlm: UserLlm, { name = 'user-llm' }: UserModelOptions = {}): UserModel<ContextValues> {
  const { textTokenizer } = userLlm.parts;
  const countTokens = (prompt: string, messages?: readonly ChatMessage[]) =>
    encodeConversation(textTokenizer, prompt, messages).length;
  let nobody: Promise<ContextValues> | undefined;
  return {
    name,
    encoderHash: userLlm.encoderHash,
    items: userLlm.catalogue,
    recommendsBy: ['encoder', 'llm'],
    encode: (events: readonly Event[]) => userLlm.encode(events),
    append: (state: UserState, events: readonly Event[]) => userLlm.append(state, events),
    context: (state) => (state ? userLlm.context(state) : (nobody ??= userLlm.context())),
    generate: ({ stop = [], ...request }) => userLlm.generate({ ...request, stop: [...stop] }),
    recommend: (state, count, { by, exclude, signal }) => userLlm.recommend(state, count, { by, exclude, signal }),
    countTokens,
    answerRoom: (prompt, messages) => userLlm.model.llm.maximumTokens - countTokens(prompt, messages),
  };
}
