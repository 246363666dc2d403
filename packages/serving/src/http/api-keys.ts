import { createHash, timingSafeEqual } from 'node:crypto';
import { UserLlmError } from '@user-llm/tensor';

/** A key that clients send as `Authorization: Bearer KEY`, and whose users it opens. */
export interface ApiKey {
  readonly key: string;
  /** Users of different tenants have nothing to do with each other. */
  readonly tenant: string;
}

/** The tenant of those who need no key. */
export const openTenant = 'default';

/**
 * Finds whose key a request carries, in a time that does not tell how much of it is right.
 *
 * @param keys When empty, every request is `openTenant`'s.
 */
export function tenantFinder(keys: readonly ApiKey[]): (authorization: string | undefined) => string {
  const hash = (key: string) => createHash('sha256').update(key).digest();
  const known = keys.map(({ key, tenant }) => ({ hash: hash(key), tenant }));
  return (authorization) => {
    if (known.length === 0) return openTenant;
    const given = hash(/^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? '');
    let found: string | undefined;
    for (const { hash: expected, tenant } of known) if (timingSafeEqual(expected, given)) found = tenant;
    if (found !== undefined) return found;
    throw new UserLlmError('bad-api-key', {
      what: 'the Authorization header',
      expected: 'Bearer and a key of this server',
      got: authorization === undefined ? 'none' : 'another',
    });
  };
}
