import {
  add,
  embed,
  gradients,
  input,
  matmul,
  matmulTransposed,
  mean,
  silu,
  sparseCrossEntropy,
  type Float,
} from '@user-llm/graph';
import type { Id } from '@user-llm/tensor';

const history = input('history', 'int32' as Id<'film'>, ['event', 'batch'], [10, 8]);
const label = input('label', 'int32', ['batch'], [8]);
const table = input('table', 'float32', ['film', 'width'], [100, 16]);
const gate = input('gate', 'float32', ['width', 'hidden'], [16, 32]);
const output = input('output', 'float32', ['hidden', 'width'], [32, 16]);
const bias = input('bias', 'float32', ['film'], [100]);

const pooled: Float<readonly ['batch', 'width']> = mean(embed(table, history), 'event');
const user = add(pooled, matmul(silu(matmul(pooled, gate)), output));
const logits = add(matmulTransposed(user, table), bias);
const loss = sparseCrossEntropy<readonly ['batch'], 'film'>(logits, label);

/** A model over several operators, and its gradients: what the compiler spends on a graph. */
export const slopes = gradients(loss, { table, gate, output, bias });
