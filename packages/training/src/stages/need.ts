import type { TextTokenizer } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import type { UserLlmModel } from '@user-llm/user-llm';
import type { StageInputs } from './stage.js';

/**
 * The LLM and its tokenizer, for stages that cannot do without.
 *
 * @throws UserLlmError `bad-config` when the run has none.
 */
export function requireLlm(
  stage: string,
  { model, text }: StageInputs,
): { readonly userLlm: UserLlmModel; readonly text: TextTokenizer } {
  if (model.userLlm && text) return { userLlm: model.userLlm, text };
  throw new UserLlmError('bad-config', {
    what: `stage ${stage}`,
    expected: 'a model with an LLM, and text for its tokenizer',
    got: 'a user encoder alone',
    mend: 'Give model.llm and text, or leave the stage out.',
  });
}
