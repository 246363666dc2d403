import { existsSync } from 'node:fs';
import {
  createServer,
  memoryStore,
  openLmdbStore,
  type ServerLimits,
  type UserLlmServer,
  type UserModel,
} from '@user-llm/serving';
import { UserLlmError } from '@user-llm/tensor';
import { pino, type LevelWithSilent } from 'pino';
import { defaultTenant, readApiKeys } from './api-keys.js';
import { datasetUsers } from './histories.js';
import { taskQuestions } from './questions.js';

/** Where `npm run demo` leaves what it has made, relative to the root of the clone. */
export const demoFolders = { model: 'runs/demo/model', data: 'runs/demo/data' } as const;

/** Limits of the server that have flags of the same name. */
type NamedLimits = Pick<
  ServerLimits,
  'maximumTokens' | 'defaultTokens' | 'maximumEvents' | 'maximumBodyBytes' | 'cachedUsers'
>;

/** What the command was asked to do. */
export interface ServeOptions extends NamedLimits {
  /** Folder of the model; the demo's when absent. */
  readonly model?: string;
  readonly host: string;
  readonly port: number;
  readonly data?: string;
  readonly store?: string;
  readonly apiKeyFile?: string;
  /** Modules of plugins that the model is made of. */
  readonly plugins: readonly string[];
  /** What the API calls the model. */
  readonly name: string;
  readonly questions: readonly string[];
  readonly itemNoun: string;
  readonly categoryNoun: string;
  /** Of the LLM's matrices; as they were trained when absent. */
  readonly bits?: 4 | 8;
  /** With `bits`, whether matrices are kept in their blocks alone. */
  readonly compact?: boolean;
  readonly concurrency: number;
  readonly queue: number;
  /** Seconds a request may take. */
  readonly deadline: number;
  /** Seconds that open requests get when the server is told to end. */
  readonly drain: number;
  readonly logLevel: LevelWithSilent;
}

/** How a model is loaded from its folder, and let go. */
export type LoadModel = (
  folder: string,
  options: Pick<ServeOptions, 'name' | 'concurrency' | 'plugins' | 'bits' | 'compact'>,
) => Promise<{ readonly model: UserModel; readonly dispose: () => Promise<void> }>;

/**
 * Serves a model until the signal aborts, then drains.
 *
 * @param say Told what a person should read: the address, and what is kept where.
 * @throws UserLlmError when the model, the data, the keys or the store cannot be had, or the port is taken.
 */
export async function serve(
  options: ServeOptions,
  loadModel: LoadModel,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  const folder = modelFolder(options.model);
  const dataFolder =
    options.data ?? (options.model === undefined && existsSync(demoFolders.data) ? demoFolders.data : undefined);
  const apiKeys = options.apiKeyFile === undefined ? [] : await readApiKeys(options.apiKeyFile);
  const data = dataFolder === undefined ? undefined : await datasetUsers(dataFolder, defaultTenant);
  const { model, dispose } = await loadModel(folder, options);
  try {
    const store = options.store === undefined ? memoryStore() : await openLmdbStore(options.store);
    try {
      const local = isLoopback(options.host);
      const questions =
        options.questions.length > 0 ? options.questions : taskQuestions(options.itemNoun, options.categoryNoun);
      const server: UserLlmServer = createServer({
        model,
        store,
        apiKeys,
        examples: { users: data?.examples(20) ?? [], questions, tenant: defaultTenant },
        limits: limitsOf(options),
        logger: pino({ level: options.logLevel }, pino.destination({ dest: 2, sync: false })),
        ...(data && { histories: data.histories }),
        ...(local && apiKeys.length === 0 && { hosts: ['localhost', '127.0.0.1', '[::1]'] }),
      });
      const address = await server.listen({ host: options.host, port: options.port });
      say(`Serving ${folder} at ${address} - open it to try the model.`);
      say(
        data ? `Users: ${data.count} of ${dataFolder}, and those who come by HTTP.` : 'Users: those who come by HTTP.',
      );
      say(
        options.store === undefined
          ? 'Users are kept in memory: --store DIR keeps them.'
          : `Users are kept in ${options.store}.`,
      );
      if (!local && apiKeys.length === 0)
        say('Anyone who reaches this machine can read and delete users: --api-key-file FILE lets in who has a key.');
      await aborted(signal);
      say(`Ending: open requests get ${options.drain} s.`);
      await server.drain(1000 * options.drain);
    } finally {
      await store.close();
    }
  } finally {
    await dispose();
  }
}

function limitsOf({ concurrency, queue, deadline, ...options }: ServeOptions): ServerLimits {
  const { maximumTokens, defaultTokens, maximumEvents, maximumBodyBytes, cachedUsers } = options;
  const named: NamedLimits = { maximumTokens, defaultTokens, maximumEvents, maximumBodyBytes, cachedUsers };
  return { ...named, concurrency, waiting: queue, deadlineMs: 1000 * deadline };
}

function modelFolder(given: string | undefined): string {
  const folder = given ?? demoFolders.model;
  if (existsSync(folder)) return folder;
  throw new UserLlmError('model-not-found', {
    what: folder,
    expected: 'the folder of a model',
    got: 'nothing there',
    mend:
      given === undefined
        ? 'Run `npm run demo` first, which trains one, or name another.'
        : 'Name a folder that training has written.',
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
