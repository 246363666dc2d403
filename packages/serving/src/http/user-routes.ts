import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { UserKey } from '@user-llm/plugin';
import { z } from 'zod';
import { userDeleted } from '../users/users.js';
import { userNotFound } from '../work/answers.js';
import { longestUser } from './completion-requests.js';
import { readAppend, readRequestName } from './events.js';
import { parse, wholeNumber } from './parse.js';
import type { Services } from './services.js';

const path = z.object({ user: z.string().min(1).max(longestUser) });
const truth = z.enum(['true', 'false']).transform((text) => text === 'true');
/** The query of `GET /v1/users/{user}`. */
export const historyQuery = z.strictObject({ limit: wholeNumber(0, 1000).default(50) });

/** The schema of the query of a user's recommendations. */
export type RankingQuery = z.ZodObject<{
  readonly k: z.ZodType<number>;
  readonly by: z.ZodType<'encoder' | 'llm'>;
  readonly exclude_seen: z.ZodType<boolean>;
}>;

/** The query of a user's recommendations, of a model that makes them in these ways. */
export function rankingQuery(recommendsBy: readonly ('encoder' | 'llm')[]): RankingQuery {
  return z.strictObject({
    k: wholeNumber(1, 1000).default(10),
    by: z.enum(recommendsBy, `one of ${recommendsBy.join(', ')}`).default(recommendsBy[0] ?? 'encoder'),
    exclude_seen: truth.default(true),
  });
}

/** Adds `/v1/users/{user}`, its `events` and its `recommendations`. */
export function addUserRoutes(app: FastifyInstance, services: Services): void {
  const { model, catalogue, users, contexts, queue, asked, signalOf } = services;
  const ranking = rankingQuery(model.recommendsBy);

  app.post('/v1/users/:user/events', async (request, reply) => {
    const key = keyOf(request);
    const { events, restore } = readAppend(request.body, key.user, Date.now());
    const name = readRequestName(request.headers['idempotency-key'], request.body);
    const watermark = await queue.run(signalOf(reply), async () => {
      if (restore) await users.restore(key);
      return users.append(key, events, name);
    });
    const created = watermark === events.length;
    const unknown = [...new Set(events.map(({ item }) => item).filter((item) => !catalogue.has(item)))];
    return reply
      .code(created ? 201 : 200)
      .send({ id: key.user, object: 'user', events: watermark, unknown_items: unknown });
  });

  app.get('/v1/users/:user', async (request, reply) => {
    const key = keyOf(request);
    const { limit } = parse(historyQuery, request.query);
    const record = (await users.stored(key)) ?? (await queue.run(signalOf(reply), () => users.find(key)));
    if (!record) throw userNotFound();
    const history = limit === 0 ? [] : record.events.slice(-limit);
    return {
      id: key.user,
      object: 'user',
      events: record.watermark,
      encoder: record.state.encoder,
      history: history.map((event) => catalogue.describe(event)),
    };
  });

  app.delete('/v1/users/:user', async (request) => {
    const key = keyOf(request);
    const { existed } = await users.delete(key);
    contexts.forget(key);
    asked.breakOff(key, userDeleted());
    return { id: key.user, object: 'user.deleted', deleted: true, existed, time: new Date().toISOString() };
  });

  app.get('/v1/users/:user/recommendations', async (request, reply) => {
    const key = keyOf(request);
    const { k, by, exclude_seen } = parse(ranking, request.query);
    const signal = signalOf(reply, key);
    const data = await queue.run(signal, async () => {
      const record = await users.find(key);
      if (!record) throw userNotFound();
      const exclude = exclude_seen ? [...new Set(record.events.map(({ item }) => item))] : [];
      return model.recommend(record.state, k, { by, exclude, signal });
    });
    return { object: 'list', user: key.user, by, data: data.map((entry, at) => ({ rank: at + 1, ...entry })) };
  });

  function keyOf(request: FastifyRequest): UserKey {
    const { user } = parse(path, request.params);
    request.aboutUser = user;
    return { tenant: request.tenant, user };
  }
}
