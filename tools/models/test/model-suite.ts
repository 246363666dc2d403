import { trainStepGraphs, inputName, type Program, type Results, type Runtime } from '@user-llm/graph';
import { adamW } from '@user-llm/optimizers';
import type { Tensor } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { distance, goldens, testedModels } from './models.js';

const tolerance = 1e-4;
const numbers = (tensor: Tensor): number[] => tensor.toArray() as number[];

async function taken(results: Results): Promise<Record<string, Tensor>> {
  const read = Object.entries(results).map(async ([name, value]) => {
    const tensor = await value.read();
    value.dispose();
    return [name, tensor] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** Runs a program and reads what comes out. */
async function run(program: Program, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  return taken(await program.run(feeds));
}

/** Holds the models on a runtime to their golden files: logits, loss, gradients, ten steps of AdamW, the same bits. */
export function modelSuite(title: string, createRuntime: () => Promise<Runtime>): void {
  describe(title, () => {
    let runtime: Runtime;
    beforeAll(async () => {
      runtime = await createRuntime();
    });
    afterAll(() => runtime.dispose());

    describe.each(testedModels)('$name', ({ name, build, withoutGradient }) => {
      async function prepared() {
        const { inputs, parameters, logits, loss } = build();
        const golden = await goldens(name, inputs);
        const optimizer = adamW({ learningRate: 3e-3, weightDecay: 0.05 });
        const graphs = trainStepGraphs({ inputs, loss, parameters, optimizer, metrics: { logits } });
        const batch = { ids: golden['ids']!, labels: golden['labels']! };
        const initial = Object.fromEntries(Object.keys(parameters).map((key) => [key, golden[`initial/${key}`]!]));
        expect(inputs.map(inputName).sort()).toEqual([...Object.keys(batch), ...Object.keys(initial)].sort());
        return { golden, graphs, batch, initial };
      }

      async function started() {
        const { golden, graphs, batch, initial } = await prepared();
        const init = await runtime.compile(graphs.init);
        const state = await run(init, initial);
        await init.dispose();
        const options = { carry: graphs.carry, initial: { ...initial, ...state } };
        return { golden, batch, initial, step: await runtime.compileTrainStep(graphs.fused, options) };
      }

      it("has PyTorch's logits, loss and gradients", async () => {
        const { golden, graphs, batch, initial } = await prepared();
        const program = await runtime.compile(graphs.gradients);
        const results = await run(program, { ...batch, ...initial });
        await program.dispose();
        expect(Object.keys(results)).toHaveLength(Object.keys(initial).length + 2);
        for (const [key, tensor] of Object.entries(results)) {
          expect(distance(numbers(tensor), numbers(golden[key]!)), key).toBeLessThan(tolerance);
        }
      });

      it("ends where PyTorch's AdamW does after ten steps", async () => {
        const { golden, batch, initial, step } = await started();
        const losses: number[] = [];
        for (let at = 0; at < 10; at++) losses.push(...numbers((await run(step, batch))['loss']!));
        expect(distance(losses, numbers(golden['losses']!))).toBeLessThan(tolerance);
        for (const key of Object.keys(initial)) {
          const [from, to] = withoutGradient[key] ?? [0, 0];
          const compared = (tensor: Tensor): number[] => numbers(tensor).filter((_, at) => at < from || at >= to);
          const got = compared(await step.state[key]!.read());
          expect(distance(got, compared(golden[`trained/${key}`]!)), key).toBeLessThan(tolerance);
        }
        await step.dispose();
      });

      it('gives the same bits each time, twenty times', async () => {
        const { batch, initial, step } = await started();
        const before = Object.fromEntries(
          await Promise.all(Object.entries(step.state).map(async ([key, value]) => [key, await value.read()] as const)),
        );
        const seen = new Set<string>();
        for (let time = 0; time < 20; time++) {
          for (const [key, tensor] of Object.entries(before)) step.state[key]!.write(tensor);
          const { loss } = await run(step, batch);
          const after = await Promise.all(Object.keys(initial).map((key) => step.state[key]!.read()));
          seen.add(JSON.stringify([loss!, ...after].map(numbers)));
        }
        expect(seen.size).toBe(1);
        await step.dispose();
      });
    });
  });
}
