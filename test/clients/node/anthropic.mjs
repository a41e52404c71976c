// SPDX-License-Identifier: AGPL-3.0-only
// The Anthropic Node SDK against hoosh. See main.go for what is printed, script.go for what is answered.

import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { VERSION } from '@anthropic-ai/sdk/version';
import { z } from 'zod';
import { SEEN, TEXT, both, claude, fair, koeln, main, model, paris, png, thrown, weather } from './common.mjs';

const user = (content) => [{ role: 'user', content }];
const tools = [{ name: 'get_weather', description: 'The weather of a city', input_schema: weather }];
const usual = { max_tokens: 50, messages: user('Hello') };

const client = new Anthropic({ maxRetries: 0 }); // ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY say where
const create = (model, more) => client.messages.create({ ...usual, model, ...more });

function checkUsage(u) {
  assert.deepEqual([u.input_tokens, u.cache_read_input_tokens, u.output_tokens], [8, 3, 5]);
}

async function refused(kind, status, type, call) {
  const e = await thrown(kind, call);
  assert.equal(e.status, status);
  assert.equal(e.error.error.type, type);
  assert.ok(e.error.error.message && e.requestID, 'no message or request id');
  return e;
}

async function textOf(stream) {
  let text = '';
  for await (const e of stream) if (e.type === 'content_block_delta') text += e.delta.text;
  return text;
}

const ofBoth = {
  async messages(model) {
    const r = await create(model, { system: 'Be brief.', stop_sequences: ['END'] });
    assert.deepEqual(r.content.map((b) => [b.type, b.text]), [['text', TEXT]]);
    assert.deepEqual([r.type, r.role, r.model, r.stop_reason, r.stop_sequence], ['message', 'assistant', model, 'end_turn', null]);
    checkUsage(r.usage);
    assert.ok(r._request_id, 'no request id');
  },

  async stream(model) {
    assert.equal(await textOf(await create(model, { stream: true })), TEXT);
  },

  async 'stream helper'(model) {
    const stream = client.messages.stream({ ...usual, model });
    let text = '';
    stream.on('text', (delta) => (text += delta));
    const final = await stream.finalMessage();
    assert.deepEqual([text, final.content[0].text, final.stop_reason], [TEXT, TEXT, 'end_turn']);
    checkUsage(final.usage);
  },

  async 'tool call and result'(model) {
    const messages = user('How is the weather?');
    const r = await create(model, { messages, tools, tool_choice: { type: 'auto' } });
    assert.equal(r.stop_reason, 'tool_use');
    assert.deepEqual(r.content.map((b) => [b.type, b.id, b.name, b.input]), [['tool_use', 'call_only', 'get_weather', koeln]]);
    messages.push({ role: 'assistant', content: r.content }, ...user([{ type: 'tool_result', tool_use_id: 'call_only', content: 'rain' }]));
    assert.equal((await create(model, { messages, tools })).content[0].text, 'The tool says rain');
  },

  async 'parallel tool calls, streamed'(model) {
    const messages = user('How is it in both?');
    let pieces = 0;
    const stream = client.messages.stream({ ...usual, model, messages, tools });
    stream.on('inputJson', () => pieces++);
    const { content, stop_reason } = await stream.finalMessage();
    assert.ok(pieces > 4, `the arguments came in ${pieces} pieces`);
    assert.equal(stop_reason, 'tool_use');
    assert.deepEqual(content.map((b) => [b.id, b.name, b.input]), [['call_first', 'get_weather', koeln], ['call_second', 'get_weather', paris]]);
    const results = content.map((b) => ({ type: 'tool_result', tool_use_id: b.id, content: [{ type: 'text', text: `sun in ${b.input.city}` }] }));
    messages.push({ role: 'assistant', content }, ...user(results));
    assert.equal((await create(model, { messages, tools })).content[0].text, 'The tool says sun in Köln and sun in Paris');
  },

  async 'tools run by the SDK'(model) {
    const inputSchema = z.object({ city: z.string(), unit: z.string() });
    const tool = betaZodTool({ name: 'get_weather', description: 'The weather of a city', inputSchema, run: (a) => `sun in ${a.city}, in ${a.unit}` });
    const final = await client.beta.messages.toolRunner({ model, max_tokens: 50, messages: user('How is the weather?'), tools: [tool] });
    assert.equal(final.content[0].text, 'The tool says sun in Köln, in celsius');
  },

  async image(model) {
    const source = { type: 'base64', media_type: 'image/png', data: png };
    assert.equal((await create(model, { messages: user([{ type: 'image', source }, { type: 'text', text: 'What is this?' }]) })).content[0].text, SEEN);
  },

  async 'structured output'(model) {
    const Event = z.object({ name: z.string(), participants: z.array(z.string()) });
    const r = await client.messages.parse({ model, max_tokens: 50, messages: user('Extract the event'), output_config: { format: zodOutputFormat(Event) } });
    assert.deepEqual(r.parsed_output, fair);
  },

  async 'bad request'(model) {
    const e = await refused(Anthropic.BadRequestError, 400, 'invalid_request_error', () => create(model, { messages: user('refuse') }));
    assert.match(e.message, /'temperature' is out of range\./);
  },
};

await main('Anthropic Node', VERSION, {
  ...both(ofBoth),

  async 'leave a stream'() {
    const stream = await create(model, { stream: true });
    for await (const _ of stream) break;
    assert.ok(stream.controller.signal.aborted, 'the request was not given up');
  },

  async 'count tokens'() {
    assert.equal((await client.messages.countTokens({ model: claude, messages: user('Hello') })).input_tokens, 42);
    const few = (await client.messages.countTokens({ model, messages: user('Hello') })).input_tokens;
    const many = (await client.messages.countTokens({ model, messages: user('Hello '.repeat(200)), tools })).input_tokens;
    assert.ok(few > 0 && few < many, `${few} tokens, and ${many} of much more`);
  },

  async models() {
    const ids = [];
    for await (const m of client.models.list({ limit: 2 })) ids.push(m.id); // page by page
    for (const id of ['test-model', 'test-embed', 'limited', 'breaks', 'claude-test']) assert.ok(ids.includes(id), `${id} is not in ${ids}`);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal((await client.models.retrieve('test-model')).id, 'test-model');
    await refused(Anthropic.NotFoundError, 404, 'not_found_error', () => client.models.retrieve('nothing'));
  },

  async 'wrong key'() {
    const other = client.withOptions({ apiKey: 'sk-wrong' });
    await refused(Anthropic.AuthenticationError, 401, 'authentication_error', () => other.messages.create({ ...usual, model }));
  },

  async 'unknown model'() {
    for (const stream of [false, true]) await refused(Anthropic.NotFoundError, 404, 'not_found_error', () => create('nothing', { stream }));
  },

  async 'rate limit'() {
    for (const m of ['limited', 'claude-limited']) {
      const e = await refused(Anthropic.RateLimitError, 429, 'rate_limit_error', () => create(m));
      assert.equal(e.headers.get('retry-after'), '7');
    }
  },

  async 'error in a stream'() {
    for (const m of ['breaks', 'claude-breaks']) {
      let text = '';
      const read = async () => {
        for await (const e of await create(m, { stream: true })) if (e.type === 'content_block_delta') text += e.delta.text;
      };
      assert.ok((await thrown(Anthropic.APIError, read)).message);
      assert.ok(text.startsWith('one '), `the text before it was ${JSON.stringify(text)}`);
    }
  },
});
