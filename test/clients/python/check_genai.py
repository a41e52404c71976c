# SPDX-License-Identifier: AGPL-3.0-only
"""The Google Gen AI Python SDK against hoosh. See main.go for what is printed, script.go for what is answered."""

import asyncio
import json

import pydantic
from google import genai
from google.genai import errors, types

from common import ARGUMENTS, CLAUDE, EVENT, FAIR, MODEL, PARIS, SEEN, TEXT, THOUGHT, WEATHER, check, main, png, raised, same

DECLARATION = types.FunctionDeclaration(name="get_weather", description="The weather of a city", parameters_json_schema=WEATHER)
TOOLS = [types.Tool(function_declarations=[DECLARATION])]

client = genai.Client()  # GOOGLE_GEMINI_BASE_URL and GEMINI_API_KEY say where


def ask(model, contents="Hello", **config):
    return client.models.generate_content(model=model, contents=contents, config=types.GenerateContentConfig(**config))


def stream(model, contents="Hello", **config):
    return client.models.generate_content_stream(model=model, contents=contents, config=types.GenerateContentConfig(**config))


def check_usage(u):
    same((u.prompt_token_count, u.cached_content_token_count, u.candidates_token_count, u.total_token_count), (11, 3, 5, 16))


def refused(code, status, call):
    e = raised(errors.ClientError, call)
    same((e.code, e.status), (code, status))
    assert e.message, "no message"
    return e


@check
def generate_content(model):
    r = ask(model, system_instruction="Be brief.", max_output_tokens=50, stop_sequences=["END"])
    same((r.text, r.candidates[0].finish_reason, r.candidates[0].content.role), (TEXT, types.FinishReason.STOP, "model"))
    check_usage(r.usage_metadata)
    assert r.response_id and r.model_version, "no response id or model version"


@check
def generate_content_stream(model):
    parts = list(stream(model, system_instruction="Be brief."))
    assert len(parts) > 3, f"{len(parts)} parts"
    same("".join(p.text or "" for p in parts), TEXT)
    same([c.finish_reason for p in parts for c in p.candidates or [] if c.finish_reason], [types.FinishReason.STOP])
    check_usage(parts[-1].usage_metadata)


@check
def chat_history(model):
    chat = client.chats.create(model=model)
    same(chat.send_message("Hello").text, TEXT)
    same("".join(p.text or "" for p in chat.send_message_stream("Hello again")), TEXT)
    same([c.role for c in chat.get_history()][:3], ["user", "model", "user"])


@check
def tool_call_and_result(model):
    user = types.Content(role="user", parts=[types.Part(text="How is the weather?")])
    r = ask(model, [user], tools=TOOLS, tool_config={"function_calling_config": {"mode": "AUTO"}})
    call, = r.function_calls
    same((call.name, call.args, r.candidates[0].finish_reason), ("get_weather", ARGUMENTS, types.FinishReason.STOP))
    result = types.Part.from_function_response(name=call.name, response={"result": "rain"})
    result.function_response.id = call.id
    r = ask(model, [user, r.candidates[0].content, types.Content(role="user", parts=[result])], tools=TOOLS)
    assert r.text.startswith("The tool says") and "rain" in r.text, r.text


@check
def parallel_tool_calls_streamed(model):
    user = types.Content(role="user", parts=[types.Part(text="How is it in both?")])
    parts = [p for r in stream(model, [user], tools=TOOLS) for c in r.candidates or [] if c.content for p in c.content.parts or [] if p.function_call]
    same([(p.function_call.name, p.function_call.args) for p in parts], [("get_weather", ARGUMENTS), ("get_weather", PARIS)])
    results = [types.Part.from_function_response(name="get_weather", response={"output": f"sun in {p.function_call.args['city']}"}) for p in parts]  # no ids: by order
    text = ask(model, [user, types.Content(role="model", parts=parts), types.Content(role="user", parts=results)], tools=TOOLS).text
    assert "sun in Köln" in text and "sun in Paris" in text and text.index("Köln") < text.index("Paris"), text


@check
def tools_run_by_the_sdk(model):
    def get_weather(city: str, unit: str) -> str:
        """The weather of a city."""
        return f"sun in {city}, in {unit}"
    text = ask(model, "How is the weather?", tools=[get_weather]).text
    assert "sun in Köln, in celsius" in text, text


