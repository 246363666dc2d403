import { memoryStore, createServer, type ServerOptions, type UserLlmServer } from '../src/index.js';
import { fakeModel, type FakeModel } from './fake-model.js';

/** A server on a free port, and ways to talk to it. */
export interface Served {
  readonly server: UserLlmServer;
  readonly model: FakeModel;
  readonly store: ServerOptions<string>['store'];
  readonly url: string;
  /** Sends JSON, or nothing, and reads JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, never> & { readonly error?: Record<string, unknown> };
}

const running: UserLlmServer[] = [];

/** Starts a server over a fake model and a store in memory. */
export async function serve(options: Partial<ServerOptions<string>> = {}): Promise<Served> {
  const model = fakeModel();
  const store = options.store ?? memoryStore();
  const server = createServer<string>({ model, store, ...options });
  running.push(server);
  const url = await server.listen({ port: 0 });
  return {
    server,
    model,
    store,
    url,
    call: async (method, path, body, headers = {}) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const said = await response.text();
      return { status: response.status, headers: response.headers, body: JSON.parse(said) as Reply['body'] };
    },
  };
}

/** Closes every server that `serve` has started. */
export async function closeAll(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.close()));
}

/** The events of a stream, without `data: `. */
export function dataOf(stream: string): string[] {
  return stream
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));
}

/** Lets callers of `pass` through one by one, as often as `let` is called. */
export class Turnstile {
  #free = 0;
  readonly #waiting: (() => void)[] = [];

  /** Callers that wait now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  readonly pass = (): Promise<void> => {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  };

  /** Lets `count` callers through, those who wait first. */
  let(count = 1): void {
    for (let at = 0; at < count; at++) {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}
