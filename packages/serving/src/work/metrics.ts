import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What a server counts of itself, in Prometheus' text format; nothing tells of users. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = this.#counter('requests_total', 'Requests answered, by route and status.', ['route', 'status']);
  readonly #tokens = this.#counter('tokens_total', 'Tokens, by kind: read in prompts, or generated.', ['kind']);
  readonly #contexts = this.#counter('user_contexts_total', 'Contexts of users, by whether they were cached.', [
    'cached',
  ]);
  readonly #firstToken = this.#histogram('time_to_first_token_seconds', 'From the request to the first token.');
  readonly #nextToken = this.#histogram('inter_token_seconds', 'From one token to the next.');

  /** @param queue Read whenever the metrics are. */
  constructor(queue: { readonly running: number; readonly waiting: number }) {
    this.#gauge('requests_running', 'Requests that the model works on.', () => queue.running);
    this.#gauge('requests_waiting', 'Requests that wait for the model.', () => queue.waiting);
  }

  /** @param route The route's pattern, such as `/v1/users/:user`. */
  request(route: string, status: number): void {
    this.#requests.inc({ route, status });
  }

  tokens(kind: 'prompt' | 'completion', count: number): void {
    this.#tokens.inc({ kind }, count);
  }

  context(hit: boolean): void {
    this.#contexts.inc({ cached: String(hit) });
  }

  /** @param milliseconds Since the request came, for the first token; else since the token before. */
  token(first: boolean, milliseconds: number): void {
    (first ? this.#firstToken : this.#nextToken).observe(milliseconds / 1000);
  }

  /** Media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: `user_llm_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name: `user_llm_${name}`, help, buckets: seconds, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, value: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `user_llm_${name}`,
      help,
      registers: [this.#registry],
      collect: (): void => gauge.set(value()),
    });
  }
}
