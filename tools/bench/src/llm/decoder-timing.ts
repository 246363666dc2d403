import type { DecodeStepper } from '@user-llm/llm';

/** Tokens of the prompt that decoding goes on from. */
const promptTokens = 16;

/** Seconds that some work takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Decoding ends after this long where a machine is too slow for all steps. */
const longestSeconds = 2;

/** Tokens per second of decoding, over all rows of a batch, in at most so many steps. */
export async function decodeRate(stepper: DecodeStepper, batch: number, steps: number): Promise<number> {
  const prompt = Array.from({ length: promptTokens }, (_, at) => 100 + at);
  const { slots } = await stepper.prefill(
    Array.from({ length: batch }, () => prompt),
    { room: promptTokens + steps },
  );
  const start = performance.now();
  const passed = (): number => (performance.now() - start) / 1000;
  let done = 0;
  while (done < steps && passed() < longestSeconds) await stepper.step(slots, Array<number>(batch).fill(200 + done++));
  const rate = (batch * done) / passed();
  slots.dispose();
  return rate;
}

/** Tokens per second of reading a prompt, with the logits of its last token. */
export async function prefillRate(stepper: DecodeStepper, tokens: number): Promise<number> {
  const prompt = Array.from({ length: tokens }, (_, at) => 100 + (at % 1000));
  const taken = await seconds(async () => {
    const { slots } = await stepper.prefill([prompt], { room: tokens });
    slots.dispose();
  });
  return tokens / taken;
}
