import { z } from 'zod';
import type { UserModel } from '../user-model.js';
import { chatBody, completionBody, longestUser } from './completion-requests.js';
import { eventBody, eventsBody, idempotencyKey } from './events.js';
import { searchQuery } from './model-routes.js';
import { historyQuery, rankingQuery } from './user-routes.js';

/** One route as the document shows it. */
interface Route {
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly headers?: Readonly<Record<string, z.ZodType>>;
  readonly body?: z.ZodType;
  /** What comes back where the route does what it is asked. */
  readonly answers: string;
  /** Statuses of errors beside those of every route. */
  readonly errors?: readonly number[];
  /** The content type of what comes back; JSON unless told. */
  readonly type?: string;
}

/** What errors say, by status. */
const errors: Readonly<Record<number, string>> = {
  400: 'A field is wrong, or asks for what this server does not do.',
  401: 'No key of this server.',
  403: 'A name that the server does not go by.',
  404: 'No such user or model.',
  410: 'The user was deleted.',
  413: 'A body that is too large.',
  422: 'An Idempotency-Key of another request.',
  429: 'Too many requests wait; Retry-After says when to come again.',
  503: 'The server is about to end.',
  504: 'The request took too long.',
};

/** Every route of the API, by method and path. */
function routes(recommendsBy: UserModel['recommendsBy']): Readonly<Record<string, Route>> {
  const asked = [400, 404, 410, 413, 429, 504];
  const answer = 'The answer, in the form of OpenAI; server-sent events with `stream`.';
  return {
    'post /v1/chat/completions': { summary: 'Answer messages', body: chatBody, answers: answer, errors: asked },
    'post /v1/completions': { summary: 'Answer a prompt', body: completionBody, answers: answer, errors: asked },
    'get /v1/models': { summary: 'The one model there is', answers: 'A list of one model.' },
    'get /v1/models/{model}': { summary: 'The model', answers: 'The model.', errors: [404] },
    'post /v1/users/{user}/events': {
      summary: 'Append events to a user, who is made where there is none',
      headers: { 'Idempotency-Key': idempotencyKey },
      body: z.union([eventBody, eventsBody]),
      answers: 'How many events the user has, and which items the model does not know; 201 for a new user.',
      errors: [400, 410, 413, 422, 429, 504],
    },
    'get /v1/users/{user}': {
      summary: 'The latest events of a user',
      query: historyQuery,
      answers: 'How many events, and the latest ones, newest last.',
      errors: [400, 404, 429, 504],
    },
    'delete /v1/users/{user}': { summary: 'Delete all that is kept of a user', answers: 'That it was done.' },
    'get /v1/users/{user}/recommendations': {
      summary: 'Items for the user, best first',
      query: rankingQuery(recommendsBy),
      answers: 'A list of items with rank and score.',
      errors: [400, 404, 410, 429, 504],
    },
    'get /v1/items': { summary: 'Items by title', query: searchQuery, answers: 'A list of items.', errors: [400] },
    'get /v1/examples': { summary: 'Users and questions to try', answers: 'Their names and texts.' },
    'get /health': { summary: 'Whether new work is taken', answers: 'That it is, and how much is under way.' },
    'get /live': { summary: 'Whether the process lives', answers: 'That it does.' },
    'get /metrics': { summary: 'Prometheus metrics', answers: 'Their text.', type: 'text/plain' },
    'get /openapi.json': { summary: 'This document', answers: 'OpenAPI 3.1.' },
  };
}

const errorSchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

/**
 * The OpenAPI 3.1 document of a server, made of the schemas that check its requests.
 *
 * @param secured Whether requests under `/v1` need a key.
 */
export function openApiDocument(
  { name, recommendsBy }: Pick<UserModel, 'name' | 'recommendsBy'>,
  secured: boolean,
): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const [key, route] of Object.entries(routes(recommendsBy))) {
    const [method, path] = key.split(' ') as [string, string];
    paths[path] = { ...paths[path], [method]: operation(path, route, secured && path.startsWith('/v1/')) };
  }
  return {
    openapi: '3.1.0',
    info: { title: `${name}: answers about users`, version: '1' },
    paths,
    components: {
      schemas: { Error: schemaOf(errorSchema) },
      ...(secured && { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } }),
    },
  };
}

function operation(path: string, route: Route, needsKey: boolean): object {
  const { summary, query, headers = {}, body, answers, type = 'application/json' } = route;
  const statuses = [...(route.errors ?? []), ...(needsKey ? [401] : []), 403, 503].sort();
  const error = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return {
    summary,
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string', minLength: 1, ...(name === 'user' && { maxLength: longestUser }) },
      })),
      ...Object.entries(headers).map(([name, schema]) => ({ name, in: 'header', schema: schemaOf(schema) })),
      ...Object.entries(query?.shape ?? {}).map(([name, schema]) => ({ name, in: 'query', schema: schemaOf(schema) })),
    ],
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: {
      '2XX': { description: answers, content: { [type]: {} } },
      ...Object.fromEntries(statuses.map((status) => [status, { description: errors[status], content: error }])),
    },
    ...(needsKey && { security: [{ key: [] }] }),
  };
}

/** What may be sent, as JSON Schema. */
function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input' });
  return described;
}
