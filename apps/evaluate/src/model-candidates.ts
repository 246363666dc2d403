import {
  encoderCandidate,
  textPromptCandidate,
  userLlmCandidate,
  type Candidate,
  type EvaluationData,
} from '@user-llm/evaluation';
import { UserLlmError } from '@user-llm/tensor';
import type { UserLlm } from '@user-llm/user-llm';

/** Who is judged when nobody is named. */
export const usualCandidates = ['baselines', 'encoder', 'user-llm', 'text-10', 'text-50'];

const textPrompt = /^text-(?<events>[1-9]\d*)$/u;

/**
 * The names in a list of candidates.
 *
 * @throws UserLlmError `unknown-candidate` for a name of nobody, or none at all.
 */
export function parseCandidates(list: string): string[] {
  const names = [...new Set(list.split(',').map((name) => name.trim()))].filter((name) => name !== '');
  const unknown = names.find((name) => !usualCandidates.includes(name) && !textPrompt.test(name));
  if (unknown === undefined && names.length > 0) return names;
  throw new UserLlmError('unknown-candidate', {
    what: '--candidates',
    expected: 'names among baselines, encoder, user-llm, text-N (N last events in words), with commas between',
    got: unknown === undefined ? 'none' : JSON.stringify(unknown),
  });
}

/**
 * The candidates of a model by name, in the order of the names.
 *
 * @param textModel Whose LLM answers text prompts.
 */
export function modelCandidates(
  names: readonly string[],
  data: EvaluationData,
  userLlm: UserLlm,
  textModel: UserLlm,
): Candidate[] {
  return names.flatMap((name) => {
    if (name === 'encoder') return [encoderCandidate(data, userLlm)];
    if (name === 'user-llm') return [userLlmCandidate(data, userLlm)];
    const lastEvents = textPrompt.exec(name)?.groups?.['events'];
    return lastEvents === undefined ? [] : [textPromptCandidate(data, textModel, { lastEvents: Number(lastEvents) })];
  });
}
