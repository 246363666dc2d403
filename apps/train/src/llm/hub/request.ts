import { UserLlmError } from '@user-llm/tensor';
import type { HubSettings } from './settings.js';

/**
 * Asks the Hub for something.
 *
 * @param path Behind the endpoint, from its slash on.
 * @param from First byte that is wanted.
 * @throws UserLlmError `no-network`, `not-allowed`, `not-found`, `bad-answer` for any other refusal.
 */
export async function request(
  { endpoint, token }: HubSettings,
  path: string,
  { from = 0, signal }: { readonly from?: number; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  const url = endpoint + path;
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(from > 0 && { range: `bytes=${from}-` }) };
  const response = await fetch(url, { headers, ...(signal && { signal }) }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw noNetwork(url, cause);
  });
  if (response.ok) return response;
  await response.body?.cancel();
  throw refusal(url, response.status, token !== undefined);
}

/** The error of a connection that cannot be made, or that breaks. */
export function noNetwork(url: string, cause: unknown): UserLlmError {
  const { message, cause: inner } = cause as Error;
  return new UserLlmError('no-network', {
    what: url,
    expected: 'an answer',
    got: inner instanceof Error && inner.message ? inner.message : message,
    mend: 'Check the network, or HF_ENDPOINT; or copy the model here and give its folder. A download that was broken off is gone on with.',
    cause,
  });
}

function refusal(url: string, status: number, hasToken: boolean): UserLlmError {
  const got = `status ${status}`;
  if (status === 401 || status === 403)
    return new UserLlmError('not-allowed', {
      what: url,
      expected: 'a model that may be read',
      got,
      mend: hasToken
        ? 'Accept the terms of the model on its page, with the account of HF_TOKEN. A name that is misspelt is answered in the same way.'
        : 'Set HF_TOKEN to a token of an account that may read it. A name that is misspelt is answered in the same way.',
    });
  if (status === 404)
    return new UserLlmError('not-found', {
      what: url,
      expected: 'a model and a revision that exist',
      got,
      mend: 'Check their names.',
    });
  return new UserLlmError('bad-answer', { what: url, expected: 'status 200', got, mend: 'Try again later.' });
}
