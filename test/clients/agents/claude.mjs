// SPDX-License-Identifier: AGPL-3.0-only
// Claude Code against hoosh: it does a task with its own tools. See main.go for what is printed.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { main, run } from './task.mjs';

const file = createRequire(import.meta.url).resolve('@anthropic-ai/claude-code/package.json');
const { version } = createRequire(import.meta.url)(file);

await main(`Claude Code ${version}`, async ({ model, folder, home, prompt }) => {
  const args = [join(dirname(file), 'cli-wrapper.cjs'), '-p', prompt, '--model', model, '--allowedTools', 'Read,Bash', '--output-format', 'stream-json', '--verbose'];
  const events = await run(process.execPath, args, {
    cwd: folder, home,
    env: {
      ANTHROPIC_BASE_URL: process.env.ANTHROPIC_BASE_URL,
      ANTHROPIC_AUTH_TOKEN: process.env.ANTHROPIC_API_KEY,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
      DISABLE_TELEMETRY: '1', DISABLE_AUTOUPDATER: '1', DISABLE_ERROR_REPORTING: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
  });
  const result = events.find((e) => e.type === 'result');
  if (!result || result.is_error) throw new Error(`no result: ${JSON.stringify(result ?? events.at(-1))}`);
  const results = events.filter((e) => e.type === 'user').flatMap((e) => e.message.content).filter((b) => b.type === 'tool_result' && !b.is_error);
  return { text: result.result, tools: results.length };
});
