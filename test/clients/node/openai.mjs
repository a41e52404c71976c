// SPDX-License-Identifier: AGPL-3.0-only
// The OpenAI Node SDK against hoosh. See main.go for what is printed, script.go for what is answered.

import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { VERSION } from 'openai/version';
import { z } from 'zod';
import { SEEN, TEXT, both, fair, koeln, main, model, paris, png, thrown, weather } from './common.mjs';

const hello = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello' }];
const user = (text) => [{ role: 'user', content: text }];
const tools = [{ type: 'function', function: { name: 'get_weather', description: 'The weather of a city', strict: true, parameters: weather } }];

const client = new OpenAI({ maxRetries: 0 }); // OPENAI_BASE_URL and OPENAI_API_KEY say where
const chat = client.chat.completions;

async function raises(kind, status, code, call) {
  let error;
  try {
    await call();
  } catch (e) {
    error = e;
  }
  assert.ok(error, `no ${kind.name}`);
  assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
  assert.equal(error.status, status);
  assert.equal(error.code, code);
  assert.ok(error.requestID, 'no request id');
  return error;
}

function checkUsage(usage) {
  assert.deepEqual([usage.prompt_tokens, usage.completion_tokens, usage.total_tokens], [11, 5, 16]);
  assert.equal(usage.prompt_tokens_details.cached_tokens, 3);
}

async function textOf(stream) {
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0].delta.content ?? ''; // there is a choice in each
  return text;
}

