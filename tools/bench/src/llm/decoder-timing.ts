import type { DecodeStepper } from '@user-llm/llm';

/** Tokens of the prompt that decoding goes on from. */
const promptTokens = 16;

/** Seconds that some work takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** What some work takes. */
export interface Effort {
  readonly seconds: number;
  /** Of the processor, in all threads: what others do on the machine meanwhile does not count. */
  readonly processorSeconds: number;
}

/** Measures some work. */
export async function effort(work: () => Promise<unknown>): Promise<Effort> {
  const before = process.cpuUsage();
  const taken = await seconds(work);
  const { user, system } = process.cpuUsage(before);
  return { seconds: taken, processorSeconds: (user + system) / 1e6 };
}

/** How fast tokens go by. */
export interface TokenRate {
  readonly tokensPerSecond: number;
  readonly processorMilliseconds: number;
}

function perToken(tokens: number, taken: Effort): TokenRate {
  return {
    tokensPerSecond: tokens / taken.seconds,
    processorMilliseconds: (1000 * taken.processorSeconds) / tokens,
  };
}

/** Decoding ends after this long where a machine is too slow for all steps. */
const longestSeconds = 2;

/** Decoding, over all rows of a batch, in at most so many steps. */
export async function decodeRate(stepper: DecodeStepper, batch: number, steps: number): Promise<TokenRate> {
  const prompt = Array.from({ length: promptTokens }, (_, at) => 100 + at);
  const { slots, logits } = await stepper.prefill(
    Array.from({ length: batch }, () => prompt),
    { room: promptTokens + steps },
  );
  const start = performance.now();
  const passed = (): number => (performance.now() - start) / 1000;
  let done = 0;
  let reuse = logits;
  const taken = await effort(async () => {
    while (done < steps && passed() < longestSeconds)
      reuse = await stepper.step(slots, Array<number>(batch).fill(200 + done++), { reuse });
  });
  slots.dispose();
  return perToken(batch * done, taken);
}

/** Reading a prompt, with the logits of its last token. */
export async function prefillRate(stepper: DecodeStepper, tokens: number): Promise<TokenRate> {
  const prompt = Array.from({ length: tokens }, (_, at) => 100 + (at % 1000));
  const taken = await effort(async () => {
    const { slots } = await stepper.prefill([prompt], { room: tokens });
    slots.dispose();
  });
  return perToken(tokens, taken);
}
