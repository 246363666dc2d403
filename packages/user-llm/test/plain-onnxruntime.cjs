// Answers and ranks with exported files by onnxruntime-node alone: what a program without this repository's code does.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { InferenceSession, Tensor } = require(process.argv[2]);

async function main() {
  const folder = process.argv[3];
  const { ids, prompts, count } = JSON.parse(readFileSync(0, 'utf8'));
  const { models, events, text, cache } = JSON.parse(readFileSync(join(folder, 'user-llm-onnx.json'), 'utf8'));
  const batch = ids.length;
  const open = (name) => InferenceSession.create(join(folder, models[name].file), { intraOpNumThreads: 1 });
  const int32 = (values, dims) => new Tensor('int32', Int32Array.from(values), dims);

  const feeds = {};
  const mask = new Uint8Array(batch * events.maximum);
  ids.forEach(({ length }, row) => mask.fill(1, row * events.maximum, row * events.maximum + length));
  for (const { name, slots } of events.features) {
    const all = new Int32Array(batch * events.maximum * slots);
    ids.forEach(({ columns }, row) => all.set(columns[name], row * events.maximum * slots));
    feeds[`events.${name}`] = int32(all, slots === 1 ? [batch, events.maximum] : [batch, events.maximum, slots]);
  }
  feeds['events.mask'] = new Tensor('bool', mask, [batch, events.maximum]);
  const user = await (await open('user')).run(feeds);
  const context = Object.fromEntries(
    Object.keys(user)
      .filter((name) => name.startsWith('context.'))
      .map((name) => [name.replace('context.', 'user.'), user[name]]),
  );

  const width = user.events.dims[2];
  const last = new Float32Array(batch * width);
  ids.forEach(({ length }, row) => {
    const at = (row * events.maximum + length - 1) * width;
    if (length > 0) last.set(user.events.data.subarray(at, at + width), row * width);
  });
  const { scores } = await (await open('items')).run({ last: new Tensor('float32', last, [batch, width]) });

  const longest = Math.max(...prompts.map((prompt) => prompt.length));
  const room = [batch, cache.heads, count + 1, cache.headSize];
  const tokens = new Int32Array(batch * longest);
  prompts.forEach((prompt, row) => tokens.set(prompt, row * longest));
  let results = await (
    await open('prefill')
  ).run({
    tokens: int32(tokens, [batch, longest]),
    counts: int32(
      prompts.map((prompt) => prompt.length),
      [batch],
    ),
    room: new Tensor('float32', new Float32Array(room.reduce((a, b) => a * b)), room),
    ...context,
  });
  const lengths = prompts.map((prompt) => text.prefixTokens + prompt.length);
  const answers = prompts.map(() => []);
  const step = await open('step');
  for (let at = 0; at < count; at++) {
    const { data, dims } = results.logits;
    answers.forEach((answer, row) => {
      const logits = data.subarray(row * dims[1], (row + 1) * dims[1]);
      answer.push(logits.indexOf(Math.max(...logits)));
    });
    const caches = Object.fromEntries(cache.names.map((name) => [name, results[`next/${name}`]]));
    const next = int32(
      answers.map((answer) => answer.at(-1)),
      [batch, 1],
    );
    results = await step.run({ tokens: next, lengths: int32(lengths, [batch]), ...caches, ...context });
    lengths.forEach((_, row) => lengths[row]++);
  }
  const ranked = ids.map((_, row) => {
    const own = scores.data.subarray(row * scores.dims[1], (row + 1) * scores.dims[1]);
    return events.itemIds.map((id) => (id === 1 ? null : own[id]));
  });
  process.stdout.write(JSON.stringify({ answers, ranked }));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
