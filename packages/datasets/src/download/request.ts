import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';

const mostRedirects = 5;

/** How long a server may be silent, in milliseconds. */
export const patience = 30_000;

/**
 * Asks for an address, follows redirects, and gives the answer with its body unread and as the server keeps it: with
 * `fetch` a compressed file could come decompressed, and its bytes could not be resumed.
 *
 * @throws Error of Node.js when there is no answer.
 */
export async function request(
  address: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  let url = new URL(address);
  for (let redirects = 0; ; redirects++) {
    const answer = await ask(url, headers, signal);
    const { location } = answer.headers;
    const moved = [301, 302, 303, 307, 308].includes(answer.statusCode ?? 0);
    if (!moved || location === undefined || redirects === mostRedirects) return answer;
    answer.destroy();
    url = new URL(location, url);
  }
}

function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const get = url.protocol === 'http:' ? getHttp : getHttps;
  return new Promise((resolve, reject) => {
    const options = { headers: { 'accept-encoding': 'identity', ...headers }, timeout: patience };
    const asked = get(url, { ...options, ...(signal && { signal }) }, resolve);
    asked.on('timeout', () => asked.destroy(Object.assign(new Error('the server is silent'), { code: 'ETIMEDOUT' })));
    asked.on('error', reject);
  });
}
