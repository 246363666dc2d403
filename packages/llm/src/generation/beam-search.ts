import { z } from 'zod';
import type { DecodeStepper, Slots } from '../decoding/decode-stepper.js';
import { logProbabilitiesOf } from '../ranking/ranking-options.js';
import { endsOf, type GenerationInputs } from './generate.js';
import { parseOptions } from './generation-options.js';
import { penalizeRepetitions } from './process-logits.js';
import { PromptBeams } from './prompt-beams.js';
import { StopWatch } from './text-stream.js';
import { requireTitlesFit } from './title-walk.js';

/** How beams are searched: meaning, unit and default of every field. */
export const beamOptions = z
  .strictObject({
    maximumTokens: z.number().int().positive().describe('Tokens to generate at most, per prompt.'),
    beams: z.number().int().positive().default(4).describe('Beginnings of answers that are followed up at one time.'),
    answers: z.number().int().positive().default(1).describe('Answers to give per prompt, at most as many as beams.'),
    lengthPenalty: z
      .number()
      .default(1)
      .describe('Log-likelihoods are divided by the number of tokens to this power: above 0 favours long answers.'),
    earlyStopping: z
      .union([z.boolean(), z.literal('never')])
      .default(false)
      .describe(
        'Whether to stop once as many answers as beams have ended (true), when a better one is unlikely (false), or when there can be none (never).',
      ),
    repetitionPenalty: z
      .number()
      .positive()
      .default(1)
      .describe('Multiplies log-likelihoods of tokens that occurred already.'),
    stop: z.array(z.string().min(1)).default([]).describe('Texts that end an answer; they are left out of its text.'),
  })
  .refine(({ answers, beams }) => answers <= beams, { path: ['answers'], message: 'must be at most beams' });

/** How beams are searched. */
export type BeamOptions = z.input<typeof beamOptions>;

/** An answer that beam search has found. */
export interface BeamAnswer {
  /** Its tokens, the ending one and those of a stop text included where it has ended. */
  readonly tokens: readonly number[];
  readonly text: string;
  /** Natural logarithm of its probability, divided by its number of tokens to the power of the length penalty. */
  readonly score: number;
}

/**
 * The likeliest answers to prompts by beam search, best first, as `generate(num_beams=...)` of transformers finds them.
 * What a prompt is answered depends on no other.
 *
 * @throws UserLlmError `bad-argument` for options or titles that do not fit, `too-many-tokens` for a prompt that does
 *   not, `not-finite` for logits that are NaN, `aborted`.
 */
export async function generateBeams(inputs: GenerationInputs, options: BeamOptions): Promise<BeamAnswer[][]> {
  const parsed = parseOptions('options of beam search', beamOptions, options);
  const { stepper, tokenizer, prompts, context, titles, signal } = inputs;
  requireTitlesFit(inputs, titles, parsed);
  const run = signal ? { signal } : {};
  const longest = prompts.reduce((length, prompt) => Math.max(length, prompt.length), 0);
  const room = Math.min(stepper.maximumTokens, stepper.prefixTokens + longest + parsed.maximumTokens);
  const ends = endsOf(tokenizer);
  const { stop } = parsed;
  const textOf = (tokens: readonly number[]) =>
    untilStop(tokenizer.decode(tokens.filter((token) => !ends.has(token) && token !== titles?.end)), stop);
  const stopped = stop.length > 0 ? (tokens: readonly number[]) => textOf(tokens).stopped : () => false;
  const searches = prompts.map((prompt) => {
    // One more than there are positions left: the last token is not read.
    const most = stepper.maximumTokens - stepper.prefixTokens - prompt.length + 1;
    return new PromptBeams({ ...parsed, maximumTokens: Math.min(parsed.maximumTokens, most), ends, titles, stopped });
  });
  let { slots, logits } = await stepper.prefill(prompts, { room, ...(context && { context }), ...run });
  try {
    for (;;) {
      const rows = advance(searches, logProbabilitiesOf(logits), inputs, parsed.repetitionPenalty);
      if (rows.length === 0) break;
      slots = await arranged(stepper, slots, rows);
      const next = searches.flatMap(({ beams }) => beams.map(({ tokens }) => tokens.at(-1)!));
      logits = await stepper.step(slots, next, { reuse: logits, ...run });
    }
  } finally {
    slots.dispose();
  }
  return searches.map((search) =>
    search.best(parsed.answers).map(({ tokens, score }) => ({ tokens, text: textOf(tokens).text, score })),
  );
}

/** A text up to the first stop in it. */
function untilStop(all: string, stop: readonly string[]): { readonly text: string; readonly stopped: boolean } {
  const watch = new StopWatch(stop);
  const { text, stopped } = watch.push(all);
  return { text: stopped ? text : all, stopped };
}

/** Takes every search one token further; gives the slots that what goes on continues, in order. */
function advance(
  searches: readonly PromptBeams[],
  chances: Float32Array,
  { stepper: { vocabularySize }, prompts }: GenerationInputs,
  penalty: number,
): number[] {
  let slot = 0;
  return searches.flatMap((search, at) => {
    if (search.beams.length === 0) return [];
    const first = slot;
    const own = search.beams.map(({ tokens }) => {
      const row = chances.subarray(slot * vocabularySize, ++slot * vocabularySize);
      penalizeRepetitions(row, penalty, new Set([...prompts[at]!, ...tokens]));
      return row;
    });
    search.advance(own);
    return search.beams.map(({ parent }) => first + parent);
  });
}

/** Slots of the rows, in order; the old ones are released. */
async function arranged(stepper: DecodeStepper, slots: Slots, rows: readonly number[]): Promise<Slots> {
  if (rows.length === slots.lengths.length && rows.every((row, at) => row === at)) return slots;
  const next = await stepper.arrange([{ slots, rows }]);
  slots.dispose();
  return next;
}
