import type { FastifyInstance } from 'fastify';
import { UserLlmError } from '@user-llm/tensor';
import { tenantFinder, type ApiKey } from './api-keys.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose users this request is about. */
    tenant: string;
    /** The user it is about, once that is known; for `addRequestLog`, which hashes it. */
    aboutUser: string;
  }
}

/** Who may come in, and when. */
export interface GuardOptions {
  readonly apiKeys: readonly ApiKey[];
  /** Names that requests may call the server by; any when absent. */
  readonly hosts?: readonly string[] | undefined;
  draining(): boolean;
}

/** Routes that answer while the server drains. */
const always = new Set(['/live', '/health', '/metrics']);

/** Checks every request before its body is read: the name it calls, whether the server drains, and its key. */
export function addGuards(app: FastifyInstance, { apiKeys, hosts, draining }: GuardOptions): void {
  const tenantOf = tenantFinder(apiKeys);
  // A web page can send text/plain to any server without asking; JSON it cannot.
  app.removeContentTypeParser('text/plain');
  const json = app.getDefaultJsonParser('error', 'error');
  // Clients announce JSON with every request, also where there is no body.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null);
    else void json(request, body as string, done);
  });
  app.decorateRequest('tenant', '');
  app.decorateRequest('aboutUser', '');
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    checkHost(request.hostname, hosts);
    const route = request.routeOptions.url ?? '';
    if (draining() && !always.has(route)) {
      reply.headers({ 'retry-after': '5', connection: 'close' });
      throw new UserLlmError('draining', { what: 'this server', expected: 'another to take over', got: 'a restart' });
    }
    if (route.startsWith('/v1/')) request.tenant = tenantOf(request.headers.authorization);
    await Promise.resolve();
  });
  app.setNotFoundHandler(() => {
    throw new UserLlmError('route-not-found', {
      what: 'the path',
      expected: 'a route of this server',
      got: 'another',
      mend: 'See the page at / for what there is.',
    });
  });
}

function checkHost(host: string, allowed: readonly string[] | undefined): void {
  if (!allowed || allowed.includes(host)) return;
  throw new UserLlmError('bad-host', {
    what: 'the Host header',
    expected: allowed.join(' or '),
    got: 'another name',
    mend: 'Call this server by that name, or set API keys.',
  });
}
