// SPDX-License-Identifier: AGPL-3.0-only
// Codex against hoosh: it does a task with its own tools. See main.go for what is printed.

import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { main, run } from './task.mjs';

const file = createRequire(import.meta.url).resolve('@openai/codex/package.json');
const { version } = createRequire(import.meta.url)(file);

await main(`Codex ${version}`, async ({ model, folder, home, prompt }) => {
  const settings = join(home, '.codex');
  mkdirSync(settings);
  writeFileSync(join(settings, 'config.toml'), `
model = ${JSON.stringify(model)}
model_provider = "hoosh"
model_reasoning_effort = "medium"
check_for_update_on_startup = false

[model_providers.hoosh]
name = "hoosh"
base_url = ${JSON.stringify(process.env.OPENAI_BASE_URL)}
env_key = "HOOSH_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false
`);
  const args = [join(dirname(file), 'bin/codex.js'), 'exec', '--json', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-C', folder, prompt];
  const events = await run(process.execPath, args, { cwd: folder, home, env: { CODEX_HOME: settings, HOOSH_KEY: process.env.OPENAI_API_KEY } });
  const done = events.filter((e) => e.type === 'item.completed').map((e) => e.item);
  if (!events.some((e) => e.type === 'turn.completed')) throw new Error(`the turn was not completed: ${JSON.stringify(events.slice(-3))}`);
  const texts = done.filter((i) => i.type === 'agent_message').map((i) => i.text);
  return { text: texts.at(-1) ?? '', tools: done.filter((i) => i.type === 'command_execution' && i.exit_code === 0).length };
});