const checks = {
  async chat() {
    const r = await chat.create({ model, messages: hello, temperature: 0, max_completion_tokens: 50 });
    assert.equal(r.choices[0].message.content, TEXT);
    assert.equal(r.choices[0].finish_reason, 'stop');
    assert.equal(r.object, 'chat.completion');
    checkUsage(r.usage);
    assert.ok(r._request_id, 'no request id');
  },

  async 'raw response'() {
    const { data, response } = await chat.create({ model, messages: hello }, { headers: { 'x-request-id': 'mine-1' } }).withResponse();
    assert.equal(response.headers.get('x-request-id'), 'mine-1');
    assert.equal(response.headers.get('x-hoosh-provider'), 'backend');
    assert.equal(data.choices[0].message.content, TEXT);
  },

  async stream() {
    assert.equal(await textOf(await chat.create({ model, messages: hello, stream: true })), TEXT);
  },

  async 'stream with usage'() {
    const chunks = [];
    for await (const c of await chat.create({ model, messages: hello, stream: true, stream_options: { include_usage: true } })) chunks.push(c);
    const last = chunks.pop();
    assert.deepEqual(last.choices, []);
    checkUsage(last.usage);
    assert.equal(chunks.map((c) => c.choices[0].delta.content ?? '').join(''), TEXT);
  },

  async 'stream helper'() {
    const runner = chat.stream({ model, messages: hello, stream_options: { include_usage: true } });
    let text = '';
    runner.on('content', (delta) => (text += delta));
    const final = await runner.finalChatCompletion();
    assert.equal(text, TEXT);
    assert.equal(final.choices[0].message.content, TEXT);
    checkUsage(final.usage);
  },

  async 'leave a stream'() {
    const stream = await chat.create({ model, messages: hello, stream: true });
    for await (const _ of stream) break;
    assert.ok(stream.controller.signal.aborted, 'the request was not given up');
  },

  async 'tool call and result'() {
    const messages = user('How is the weather?');
    const r = await chat.create({ model, messages, tools, tool_choice: 'auto' });
    const { message, finish_reason } = r.choices[0];
    assert.equal(finish_reason, 'tool_calls');
    assert.equal(message.content, null);
    assert.equal(message.tool_calls.length, 1);
    const [call] = message.tool_calls;
    assert.deepEqual([call.id, call.type, call.function.name], ['call_only', 'function', 'get_weather']);
    assert.deepEqual(JSON.parse(call.function.arguments), koeln);
    messages.push(message, { role: 'tool', tool_call_id: call.id, content: 'rain' });
    const second = await chat.create({ model, messages, tools });
    assert.equal(second.choices[0].message.content, 'The tool says rain');
  },

  async 'parallel tool calls, streamed'() {
    const calls = [];
    let pieces = 0;
    for await (const chunk of await chat.create({ model, messages: user('How is it in both?'), tools, stream: true })) {
      for (const t of chunk.choices[0].delta.tool_calls ?? []) {
        const call = (calls[t.index] ??= { id: '', name: '', arguments: '' });
        call.id += t.id ?? '';
        call.name += t.function.name ?? '';
        call.arguments += t.function.arguments ?? '';
        if (t.function.arguments) pieces++;
      }
    }
    assert.ok(pieces > 2, `the arguments came in ${pieces} pieces`);
    assert.deepEqual(calls.map((c) => c.id), ['call_first', 'call_second']);
    assert.deepEqual(calls.map((c) => JSON.parse(c.arguments).city), ['Köln', 'Paris']);
  },

  async 'tools run by the SDK'() {
    const seen = [];
    const run = chat.runTools({
      model, messages: user('How is the weather?'), stream: true,
      tools: [{ type: 'function', function: { ...tools[0].function, parse: JSON.parse, function: (a) => { seen.push(a); return 'sun'; } } }],
    });
    assert.equal(await run.finalContent(), 'The tool says sun');
    assert.deepEqual(seen, [koeln]);
  },

  async 'structured output'() {
    const Event = z.object({ name: z.string(), participants: z.array(z.string()) });
    const r = await chat.parse({ model, messages: user('Extract the event'), response_format: zodResponseFormat(Event, 'event') });
    assert.deepEqual(r.choices[0].message.parsed, fair);
  },

  async embeddings() {
    const input = ['the sea', 'a spanner'];
    const packed = await client.embeddings.create({ model: 'test-embed', input }); // the SDK asks for base64
    const floats = await client.embeddings.create({ model: 'test-embed', input, encoding_format: 'float' });
    assert.deepEqual(packed.data.map((d) => d.index), [0, 1]);
    packed.data.forEach((d, i) => {
      assert.ok(d.embedding.length >= 8, 'too short');
      assert.equal(d.embedding.length, floats.data[i].embedding.length);
      d.embedding.forEach((x, j) => assert.ok(Math.abs(x - floats.data[i].embedding[j]) < 1e-6, 'base64 holds another vector'));
    });
    assert.notDeepEqual(packed.data[0].embedding, packed.data[1].embedding);
  },

  async models() {
    const ids = [];
    for await (const m of client.models.list()) ids.push(m.id);
    for (const id of ['test-model', 'test-embed', 'limited', 'breaks']) assert.ok(ids.includes(id), `${id} is not in ${ids}`);
    const one = await client.models.retrieve('test-model');
    assert.deepEqual([one.id, one.object], ['test-model', 'model']);
    await raises(OpenAI.NotFoundError, 404, 'model_not_found', () => client.models.retrieve('nothing'));
  },

  async 'legacy completion'() {
    const r = await client.completions.create({ model, prompt: 'Say hello' });
    assert.deepEqual([r.object, r.choices[0].text], ['text_completion', TEXT]);
    let text = '';
    for await (const c of await client.completions.create({ model, prompt: 'Say hello', stream: true })) text += c.choices[0].text;
    assert.equal(text, TEXT);
  },

  async 'wrong key'() {
    const other = client.withOptions({ apiKey: 'sk-wrong' });
    await raises(OpenAI.AuthenticationError, 401, 'invalid_api_key', () => other.chat.completions.create({ model, messages: hello }));
    await raises(OpenAI.AuthenticationError, 401, 'invalid_api_key', () => other.models.list());
  },

  async 'unknown model'() {
    for (const stream of [false, true]) {
      await raises(OpenAI.NotFoundError, 404, 'model_not_found', () => chat.create({ model: 'nothing', messages: hello, stream }));
    }
  },

  async 'bad request'() {
    const e = await raises(OpenAI.BadRequestError, 400, 'invalid_value', () => chat.create({ model, messages: user('refuse') }));
    assert.deepEqual([e.param, e.type], ['temperature', 'invalid_request_error']);
    await raises(OpenAI.BadRequestError, 400, null, () => chat.create({ model, messages: 'no list' }));
  },

  async 'rate limit'() {
    const e = await raises(OpenAI.RateLimitError, 429, 'rate_limit_exceeded', () => chat.create({ model: 'limited', messages: hello }));
    assert.equal(e.headers.get('retry-after'), '7');
  },

  async 'error in a stream'() {
    let text = '';
    let error;
    try {
      for await (const chunk of await chat.create({ model: 'breaks', messages: hello, stream: true })) text += chunk.choices[0].delta.content ?? '';
    } catch (e) {
      error = e;
    }
    assert.ok(error instanceof OpenAI.APIError, `the stream ended with ${error}`);
    assert.ok(text.startsWith('one '), `the text before it was ${JSON.stringify(text)}`);
  },
};

