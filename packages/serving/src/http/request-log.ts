import { createHmac, randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { UserLlmError } from '@user-llm/tensor';
import type { AdmissionQueue } from '../work/admission-queue.js';
import type { Metrics } from '../work/metrics.js';
import { problemOf } from './problem.js';

/**
 * Answers errors, and logs and counts every request by its route's pattern. A user appears as a hash whose salt changes
 * with every start, also where an error's text names the user.
 */
export function addRequestLog(app: FastifyInstance, metrics: Metrics, queue: AdmissionQueue): void {
  const salt = randomBytes(16);
  const hash = (user: string) => createHmac('sha256', salt).update(user).digest('hex').slice(0, 12);
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.request(route, reply.statusCode);
    const user = request.aboutUser;
    const line = { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    request.log.info({ ...line, ...(user !== '' && { user: hash(user) }) }, 'request');
    await Promise.resolve();
  });
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = problemOf(error);
    const user = request.aboutUser;
    if (status >= 500 && status !== 503) {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const code = UserLlmError.isInstance(error) ? error.code : 'internal-error';
      request.log.error({ code, stack: user === '' ? stack : stack.replaceAll(user, hash(user)) }, 'request failed');
    }
    if (status === 429) reply.header('retry-after', queue.retryAfterSeconds);
    return reply.code(status).send(body);
  });
}
