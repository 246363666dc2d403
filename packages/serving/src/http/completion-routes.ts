import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { UserLlmError } from '@user-llm/tensor';
import { streamedBody, wholeBody, type CompletionKind } from './completion-bodies.js';
import { readChat, readCompletion, type Question } from './completion-requests.js';
import type { Services } from './services.js';

/** Adds `POST /v1/chat/completions` and `POST /v1/completions`. */
export function addCompletionRoutes(app: FastifyInstance, services: Services): void {
  app.post('/v1/chat/completions', (request, reply) =>
    answer('chat', readChat(request.body, services.limits), request, reply, services),
  );
  app.post('/v1/completions', (request, reply) =>
    answer('text', readCompletion(request.body, services.limits), request, reply, services),
  );
}

async function answer(
  kind: CompletionKind,
  question: Question,
  request: FastifyRequest,
  reply: FastifyReply,
  { answers, model, signalOf }: Services,
): Promise<unknown> {
  if (question.model !== undefined && question.model !== model.name) {
    throw new UserLlmError('model-not-found', { what: 'model', expected: model.name, got: question.model });
  }
  const { tenant } = request;
  const { user } = question;
  if (user !== undefined) request.aboutUser = user;
  const signal = signalOf(reply, user === undefined ? undefined : { tenant, user });
  const started = await answers.start(tenant, question, signal);
  if (started.cached !== undefined) reply.header('x-user-llm-context', started.cached ? 'hit' : 'miss');
  reply.header('x-user-llm-events', started.events ?? 0);
  if (!question.stream) return wholeBody(kind, model.name, started);
  // A stream that nobody begins to read would never come to its own end.
  reply.raw.once('close', () => void started.close());
  reply.headers({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  const body = streamedBody(kind, model.name, started, question.includeUsage, (error) => {
    request.log.warn({ code: UserLlmError.isInstance(error) ? error.code : 'internal-error' }, 'answer broken off');
  });
  return reply.send(Readable.from(body, { highWaterMark: 1 }));
}
