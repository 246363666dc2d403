import { setMaxListeners } from 'node:events';
import type { AddressInfo } from 'node:net';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyReply } from 'fastify';
import type { UserStore } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { Catalogue } from './catalogue.js';
import { openTenant, type ApiKey } from './http/api-keys.js';
import { addCompletionRoutes } from './http/completion-routes.js';
import { addGuards } from './http/guards.js';
import { addModelRoutes } from './http/model-routes.js';
import { openApiDocument } from './http/openapi.js';
import { addPageRoutes } from './http/page-routes.js';
import { problemOf } from './http/problem.js';
import { addRequestLog } from './http/request-log.js';
import type { Examples, Services } from './http/services.js';
import { addUserRoutes } from './http/user-routes.js';
import { readLimits, type ServerLimits } from './server-options.js';
import type { UserModel } from './user-model.js';
import { ContextCache } from './users/context-cache.js';
import { Users, type Histories } from './users/users.js';
import { AdmissionQueue } from './work/admission-queue.js';
import { Answers } from './work/answers.js';
import { AskedUsers } from './work/asked-users.js';
import { Metrics } from './work/metrics.js';
import { OpenRequests } from './work/open-requests.js';
import { requestSignal } from './work/request-signal.js';

/** What a server is made of. */
export interface ServerOptions<Context> {
  readonly model: UserModel<Context>;
  /** Closed by who opened it, after the server. */
  readonly store: UserStore;
  /** Where users come from who are not in the store; nobody when absent. */
  readonly histories?: Histories;
  /** Keys that let clients in, with their tenants; everyone may come in when absent or empty. */
  readonly apiKeys?: readonly ApiKey[];
  /** Names that requests may call this server by (`Host`), against web pages that rebind theirs; any when absent. */
  readonly hosts?: readonly string[];
  readonly examples?: Partial<Examples>;
  readonly limits?: ServerLimits;
  /** pino or alike; nothing is logged when absent. Users appear in it as hashes that change with every start. */
  readonly logger?: FastifyBaseLogger;
}

/** A server, listening or not. */
export interface UserLlmServer {
  /** The Fastify instance, to add routes to before `listen`. */
  readonly app: FastifyInstance;
  /**
   * Starts listening.
   *
   * @param where `port` 0 takes a free one.
   * @returns The address, such as `http://127.0.0.1:8080`.
   * @throws UserLlmError `cannot-listen` when the port is taken or the host is not this machine's.
   */
  listen(where: { readonly port: number; readonly host?: string }): Promise<string>;
  /**
   * Turns new work away, lets what has begun end, and closes.
   *
   * @param limitMs Milliseconds after which what is still at work is broken off.
   */
  drain(limitMs: number): Promise<void>;
  /** Breaks off what is at work and closes. */
  close(): Promise<void>;
}

/** Milliseconds in which work that is broken off may say so to its client. */
const brokenOffMs = 1000;

/**
 * An HTTP server that answers about users: OpenAI's chat and completions with the `user` field, events, deletion,
 * recommendations, health, metrics, and a page to try it.
 *
 * @throws UserLlmError `bad-options` when a limit is out of range.
 */
export function createServer<Context>(options: ServerOptions<Context>): UserLlmServer {
  const limits = readLimits(options.limits);
  const { store, histories } = options;
  const model = options.model as UserModel;
  const queue = new AdmissionQueue(limits);
  const metrics = new Metrics(queue);
  const users = new Users({ model, store, histories, maximumEvents: limits.maximumEvents });
  const contexts = new ContextCache(model, limits.cachedUsers);
  const ending = new AbortController();
  // One listener per open request.
  setMaxListeners(0, ending.signal);
  const open = new OpenRequests();
  const asked = new AskedUsers();
  let draining = false;

  const services: Services = {
    model,
    users,
    contexts,
    queue,
    metrics,
    limits,
    catalogue: new Catalogue(model.items),
    answers: new Answers({ model, users, contexts, queue, metrics }),
    asked,
    examples: { users: [], questions: [], tenant: openTenant, ...options.examples },
    signalOf: (reply, user) => {
      const { signal, abort, done } = requestSignal(reply.raw, limits.deadlineMs, ending.signal);
      reply.raw.once('close', done);
      if (user) reply.raw.once('close', asked.add(user, abort));
      return signal;
    },
  };

  const app = fastify({
    bodyLimit: limits.maximumBodyBytes,
    routerOptions: { maxParamLength: 4096 },
    // A path that is no URL: there is no route then, and none of the hooks below.
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = problemOf(error);
      void (reply as unknown as FastifyReply).code(status).send(body);
    },
    // Its own lines name the path, and with it the user.
    logController: new LogController({ disableRequestLogging: true }),
    ...(options.logger && { loggerInstance: options.logger }),
  });
  app.addHook('onRequest', async (_request, reply) => {
    open.add(reply.raw);
    await Promise.resolve();
  });
  addRequestLog(app, metrics, queue);
  addGuards(app, { apiKeys: options.apiKeys ?? [], hosts: options.hosts, draining: () => draining });

  app.get('/live', () => ({ status: 'ok' }));
  app.get('/health', (_request, reply) =>
    reply
      .code(draining ? 503 : 200)
      .send({ status: draining ? 'draining' : 'ok', running: queue.running, waiting: queue.waiting }),
  );
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  const document = openApiDocument(model, (options.apiKeys ?? []).length > 0);
  app.get('/openapi.json', () => document);
  addModelRoutes(app, services);
  addCompletionRoutes(app, services);
  addUserRoutes(app, services);
  addPageRoutes(app, new URL('../page/', import.meta.url));

  const close = async () => {
    draining = true;
    ending.abort(new UserLlmError('draining', { what: 'this server', expected: 'to go on', got: 'a restart' }));
    await open.quiet(brokenOffMs);
    // A model that does not heed its signal must not keep the process.
    app.server.closeAllConnections();
    await app.close();
  };
  return {
    app,
    close,
    listen: async ({ port, host = '127.0.0.1' }) => {
      try {
        await app.listen({ port, host });
      } catch (cause) {
        throw new UserLlmError('cannot-listen', {
          what: `${host}:${port}`,
          expected: 'a free port of this machine',
          got: cause instanceof Error ? cause.message : String(cause),
          mend: 'Choose another port, or 0 for any.',
          cause,
        });
      }
      const { address, port: taken, family } = app.server.address() as AddressInfo;
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
    },
    drain: async (limitMs) => {
      draining = true;
      await open.quiet(limitMs);
      await close();
    },
  };
}
