import type { Symbolic } from '@user-llm/graph';
import type { UserContext } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

/**
 * A tensor of a context.
 *
 * @throws UserLlmError `bad-context` when the context is of another fusion, or of another config.
 */
export function fromContext(context: UserContext, name: string): Symbolic {
  const found = context[name];
  if (found) return found;
  throw new UserLlmError('bad-context', {
    what: `user context ${JSON.stringify(name)}`,
    expected: 'the context that this fusion has made',
    got: `one with ${Object.keys(context).join(', ') || 'nothing'}`,
    mend: 'Compute the context again with this fusion and config.',
  });
}
