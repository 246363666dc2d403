import type { ServerResponse } from 'node:http';
import { UserLlmError } from '@user-llm/tensor';

/** What ends the work on one request before it is done. */
export interface RequestSignal {
  readonly signal: AbortSignal;
  /** Ends the work for another reason. */
  abort(reason: Error): void;
  /** Call it when the answer is out. */
  done(): void;
}

/**
 * A signal that aborts when the client goes away, when the deadline passes, when the server ends, or when it is told to.
 *
 * Its reason is a UserLlmError: `client-gone`, `deadline`, what `server` aborts with, or what it is told.
 *
 * @param deadline Milliseconds from now.
 */
export function requestSignal(response: ServerResponse, deadline: number, server: AbortSignal): RequestSignal {
  const own = new AbortController();
  const gone = () => {
    if (!response.writableFinished) own.abort(new UserLlmError('client-gone', { what: 'the client went away' }));
  };
  response.once('close', gone);
  const timer = setTimeout(() => {
    own.abort(
      new UserLlmError('deadline', {
        what: 'this request',
        expected: `an answer within ${deadline} ms`,
        got: 'none',
        mend: 'Ask for fewer tokens, or raise the deadline of the server.',
      }),
    );
  }, deadline);
  const stop = () => own.abort(server.reason);
  if (server.aborted) stop();
  else server.addEventListener('abort', stop, { once: true });
  return {
    signal: own.signal,
    abort: (reason) => own.abort(reason),
    done: () => {
      clearTimeout(timer);
      response.removeListener('close', gone);
      server.removeEventListener('abort', stop);
    },
  };
}
