# SPDX-License-Identifier: AGPL-3.0-only
"""The Ollama Python library against hoosh. See main.go for what is printed, script.go for what is answered."""

import asyncio
import importlib.metadata
import json

import ollama

from common import ARGUMENTS, CLAUDE, EVENT, FAIR, MODEL, PARIS, SEEN, TEXT, THOUGHT, WEATHER, check, main, png, raised, same

HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "The weather of a city", "parameters": WEATHER}}]

client = ollama.Client()  # OLLAMA_HOST and OLLAMA_API_KEY say where


def user(text, **more):
    return [{"role": "user", "content": text, **more}]


def check_end(r):
    same((r.done, r.done_reason, r.prompt_eval_count, r.eval_count), (True, "stop", 11, 5))
    assert r.created_at and r.total_duration, "no time"


@check
def chat(model):
    r = client.chat(model, HELLO, options={"temperature": 0, "num_predict": 50, "stop": ["END"]})
    same((r.message.role, r.message.content, r.model), ("assistant", TEXT, model))
    check_end(r)


@check
def stream(model):
    parts = list(client.chat(model, HELLO, stream=True))
    assert len(parts) > 3, f"{len(parts)} parts"
    same("".join(p.message.content for p in parts), TEXT)
    same([p.done for p in parts], [False] * (len(parts) - 1) + [True])
    check_end(parts[-1])


@check
def generate(model):
    r = client.generate(model, "Hello", system="Be brief.")
    same(r.response, TEXT)
    check_end(r)
    parts = list(client.generate(model, "Hello", stream=True))
    same("".join(p.response for p in parts), TEXT)
    check_end(parts[-1])


@check
def tool_call_and_result(model):
    def get_weather(city: str, unit: str) -> str:
        """The weather of a city."""
        return f"sun in {city}, in {unit}"
    messages = user("How is the weather?")
    r = client.chat(model, messages, tools=[get_weather])  # the library makes the schema
    call, = r.message.tool_calls
    same((call.function.name, dict(call.function.arguments)), ("get_weather", ARGUMENTS))
    messages += [r.message, {"role": "tool", "tool_name": "get_weather", "content": get_weather(**call.function.arguments)}]
    same(client.chat(model, messages, tools=[get_weather]).message.content, "The tool says sun in Köln, in celsius")


@check
def parallel_tool_calls_streamed(model):
    messages, calls = user("How is it in both?"), []
    for part in client.chat(model, messages, tools=TOOLS, stream=True):
        calls += part.message.tool_calls or []
    same([c.function.name for c in calls], ["get_weather"] * 2)
    same([dict(c.function.arguments) for c in calls], [ARGUMENTS, PARIS])
    messages.append({"role": "assistant", "content": "", "tool_calls": calls})
    messages += [{"role": "tool", "tool_name": "get_weather", "content": f"sun in {c.function.arguments['city']}"} for c in calls]
    same(client.chat(model, messages, tools=TOOLS).message.content, "The tool says sun in Köln and sun in Paris")


@check
def thinking():
    r = client.chat(CLAUDE, HELLO, think=True)
    same((r.message.thinking, r.message.content), (THOUGHT, TEXT))
    parts = list(client.chat(CLAUDE, HELLO, think="low", stream=True))
    same(("".join(p.message.thinking or "" for p in parts), "".join(p.message.content or "" for p in parts)), (THOUGHT, TEXT))


@check
def image(model):
    same(client.chat(model, user("What is this?", images=[png()])).message.content, SEEN)
    same(client.generate(model, "What is this?", images=[png()]).response, SEEN)


@check
def structured_output(model):
    same(json.loads(client.chat(model, user("Extract the event"), format=EVENT).message.content), FAIR)
    same(json.loads(client.generate(model, "Extract the event", format=EVENT).response), FAIR)


@check
def embeddings():
    r = client.embed("test-embed", ["the sea", "a spanner"])
    same(len(r.embeddings), 2)
    assert len(r.embeddings[0]) >= 8 and r.embeddings[0] != r.embeddings[1], r.embeddings
    assert r.prompt_eval_count, "no tokens were counted"
    one = client.embed("test-embed", "the sea").embeddings
    assert all(abs(x - y) < 1e-6 for x, y in zip(one[0], r.embeddings[0], strict=True)), "another vector for the same text"


@check
def models():
    names = [m.model for m in client.list().models]
    assert {"test-model", "test-embed", "limited", "breaks", "claude-test"} <= set(names), names
    assert "completion" in client.show(MODEL).capabilities
    same(raised(ollama.ResponseError, lambda: client.show("nothing")).status_code, 404)
    client.ps()


@check
def wrong_key():
    other = ollama.Client(headers={"Authorization": "Bearer sk-wrong"})
    same(raised(ollama.ResponseError, lambda: other.chat(MODEL, HELLO)).status_code, 401)


@check
def unknown_model():
    for ask in (client.chat, client.generate):
        e = raised(ollama.ResponseError, lambda: ask("nothing"))
        same(e.status_code, 404)
        assert "nothing" in e.error, e.error
    same(raised(ollama.ResponseError, lambda: list(client.chat("nothing", HELLO, stream=True))).status_code, 404)


@check
def bad_request(model):
    e = raised(ollama.ResponseError, lambda: client.chat(model, user("refuse")))
    same(e.status_code, 400)
    assert "'temperature' is out of range." in e.error, e.error


@check
def rate_limit():
    for model in ("limited", "claude-limited"):
        same(raised(ollama.ResponseError, lambda: client.chat(model, HELLO)).status_code, 429)


@check
def error_in_a_stream():
    for model in ("breaks", "claude-breaks"):
        text = ""
        def read():
            nonlocal text
            for part in client.chat(model, HELLO, stream=True):
                text += part.message.content
        assert raised(ollama.ResponseError, read).error
        same(text[:4], "one ")


@check
def async_client():
    async def both():
        a = ollama.AsyncClient()
        whole, streamed = await asyncio.gather(a.chat(MODEL, HELLO), a.chat(MODEL, HELLO, stream=True))
        same(whole.message.content, TEXT)
        same("".join([p.message.content async for p in streamed]), TEXT)
    asyncio.run(both())


main("Ollama Python", importlib.metadata.version("ollama"))
