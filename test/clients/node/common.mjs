// SPDX-License-Identifier: AGPL-3.0-only
// What the Node clients have in common. script.go of the clients' runner says what the models answer.

import assert from 'node:assert/strict';

export const model = 'test-model'; // behind it is OpenAI's chat format
export const claude = 'claude-test'; // behind it is Anthropic's
export const TEXT = 'Hello from the backend 🎈';
export const weather = {
  type: 'object', required: ['city', 'unit'], additionalProperties: false,
  properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
};
export const koeln = { city: 'Köln', unit: 'celsius' };
export const paris = { city: 'Paris', unit: 'celsius' };
export const eventSchema = {
  type: 'object', required: ['name', 'participants'], additionalProperties: false,
  properties: { name: { type: 'string' }, participants: { type: 'array', items: { type: 'string' } } },
};
export const fair = { name: 'Science fair', participants: ['Alice', 'Bob'] };
export const THOUGHT = 'Two steps at a time.'; // of the model behind claude, where thinking is asked for

// A picture of 2x1 pixels of #0a141e, and what a model says of it.
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR4nGPgEpEDIgABgwB5XYe42gAAAABJRU5ErkJggg==';
export const SEEN = 'I see 2x1 pixels of #0a141e';

// thrown gives what call throws, which is of that class.
export async function thrown(kind, call) {
  let result;
  try {
    result = await call();
  } catch (e) {
    assert.ok(e instanceof kind, `${e?.constructor?.name}: ${e?.message}`);
    return e;
  }
  assert.fail(`no ${kind.name}, but ${JSON.stringify(result)}`);
}

// both makes a check of each that is done with the models of both backends.
export function both(checks) {
  const out = {};
  for (const [name, run] of Object.entries(checks)) for (const m of [model, claude]) out[`${name} ${m}`] = () => run(m);
  return out;
}

export async function main(name, version, checks) {
  console.log('name', name, version);
  for (const [check, run] of Object.entries(checks)) {
    try {
      await run();
      console.log('ok', check);
    } catch (e) {
      process.exitCode = 1;
      const where = e?.stack?.split('\n').find((l) => /\.mjs:\d/.test(l) && !l.includes('node_modules') && !l.includes('common.mjs'));
      console.log(`FAIL ${check}: ${e?.name}: ${e?.message} ${where?.trim() ?? ''}`.replaceAll('\n', ' '));
    }
  }
}
