// SPDX-License-Identifier: AGPL-3.0-only
// The AI SDK with its providers of three vendors against hoosh. See main.go for what is printed, script.go for what is answered.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, Output, embedMany, generateText, jsonSchema, isStepCount, streamText, tool } from 'ai';
import { SEEN, TEXT, THOUGHT, claude, eventSchema, fair, koeln, main, model, paris, png, thrown, weather } from './common.mjs';

const { version } = JSON.parse(readFileSync(new URL('node_modules/ai/package.json', import.meta.url)));
const apiKey = process.env.OPENAI_API_KEY;
const openai = createOpenAI({ apiKey, baseURL: process.env.OPENAI_BASE_URL });
const anthropic = createAnthropic({ apiKey, baseURL: `${process.env.ANTHROPIC_BASE_URL}/v1` });
const google = createGoogle({ apiKey, baseURL: `${process.env.GOOGLE_GEMINI_BASE_URL}/v1beta` });
const vendors = { 'openai responses': openai, 'openai chat': openai.chat, anthropic, google };

const seen = [];
const tools = {
  get_weather: tool({
    description: 'The weather of a city', inputSchema: jsonSchema(weather),
    execute: async (a) => (seen.push(a), `sun in ${a.city}`),
  }),
};
const usual = { maxRetries: 0, maxOutputTokens: 50 };

// Each is done with each vendor's format, over the models of both backends.
const each = {
  async generate(model) {
    const { text, finishReason, usage } = await generateText({ ...usual, model, prompt: 'Hello' });
    assert.deepEqual([text, finishReason], [TEXT, 'stop']);
    assert.deepEqual([usage.inputTokens, usage.outputTokens], [11, 5]);
  },

  async stream(model) {
    const result = streamText({ ...usual, model, prompt: 'Hello' });
    let text = '';
    let pieces = 0;
    for await (const piece of result.textStream) {
      text += piece;
      pieces++;
    }
    assert.equal(text, TEXT);
    assert.ok(pieces > 2, `${pieces} pieces`);
    const usage = await result.usage;
    assert.deepEqual([usage.inputTokens, usage.outputTokens, await result.finishReason], [11, 5, 'stop']);
  },

  async 'tools, whole'(model) {
    seen.length = 0;
    const { text } = await generateText({ ...usual, model, tools, stopWhen: isStepCount(3), prompt: 'How is it in both?' });
    assert.deepEqual(seen, [koeln, paris]);
    assert.match(text, /^The tool says .*sun in Köln.* and .*sun in Paris/);
  },

  async 'tools, streamed'(model) {
    seen.length = 0;
    const result = streamText({ ...usual, model, tools, stopWhen: isStepCount(3), prompt: 'How is it in both?' });
    const text = await result.text;
    assert.deepEqual(seen, [koeln, paris]);
    assert.match(text, /^The tool says .*sun in Köln.* and .*sun in Paris/);
  },

  async image(model) {
    const content = [{ type: 'text', text: 'What is this?' }, { type: 'file', data: Buffer.from(png, 'base64'), mediaType: 'image/png' }];
    assert.equal((await generateText({ ...usual, model, messages: [{ role: 'user', content }] })).text, SEEN);
  },

  async 'structured output'(model) {
    const { output } = await generateText({ ...usual, model, output: Output.object({ schema: jsonSchema(eventSchema) }), prompt: 'Extract the event' });
    assert.deepEqual(output, fair);
  },
};

const checks = {};
for (const [vendor, make] of Object.entries(vendors)) {
  for (const [name, run] of Object.entries(each)) for (const m of [model, claude]) checks[`${vendor} ${name} ${m}`] = () => run(make(m));

  checks[`${vendor} errors`] = async () => {
    const ask = (m) => generateText({ ...usual, model: make(m), prompt: m === model ? 'refuse' : 'Hello' });
    for (const [m, status] of [['nothing', 404], ['limited', 429], [model, 400]]) {
      const e = await thrown(APICallError, () => ask(m));
      assert.equal(e.statusCode, status);
      if (status === 400) assert.match(e.message, /'temperature' is out of range\./); // read from the error's body
      if (status === 429 && vendor !== 'google') assert.equal(e.responseHeaders['retry-after'], '7');
    }
  };

  checks[`${vendor} error in a stream`] = async () => {
    for (const m of ['breaks', 'claude-breaks']) {
      let text = '';
      let error;
      for await (const part of streamText({ ...usual, model: make(m), prompt: 'Hello', onError() {} }).fullStream) {
        if (part.type === 'text-delta') text += part.text;
        if (part.type === 'error') error = part.error;
      }
      assert.ok(error && text.startsWith('one '), `${m}: after ${JSON.stringify(text)} the error is ${error}`);
    }
  };
}

// Thinking has to come back with its signature between calls of tools; else there is none in the second step.
const thinking = {
  'openai responses': { openai: { forceReasoning: true, reasoningEffort: 'medium', reasoningSummary: 'auto', store: false, include: ['reasoning.encrypted_content'] } },
  anthropic: { anthropic: { thinking: { type: 'enabled', budgetTokens: 2048 } } },
  google: { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 2048 } } },
};
for (const [vendor, providerOptions] of Object.entries(thinking)) {
  checks[`${vendor} thinking in a tool loop`] = async () => {
    const { steps } = await generateText({ maxRetries: 0, maxOutputTokens: 4096, model: vendors[vendor](claude), tools, stopWhen: isStepCount(3), prompt: 'How is the weather?', providerOptions });
    assert.deepEqual(steps.map((s) => s.reasoningText), [THOUGHT, THOUGHT]);
    assert.match(steps.at(-1).text, /sun in Köln/);
  };
}

for (const [vendor, model] of Object.entries({ openai: openai.embedding('test-embed'), google: google.embedding('test-embed') })) {
  checks[`${vendor} embeddings`] = async () => {
    const { embeddings } = await embedMany({ model, values: ['the sea', 'a spanner'], maxRetries: 0 });
    assert.ok(embeddings.length === 2 && embeddings[0].length >= 8, JSON.stringify(embeddings));
    assert.notDeepEqual(embeddings[0], embeddings[1]);
  };
}

await main('AI SDK', version, checks);
