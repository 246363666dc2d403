import { UserLlmError } from '@user-llm/tensor';
import type { GraphOptimization, SessionOptions } from './engine.js';

/** Severity below which ONNX Runtime writes nothing to stderr: 4 is fatal, since its errors reach the caller as such. */
export const logSeverity = 4;

const optimizations: readonly GraphOptimization[] = ['none', 'basic', 'extended', 'all'];

/**
 * Checks what types alone cannot: thread counts and the optimization level.
 *
 * @throws UserLlmError `bad-session-options`.
 */
export function checkOptions(options: SessionOptions): void {
  for (const name of ['intraOpThreads', 'interOpThreads'] as const) {
    const count = options[name];
    if (count !== undefined && !(Number.isSafeInteger(count) && count >= 1 && count <= 1024)) {
      throw new UserLlmError('bad-session-options', {
        what: name,
        expected: 'a whole number from 1 to 1024',
        got: String(count),
        mend: 'Leave it away for one thread per core.',
      });
    }
  }
  const level = options.graphOptimization ?? 'all';
  if (!optimizations.includes(level)) {
    throw new UserLlmError('bad-session-options', {
      what: 'graphOptimization',
      expected: optimizations.join(', '),
      got: String(level),
    });
  }
}
