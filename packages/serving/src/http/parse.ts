import type { z } from 'zod';
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
  const text = `${issue.message}${more > 0 ? ` (and ${more} more)` : ''}`;
  throw new BadRequest(issue.path.join('.'), text.replace(/^Invalid input: expected /, ''));
}
