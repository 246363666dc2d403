import type { TextTokenizer } from '@user-llm/plugin';
import { Random, type Tensor } from '@user-llm/tensor';
import type { ContextValues, DecodeStepper, Slots } from '../decoding/decode-stepper.js';
import { chooseToken } from './choose-token.js';
import { parseGenerationOptions, type GenerationOptions } from './generation-options.js';
import type { TitleTrie } from '../ranking/title-trie.js';
import { requireTitlesFit, TitleWalk } from './title-walk.js';
import { StopWatch, TextStream } from './text-stream.js';

/** Why an answer ended: its end token, a stop text, or no more tokens allowed. */
export type FinishReason = 'end' | 'stop' | 'length';

/** A piece of an answer. */
export interface GeneratedPiece {
  /** Which of the prompts it answers. */
  readonly row: number;
  /** What is added to the answer; may be empty. */
  readonly text: string;
  /** The token that was chosen. */
  readonly token: number;
  /** Set with the last piece of a row. */
  readonly finish?: FinishReason;
}

/** What a run of generation is given besides its options. */
export interface GenerationInputs {
  readonly stepper: DecodeStepper;
  /** `ends` are all tokens that end an answer; `end` alone where it has none. */
  readonly tokenizer: Pick<TextTokenizer, 'decode' | 'end'> & { readonly ends?: readonly number[] };
  /** Tokens of each prompt, the beginning token included where the LLM wants one. */
  readonly prompts: readonly (readonly number[])[];
  /** What the LLM reads beside the tokens, one entry per prompt. */
  readonly context?: ContextValues;
  /** The titles of a catalogue, where every answer is to be one of them: nothing else can come out, nor stop it. */
  readonly titles?: TitleTrie;
  /** Ends the run early: the iterator rejects with `aborted`. */
  readonly signal?: AbortSignal;
}

/** One prompt's answer in progress. */
interface Row {
  readonly row: number;
  readonly seen: Set<number>;
  readonly random: ReturnType<Random['stream']>;
  readonly stream: TextStream;
  readonly watch: StopWatch;
  readonly walk: TitleWalk | undefined;
  left: number;
}

/**
 * Answers several prompts at once, piece by piece as tokens are chosen. A row's answer depends on its own prompt and
 * number alone, not on the other rows. Ending the iteration early releases everything.
 *
 * @throws UserLlmError `bad-argument` for options or titles that do not fit, `too-many-tokens` for a prompt that does
 *   not, `not-finite` for logits that are NaN, `aborted`.
 */
export async function* generate(
  { stepper, tokenizer, prompts, context, titles, signal }: GenerationInputs,
  options: GenerationOptions,
): AsyncGenerator<GeneratedPiece, void, undefined> {
  const parsed = parseGenerationOptions(options);
  requireTitlesFit({ stepper, prompts }, titles, parsed);
  const ends = endsOf(tokenizer);
  const random = Random.fromSeed(parsed.seed).split('generation');
  const longest = prompts.reduce((length, prompt) => Math.max(length, prompt.length), 0);
  const room = Math.min(stepper.maximumTokens, stepper.prefixTokens + longest + parsed.maximumTokens);
  const run = { ...(context && { context }), ...(signal && { signal }) };
  const first = await stepper.prefill(prompts, { room, ...run });
  let { slots } = first;
  let rows: (Row | undefined)[] = prompts.map((prompt, row) => ({
    row,
    seen: new Set(prompt),
    random: random.at(row).stream(),
    stream: new TextStream(tokenizer),
    watch: new StopWatch(parsed.stop),
    walk: titles && new TitleWalk(titles),
    left: parsed.maximumTokens,
  }));
  try {
    let logits: Tensor<'float32'> = first.logits;
    for (;;) {
      const tokens = rows.map(() => -1);
      for (const [slot, row] of rows.entries()) {
        if (!row) continue;
        const own = rowOf(logits, slot);
        row.walk?.constrain(own);
        const token = chooseToken(own, parsed, row.seen, row.random);
        row.seen.add(token);
        row.left--;
        const ended = row.walk?.take(token) ?? ends.has(token);
        const piece = tell(row, token, ended, slots.lengths[slot]! >= room);
        if (piece.finish) rows[slot] = undefined;
        else tokens[slot] = token;
        yield piece;
      }
      const active = rows.flatMap((row, slot) => (row ? [slot] : []));
      if (active.length === 0) return;
      const together = active.length > rows.length / 2;
      if (!together) {
        slots = await leaving(stepper, slots, active);
        rows = active.map((slot) => rows[slot]);
      }
      const next = together ? tokens : active.map((slot) => tokens[slot]!);
      logits = await stepper.step(slots, next, { reuse: logits, ...(signal && { signal }) });
    }
  } finally {
    slots.dispose();
  }
}

/** The slots of rows that go on; those of the others are released. */
async function leaving(stepper: DecodeStepper, slots: Slots, rows: readonly number[]): Promise<Slots> {
  const fewer = await stepper.arrange([{ slots, rows }]);
  slots.dispose();
  return fewer;
}

/** The tokens that end an answer. */
export function endsOf({ end, ends = [end] }: GenerationInputs['tokenizer']): ReadonlySet<number> {
  return new Set(ends);
}

function rowOf(logits: Tensor<'float32'>, row: number): Float32Array {
  const width = logits.shape[1]!;
  return logits.data.subarray(row * width, (row + 1) * width);
}

function tell({ row, stream, watch, left }: Row, token: number, ended: boolean, full: boolean): GeneratedPiece {
  if (ended) {
    const last = watch.push(stream.end());
    return { row, token, text: last.stopped ? last.text : last.text + watch.end(), finish: 'end' };
  }
  const { text, stopped } = watch.push(stream.push(token));
  if (stopped) return { row, token, text, finish: 'stop' };
  if (left > 0 && !full) return { row, token, text };
  const last = watch.push(stream.end());
  return last.stopped
    ? { row, token, text: text + last.text, finish: 'stop' }
    : { row, token, text: text + last.text + watch.end(), finish: 'length' };
}

/** The whole answers to prompts, as `generate` gives them in pieces. */
export async function generateTexts(inputs: GenerationInputs, options: GenerationOptions): Promise<string[]> {
  const texts = inputs.prompts.map(() => '');
  for await (const { row, text } of generate(inputs, options)) texts[row] += text;
  return texts;
}
