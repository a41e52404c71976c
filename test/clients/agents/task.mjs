// SPDX-License-Identifier: AGPL-3.0-only
// What the agents have in common: a task that takes tools, and a place of their own to do it in. script.go of the clients'
// runner plays the model.

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The models: behind the first is OpenAI's chat format, behind the second Anthropic's.
export const models = ['test-model', 'claude-test'];

// main prints a name and runs the agent with each model: agent({model, folder, home, prompt}) gives what the agent wrote, and
// the tools that it says it ran.
export async function main(name, agent) {
  console.log('name', name);
  for (const model of models) {
    const root = mkdtempSync(join(tmpdir(), 'hoosh-agent-'));
    try {
      await oneTask(root, model, agent);
    } catch (e) {
      process.exitCode = 1;
      console.log(`FAIL ${model}: ${e.message}`.replaceAll('\n', ' '));
    } finally {
      rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

async function oneTask(root, model, agent) {
  const folder = join(root, 'work');
  const home = join(root, 'home');
  mkdirSync(folder);
  mkdirSync(home);
  const [a, b] = [randomInt(1000, 9999), randomInt(1000, 9999)];
  writeFileSync(join(folder, 'first.txt'), `first=${a}\n`);
  writeFileSync(join(folder, 'second.txt'), `second=${b}\n`);
  const { text, tools } = await agent({ model, folder, home, prompt: `Add the numbers in the folder ${folder}. Look into first.txt and second.txt.` });
  const check = (what, ok, got) => {
    if (ok) console.log('ok', model, what);
    else {
      process.exitCode = 1;
      console.log(`FAIL ${model} ${what}: ${got}`.replaceAll('\n', ' '));
    }
  };
  check('tools', tools === 3, `${tools} calls of tools instead of 3`);
  check('answer', text.trim() === `The sum is ${a + b}`, `the agent says ${JSON.stringify(text)}, want the sum ${a + b}`);
}

// run starts a program without the surroundings of this one, and gives what it prints, line by line, as JSON.
export function run(program, args, { cwd, home, env }) {
  return new Promise((resolve, reject) => {
    const env1 = { PATH: process.env.PATH, HOME: home, TMPDIR: home, LANG: 'C.UTF-8', ...env };
    const child = spawn(program, args, { cwd, env: env1, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const kill = () => process.kill(-child.pid, 'SIGKILL'); // and what it has started
    const patience = setTimeout(kill, 50_000);
    process.once('SIGTERM', kill);
    let out = '';
    let err = '';
    child.stdout.on('data', (d) => (out += d));
    child.stderr.on('data', (d) => (err += d));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(patience);
      process.removeListener('SIGTERM', kill);
      if (code !== 0) reject(new Error(`it ended with ${code ?? signal}: ${out.slice(-1500)} ${err.slice(-1500)}`));
      else resolve(out.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)));
    });
  });
}