// Of the Responses API, with the models of both backends.
const flat = [{ type: 'function', name: 'get_weather', description: 'The weather of a city', strict: true, parameters: weather }];
const usual = { instructions: 'Be brief.', input: 'Hello', store: false };
const responses = {
  async responses(model) {
    const r = await client.responses.create({ ...usual, model });
    assert.deepEqual([r.output_text, r.status, r.object], [TEXT, 'completed', 'response']);
    assert.deepEqual([r.usage.input_tokens, r.usage.input_tokens_details.cached_tokens, r.usage.output_tokens], [11, 3, 5]);
  },

  async 'responses stream'(model) {
    let text = '';
    const stream = client.responses.stream({ ...usual, model });
    stream.on('response.output_text.delta', (e) => (text += e.delta));
    const final = await stream.finalResponse();
    assert.deepEqual([text, final.output_text, final.usage.total_tokens], [TEXT, TEXT, 16]);
  },

  async 'responses tool calls'(model) {
    const input = [{ role: 'user', content: 'How is it in both?' }];
    const { output } = await client.responses.stream({ model, input, tools: flat, store: false }).finalResponse();
    const calls = output.filter((i) => i.type === 'function_call');
    assert.deepEqual(calls.map((c) => [c.call_id, JSON.parse(c.arguments)]), [['call_first', koeln], ['call_second', paris]]);
    input.push(...calls.map(({ type, call_id, name, arguments: a }) => ({ type, call_id, name, arguments: a })));
    for (const c of calls) input.push({ type: 'function_call_output', call_id: c.call_id, output: `sun in ${JSON.parse(c.arguments).city}` });
    assert.equal((await client.responses.create({ model, input, tools: flat, store: false })).output_text, 'The tool says sun in Köln and sun in Paris');
  },

  async 'responses image and schema'(model) {
    const content = [{ type: 'input_text', text: 'What is this?' }, { type: 'input_image', image_url: `data:image/png;base64,${png}`, detail: 'auto' }];
    assert.equal((await client.responses.create({ model, input: [{ role: 'user', content }] })).output_text, SEEN);
    const Event = z.object({ name: z.string(), participants: z.array(z.string()) });
    assert.deepEqual((await client.responses.parse({ model, input: 'Extract the event', text: { format: zodTextFormat(Event, 'event') } })).output_parsed, fair);
  },

  async 'responses errors'(model) {
    const e = await thrown(OpenAI.BadRequestError, () => client.responses.create({ model, input: 'refuse' }));
    assert.match(e.message, /'temperature' is out of range\./);
  },
};

await main('OpenAI Node', VERSION, { ...checks, ...both(responses) });
