import { AnswerLosses } from '../model/answer-losses.js';
import type { ModelInHand } from '../model/model-in-hand.js';

/** How well a model tells texts that have nothing to do with users. */
export interface Perplexity {
  /** The exponential of the mean negative log-likelihood per token, in nats; 1 at best. */
  readonly perplexity: number;
  /** Tokens told, the end of each text included. */
  readonly tokens: number;
}

/**
 * The perplexity of texts without a user: compared before and after tuning it tells what the LLM has kept of its language.
 *
 * @param texts At least one; each is told on its own, and none may be longer than the LLM's context.
 */
export async function perplexityOf(
  held: ModelInHand,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<Perplexity> {
  const losses = new AnswerLosses(held);
  try {
    const told = await losses.ofTexts(texts, signal);
    const tokens = told.reduce((sum, text) => sum + text.tokens, 0);
    const loss = told.reduce((sum, text) => sum + text.loss * text.tokens, 0) / tokens;
    return { perplexity: Math.exp(loss), tokens };
  } finally {
    await losses.dispose();
  }
}
