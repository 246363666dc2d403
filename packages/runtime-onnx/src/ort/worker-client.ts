import { MessageChannel, Worker, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { UserLlmError } from '@user-llm/tensor';
import type { Reply, Request, WorkerSetup } from './package-protocol.js';
import { disposed } from './session-errors.js';

type WithoutId<R> = R extends { readonly id: number } ? Omit<R, 'id'> : never;

interface Pending {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** One worker thread of the package's engine and the requests under way to it. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #replies = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #failure: Error | undefined;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const setup: WorkerSetup = { port: port2, replies: this.#replies };
    this.#worker = new Worker(new URL('./package-worker.mjs', import.meta.url), {
      workerData: setup,
      transferList: [port2],
    });
    this.#worker.on('error', (cause) => {
      const got = cause instanceof Error ? cause.message : String(cause);
      this.#fail(new UserLlmError('engine-crashed', { what: 'worker of onnxruntime-node', got, cause }));
    });
    this.#worker.on('exit', () => {
      this.#fail(disposed('session'));
    });
    port1.on('message', (reply: Reply) => {
      this.#settle(reply);
    });
    // Only requests under way keep the process alive.
    this.#worker.unref();
    port1.unref();
  }

  /**
   * Asks the worker; requests are answered in order.
   *
   * @throws UserLlmError `engine-crashed` when the thread dies, `disposed` after `terminate`.
   */
  ask(request: WithoutId<Request>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#send(request, { resolve, reject });
    });
  }

  /** Asks the worker and blocks this thread until it answers; replies to others that come meanwhile are delivered. */
  askSync(request: WithoutId<Request>): Reply {
    let outcome: Reply | Error | undefined;
    const take = (value: Reply | Error): void => {
      outcome = value;
    };
    this.#send(request, { resolve: take, reject: take });
    for (;;) {
      const seen = Atomics.load(this.#replies, 0);
      const received = receiveMessageOnPort(this.#port) as { readonly message: Reply } | undefined;
      if (received) this.#settle(received.message);
      if (outcome instanceof Error) throw outcome;
      if (outcome) return outcome;
      if (!received) Atomics.wait(this.#replies, 0, seen);
    }
  }

  /** Ends the thread; what is under way is rejected with `disposed`. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
    this.#port.close();
  }

  #send(request: WithoutId<Request>, pending: Pending): void {
    if (this.#failure) {
      pending.reject(this.#failure);
      return;
    }
    const id = this.#nextId++;
    this.#pending.set(id, pending);
    this.#port.ref();
    this.#worker.ref();
    this.#port.postMessage({ id, ...request });
  }

  #settle(reply: Reply): void {
    this.#pending.get(reply.id)?.resolve(reply);
    this.#pending.delete(reply.id);
    if (this.#pending.size > 0) return;
    this.#port.unref();
    this.#worker.unref();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
    this.#port.unref();
  }
}
