// SPDX-License-Identifier: AGPL-3.0-only
// The Google Gen AI SDK for Node against hoosh. See main.go for what is printed, script.go for what is answered.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ApiError, FinishReason, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import { SEEN, TEXT, both, claude, eventSchema, fair, koeln, main, model, paris, png, thrown, weather } from './common.mjs';

const { version } = JSON.parse(readFileSync(new URL('node_modules/@google/genai/package.json', import.meta.url)));
const at = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: process.env.GOOGLE_GEMINI_BASE_URL } });
const client = at(process.env.GEMINI_API_KEY);
const ask = (model, contents, config) => client.models.generateContent({ model, contents, config });
const tools = [{ functionDeclarations: [{ name: 'get_weather', description: 'The weather of a city', parametersJsonSchema: weather }] }];
const user = (...parts) => ({ role: 'user', parts });

function checkUsage(u) {
  assert.deepEqual([u.promptTokenCount, u.cachedContentTokenCount, u.candidatesTokenCount, u.totalTokenCount], [11, 3, 5, 16]);
}

async function partsOf(stream) {
  const parts = [];
  for await (const p of await stream) parts.push(p);
  return parts;
}

async function refused(code, status, call) {
  const e = await thrown(ApiError, call);
  const { error } = JSON.parse(e.message);
  assert.deepEqual([e.status, error.code, error.status], [code, code, status]);
  assert.ok(error.message, 'no message');
  return error;
}

const ofBoth = {
  async 'generate content'(model) {
    const r = await ask(model, 'Hello', { systemInstruction: 'Be brief.', maxOutputTokens: 50, stopSequences: ['END'] });
    assert.deepEqual([r.text, r.candidates[0].finishReason, r.candidates[0].content.role], [TEXT, FinishReason.STOP, 'model']);
    checkUsage(r.usageMetadata);
    assert.ok(r.responseId && r.modelVersion, 'no response id or model version');
  },

  async stream(model) {
    const parts = await partsOf(client.models.generateContentStream({ model, contents: 'Hello' }));
    assert.ok(parts.length > 3, `${parts.length} parts`);
    assert.equal(parts.map((p) => p.text ?? '').join(''), TEXT);
    checkUsage(parts.at(-1).usageMetadata);
    assert.equal(parts.at(-1).candidates[0].finishReason, FinishReason.STOP);
  },

  async 'chat history'(model) {
    const chat = client.chats.create({ model });
    assert.equal((await chat.sendMessage({ message: 'Hello' })).text, TEXT);
    assert.equal((await partsOf(chat.sendMessageStream({ message: 'Hello again' }))).map((p) => p.text ?? '').join(''), TEXT);
    assert.deepEqual(chat.getHistory().slice(0, 3).map((c) => c.role), ['user', 'model', 'user']);
  },

  async 'tool call and result'(model) {
    const question = user({ text: 'How is the weather?' });
    const config = { tools, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } } };
    const r = await ask(model, [question], config);
    assert.deepEqual(r.functionCalls.map((c) => [c.name, c.args]), [['get_weather', koeln]]);
    const result = user({ functionResponse: { id: r.functionCalls[0].id, name: 'get_weather', response: { output: 'rain' } } });
    const { text } = await ask(model, [question, r.candidates[0].content, result], config);
    assert.match(text, /^The tool says .*rain/);
  },

  async 'parallel tool calls, streamed'(model) {
    const question = user({ text: 'How is it in both?' });
    const parts = (await partsOf(client.models.generateContentStream({ model, contents: [question], config: { tools } })))
      .flatMap((r) => r.candidates?.[0]?.content?.parts ?? []).filter((p) => p.functionCall);
    assert.deepEqual(parts.map((p) => p.functionCall.args), [koeln, paris]);
    const results = parts.map((p) => ({ functionResponse: { name: 'get_weather', response: { output: `sun in ${p.functionCall.args.city}` } } })); // no ids: by order
    const { text } = await ask(model, [question, { role: 'model', parts }, user(...results)], { tools });
    assert.match(text, /^The tool says .*sun in Köln.* and .*sun in Paris/);
  },

  async image(model) {
    assert.equal((await ask(model, [user({ inlineData: { mimeType: 'image/png', data: png } }, { text: 'What is this?' })])).text, SEEN);
  },

  async 'structured output'(model) {
    const responseSchema = { type: Type.OBJECT, properties: { name: { type: Type.STRING }, participants: { type: Type.ARRAY, items: { type: Type.STRING } } }, required: ['name', 'participants'] };
    for (const schema of [{ responseSchema }, { responseJsonSchema: eventSchema }]) {
      const r = await ask(model, 'Extract the event', { responseMimeType: 'application/json', ...schema });
      assert.deepEqual(JSON.parse(r.text), fair);
    }
  },

  async 'bad request'(model) {
    assert.match((await refused(400, 'INVALID_ARGUMENT', () => ask(model, 'refuse'))).message, /'temperature' is out of range\./);
  },
};

await main('Google Gen AI Node', version, {
  ...both(ofBoth),

  async 'count tokens'() {
    assert.equal((await client.models.countTokens({ model: claude, contents: 'Hello' })).totalTokens, 42);
    const few = (await client.models.countTokens({ model, contents: 'Hello' })).totalTokens;
    const many = (await client.models.countTokens({ model, contents: 'Hello '.repeat(200) })).totalTokens;
    assert.ok(few > 0 && few < many, `${few} tokens, and ${many} of much more`);
  },

  async embeddings() {
    const { embeddings } = await client.models.embedContent({ model: 'test-embed', contents: ['the sea', 'a spanner'] });
    assert.ok(embeddings.length === 2 && embeddings[0].values.length >= 8, JSON.stringify(embeddings));
    assert.notDeepEqual(embeddings[0].values, embeddings[1].values);
  },

  async models() {
    const names = [];
    for await (const m of await client.models.list({ config: { pageSize: 2 } })) names.push(m.name); // page by page
    for (const id of ['test-model', 'test-embed', 'limited', 'claude-test']) assert.ok(names.includes(`models/${id}`), `${id} is not in ${names}`);
    assert.equal(new Set(names).size, names.length);
    assert.equal((await client.models.get({ model: 'test-model' })).name, 'models/test-model');
    await refused(404, 'NOT_FOUND', () => client.models.get({ model: 'nothing' }));
  },

  async 'wrong key'() {
    const e = await thrown(ApiError, () => at('sk-wrong').models.generateContent({ model, contents: 'Hello' }));
    assert.ok([400, 401].includes(e.status), `status ${e.status}`);
  },

  async 'unknown model'() {
    await refused(404, 'NOT_FOUND', () => ask('nothing', 'Hello'));
    await refused(404, 'NOT_FOUND', () => client.models.generateContentStream({ model: 'nothing', contents: 'Hello' }));
  },

  async 'rate limit'() {
    for (const m of ['limited', 'claude-limited']) {
      const { details } = await refused(429, 'RESOURCE_EXHAUSTED', () => ask(m, 'Hello'));
      assert.equal(details.find((d) => d['@type'].endsWith('google.rpc.RetryInfo'))?.retryDelay, '7s');
    }
  },

  async 'error in a stream'() {
    for (const m of ['breaks', 'claude-breaks']) {
      let text = '';
      await thrown(Error, async () => {
        for await (const p of await client.models.generateContentStream({ model: m, contents: 'Hello' })) text += p.text ?? '';
      });
      assert.ok(text.startsWith('one '), `the text before it was ${JSON.stringify(text)}`);
    }
  },
});
