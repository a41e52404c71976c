// SPDX-License-Identifier: AGPL-3.0-only
// The Ollama library for Node against hoosh. See main.go for what is printed, script.go for what is answered.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ollama } from 'ollama';
import { SEEN, TEXT, both, eventSchema, fair, koeln, main, model, paris, png, weather } from './common.mjs';

const { version } = JSON.parse(readFileSync(new URL('node_modules/ollama/package.json', import.meta.url)));
const hello = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello' }];
const user = (content, more) => [{ role: 'user', content, ...more }];
const tools = [{ type: 'function', function: { name: 'get_weather', description: 'The weather of a city', parameters: weather } }];

const at = (key) => new Ollama({ host: process.env.OLLAMA_HOST, headers: { Authorization: `Bearer ${key}` } });
const client = at(process.env.OLLAMA_API_KEY);

function checkEnd(r) {
  assert.deepEqual([r.done, r.done_reason, r.prompt_eval_count, r.eval_count], [true, 'stop', 11, 5]);
  assert.ok(r.created_at && r.total_duration, 'no time');
}

async function partsOf(stream) {
  const parts = [];
  for await (const p of await stream) parts.push(p);
  return parts;
}

async function refused(status, what, call) {
  await assert.rejects(call, (e) => {
    assert.deepEqual([e.name, e.status_code], ['ResponseError', status]);
    assert.match(e.message, what);
    return true;
  });
}

const ofBoth = {
  async chat(model) {
    const r = await client.chat({ model, messages: hello, options: { temperature: 0, num_predict: 50, stop: ['END'] } });
    assert.deepEqual([r.message.role, r.message.content, r.model], ['assistant', TEXT, model]);
    checkEnd(r);
  },

  async stream(model) {
    const parts = await partsOf(client.chat({ model, messages: hello, stream: true }));
    assert.ok(parts.length > 3, `${parts.length} parts`);
    assert.equal(parts.map((p) => p.message.content).join(''), TEXT);
    checkEnd(parts.at(-1));
  },

  async generate(model) {
    const r = await client.generate({ model, prompt: 'Hello', system: 'Be brief.' });
    assert.equal(r.response, TEXT);
    checkEnd(r);
    assert.equal((await partsOf(client.generate({ model, prompt: 'Hello', stream: true }))).map((p) => p.response).join(''), TEXT);
  },

  async 'tool call and result'(model) {
    const messages = user('How is the weather?');
    const { message } = await client.chat({ model, messages, tools });
    assert.deepEqual(message.tool_calls.map((c) => [c.function.name, c.function.arguments]), [['get_weather', koeln]]);
    messages.push(message, { role: 'tool', tool_name: 'get_weather', content: 'rain' });
    assert.equal((await client.chat({ model, messages, tools })).message.content, 'The tool says rain');
  },

  async 'parallel tool calls, streamed'(model) {
    const messages = user('How is it in both?');
    const calls = (await partsOf(client.chat({ model, messages, tools, stream: true }))).flatMap((p) => p.message.tool_calls ?? []);
    assert.deepEqual(calls.map((c) => [c.function.name, c.function.arguments]), [['get_weather', koeln], ['get_weather', paris]]);
    messages.push({ role: 'assistant', content: '', tool_calls: calls });
    for (const c of calls) messages.push({ role: 'tool', tool_name: 'get_weather', content: `sun in ${c.function.arguments.city}` });
    assert.equal((await client.chat({ model, messages, tools })).message.content, 'The tool says sun in Köln and sun in Paris');
  },

  async image(model) {
    assert.equal((await client.chat({ model, messages: user('What is this?', { images: [png] }) })).message.content, SEEN);
    assert.equal((await client.generate({ model, prompt: 'What is this?', images: [Buffer.from(png, 'base64')] })).response, SEEN);
  },

  async 'structured output'(model) {
    assert.deepEqual(JSON.parse((await client.chat({ model, messages: user('Extract the event'), format: eventSchema })).message.content), fair);
  },

  async 'bad request'(model) {
    await refused(400, /'temperature' is out of range\./, () => client.chat({ model, messages: user('refuse') }));
  },
};

await main('Ollama Node', version, {
  ...both(ofBoth),

  async embeddings() {
    const { embeddings, prompt_eval_count } = await client.embed({ model: 'test-embed', input: ['the sea', 'a spanner'] });
    assert.ok(embeddings.length === 2 && embeddings[0].length >= 8 && prompt_eval_count > 0, JSON.stringify(embeddings));
    assert.notDeepEqual(embeddings[0], embeddings[1]);
  },

  async models() {
    const names = (await client.list()).models.map((m) => m.name);
    for (const id of ['test-model', 'test-embed', 'limited', 'breaks', 'claude-test']) assert.ok(names.includes(id), `${id} is not in ${names}`);
    assert.ok((await client.show({ model })).capabilities.includes('completion'));
    await refused(404, /nothing/, () => client.show({ model: 'nothing' }));
    assert.ok((await client.version()).version);
    await client.ps();
  },

  async 'wrong key'() {
    await refused(401, /key/, () => at('sk-wrong').chat({ model, messages: hello }));
  },

  async 'unknown model'() {
    await refused(404, /nothing/, () => client.chat({ model: 'nothing', messages: hello }));
    await refused(404, /nothing/, () => client.chat({ model: 'nothing', messages: hello, stream: true }));
  },

  async 'rate limit'() {
    for (const m of ['limited', 'claude-limited']) await refused(429, /./, () => client.chat({ model: m, messages: hello }));
  },

  async 'error in a stream'() {
    for (const m of ['breaks', 'claude-breaks']) {
      let text = '';
      await assert.rejects(async () => {
        for await (const p of await client.chat({ model: m, messages: hello, stream: true })) text += p.message.content;
      }, (e) => e.message !== '');
      assert.ok(text.startsWith('one '), `the text before it was ${JSON.stringify(text)}`);
    }
  },
});
