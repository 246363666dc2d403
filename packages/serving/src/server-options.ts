import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

const count = (least: number) => z.int().min(least);

/** Limits of a server. */
export const serverLimits = z.strictObject({
  concurrency: count(1).default(8).describe('requests that the model works on at once'),
  waiting: count(0).default(32).describe('requests that may wait for the model; more get 429'),
  deadlineMs: count(1).default(60_000).describe('milliseconds a request may take, waiting included'),
  maximumTokens: count(1).default(512).describe('most tokens of an answer that may be asked for'),
  defaultTokens: count(1).default(64).describe('most tokens of an answer where the request does not say'),
  maximumBodyBytes: count(1)
    .default(1 << 20)
    .describe('largest body of a request, in bytes'),
  maximumEvents: count(1).default(1000).describe('latest events kept of a user'),
  cachedUsers: count(0).default(1000).describe('users whose context is kept in memory'),
});

/** Limits of a server, as they are given: each has a default. */
export type ServerLimits = z.input<typeof serverLimits>;

/**
 * Checks limits and fills in defaults.
 *
 * @throws UserLlmError `bad-options` when one is out of range or unknown.
 */
export function readLimits(limits: ServerLimits = {}): z.output<typeof serverLimits> {
  const parsed = serverLimits.safeParse(limits);
  if (parsed.success) return parsed.data;
  throw new UserLlmError('bad-options', {
    what: 'limits of the server',
    expected: Object.keys(serverLimits.shape).join(', '),
    got: z.prettifyError(parsed.error),
  });
}
