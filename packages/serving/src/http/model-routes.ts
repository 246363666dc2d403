import type { FastifyInstance } from 'fastify';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { parse, wholeNumber } from './parse.js';
import type { Services } from './services.js';

/** The query of `GET /v1/items`. */
export const searchQuery = z.strictObject({
  query: z.string().min(1).max(200),
  limit: wholeNumber(1, 100).default(10),
});

/** Adds `/v1/models`, the search of the catalogue, and what the page offers to try. */
export function addModelRoutes(app: FastifyInstance, { model, catalogue, examples }: Services): void {
  const described = { id: model.name, object: 'model', created: 0, owned_by: 'user-llm' };
  app.get('/v1/models', () => ({ object: 'list', data: [described] }));
  app.get<{ Params: { model: string } }>('/v1/models/:model', ({ params }) => {
    if (params.model === model.name) return described;
    throw new UserLlmError('model-not-found', { what: 'model', expected: model.name, got: params.model });
  });
  app.get('/v1/items', (request) => {
    const { query, limit } = parse(searchQuery, request.query);
    const data = catalogue
      .search(query, limit)
      .map(({ item, title, categories }) => ({ item, title, categories: categories ?? [] }));
    return { object: 'list', data };
  });
  app.get('/v1/examples', ({ tenant }) => {
    const users = tenant === examples.tenant ? examples.users : [];
    return { model: model.name, recommends_by: model.recommendsBy, users, questions: examples.questions };
  });
}
