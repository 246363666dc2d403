import { readFile } from 'node:fs/promises';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

const token = z.int().min(0);
const tokens = z.array(token);

/** What a reference says of an LLM; further fields are passed over. */
const goldenFile = z.looseObject({
  cases: z
    .array(
      z.looseObject({
        /** The prompt in words, for the eye. */
        prompt: z.string().optional(),
        /** The prompt's tokens, the beginning one included where the LLM wants one. */
        ids: tokens.min(1),
        /** The largest logits behind the prompt, largest first. */
        top5: z.array(z.looseObject({ id: token, logit: z.number() })).min(1),
        /** The tokens that follow when the likeliest is taken each time, also behind one that ends an answer. */
        greedy: tokens,
      }),
    )
    .min(1),
  /** Mean negative log-likelihood, in nats, of the tokens of a text behind the first. */
  loss: z.looseObject({ ids: tokens.min(2), value: z.number() }).nullish(),
});

/** What a reference says of an LLM. */
export type GoldenFile = z.output<typeof goldenFile>;

/**
 * Reads what a reference says of an LLM.
 *
 * @throws UserLlmError `unreadable-file`; `bad-golden` when it is no JSON, or lacks a field.
 */
export async function readGoldenFile(path: string): Promise<GoldenFile> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UserLlmError('unreadable-file', {
      what: path,
      expected: 'a file that can be read',
      got: messageOf(cause),
      mend: 'Correct --golden.',
      cause,
    });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw badGolden(path, 'JSON', messageOf(cause), cause);
  }
  const parsed = goldenFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw badGolden(path, 'cases[].ids, .top5[].{id,logit} and .greedy', problems.slice(0, 5).join('; '), parsed.error);
}

/** The error of a golden file that says nothing, or not of this LLM. */
export function badGolden(what: string, expected: string, got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-golden', {
    what,
    expected,
    got,
    mend: 'Make the file as user-llm-evaluate parity --help says, with the same checkpoint.',
    cause,
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
