import { z } from 'zod';
import { BadRequest } from './problem.js';

/**
 * Checks a part of a request.
 *
 * @throws BadRequest of the first field that is wrong.
 */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const more = parsed.error.issues.length - 1;
  throw new BadRequest(issue.path.join('.'), `${expectedBy(issue)}${more > 0 ? ` (and ${more} more)` : ''}`);
}

/** A whole number as a query has it. */
export function wholeNumber(least: number, most: number): z.ZodType<number, string> {
  const expected = `a whole number of ${least} to ${most}`;
  return z.string().regex(/^\d+$/, expected).transform(Number).pipe(z.int().min(least, expected).max(most, expected));
}

/** What would have been right: zod says it behind what was wrong, our own messages say it alone. */
function expectedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `no field ${issue.keys.join(', ')}`;
  return issue.message.replace(/^(?:Invalid|Too)[^:]*: expected /, '');
}
