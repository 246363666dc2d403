import type { TextTokenizer, UserEncoderModule } from '@user-llm/plugin';
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
  throw noLlm(stage);
}

/** The error of a stage that cannot do without an LLM. */
export function noLlm(stage: string): UserLlmError {
  return new UserLlmError('bad-config', {
    what: `stage ${stage}`,
    expected: 'a model with an LLM, and text for its tokenizer',
    got: 'a user encoder alone',
    mend: 'Give model.llm and text, or leave the stage out.',
  });
}

/**
 * An encoder's scores of items, for stages that cannot do without.
 *
 * @throws UserLlmError `bad-config` when the encoder does not score items by embeddings.
 */
export function requireItemScores(
  stage: string,
  { itemScores }: UserEncoderModule,
): NonNullable<UserEncoderModule['itemScores']> {
  if (itemScores) return itemScores;
  throw new UserLlmError('bad-config', {
    what: `stage ${stage}`,
    expected: 'an encoder with itemScores',
    got: 'one without',
    mend: 'Leave the stage out.',
  });
}

/**
 * The error for a stage whose `field` needs titles to choose among, where there are none.
 *
 * @param asksItems Whether the stage asks for items at all.
 */
export function noTitles(stage: string, field: string, asksItems: boolean): UserLlmError {
  return new UserLlmError('bad-config', {
    what: `stage ${stage}, ${field}`,
    expected: 'titles to choose an item among',
    got: asksItems ? "none: the model's titles are free, or the catalogue is empty" : 'no task whose answers are items',
    mend: `${asksItems ? "Give the model titles: 'constrained', or leave" : 'Leave'} ${field} out.`,
  });
}
