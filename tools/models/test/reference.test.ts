import { differentiate, evaluate, graph, toReference } from '@user-llm/graph';
import { describe, expect, it } from 'vitest';
import { distance, goldens, testedModels } from './models.js';

describe.each(testedModels)('$name by the reference kernels', ({ name, build }) => {
  it("has PyTorch's parameters, logits, loss and gradients", async () => {
    const { inputs, parameters, logits, loss } = build();
    const golden = await goldens(name, inputs);
    const stored = Object.keys(golden).flatMap((key) => (key.startsWith('initial/') ? [key.slice(8)] : []));
    expect(Object.keys(parameters).sort()).toEqual(stored.sort());
    const derived = differentiate(loss, parameters, { logits });
    const feeds = Object.fromEntries(
      inputs.map((tensor) => {
        const key = (tensor.node.attributes as { readonly name: string }).name;
        return [key, toReference(golden[key] ?? golden[`initial/${key}`]!)];
      }),
    );
    const slopes = Object.entries(derived.gradients).map(([key, slope]) => [`gradient/${key}`, slope]);
    const outputs = { loss: derived.loss, logits: derived.also.logits, ...Object.fromEntries(slopes) };
    const results = evaluate(graph(inputs, outputs), feeds);
    for (const [key, { data }] of Object.entries(results)) {
      expect(distance(data, golden[key]!.toArray() as number[]), key).toBeLessThan(1e-4);
    }
  });
});
