import type { DecodeStepper } from '@user-llm/llm';

/** Tokens of the prompt that decoding goes on from. */
const promptTokens = 16;

/** Seconds that some work takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Tokens per second of decoding, over all rows of a batch. */
export async function decodeRate(stepper: DecodeStepper, batch: number, steps: number): Promise<number> {
  const prompt = Array.from({ length: promptTokens }, (_, at) => 100 + at);
  const { slots } = await stepper.prefill(
    Array.from({ length: batch }, () => prompt),
    { room: promptTokens + steps },
  );
  const taken = await seconds(async () => {
    for (let at = 0; at < steps; at++) await stepper.step(slots, Array<number>(batch).fill(200 + at));
  });
  slots.dispose();
  return (batch * steps) / taken;
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
