import { userModelOf, type UserModel } from '@user-llm/serving';
import { loadPlugins, UserLlm } from '@user-llm/user-llm';
import type { LoadModel } from './serve.js';

/**
 * Loads a User-LLM from its folder, and has it answer a question about nobody, so that its programs are compiled before
 * the first request comes.
 *
 * @throws UserLlmError as `loadPlugins` and `UserLlm.load`.
 */
export const loadUserLlm: LoadModel = async (folder, { name, concurrency, plugins, bits, compact = false }) => {
  const userLlm = await UserLlm.load(folder, {
    answersAtOnce: concurrency,
    plugins: await loadPlugins(plugins),
    ...(bits !== undefined && { bits }),
    compact,
  });
  const dispose = () => userLlm.dispose();
  try {
    await userLlm.recommend([], 1);
    await userLlm.answers([{ prompt: '?', maximumTokens: 2 }]);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { model: userModelOf(userLlm, { name }) as UserModel, dispose };
};
