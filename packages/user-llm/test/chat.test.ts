import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChatTemplate, loadTokenizer, type ChatMessage } from '@user-llm/llm';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeConversation, encodePrompt, onnxManifest, onnxManifestFile, UserLlm } from '../src/index.js';
import { history, smallModel, textTokenizer as plain } from './world.js';

const chatTemplate = `{% for message in messages %}{{ '<|begin|>' + message.role + ': ' + message.content + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|begin|>assistant: ' }}{% endif %}`;
const chatty = loadTokenizer(plain.json, { alsoEnd: ['<|padding|>'], chatTemplate });
const messages: ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'What comes next? <|end|>' },
];
const prompt = 'Be brief.\nWhat comes next?';

let runtime: OnnxRuntime;
let folder: string;
beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'user-llm-chat-'));
});
afterAll(async () => {
  await runtime.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe('a conversation', () => {
  it("is put in the form of the LLM's chat template, where it has one", () => {
    const tokens = encodeConversation(chatty, prompt, messages);
    expect(tokens).toEqual(new ChatTemplate(chatty).encode(messages));
    // Two turns begin and end, and one begins; what the user wrote ends nothing.
    expect(tokens.filter((token) => token === chatty.begin)).toHaveLength(3);
    expect(tokens.filter((token) => token === chatty.end)).toHaveLength(2);
  });

  it('is the prompt in words where there is no template, or no conversation', () => {
    expect(encodeConversation(plain, prompt, messages)).toEqual(encodePrompt(plain, prompt));
    expect(encodeConversation(chatty, prompt, undefined)).toEqual(encodePrompt(chatty, prompt));
  });
});

describe('a User-LLM with a chat template', () => {
  const user = history('u', [1, 2, 3]);
  const answer = async (model: UserLlm, more: object): Promise<string> =>
    (await model.answers([{ user, prompt, maximumTokens: 12, ...more }]))[0]!;

  it('answers conversations by it, also once it was saved, with every token that ends an answer', async () => {
    const model = await smallModel({ runtime, textTokenizer: chatty });
    const said = await answer(model, { messages });
    expect(said).not.toBe(await answer(model, {}));
    await model.save(join(folder, 'model'));
    expect(await readdir(join(folder, 'model'))).toContain('chat_template.jinja');
    const loaded = await UserLlm.load(join(folder, 'model'), { runtime });
    expect(loaded.parts.textTokenizer.ends).toEqual(chatty.ends);
    expect(await answer(loaded, { messages })).toBe(said);
    await Promise.all([model.dispose(), loaded.dispose()]);
  }, 60_000);

  it('is exported with every token that ends an answer and the template', async () => {
    const model = await smallModel({ runtime, textTokenizer: chatty });
    const place = join(folder, 'onnx');
    await model.exportOnnx(place);
    const { text } = onnxManifest.parse(JSON.parse(await readFile(join(place, onnxManifestFile), 'utf8')));
    expect(text).toMatchObject({ end: chatty.end, ends: chatty.ends });
    expect(await readFile(join(place, text.chatTemplate!), 'utf8')).toBe(chatTemplate);
    await model.dispose();
  }, 60_000);

  it('ends an answer at any of its ends', async () => {
    const ends = Array.from({ length: plain.vocabularySize }, (_, token) => token);
    const model = await smallModel({ runtime, textTokenizer: { ...plain, ends } });
    expect(await answer(model, {})).toBe('');
    await model.dispose();
  }, 60_000);

  it('says what is wrong with a conversation that the template refuses', async () => {
    const refusing = loadTokenizer(plain.json, { chatTemplate: "{{ raise_exception('no system role') }}" });
    const model = await smallModel({ runtime, textTokenizer: refusing });
    await expect(answer(model, { messages })).rejects.toThrow(
      expect.objectContaining({
        code: 'bad-chat',
        message: expect.stringContaining('no system role') as string,
      }) as Error,
    );
    await model.dispose();
  }, 60_000);
});
