import type { EvaluationData } from '../data/evaluation-data.js';
import type { Candidate } from './candidate.js';
import { languageCandidate, type AnsweringModel, type LanguageOptions } from './language.js';

/** The User-LLM: the LLM reads the user's embeddings, and its prompt is the question alone. */
export function userLlmCandidate(
  data: Pick<EvaluationData, 'catalogue' | 'places'>,
  userLlm: AnsweringModel,
  options: LanguageOptions = {},
): Candidate {
  const { fusion } = userLlm.model.config;
  return languageCandidate(
    data,
    userLlm,
    {
      name: options.name ?? `User-LLM by ${fusion.name}`,
      description: `the LLM reads the user's embeddings by ${fusion.name}; items by beam search over titles`,
      put: ({ example }) => ({ user: example.history, prompt: example.instruction }),
    },
    options,
  );
}
