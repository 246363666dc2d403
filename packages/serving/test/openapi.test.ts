import { afterEach, describe, expect, it } from 'vitest';
import { createServer, memoryStore } from '../src/index.js';
import { fakeModel } from './fake-model.js';
import { closeAll, serve } from './serve.js';

afterEach(closeAll);

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, object>>;
  readonly security?: object;
}

async function documentOf(options: Parameters<typeof serve>[0] = {}) {
  const { url } = await serve(options);
  const reply = await fetch(`${url}/openapi.json`);
  expect(reply.headers.get('content-type')).toContain('application/json');
  return (await reply.json()) as {
    readonly openapi: string;
    readonly paths: Record<string, Record<string, Operation>>;
  };
}

describe('/openapi.json', () => {
  it('has every route of the server but those of the page, and no other', async () => {
    const routes: string[] = [];
    const server = createServer<string>({ model: fakeModel(), store: memoryStore() });
    server.app.printRoutes({ commonPrefix: false });
    const { paths, openapi } = await documentOf();
    expect(openapi).toBe('3.1.0');
    for (const [path, methods] of Object.entries(paths))
      for (const method of Object.keys(methods)) {
        routes.push(`${method} ${path}`);
        const url = path.replace(/\{(\w+)\}/g, ':$1');
        expect(server.app.hasRoute({ method: method.toUpperCase() as 'GET', url }), `${method} ${path}`).toBe(true);
      }
    const listed = server.app.printRoutes({ commonPrefix: false, includeHooks: false });
    // Fastify answers HEAD wherever there is GET.
    const there = [...listed.matchAll(/\(([A-Z, ]+)\)/g)].flatMap(([, methods]) => methods!.split(', '));
    const page = 3;
    expect(there.filter((method) => method !== 'HEAD')).toHaveLength(routes.length + page);
    await server.close();
  });

  it('describes what is sent by the schemas that check it', async () => {
    const { paths } = await documentOf();
    const chat = paths['/v1/chat/completions']!['post']!.requestBody!.content['application/json']!.schema;
    expect(chat).toMatchObject({
      required: ['messages'],
      properties: {
        user: { anyOf: [{ type: 'string', maxLength: 256 }, { type: 'null' }] },
        temperature: expect.anything(),
      },
    });
    const { parameters } = paths['/v1/users/{user}/recommendations']!['get']!;
    expect(parameters.map(({ name, in: place }) => `${place} ${name}`)).toEqual([
      'path user',
      'query k',
      'query by',
      'query exclude_seen',
    ]);
    const append = paths['/v1/users/{user}/events']!['post']!;
    expect(append.parameters.map(({ name }) => name)).toEqual(['user', 'Idempotency-Key']);
    expect(Object.keys(append.responses)).toEqual(expect.arrayContaining(['2XX', '400', '410', '422', '429']));
  });

  it('asks for a key where the server does', async () => {
    const operation = async (options: Parameters<typeof serve>[0]) =>
      (await documentOf(options)).paths['/v1/models']!['get']!;
    expect((await operation({})).security).toBeUndefined();
    const secured = await operation({ apiKeys: [{ key: '0123456789abcdef', tenant: 'a' }] });
    expect(secured.security).toEqual([{ key: [] }]);
    expect(secured.responses).toHaveProperty('401');
  });
});
