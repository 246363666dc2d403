import { userModelOf, type UserModel } from '@user-llm/serving';
import { UserLlm } from '@user-llm/user-llm';
import type { LoadModel } from './serve.js';

/**
 * Loads a User-LLM from its folder.
 *
 * @throws UserLlmError as `UserLlm.load`.
 */
export const loadUserLlm: LoadModel = async (folder, { name, concurrency }) => {
  const userLlm = await UserLlm.load(folder, { answersAtOnce: concurrency });
  return { model: userModelOf(userLlm, { name }) as UserModel, dispose: () => userLlm.dispose() };
};
