// The thread of one session of onnxruntime-node, whose own `run` blocks the thread that calls it. Plain JavaScript,
// so that a worker can start from the sources as well as from the built package.
import { workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';

/** @import { Reply, Request, SentTensor, WorkerSetup } from './package-protocol.js' */
/** @import { ValueInfo } from './engine.js' */

const { port, replies } = /** @type {WorkerSetup} */ (workerData);

/** @type {ort.InferenceSession | undefined} */
let session;

/** @type {(side: readonly ort.InferenceSession.ValueMetadata[]) => ValueInfo[]} */
const describe = (side) =>
  side.map((value) => {
    if (!value.isTensor) throw new Error(`${value.name} is a sequence, map or optional, not a tensor`);
    return { name: value.name, dtype: /** @type {ValueInfo['dtype']} */ (value.type), shape: value.shape };
  });

/** @type {(request: Request) => Promise<Omit<Reply, 'id'>>} */
async function answer(request) {
  if (request.kind === 'create') {
    const options = /** @type {ort.InferenceSession.SessionOptions} */ (request.options);
    session =
      typeof request.model === 'string'
        ? await ort.InferenceSession.create(request.model, options)
        : await ort.InferenceSession.create(request.model, options);
    return { inputs: describe(session.inputMetadata), outputs: describe(session.outputMetadata) };
  }
  if (session === undefined) throw new Error('no session');
  if (request.kind === 'run') return { results: await run(session, request) };
  if (request.kind === 'end-profiling') session.endProfiling();
  else await session.release();
  return {};
}

/** @type {(session: ort.InferenceSession, request: Extract<Request, { kind: 'run' }>) => Promise<SentTensor[]>} */
async function run(session, { feeds, fetches }) {
  const inputs = Object.fromEntries(
    feeds.map(({ name, dtype, shape, data }) => [
      name,
      new ort.Tensor(/** @type {'float32'} */ (dtype), /** @type {Float32Array} */ (data), shape),
    ]),
  );
  const wanted = Object.fromEntries(fetches.map(({ name, inPlaceOf }) => [name, inputs[inPlaceOf ?? ''] ?? null]));
  const outputs = await session.run(inputs, wanted);
  return fetches.map(({ name, inPlaceOf }) => {
    // An output in place lies in the input's own memory; what `run` returns for it is a copy made at another time.
    const tensor = inputs[inPlaceOf ?? ''] ?? /** @type {ort.Tensor} */ (outputs[name]);
    const data = /** @type {SentTensor['data']} */ (tensor.data);
    return { name, dtype: /** @type {SentTensor['dtype']} */ (tensor.type), shape: tensor.dims, data };
  });
}

port.on('message', async (/** @type {Request} */ request) => {
  /** @type {Reply} */
  let reply;
  try {
    reply = { id: request.id, ...(await answer(request)) };
  } catch (error) {
    reply = { id: request.id, error: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(reply);
  Atomics.add(replies, 0, 1);
  Atomics.notify(replies, 0);
});