@check
def thinking_in_a_tool_loop():
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=2048)
    def ask(contents):
        r = client.models.generate_content(model=CLAUDE, contents=contents, config=types.GenerateContentConfig(tools=TOOLS, thinking_config=thinking))
        parts = r.candidates[0].content.parts
        same("".join(p.text for p in parts if p.thought), THOUGHT)
        return r
    user = types.Content(role="user", parts=[types.Part(text="How is the weather?")])
    r = ask([user])
    result = types.Part.from_function_response(name="get_weather", response={"output": "rain"})
    r = ask([user, r.candidates[0].content, types.Content(role="user", parts=[result])])  # it thinks again: the signature came back
    assert "rain" in r.text, r.text


@check
def image(model):
    same(ask(model, [types.Part.from_bytes(data=png(), mime_type="image/png"), "What is this?"]).text, SEEN)


class Event(pydantic.BaseModel):
    name: str
    participants: list[str]


@check
def structured_output(model):
    r = ask(model, "Extract the event", response_mime_type="application/json", response_schema=Event)
    same(r.parsed, Event(**FAIR))
    r = ask(model, "Extract the event", response_mime_type="application/json", response_json_schema=EVENT)
    same(json.loads(r.text), FAIR)


@check
def count_tokens():
    same(client.models.count_tokens(model=CLAUDE, contents="Hello").total_tokens, 42)
    few = client.models.count_tokens(model=MODEL, contents="Hello").total_tokens
    many = client.models.count_tokens(model=MODEL, contents="Hello " * 200).total_tokens
    assert 0 < few < many, f"{few} tokens, and {many} of much more"


@check
def embeddings():
    two = client.models.embed_content(model="test-embed", contents=["the sea", "a spanner"]).embeddings
    same(len(two), 2)
    assert len(two[0].values) >= 8 and two[0].values != two[1].values, two
    one, = client.models.embed_content(model="test-embed", contents="the sea").embeddings
    assert all(abs(x - y) < 1e-6 for x, y in zip(one.values, two[0].values, strict=True)), "another vector for the same text"


@check
def models():
    names = [m.name for m in client.models.list(config={"page_size": 2})]  # page by page
    assert {"models/test-model", "models/test-embed", "models/limited", "models/claude-test"} <= set(names), names
    same(len(names), len(set(names)))
    same(client.models.get(model="test-model").name, "models/test-model")
    refused(404, "NOT_FOUND", lambda: client.models.get(model="nothing"))


@check
def wrong_key():
    other = genai.Client(api_key="sk-wrong")
    e = raised(errors.ClientError, lambda: other.models.generate_content(model=MODEL, contents="Hello"))
    assert e.code in (400, 401) and e.message, e


@check
def unknown_model():
    refused(404, "NOT_FOUND", lambda: ask("nothing"))
    refused(404, "NOT_FOUND", lambda: list(stream("nothing")))


@check
def bad_request(model):
    e = refused(400, "INVALID_ARGUMENT", lambda: ask(model, "refuse"))
    assert "'temperature' is out of range." in e.message, e.message


@check
def rate_limit():
    for model in ("limited", "claude-limited"):
        for call in (lambda: ask(model), lambda: list(stream(model))):
            e = refused(429, "RESOURCE_EXHAUSTED", call)
            waits = [d["retryDelay"] for d in e.details["error"].get("details", []) if d["@type"].endswith("google.rpc.RetryInfo")]
            same(waits, ["7s"])


@check
def error_in_a_stream():
    for model in ("breaks", "claude-breaks"):
        text = ""
        try:
            for part in stream(model):
                text += part.text or ""
        except errors.APIError as e:
            assert e.message, e
            same(text[:4], "one ")
            continue
        raise AssertionError("the stream ended as if all were well")


@check
def async_client():
    async def both():
        async def streamed():
            return [p.text or "" async for p in await client.aio.models.generate_content_stream(model=MODEL, contents="Hello")]
        whole, parts = await asyncio.gather(client.aio.models.generate_content(model=MODEL, contents="Hello"), streamed())
        same((whole.text, "".join(parts)), (TEXT, TEXT))
    asyncio.run(both())


main("Google Gen AI Python", genai.__version__)
